//! An orphaned FIN_WAIT2: the program has closed, the peer has not, and the kernel keeps a minisocket.

use crate::kernel::ring::Nanos;
use crate::model::{TcpState, transitions_between};
use crate::trace::changes::{Meaning, StateChange};

/// An orphaned FIN_WAIT2.
pub(super) struct Orphan {
    /// The last transition of its socket.
    pub(super) change: StateChange,
    /// When its FIN_WAIT2 began.
    pub(super) since: Option<Nanos>,
    /// The time left on its timer when last asked for.
    pub(super) left: Nanos,
    /// When the kernel sent an RST in its place, if it did.
    pub(super) reset: Option<Nanos>,
}

impl Orphan {
    /// Its transition to TIME_WAIT at one time, which ends at another.
    pub(super) fn time_wait(&self, at: Nanos, end: Nanos) -> StateChange {
        let mut change = self.becomes(TcpState::TimeWait, at);
        enter_time_wait(&mut change, end);
        change
    }

    /// Its transition to another state. Without an event, the process on the processor is unknown.
    pub(super) fn becomes(&self, new: TcpState, at: Nanos) -> StateChange {
        let in_old = self.since.map(|since| at.saturating_sub(since));
        StateChange { at, old: TcpState::FinWait2, new: Some(new), in_old, on_cpu: None, ..self.change }
    }
}

/// Makes a transition one to TIME_WAIT that ends at this time.
pub(super) fn enter_time_wait(change: &mut StateChange, end: Nanos) {
    let left = end.saturating_sub(change.at);
    change.new = Some(TcpState::TimeWait);
    let way = transitions_between(change.old, TcpState::TimeWait).next();
    change.meaning = way.map_or(Meaning::Unlisted, |way| Meaning::TimeWait(way, left));
}
