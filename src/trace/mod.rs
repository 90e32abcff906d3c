//! The transitions of TCP sockets, as they happen.
//!
//! [`Tracer::start`] makes the kernel record its events in a trace ring that belongs to this program (`events/`). If
//! that fails, the program compares snapshots instead (`snapshots/`), and a note says so. [`Tracer::read`] reports
//! what has happened since the last call, one [`StateChange`] for each transition, in time order. `changes/` has the
//! types that both report, and what is made of many: connections and counts.
//!
//! Call everything on one thread: sock_diag answers for the network namespace of the thread that asks.
//!
//! # The time line of one transition
//!
//! Seen by tracepoints. The left column is the age of the event: the time since the kernel took its time stamp.
//!
//! ```text
//! age            what happens
//! ─────────────  ──────────────────────────────────────────────────────────────────────────────────
//! 0              A processor changes a socket's state. The kernel writes a record into the ring of
//!   │            that processor: the states, the addresses, the thread that was running, and whether
//!   │            it was interrupted (kernel/ring/event.rs).
//!   │
//!   │ ≤ TICK     All rings are read: every TICK, or earlier when one is a quarter full.
//!   │
//! SLACK          A record may enter its ring this late. From now on no ring can still bring an older
//!   │            event, so this event is the next in time order (events/tracepoints.rs). It becomes a
//!   │            PendingChange, and its Status says what it lacks (events/pending.rs):
//!   │
//!   ├─► Ready            Nothing: it is reported at once.
//!   ├─► LacksReason      Why the socket closed. An event that follows may tell: an RST sent, an error,
//!   │                    or, with --connections, the end of the socket (connections.rs, clues.rs).
//!   ├─► LacksPeer        The peer of a server's new socket. Its next event has the peer.
//!   ├─► LacksMinisocket  What the kernel keeps in place of the closed socket. sock_diag is asked in
//!   │                    the same read (events/minisockets/). It finds:
//!   │                    - a TIME_WAIT: the transition leads there, and is Ready;
//!   │                    - an orphaned FIN_WAIT2: no transition, so Discard; sock_diag is asked for
//!   │                      the orphan again every Options::poll;
//!   │                    - nothing: LacksReset, since the event of an RST may explain it.
//!   ├─► LacksPort        The local port of a SYN_SENT: the kernel chooses it after the event. The
//!   │                    socket's next event has it, but may be minutes away.
//!   │
//! REASON_WAIT    What still lacks its reason, peer, minisocket or reset is reported without it.
//!   │            For what lacks its port sock_diag is asked, for all at once and at most every
//!   │            PORTS_EVERY (events/ports.rs). The answer may be out of date: the transition is
//!   │            reported once all events from before the question are read (PortAsked).
//!   │
//! REASON_WAIT    A transition that still lacks its port is reported with port 0.
//! + PORT_WAIT
//! ```
//!
//! A PendingChange delays all later ones, so that transitions are reported in time order. While orphans are followed,
//! nothing newer than the last question about them is reported: their own transitions have no event. commands/trace/run.rs
//! formats each transition when it is reported, and writes to standard output after each read.
//!
//! With `--connections`, the kernel's notice of a destroyed socket brings its byte counts. Notice and transition come
//! by different paths and wait for each other, up to NOTICE_WAIT (events/bytes.rs, changes/stories.rs).

mod changes;
mod events;
mod notes;
mod options;
mod report;
mod snapshots;

use std::os::fd::BorrowedFd;

#[cfg(test)]
pub(crate) use changes::Meaning;
pub(crate) use changes::{Observation, OnCpu, Side, StateChange, Stories, Story, Tally};
pub(crate) use notes::{Missed, Note, ReadError, StartError};
pub(crate) use options::{By, Options};
pub(crate) use report::{TraceFormat, TraceLines, TraceStyle};

use crate::kernel::clock::Clock;
pub(crate) use crate::kernel::clock::Wall;
#[cfg(test)]
pub(crate) use crate::kernel::ring::Comm;
pub(crate) use crate::kernel::ring::Nanos;
use crate::kernel::sock_diag::Notices;
use crate::model::{Access, Gap};
use events::Tracepoints;
use snapshots::Poller;

/// A running trace.
#[derive(Debug)]
pub(crate) struct Tracer {
    backend: Backend,
    notes: Vec<Note>,
}

/// Where the transitions come from.
#[derive(Debug)]
enum Backend {
    Tracepoints(Box<Tracepoints>),
    Snapshots(Box<Poller>),
}

impl Tracer {
    /// Starts a trace. The kernel records only events that pass the filter, which is written in the language of the
    /// tracefs `filter` files.
    pub(crate) fn start(
        options: &Options,
        filter: Option<&str>,
        access: &Access,
    ) -> Result<Self, StartError> {
        let mut notes = Vec::new();
        if options.by != Some(By::Poll) {
            match Tracepoints::start(options, filter) {
                Ok((tracepoints, missing)) => {
                    notes.extend(missing);
                    return Ok(Self { backend: Backend::Tracepoints(Box::new(tracepoints)), notes });
                }
                Err(error) if options.by == Some(By::Tracepoint) => return Err(error.into()),
                Err(error) => notes.push(Note::FellBack(error)),
            }
        }
        let notices = Notices::join().map_err(|error| notes.push(Note::NoNotices(error))).ok();
        let poller = Poller::new(options, access, notices)?;
        Ok(Self { backend: Backend::Snapshots(Box::new(poller)), notes })
    }

    /// The source of the transitions.
    pub(crate) fn by(&self) -> By {
        match self.backend {
            Backend::Tracepoints(_) => By::Tracepoint,
            Backend::Snapshots(_) => By::Poll,
        }
    }

    /// Notes for the user about this trace.
    pub(crate) fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Descriptors that become readable when a ring is filled enough that it should be read soon.
    pub(crate) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        match &self.backend {
            Backend::Tracepoints(tracepoints) => tracepoints.descriptors().collect(),
            Backend::Snapshots(_) => Vec::new(),
        }
    }

    /// The longest time to wait before the next call of [`Self::read`].
    pub(crate) fn wait(&self) -> Nanos {
        /// Short enough that a person who watches notices no delay.
        const TICK: Nanos = 20_000_000;
        match &self.backend {
            Backend::Tracepoints(_) => TICK,
            Backend::Snapshots(poller) => poller.wait(),
        }
    }

    /// The current time, by the clock that transitions are dated with.
    pub(crate) fn now(&self) -> Nanos {
        match &self.backend {
            Backend::Tracepoints(tracepoints) => tracepoints.now(),
            Backend::Snapshots(_) => Clock::default().now(),
        }
    }

    /// Reports what is certain by now; returns gaps in what could be seen.
    pub(crate) fn read(&mut self, report: &mut dyn FnMut(Observation<'_>)) -> Result<Vec<Gap>, ReadError> {
        match &mut self.backend {
            Backend::Tracepoints(tracepoints) => tracepoints.read(report).map(|()| Vec::new()),
            Backend::Snapshots(poller) => Ok(poller.read(report)?),
        }
    }

    /// Reports everything that is left, certain or not: the trace ends.
    pub(crate) fn finish(&mut self, report: &mut dyn FnMut(Observation<'_>)) -> Result<Vec<Gap>, ReadError> {
        match &mut self.backend {
            Backend::Tracepoints(tracepoints) => tracepoints.finish(report).map(|()| Vec::new()),
            Backend::Snapshots(poller) => Ok(poller.snapshot(report)?),
        }
    }

    /// What the trace has missed so far.
    pub(crate) fn missed(&self) -> Missed {
        match &self.backend {
            Backend::Tracepoints(tracepoints) => tracepoints.missed(),
            Backend::Snapshots(poller) => poller.missed(),
        }
    }
}
