//! An orphaned FIN_WAIT2, and its next transition.

use crate::kernel::ring::Nanos;
use crate::model::{TcpState, ways_between};
use crate::trace::changes::{Meaning, StateChange};

/// An orphaned FIN_WAIT2.
pub(super) struct Orphan {
    /// The last transition of its socket.
    pub(super) change: StateChange,
    /// When its FIN_WAIT2 began.
    pub(super) since: Option<Nanos>,
    /// How long it may last yet.
    pub(super) left: Nanos,
    /// When the kernel sent an RST in its place.
    pub(super) reset: Option<Nanos>,
}

impl Orphan {
    pub(super) fn time_wait(&self, at: Nanos, end: Nanos) -> StateChange {
        let mut change = self.becomes(TcpState::TimeWait, at);
        enter_time_wait(&mut change, end);
        change
    }

    /// Its next transition, which nobody was on a processor for.
    pub(super) fn becomes(&self, new: TcpState, at: Nanos) -> StateChange {
        let in_old = self.since.map(|since| at.saturating_sub(since));
        StateChange { at, old: TcpState::FinWait2, new: Some(new), in_old, on_cpu: None, ..self.change }
    }
}

pub(super) fn enter_time_wait(change: &mut StateChange, end: Nanos) {
    let left = end.saturating_sub(change.at);
    change.new = Some(TcpState::TimeWait);
    let way = ways_between(change.old, TcpState::TimeWait).next();
    change.meaning = way.map_or(Meaning::Unlisted, |way| Meaning::TimeWait(way, left));
}
