//! The options of a trace.

use crate::kernel::ring::Nanos;

/// How to trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// The source; `None` for tracepoints, or snapshots if tracepoints are unavailable.
    pub by: Option<By>,
    /// The time between two snapshots, or between two questions about orphans (see `events/minisockets/`).
    pub poll: Nanos,
    /// The largest number of sockets to remember.
    pub max_sockets: usize,
    /// Whether to report the bytes that connections carried.
    pub bytes: bool,
}

/// The source of the transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The kernel's tracepoints: every transition, in all network namespaces.
    Tracepoint,
    /// Compared snapshots: transitions in this network namespace, except states shorter than the interval.
    Poll,
}
