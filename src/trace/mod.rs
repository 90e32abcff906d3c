//! The transitions of TCP sockets, as they happen.
//!
//! [`Tracer::start`] makes the kernel record its events in a ring of our own. If that is unavailable, snapshots are
//! compared, and a note says so. [`Tracer::read`] tells what came since, one [`Change`] each, in the order of time. All of it
//! must be called on one thread: the connections' leftovers are asked for in that thread's network namespace.

mod changes;
mod events;
mod snapshots;

use std::io;
use std::os::fd::BorrowedFd;

#[cfg(test)]
pub(crate) use changes::Meaning;
pub(crate) use changes::{Change, OnCpu, Side, Stories, Story, Tally, Told};

use crate::inspect::CollectError;
use crate::kernel::clock::Clock;
pub(crate) use crate::kernel::clock::Wall;
#[cfg(test)]
pub(crate) use crate::kernel::ring::Comm;
pub(crate) use crate::kernel::ring::{Nanos, SetupError};
use crate::kernel::sock_diag::Notices;
use crate::model::{Access, Gap};
use events::Tracepoints;
use snapshots::Poller;

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

/// A trace at work.
#[derive(Debug)]
pub(crate) struct Tracer {
    eyes: Eyes,
    notes: Vec<Note>,
}

#[derive(Debug)]
enum Eyes {
    Tracepoints(Box<Tracepoints>),
    Snapshots(Box<Poller>),
}

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

impl Tracer {
    /// Starts to trace. The filter is in the language of the events' `filter` files: other events are not recorded.
    pub(crate) fn start(
        options: &Options,
        filter: Option<&str>,
        access: &Access,
    ) -> Result<Self, SetupError> {
        let mut notes = Vec::new();
        if options.by != Some(By::Poll) {
            match Tracepoints::start(options, filter) {
                Ok((tracepoints, missing)) => {
                    notes.extend(missing);
                    return Ok(Self { eyes: Eyes::Tracepoints(Box::new(tracepoints)), notes });
                }
                Err(error) if options.by == Some(By::Tracepoint) => return Err(error),
                Err(error) => notes.push(Note::FellBack(error)),
            }
        }
        let notices = Notices::join().map_err(|error| notes.push(Note::NoNotices(error))).ok();
        let poller = Poller::new(options, access, notices);
        Ok(Self { eyes: Eyes::Snapshots(Box::new(poller)), notes })
    }

    /// Where the transitions are seen.
    pub(crate) fn by(&self) -> By {
        match self.eyes {
            Eyes::Tracepoints(_) => By::Tracepoint,
            Eyes::Snapshots(_) => By::Poll,
        }
    }

    /// What is to be said of it.
    pub(crate) fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// What becomes readable when there is so much that it should be read soon.
    pub(crate) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        match &self.eyes {
            Eyes::Tracepoints(tracepoints) => tracepoints.descriptors().collect(),
            Eyes::Snapshots(_) => Vec::new(),
        }
    }

    /// How long to wait at most before it is read again.
    pub(crate) fn wait(&self) -> Nanos {
        /// Nobody who watches notices it.
        const TICK: Nanos = 20_000_000;
        match &self.eyes {
            Eyes::Tracepoints(_) => TICK,
            Eyes::Snapshots(poller) => poller.wait(),
        }
    }

    /// The time by the clock of the transitions.
    pub(crate) fn now(&self) -> Nanos {
        match &self.eyes {
            Eyes::Tracepoints(tracepoints) => tracepoints.now(),
            Eyes::Snapshots(_) => Clock::default().now(),
        }
    }

    /// Tells what is sure by now; returns what could not be seen.
    pub(crate) fn read(&mut self, tell: &mut dyn FnMut(Told<'_>)) -> Result<Vec<Gap>, ReadError> {
        match &mut self.eyes {
            Eyes::Tracepoints(tracepoints) => tracepoints.read(tell).map(|()| Vec::new()),
            Eyes::Snapshots(poller) => Ok(poller.read(tell)?),
        }
    }

    /// Tells whatever there is, sure or not.
    pub(crate) fn finish(&mut self, tell: &mut dyn FnMut(Told<'_>)) -> Result<Vec<Gap>, ReadError> {
        match &mut self.eyes {
            Eyes::Tracepoints(tracepoints) => tracepoints.finish(tell).map(|()| Vec::new()),
            Eyes::Snapshots(poller) => Ok(poller.snapshot(tell)?),
        }
    }

    /// What was not told so far.
    pub(crate) fn missed(&self) -> Missed {
        match &self.eyes {
            Eyes::Tracepoints(tracepoints) => tracepoints.missed(),
            Eyes::Snapshots(poller) => poller.missed(),
        }
    }
}
