//! A transition, as it is told.

use super::meaning::Meaning;
use crate::kernel::ring::{Comm, Ends, Nanos};
use crate::model::{Endpoint, Family, Socket, TcpState};

/// A socket went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StateChange {
    /// When, by `CLOCK_MONOTONIC` of the initial time namespace.
    pub at: Nanos,
    /// Which connection of those that were seen: the same number for each of its transitions.
    pub connection: u64,
    /// Of the socket.
    pub family: Family,
    /// This end; its port is 0 where it could not be found out.
    pub local: Endpoint,
    /// The other end.
    pub peer: Endpoint,
    /// The state before.
    pub old: TcpState,
    /// The state after; `None` where nobody here can tell.
    pub new: Option<TcpState>,
    /// The time that it spent in the state before, where both ends of it were seen.
    pub in_old: Option<Nanos>,
    /// Who was on the processor.
    pub on_cpu: Option<OnCpu>,
    /// What it means.
    pub meaning: Meaning,
}

/// The process that was on the processor when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnCpu {
    /// Its number; `None` if this program runs in another PID namespace than the initial one, where numbers differ.
    pub pid: Option<u32>,
    /// Its name; empty if unknown.
    pub name: Comm,
    /// It was just interrupted, by a segment or a timer: what happened is nobody's doing.
    pub in_interrupt: bool,
}

impl StateChange {
    pub(in crate::trace) fn ends(&self) -> Ends {
        Ends { family: self.family, local: self.local, peer: self.peer }
    }

    /// The socket as far as it is known, for a filter.
    pub fn socket(&self) -> Socket {
        Socket::new(self.family, self.new.unwrap_or(TcpState::Close), self.local, self.peer)
    }
}
