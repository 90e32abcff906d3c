//! What a transition means, in words.

use std::borrow::Cow;

use crate::kernel::ring::Nanos;
use crate::model::Transition;

/// What a transition means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Meaning {
    /// A transition of the state machine in `model::machine`.
    Listed(&'static Transition),
    /// A transition of the state machine into TIME_WAIT, which ends after this time.
    TimeWait(&'static Transition, Nanos),
    /// A transition of the state machine. The kernel creates a server's socket only now, not at the SYN.
    ServerSocket(&'static Transition),
    /// The state machine has no such transition.
    Unlisted,
    /// There were transitions in between that were not seen.
    StepsMissed,
    /// The socket closed; the reason was not seen.
    WhyUnseen,
    /// The socket opened and closed between two snapshots; only the kernel's notice of its end showed it.
    BetweenSnapshots,
    /// connect() failed: no local port was free.
    NoPort,
    /// An RST ended an orphaned FIN_WAIT2. This kernel does not show whether the RST was received or sent.
    ResetUnseen,
    /// The connection is gone; or it is in TIME_WAIT or an orphaned FIN_WAIT2 in another network namespace, where
    /// this program cannot look.
    HandedOver,
}

impl Meaning {
    /// The transition of the state machine, if there is one.
    pub(crate) fn transition(&self) -> Option<&'static Transition> {
        match self {
            Self::Listed(step) | Self::ServerSocket(step) | Self::TimeWait(step, _) => Some(step),
            _ => None,
        }
    }

    /// The meaning in words; marked if RFC 9293 has no such transition.
    pub(crate) fn text(&self) -> Cow<'static, str> {
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
