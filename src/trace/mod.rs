//! The transitions of TCP sockets, as they happen.
//!
//! [`Tracer::start`] makes the kernel record its events in a ring of our own. If that is unavailable, snapshots are
//! compared, and a note says so. [`Tracer::read`] tells what came since, one [`StateChange`] each, in the order of time. All of it
//! must be called on one thread: the connections' leftovers are asked for in that thread's network namespace.

mod changes;
mod events;
mod notes;
mod options;
mod snapshots;

use std::os::fd::BorrowedFd;

#[cfg(test)]
pub(crate) use changes::Meaning;
pub(crate) use changes::{Observation, OnCpu, Side, StateChange, Stories, Story, Tally};
pub(crate) use notes::{Missed, Note, ReadError};
pub(crate) use options::{By, Options};

use crate::kernel::clock::Clock;
pub(crate) use crate::kernel::clock::Wall;
#[cfg(test)]
pub(crate) use crate::kernel::ring::Comm;
pub(crate) use crate::kernel::ring::{Nanos, SetupError};
use crate::kernel::sock_diag::Notices;
use crate::model::{Access, Gap};
use events::Tracepoints;
use snapshots::Poller;

/// A trace at work.
#[derive(Debug)]
pub(crate) struct Tracer {
    backend: Backend,
    notes: Vec<Note>,
}

#[derive(Debug)]
enum Backend {
    Tracepoints(Box<Tracepoints>),
    Snapshots(Box<Poller>),
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
                    return Ok(Self { backend: Backend::Tracepoints(Box::new(tracepoints)), notes });
                }
                Err(error) if options.by == Some(By::Tracepoint) => return Err(error),
                Err(error) => notes.push(Note::FellBack(error)),
            }
        }
        let notices = Notices::join().map_err(|error| notes.push(Note::NoNotices(error))).ok();
        let poller = Poller::new(options, access, notices);
        Ok(Self { backend: Backend::Snapshots(Box::new(poller)), notes })
    }

    /// Where the transitions are seen.
    pub(crate) fn by(&self) -> By {
        match self.backend {
            Backend::Tracepoints(_) => By::Tracepoint,
            Backend::Snapshots(_) => By::Poll,
        }
    }

    /// What is to be said of it.
    pub(crate) fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// What becomes readable when there is so much that it should be read soon.
    pub(crate) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        match &self.backend {
            Backend::Tracepoints(tracepoints) => tracepoints.descriptors().collect(),
            Backend::Snapshots(_) => Vec::new(),
        }
    }

    /// How long to wait at most before it is read again.
    pub(crate) fn wait(&self) -> Nanos {
        /// Nobody who watches notices it.
        const TICK: Nanos = 20_000_000;
        match &self.backend {
            Backend::Tracepoints(_) => TICK,
            Backend::Snapshots(poller) => poller.wait(),
        }
    }

    /// The time by the clock of the transitions.
    pub(crate) fn now(&self) -> Nanos {
        match &self.backend {
            Backend::Tracepoints(tracepoints) => tracepoints.now(),
            Backend::Snapshots(_) => Clock::default().now(),
        }
    }

    /// Tells what is sure by now; returns what could not be seen.
    pub(crate) fn read(&mut self, report: &mut dyn FnMut(Observation<'_>)) -> Result<Vec<Gap>, ReadError> {
        match &mut self.backend {
            Backend::Tracepoints(tracepoints) => tracepoints.read(report).map(|()| Vec::new()),
            Backend::Snapshots(poller) => Ok(poller.read(report)?),
        }
    }

    /// Tells whatever there is, sure or not.
    pub(crate) fn finish(&mut self, report: &mut dyn FnMut(Observation<'_>)) -> Result<Vec<Gap>, ReadError> {
        match &mut self.backend {
            Backend::Tracepoints(tracepoints) => tracepoints.finish(report).map(|()| Vec::new()),
            Backend::Snapshots(poller) => Ok(poller.snapshot(report)?),
        }
    }

    /// What was not told so far.
    pub(crate) fn missed(&self) -> Missed {
        match &self.backend {
            Backend::Tracepoints(tracepoints) => tracepoints.missed(),
            Backend::Snapshots(poller) => poller.missed(),
        }
    }
}
