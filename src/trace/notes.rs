//! What a trace says of itself: when it begins, at its end, and where it fails.

use std::io;

use crate::inspect::CollectError;
use crate::kernel::ring::SetupError;

/// What is to be said of a trace when it begins.
#[derive(Debug)]
pub(crate) enum Note {
    /// Tracepoints are unavailable, so snapshots are compared.
    FellBack(SetupError),
    /// The kernel lacks this event: why connections end is less certain.
    NoReasons(&'static str),
    /// The kernel lacks this event of threads: names of processes may be missing.
    NoNames(&'static str),
    /// The kernel's notices can't be had: what opens and closes between two snapshots is not seen.
    NoNotices(io::Error),
}

/// What was not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// Events that the kernel lost because its ring was full.
    pub lost: u64,
    /// Sockets that came out of another state than they were in: at least so many transitions never came.
    pub unseen: u64,
    /// Sockets that were forgotten for want of room: their next transition has no time in its old state.
    pub dropped: u64,
    /// How often notices of destroyed sockets were lost.
    pub notices: u64,
}

/// Why a trace cannot continue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// A snapshot failed.
    #[error(transparent)]
    Snapshot(#[from] CollectError),
    /// Reading the ring failed.
    #[error("tracefs: trace_pipe_raw: {0}")]
    Ring(#[from] io::Error),
}
