//! A transition, as it is told.

use std::fmt;

use super::event::{Comm, Nanos};
use crate::model::{Endpoint, Family, Socket, TcpState, Transition};

/// A socket went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// When, by the kernel's `CLOCK_MONOTONIC`.
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
    /// Its number.
    pub pid: u32,
    /// Its name; empty where it was gone before that could be read.
    pub name: Comm,
    /// It was just interrupted, by a segment or a timer: what happened is nobody's doing.
    pub in_interrupt: bool,
}

/// What a transition means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    /// The state machine's way.
    Way(&'static Transition),
    /// As that, into a TIME_WAIT that ends after so long.
    TimeWait(&'static Transition, Nanos),
    /// The state machine has no such way.
    Unlisted,
    /// There were steps between that nobody saw.
    StepsMissed,
    /// The kernel gave the connection to TIME_WAIT or to an orphaned FIN_WAIT2, or it is gone: in another network
    /// namespace, which can't be asked.
    HandedOver,
}

impl Meaning {
    /// The way through the state machine, if it is one.
    pub fn way(&self) -> Option<&'static Transition> {
        match self {
            Self::Way(way) | Self::TimeWait(way, _) => Some(way),
            Self::Unlisted | Self::StepsMissed | Self::HandedOver => None,
        }
    }
}

impl fmt::Display for Meaning {
    /// Marked where RFC 9293 has no such transition.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Way(way) if way.section.is_none() => write!(f, "not in RFC 9293: {}", way.meaning),
            Self::Way(way) => f.write_str(way.meaning),
            Self::TimeWait(way, left) => {
                write!(f, "{}; ends in {} s", way.meaning, (left + 500_000_000) / 1_000_000_000)
            }
            Self::Unlisted => f.write_str("not in RFC 9293: no such transition"),
            Self::StepsMissed => f.write_str("steps between the two snapshots were not seen"),
            Self::HandedOver => {
                f.write_str("unknown: TIME_WAIT, an orphan or gone, in a namespace that can't be asked")
            }
        }
    }
}

impl Change {
    /// The socket as far as it is known, for a filter.
    pub fn socket(&self) -> Socket {
        Socket::new(self.family, self.new.unwrap_or(TcpState::Close), self.local, self.peer)
    }
}
