//! A transition that was seen.

use super::meaning::Meaning;
use crate::kernel::ring::{Comm, Nanos};
use crate::model::{Endpoint, Ends, Family, Socket, TcpState};

/// A socket went from one state to another. `model::Transition` is different: it is one arrow of the state machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StateChange {
    /// The time, by `CLOCK_MONOTONIC` of the initial time namespace.
    pub at: Nanos,
    /// The connection's number in this trace: the same for all its transitions.
    pub connection: u64,
    /// The socket's address family.
    pub family: Family,
    /// The local address and port; the port is 0 if unknown.
    pub local: Endpoint,
    /// The peer's address and port.
    pub peer: Endpoint,
    /// The state before.
    pub old: TcpState,
    /// The state after; `None` if this program cannot find it out.
    pub new: Option<TcpState>,
    /// How long the socket was in the old state; `None` if the beginning of that state was not seen.
    pub in_old: Option<Nanos>,
    /// The process that was on the processor; `None` if no event shows it.
    pub on_cpu: Option<OnCpu>,
    /// What the transition means.
    pub meaning: Meaning,
}

/// The process that was on the processor when the transition happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OnCpu {
    /// Its PID; `None` if this program is not in the initial PID namespace: numbers differ between namespaces.
    pub pid: Option<u32>,
    /// Its name; empty if unknown.
    pub name: Comm,
    /// A segment or a timer interrupted this process: it did not cause the transition.
    pub in_interrupt: bool,
}

impl StateChange {
    /// The address pair.
    pub(in crate::trace) fn ends(&self) -> Ends {
        Ends { family: self.family, local: self.local, peer: self.peer }
    }

    /// A socket with this family, state and addresses, for a filter to judge.
    pub(crate) fn socket(&self) -> Socket {
        Socket::new(self.family, self.new.unwrap_or(TcpState::Close), self.local, self.peer)
    }
}
