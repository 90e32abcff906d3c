//! What the kernel keeps of a connection after it has closed the socket: a minisocket, which is in TIME_WAIT or in an
//! orphaned FIN_WAIT2, or nothing. Minisockets have no events, so sock_diag is asked a moment later, and again while
//! they last. When a TIME_WAIT began is computed from its timer, or known from the peer's events if the peer is on
//! this host.

mod devices;
mod lookup;
mod orphan;
mod time_waits;

use hashlink::LinkedHashMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

pub(super) use self::lookup::Closings;
use self::lookup::{Lookup, Remnant};
use self::orphan::{Orphan, enter_time_wait};
use self::time_waits::{TimeWait, TimeWaits};
use super::pending::{PendingChange, Status};
use crate::kernel::clock::Clock;
use crate::kernel::ring::Nanos;
use crate::model::{Ends, Segment, TcpState, Trigger, transitions_between};
use crate::trace::changes::{Meaning, StateChange};

/// The minisockets that are followed.
pub(super) struct Minisockets {
    lookup: Lookup,
    orphans: LinkedHashMap<Ends, Orphan, FxBuildHasher>,
    /// Orphans that were no longer there, and when that was found. The event of an RST that ended one may still come.
    gone: LinkedHashMap<Ends, (Nanos, Orphan), FxBuildHasher>,
    time_waits: TimeWaits,
    /// RSTs that the kernel sent since the last read, except those in place of known orphans.
    resets: FxHashMap<Ends, Nanos>,
    /// This kernel has an event for every RST that it sends. Before 6.10, it has none for those sent in place of a
    /// minisocket.
    pub(super) sees_resets: bool,
    limit: usize,
    /// Minisockets that were forgotten because of the limit.
    pub(super) dropped: u64,
    interval: Nanos,
    /// When sock_diag was last asked for all orphans.
    last_asked: Nanos,
    /// Ends of TIME_WAIT have been reported up to this time.
    reported_until: Nanos,
}

/// The kernel's clock for timers may be late by this much after a virtual machine was paused. A TIME_WAIT then seems
/// to have begun earlier than it did.
const LATE: Nanos = 1_000_000_000;

impl Minisockets {
    /// Follows minisockets in this thread's network namespace, at most `limit` of each kind. Orphans are asked for
    /// once an `interval`.
    pub(super) fn new(limit: usize, interval: Nanos) -> Self {
        Self {
            lookup: Lookup::new(),
            orphans: LinkedHashMap::default(),
            gone: LinkedHashMap::default(),
            time_waits: TimeWaits::default(),
            resets: FxHashMap::default(),
            sees_resets: true,
            limit,
            dropped: 0,
            interval,
            last_asked: 0,
            reported_until: 0,
        }
    }

    /// Sets the clock that answers are dated with.
    pub(super) fn set_clock(&mut self, clock: Clock) {
        self.lookup.clock = clock;
    }

    /// Finds out what a closed socket became. If nothing is there, the event of an RST may still explain it.
    pub(super) fn resolve(
        &mut self,
        pending: &mut PendingChange,
        now: Nanos,
        closings: &Closings,
        report: &mut dyn FnMut(StateChange),
    ) {
        let change = pending.change;
        match self.lookup.ask(&change.ends(), now) {
            Remnant::Orphan(left) => {
                pending.status = Status::Discard;
                self.watch_orphan(Orphan { change, since: pending.since, left, reset: None }, now);
            }
            // This TIME_WAIT began before the socket closed, so it is not the socket's: that is in another namespace.
            Remnant::TimeWait(begun) if begun.latest + LATE < change.at => {
                pending.status = Status::LacksReset;
            }
            Remnant::TimeWait(begun) => {
                let at = if change.old == TcpState::FinWait2 {
                    begun.at(&change, now, closings)
                } else {
                    change.at
                };
                if at > change.at {
                    pending.status = Status::Discard;
                    let orphan = Orphan { change, since: pending.since, left: 0, reset: None };
                    let change = orphan.time_wait(at, now + begun.left);
                    report(change);
                    self.watch_time_wait(now, &change, begun.left);
                } else {
                    pending.status = Status::Ready;
                    enter_time_wait(&mut pending.change, now + begun.left);
                    self.watch_time_wait(now, &pending.change, begun.left);
                }
            }
            Remnant::Nothing => {
                pending.status = Status::LacksReset;
                self.end_by_reset(pending, report);
            }
        }
    }

    /// If the kernel sent an RST in place of this closed socket, it was an orphan until then: reports the orphan's
    /// end.
    pub(super) fn end_by_reset(&self, pending: &mut PendingChange, report: &mut dyn FnMut(StateChange)) {
        let change = pending.change;
        let reset = self.resets.get(&change.ends()).filter(|at| **at >= change.at);
        if let (TcpState::FinWait2, Some(at)) = (change.old, reset) {
            pending.status = Status::Discard;
            let orphan = Orphan { change, since: pending.since, left: 0, reset: Some(*at) };
            report(self.end_of(&orphan, *at));
        }
    }

    /// Whether it is time to ask for the orphans.
    pub(super) fn is_due(&self, now: Nanos) -> bool {
        !self.orphans.is_empty() && now >= self.last_asked + self.interval
    }

    /// Asks what has become of the orphans.
    pub(super) fn ask_for_orphans(
        &mut self,
        now: Nanos,
        closings: &Closings,
        report: &mut dyn FnMut(StateChange),
    ) {
        self.last_asked = now;
        for (ends, mut orphan) in std::mem::take(&mut self.orphans) {
            match self.lookup.ask(&ends, now) {
                Remnant::Orphan(left) => {
                    orphan.left = left;
                    self.orphans.insert(ends, orphan);
                }
                Remnant::TimeWait(begun) => {
                    let at = begun.at(&orphan.change, now, closings);
                    let change = orphan.time_wait(at, now + begun.left);
                    report(change);
                    self.watch_time_wait(now, &change, begun.left);
                }
                Remnant::Nothing if orphan.reset.is_some() => report(self.end_of(&orphan, now)),
                Remnant::Nothing => {
                    self.gone.insert(ends, (now, orphan));
                }
            }
        }
    }

    /// Reports the end of orphans that were gone by this time. All events up to it must have been taken.
    pub(super) fn end_orphans(&mut self, until: Nanos, report: &mut dyn FnMut(StateChange)) {
        while self.gone.front().is_some_and(|(_, (at, _))| *at <= until)
            && let Some((_, (at, orphan))) = self.gone.pop_front()
        {
            report(self.end_of(&orphan, at));
        }
    }

    /// The last transition of an orphan that is gone, but was there when last asked for. `now` is when that was
    /// found.
    fn end_of(&self, orphan: &Orphan, now: Nanos) -> StateChange {
        let of = |event| {
            let way = transitions_between(TcpState::FinWait2, TcpState::Close).find(|way| way.event == event);
            way.map_or(Meaning::Unlisted, Meaning::Listed)
        };
        let went_before_its_time = orphan.left > 2 * self.interval;
        let (at, meaning) = match orphan.reset {
            Some(at) => (at, of(Trigger::Abort)),
            None if went_before_its_time && self.sees_resets => (now, of(Trigger::Received(Segment::Rst))),
            None if went_before_its_time => (now, Meaning::ResetUnseen),
            None => (now, of(Trigger::TimeLimit)),
        };
        StateChange { meaning, ..orphan.becomes(TcpState::Close, at) }
    }

    /// Reports the TIME_WAITs that are over by the time `until`.
    pub(super) fn end_time_waits(&mut self, until: Nanos, now: Nanos, report: &mut dyn FnMut(StateChange)) {
        while self.time_waits.front().is_some_and(|wait| wait.end <= until)
            && let Some(wait) = self.time_waits.pop()
        {
            match self.lookup.ask(&wait.ends, now) {
                // A retransmitted FIN has restarted it.
                Remnant::TimeWait(begun) if begun.left > 2 * self.lookup.tick => {
                    self.time_waits.push(TimeWait { end: now + begun.left, ..wait });
                }
                // The queue is only nearly in the order of ends, but reports must be in time order.
                _ => report(wait.becomes(TcpState::Close, wait.end.max(self.reported_until))),
            }
        }
        self.reported_until = until;
    }

    /// A connection with this address pair begins. If it replaces a TIME_WAIT, returns the transition of that.
    pub(super) fn replace_time_wait(
        &mut self,
        ends: &Ends,
        at: Nanos,
        state: TcpState,
    ) -> Option<StateChange> {
        let wait = self.time_waits.remove(ends).filter(|wait| wait.since < at)?;
        Some(wait.becomes(state, at))
    }

    /// The kernel has sent an RST for this address pair.
    pub(super) fn reset_sent(&mut self, ends: &Ends, at: Nanos) {
        let gone = self.gone.get_mut(ends).map(|(_, orphan)| orphan);
        match gone.or_else(|| self.orphans.get_mut(ends)) {
            Some(orphan) => orphan.reset = Some(at),
            None => {
                self.resets.insert(*ends, at);
            }
        }
    }

    /// Forgets the RSTs of this read: they have been compared with everything they could explain.
    pub(super) fn forget_resets(&mut self) {
        self.resets.clear();
    }

    /// The time up to which the transitions of all orphans are known.
    pub(super) fn known_until(&self) -> Nanos {
        let gone = self.gone.front().map_or(Nanos::MAX, |(_, (at, _))| *at);
        if self.orphans.is_empty() { gone } else { self.last_asked.min(gone) }
    }

    fn watch_orphan(&mut self, orphan: Orphan, now: Nanos) {
        if self.orphans.is_empty() {
            self.last_asked = now;
        }
        if self.orphans.len() >= self.limit {
            self.orphans.pop_front();
            self.dropped += 1;
        }
        self.orphans.insert(orphan.change.ends(), orphan);
    }

    fn watch_time_wait(&mut self, now: Nanos, change: &StateChange, left: Nanos) {
        if self.time_waits.len() >= self.limit && self.time_waits.pop().is_some() {
            self.dropped += 1;
        }
        self.time_waits.push(TimeWait {
            ends: change.ends(),
            since: change.at,
            end: now + left,
            connection: change.connection,
        });
    }
}

impl std::fmt::Debug for Minisockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minisockets")
            .field("orphans", &self.orphans.len())
            .field("time_waits", &self.time_waits.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
