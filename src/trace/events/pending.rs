//! Transitions waiting to be reported, in time order. A transition that lacks something waits for a later event or an
//! answer from the kernel, and delays all after it.

use std::collections::{BTreeMap, VecDeque};

use super::clues::{Clues, meaning};
use crate::kernel::ring::Nanos;
use crate::model::Ends;
use crate::trace::changes::{Meaning, StateChange};

/// How long a transition waits for what it lacks, such as the reason of a close.
pub(super) const REASON_WAIT: Nanos = 10_000_000;

/// How much longer than that a transition waits for a port.
pub(super) const PORT_WAIT: Nanos = 200_000_000;

/// Transitions that events reported, and others that sock_diag showed.
#[derive(Debug, Default)]
pub(super) struct PendingChanges {
    queue: VecDeque<PendingChange>,
    /// The number of the first one in `queue`; the others are numbered from there.
    first: u64,
    /// Transitions that no event reports (those of minisockets), by time and by a number that makes the key unique.
    without_event: BTreeMap<(Nanos, u64), StateChange>,
    next_number_without_event: u64,
}

/// A transition waiting to be reported.
#[derive(Debug)]
pub(super) struct PendingChange {
    /// The socket's address in the kernel.
    pub(super) socket: u64,
    pub(super) change: StateChange,
    pub(super) status: Status,
    pub(super) clues: Clues,
    /// When the old state began.
    pub(super) since: Option<Nanos>,
}

/// What a transition still lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Nothing: it can be reported.
    Ready,
    /// The local port.
    LacksPort,
    /// sock_diag was asked for the local port at this time. An event from before this time outweighs the answer.
    PortAsked(Nanos),
    /// The peer of a server's new socket: kernels before 6.14 give it only with the next event.
    LacksPeer,
    /// The reason why the socket closed.
    LacksReason,
    /// What the kernel keeps in the socket's place.
    LacksMinisocket,
    /// The event of an RST, which would explain why nothing is in the socket's place.
    LacksReset,
    /// Not a transition; drop it.
    Discard,
}

/// How far transitions can be reported.
#[derive(Clone, Copy, Debug)]
pub(super) struct Horizon {
    /// All transitions up to this time are known.
    pub(super) complete: Nanos,
    /// Transitions up to this time have waited long enough for what they lack.
    pub(super) overdue: Nanos,
}

impl Horizon {
    /// Everything can be reported: the trace ends.
    pub(super) const END: Self = Self { complete: Nanos::MAX, overdue: Nanos::MAX };
}

impl PendingChanges {
    /// The number that the next transition pushed will have.
    pub(super) fn next_number(&self) -> u64 {
        self.first + self.queue.len() as u64
    }

    /// Adds a transition that an event reported.
    pub(super) fn push(&mut self, pending: PendingChange) {
        self.queue.push_back(pending);
    }

    /// Adds a transition without an event, in its place by time.
    pub(super) fn insert(&mut self, change: StateChange) {
        self.without_event.insert((change.at, self.next_number_without_event), change);
        self.next_number_without_event += 1;
    }

    /// The transition with this number, if it is not reported yet.
    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut PendingChange> {
        self.queue.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// All transitions of events, in time order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &PendingChange> {
        self.queue.iter()
    }

    /// The transitions with this status.
    pub(super) fn with_status(&mut self, status: Status) -> impl Iterator<Item = &mut PendingChange> {
        self.queue.iter_mut().filter(move |pending| pending.status == status)
    }

    /// A recent transition with this address pair that lacks the reason why the socket closed.
    pub(super) fn awaiting_reason(&mut self, ends: &Ends) -> Option<&mut PendingChange> {
        /// Only the latest are searched: the error comes with the close.
        const LAST: usize = 64;
        self.queue
            .iter_mut()
            .rev()
            .take(LAST)
            .find(|pending| pending.waits_for_reason() && pending.change.ends() == *ends)
    }

    /// The next transition that can be reported, with the kernel's address of its socket if an event reported it.
    pub(super) fn next(&mut self, horizon: Horizon) -> Option<(Option<u64>, StateChange)> {
        loop {
            let at = self.queue.front().map(|pending| pending.change.at);
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
            let mut pending = self.queue.pop_front()?;
            if matches!(pending.status, Status::LacksMinisocket | Status::LacksReset) {
                (pending.change.new, pending.change.meaning) = (None, Meaning::HandedOver);
            }
            if pending.status != Status::Discard {
                return Some((Some(pending.socket), pending.change));
            }
        }
    }
}

impl PendingChange {
    /// Whether it can be reported, or has waited long enough.
    fn is_ready(&self, horizon: Horizon) -> bool {
        let at = self.change.at;
        at <= horizon.complete
            && match self.status {
                Status::Ready | Status::Discard => true,
                // Ports are asked for at intervals, so one that lacks its port waits longer.
                Status::LacksPort => at.saturating_add(PORT_WAIT) <= horizon.overdue,
                Status::PortAsked(then) => then <= horizon.complete,
                Status::LacksPeer | Status::LacksReason | Status::LacksMinisocket | Status::LacksReset => {
                    at <= horizon.overdue
                }
            }
    }

    /// Whether it lacks a port or its peer.
    pub(super) fn waits_for_ends(&self) -> bool {
        matches!(self.status, Status::LacksPort | Status::PortAsked(_) | Status::LacksPeer)
    }

    /// Whether it lacks the reason why the socket closed.
    pub(super) fn waits_for_reason(&self) -> bool {
        matches!(self.status, Status::LacksReason | Status::LacksMinisocket | Status::LacksReset)
    }

    /// Takes a clue to why the socket closed. `learn` may add nothing, when the socket was destroyed: that ends the
    /// wait for a reason, but not for a minisocket.
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
