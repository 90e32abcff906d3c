//! How a trace is to be made.

use crate::kernel::ring::Nanos;

/// How to trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// By what; `None` for tracepoints, and snapshots where these can't be had.
    pub by: Option<By>,
    /// The time between two snapshots, and between two questions for an orphan.
    pub poll: Nanos,
    /// How many sockets are remembered at most.
    pub max_sockets: usize,
    /// Whether it is told what passed through connections.
    pub bytes: bool,
}

/// Where the transitions are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// By the kernel's tracepoints: all of them, in all network namespaces.
    Tracepoint,
    /// By snapshots that are compared: those of this network namespace that last.
    Poll,
}
