//! What a trace says about itself: notes at its start, what it has missed, and why it failed.

use std::io;

use crate::inspect::{InspectError, Misuse};
use crate::kernel::ring::SetupError;

/// A note for the user when a trace begins.
#[derive(Debug)]
pub(crate) enum Note {
    /// Tracepoints are unavailable, so the program compares snapshots.
    FellBack(SetupError),
    /// The kernel lacks this event: the reasons why connections end are less certain.
    NoReasons(&'static str),
    /// The kernel lacks this event about threads: process names may be missing.
    NoNames(&'static str),
    /// The kernel's notices are unavailable: connections that open and close between two snapshots are not seen.
    NoNotices(io::Error),
}

/// Counts of what a trace has missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Missed {
    /// Events that the kernel lost because its ring was full.
    pub lost: u64,
    /// Transitions whose old state was not the socket's last known state: at least this many transitions are missing.
    pub unseen: u64,
    /// Sockets that were forgotten because of the limit: the duration of their current state will not be known.
    pub dropped: u64,
    /// How many times notices of destroyed sockets were lost.
    pub notices: u64,
}

/// Why a trace cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The kernel's ring is unavailable.
    #[error(transparent)]
    Ring(#[from] SetupError),
    /// The question of the snapshots has no answer.
    #[error(transparent)]
    Question(#[from] Misuse),
}

/// Why a trace cannot continue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// A snapshot failed.
    #[error(transparent)]
    Snapshot(#[from] InspectError),
    /// Reading the ring failed.
    #[error("tracefs: trace_pipe_raw: {0}")]
    Ring(#[from] io::Error),
}
