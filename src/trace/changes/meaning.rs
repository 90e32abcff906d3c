//! What a transition means, in words.

use std::borrow::Cow;

use crate::kernel::ring::Nanos;
use crate::model::Transition;

/// What a transition means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    /// The state machine's way.
    Listed(&'static Transition),
    /// As that, into a TIME_WAIT that ends after so long.
    TimeWait(&'static Transition, Nanos),
    /// As that: the kernel has made a server's socket, which it does late.
    ServerSocket(&'static Transition),
    /// The state machine has no such way.
    Unlisted,
    /// There were steps between that nobody saw.
    StepsMissed,
    /// It closed, and nobody saw why.
    WhyUnseen,
    /// It opened and closed between two snapshots; the kernel told that it was there.
    BetweenSnapshots,
    /// connect() failed: no local port was free.
    NoPort,
    /// An RST ended an orphaned FIN_WAIT2. Whether it came or was sent is not told by this kernel.
    ResetUnseen,
    /// The connection is gone, or the kernel gave it to TIME_WAIT or to an orphaned FIN_WAIT2 in another network
    /// namespace, which can't be asked.
    HandedOver,
}

impl Meaning {
    /// The way through the state machine, if it is one.
    pub fn transition(&self) -> Option<&'static Transition> {
        match self {
            Self::Listed(step) | Self::ServerSocket(step) | Self::TimeWait(step, _) => Some(step),
            _ => None,
        }
    }

    /// In words; marked where RFC 9293 has no such transition.
    pub fn text(&self) -> Cow<'static, str> {
        match self {
            Self::Listed(step) if step.section.is_none() => format!("not in RFC 9293: {}", step.meaning).into(),
            Self::Listed(step) => step.meaning.into(),
            Self::TimeWait(step, left) => {
                format!("{}; ends in {} s", step.meaning, (left + 500_000_000) / 1_000_000_000).into()
            }
            Self::ServerSocket(_) => {
                "Linux creates the socket now: at the handshake's last ACK (with TCP Fast Open: at the SYN)"
                    .into()
            }
            Self::Unlisted => "not in RFC 9293: no such transition".into(),
            Self::WhyUnseen => "why it closed was not seen".into(),
            Self::BetweenSnapshots => "opened and closed between two snapshots".into(),
            Self::StepsMissed => "steps between the two snapshots were not seen".into(),
            Self::NoPort => "connect() failed: no local port was free for this peer".into(),
            Self::ResetUnseen => {
                "cut by an RST: the peer's, or one from here, since data came (this kernel does not tell which)"
                    .into()
            }
            Self::HandedOver => {
                "unknown: gone, or TIME_WAIT or an orphan in a namespace that can't be asked".into()
            }
        }
    }
}
