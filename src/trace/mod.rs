//! The transitions of TCP sockets, as they happen.
//!
//! [`Tracer::start`] sets up the kernel's tracepoints, or where these can't be had compares snapshots, and says so.
//! [`Tracer::read`] tells what came since, one [`Change`] each, in the order of time. What is told to it as `now` is
//! the kernel's `CLOCK_MONOTONIC`, which also the events have. All of it must be called on one thread: the
//! connections' leftovers are asked for in that thread's network namespace.

mod change;
mod connections;
mod event;
mod meaning;
mod minisocket;
mod names;
mod records;
// The rings are the kernel's: it is talked to directly.
#[allow(unsafe_code)]
mod ring;
mod tracefs;
mod tracepoints;

use std::os::fd::BorrowedFd;

pub use change::{Change, Meaning, OnCpu};
pub use event::{Comm, Nanos};
pub use tracepoints::SetupError;

use tracepoints::Tracepoints;

/// How to trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// By what; `None` for tracepoints, and snapshots where these can't be had.
    pub by: Option<By>,
    /// The time between two snapshots, and between two questions for an orphan.
    pub poll: Nanos,
    /// How many sockets are remembered at most.
    pub max_sockets: usize,
}

/// Where the transitions are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By the kernel's tracepoints: all of them, in all network namespaces.
    Tracepoint,
    /// By snapshots that are compared: those of this network namespace that last.
    Poll,
}

/// What was not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// Records that found no place in a ring.
    pub lost: u64,
    /// Sockets that were forgotten for want of room: their next transition has no time in its old state.
    pub dropped: u64,
}

/// A trace at work.
#[derive(Debug)]
pub struct Tracer {
    tracepoints: Tracepoints,
    /// The tracepoints that this kernel does not have.
    missing: Vec<&'static str>,
}

impl Tracer {
    /// Begins to trace.
    pub fn start(options: &Options) -> Result<Self, SetupError> {
        let (tracepoints, missing) = Tracepoints::start(options)?;
        Ok(Self { tracepoints, missing })
    }

    /// Where the transitions are seen.
    pub fn by(&self) -> By {
        By::Tracepoint
    }

    /// The tracepoints besides the first that this kernel does not have: why connections ended is less sure.
    pub fn missing(&self) -> &[&'static str] {
        &self.missing
    }

    /// What becomes readable when there is so much that it should be read soon.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.tracepoints.descriptors().collect()
    }

    /// How long to wait at most before it is read again.
    pub fn tick(&self) -> Nanos {
        20_000_000
    }

    /// Tells what is sure by now.
    pub fn read(&mut self, now: Nanos, tell: &mut dyn FnMut(&Change)) {
        self.tracepoints.read(now, false, tell);
    }

    /// Tells whatever there is, sure or not.
    pub fn finish(&mut self, now: Nanos, tell: &mut dyn FnMut(&Change)) {
        self.tracepoints.read(now, true, tell);
    }

    /// What was not told so far.
    pub fn missed(&self) -> Missed {
        self.tracepoints.missed()
    }
}
