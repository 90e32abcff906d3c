//! The reason of a transition: between two states the state machine may have several transitions, and other events
//! tell which one happened.

use crate::model::{Segment, TcpState, Transition, Trigger, transitions_between};
use crate::trace::changes::Meaning;

/// What was seen beside the transition itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Clues {
    /// An RST was received.
    pub(super) reset_received: bool,
    /// An RST was sent.
    pub(super) reset_sent: bool,
    /// A segment was retransmitted, and by now it would have been again: there was no answer.
    pub(super) unanswered: bool,
    /// The socket got this error.
    pub(super) errno: Option<i32>,
    /// The transition happened in an interrupt, not in a program's system call.
    pub(super) in_interrupt: bool,
}

/// The meaning of a transition, given the clues.
pub(super) fn meaning(old: TcpState, new: TcpState, clues: Clues) -> Meaning {
    transition(old, new, clues).map_or(Meaning::Unlisted, Meaning::Listed)
}

/// The state machine's transition between the two states that fits the clues best.
fn transition(old: TcpState, new: TcpState, clues: Clues) -> Option<&'static Transition> {
    let of = |wanted: &[Trigger]| {
        transitions_between(old, new).find(|it| it.on_linux && wanted.contains(&it.event))
    };
    let reset = Trigger::Received(Segment::Rst);
    let by_clues = match clues {
        // Data for a program that has closed: the kernel acts as if an RST had come, and sends one. So an RST sent
        // outweighs one received.
        Clues { reset_sent: true, .. } => of(&[Trigger::Abort]),
        Clues { reset_received: true, .. } => of(&[reset]),
        Clues { errno: Some(libc::ETIMEDOUT), .. } => of(&[Trigger::GaveUp, Trigger::TimeLimit]),
        Clues { errno: Some(libc::ECONNABORTED), .. } => of(&[Trigger::Abort]),
        // ECONNRESET and EPIPE follow any reset, whichever side sent it. Other errors come from ICMP.
        Clues { errno: Some(errno), .. } if !matches!(errno, libc::ECONNRESET | libc::EPIPE) => {
            of(&[Trigger::Unreachable])
        }
        // An orphan gets no error.
        Clues { unanswered: true, in_interrupt: true, .. } => of(&[Trigger::GaveUp]),
        // No interrupt and no error: a program's system call did it.
        Clues { in_interrupt: false, .. } => of(&[Trigger::Close]).or_else(|| {
            let usual = transitions_between(old, new).next()?;
            if usual.event == reset { of(&[Trigger::Abort]) } else { Some(usual) }
        }),
        _ => None,
    };
    // Not by a received RST: its event would have been seen.
    let usual = || transitions_between(old, new).find(|it| it.on_linux && it.event != reset);
    by_clues.or_else(usual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use TcpState::{Close, Established, FinWait1, FinWait2, LastAck, SynSent, TimeWait};

    fn event(old: TcpState, new: TcpState, clues: Clues) -> Option<Trigger> {
        meaning(old, new, clues).transition().map(|way| way.event)
    }

    #[test]
    fn clues_give_the_reason_of_a_close() {
        let reset = Clues { reset_received: true, in_interrupt: true, ..Clues::default() };
        let sent = Clues { reset_sent: true, ..Clues::default() };
        let error = |errno| Clues { errno: Some(errno), in_interrupt: true, ..Clues::default() };
        let rst = Some(Trigger::Received(Segment::Rst));
        for old in [SynSent, Established, FinWait1, FinWait2, LastAck] {
            assert_eq!(event(old, Close, reset), rst, "{old}");
        }
        assert_eq!(event(Established, Close, sent), Some(Trigger::Abort));
        assert_eq!(event(Established, Close, Clues::default()), Some(Trigger::Abort));
        assert_eq!(event(SynSent, Close, Clues::default()), Some(Trigger::Close));
        assert_eq!(event(SynSent, Close, error(libc::ETIMEDOUT)), Some(Trigger::GaveUp));
        assert_eq!(event(SynSent, Close, error(libc::EHOSTUNREACH)), Some(Trigger::Unreachable));
        assert_eq!(event(SynSent, Close, error(libc::ECONNABORTED)), Some(Trigger::Abort));
        assert_eq!(event(LastAck, Close, error(libc::ETIMEDOUT)), Some(Trigger::GaveUp));
        let interrupted = Clues { in_interrupt: true, ..Clues::default() };
        assert_eq!(event(FinWait1, Close, interrupted), Some(Trigger::GaveUp), "an orphan gets no error");
        let unanswered = Clues { unanswered: true, ..interrupted };
        assert_eq!(event(LastAck, Close, unanswered), Some(Trigger::GaveUp));
        let both = Clues { reset_sent: true, ..reset };
        assert_eq!(event(FinWait1, Close, both), Some(Trigger::Abort), "data came too late");
        assert_eq!(event(LastAck, Close, interrupted), Some(Trigger::AckOfFin));
        assert_eq!(event(LastAck, Close, Clues::default()), Some(Trigger::AckOfFin));
    }

    #[test]
    fn a_transition_that_is_not_in_the_rfc_is_marked() {
        assert_eq!(meaning(Close, Established, Clues::default()), Meaning::Unlisted);
        let limit = Clues { errno: Some(libc::ETIMEDOUT), in_interrupt: true, ..Clues::default() };
        assert!(meaning(FinWait2, Close, limit).text().starts_with("not in RFC 9293: "));
        assert!(!meaning(FinWait2, TimeWait, Clues::default()).text().starts_with("not in"));
    }
}
