//! Transitions that are not told yet, in the order of time. One may lack something that comes behind it, and holds those
//! behind it back meanwhile.

use std::collections::{BTreeMap, VecDeque};

use super::clues::{Clues, meaning};
use crate::kernel::ring::{Ends, Nanos};
use crate::trace::changes::{Meaning, StateChange};

/// How long a line waits for what comes behind it: the reason of an end.
pub(super) const REASON_WAIT: Nanos = 10_000_000;

/// How much longer it waits for a port at most.
pub(super) const PORT_WAIT: Nanos = 200_000_000;

/// The transitions of events, and those that no event told.
#[derive(Debug, Default)]
pub(super) struct PendingChanges {
    queue: VecDeque<PendingChange>,
    /// The number of the first of them.
    first: u64,
    without_event: BTreeMap<(Nanos, u64), StateChange>,
    next_number_without_event: u64,
}

/// A transition that is to be told.
#[derive(Debug)]
pub(super) struct PendingChange {
    /// The socket's address.
    pub(super) socket: u64,
    pub(super) change: StateChange,
    pub(super) status: Status,
    pub(super) clues: Clues,
    /// When its state before began.
    pub(super) since: Option<Nanos>,
}

/// What a line waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ready,
    /// The local port.
    LacksPort,
    /// The local port was asked for at this time: an event from before it knows better.
    PortAsked(Nanos),
    /// The peer of a server's new socket, which kernels before 6.14 tell with its next event.
    LacksPeer,
    /// Why it closed.
    LacksReason,
    /// What the kernel has in the socket's place.
    LacksMinisocket,
    /// Why there is nothing in its place: a reset may yet be told.
    LacksReset,
    /// It is no transition after all.
    Discard,
}

/// What can be told by now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Horizon {
    /// Nothing can come any more that is as old as this.
    pub(super) complete: Nanos,
    /// What is as old as this has waited long enough.
    pub(super) overdue: Nanos,
}

impl Horizon {
    /// Whatever there is.
    pub(super) const END: Self = Self { complete: Nanos::MAX, overdue: Nanos::MAX };
}

impl PendingChanges {
    /// The number that the next line will have.
    pub(super) fn next_number(&self) -> u64 {
        self.first + self.queue.len() as u64
    }

    pub(super) fn push(&mut self, line: PendingChange) {
        self.queue.push_back(line);
    }

    /// Adds a transition that no event told, at its time.
    pub(super) fn insert(&mut self, change: StateChange) {
        self.without_event.insert((change.at, self.next_number_without_event), change);
        self.next_number_without_event += 1;
    }

    /// The line of this number, if it is not told yet.
    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut PendingChange> {
        self.queue.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &PendingChange> {
        self.queue.iter()
    }

    /// The lines that wait for this.
    pub(super) fn with_status(&mut self, status: Status) -> impl Iterator<Item = &mut PendingChange> {
        self.queue.iter_mut().filter(move |line| line.status == status)
    }

    /// The line of a socket with these ends that closed just now and waits to know why.
    pub(super) fn awaiting_reason(&mut self, ends: &Ends) -> Option<&mut PendingChange> {
        /// It is among the last.
        const LAST: usize = 64;
        self.queue
            .iter_mut()
            .rev()
            .take(LAST)
            .find(|line| line.waits_for_reason() && line.change.ends() == *ends)
    }

    /// The next that can be told, and the address of its socket where an event told it.
    pub(super) fn next(&mut self, horizon: Horizon) -> Option<(Option<u64>, StateChange)> {
        loop {
            let at = self.queue.front().map(|line| line.change.at);
            if let Some(entry) = self.without_event.first_entry()
                && entry.key().0 <= horizon.complete
                && at.is_none_or(|at| entry.key().0 < at)
            {
                return Some((None, entry.remove()));
            }
            if !self.queue.front()?.is_ready(horizon) {
                return None;
            }
            self.first += 1;
            let mut line = self.queue.pop_front()?;
            if matches!(line.status, Status::LacksMinisocket | Status::LacksReset) {
                (line.change.new, line.change.meaning) = (None, Meaning::HandedOver);
            }
            if line.status != Status::Discard {
                return Some((Some(line.socket), line.change));
            }
        }
    }
}

impl PendingChange {
    fn is_ready(&self, horizon: Horizon) -> bool {
        let at = self.change.at;
        at <= horizon.complete
            && match self.status {
                Status::Ready | Status::Discard => true,
                // Ports are asked for now and then, for all that wait by then.
                Status::LacksPort => at.saturating_add(PORT_WAIT) <= horizon.overdue,
                Status::PortAsked(then) => then <= horizon.complete,
                Status::LacksPeer | Status::LacksReason | Status::LacksMinisocket | Status::LacksReset => {
                    at <= horizon.overdue
                }
            }
    }

    pub(super) fn waits_for_ends(&self) -> bool {
        matches!(self.status, Status::LacksPort | Status::PortAsked(_) | Status::LacksPeer)
    }

    pub(super) fn waits_for_reason(&self) -> bool {
        matches!(self.status, Status::LacksReason | Status::LacksMinisocket | Status::LacksReset)
    }

    /// Learns why the socket closed, or that no more will come.
    pub(super) fn learn(&mut self, learn: impl FnOnce(&mut Clues)) {
        let before = self.clues;
        learn(&mut self.clues);
        match self.status {
            Status::LacksReason => self.status = Status::Ready,
            Status::LacksMinisocket | Status::LacksReset if self.clues != before => {
                self.status = Status::Ready;
            }
            _ => return,
        }
        if let Some(new) = self.change.new {
            self.change.meaning = meaning(self.change.old, new, self.clues);
        }
    }
}
