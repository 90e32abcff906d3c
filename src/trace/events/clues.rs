//! Which of several ways between two states it was.

use crate::model::{Event, Segment, TcpState, Transition, ways_between};
use crate::trace::changes::Meaning;

/// What was seen besides the transition itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Clues {
    /// An RST came.
    pub(super) reset_received: bool,
    /// An RST was sent.
    pub(super) reset_sent: bool,
    /// Something was sent again, and so much time went by without an answer that it would have been sent once more.
    pub(super) unanswered: bool,
    /// The socket was told this error.
    pub(super) errno: Option<i32>,
    /// It happened in an interrupt, and not within a program's call.
    pub(super) in_interrupt: bool,
}

/// What the transition means, after all that was seen.
pub(super) fn meaning(old: TcpState, new: TcpState, clues: Clues) -> Meaning {
    transition(old, new, clues).map_or(Meaning::Unlisted, Meaning::Listed)
}

fn transition(old: TcpState, new: TcpState, clues: Clues) -> Option<&'static Transition> {
    let of = |wanted: &[Event]| ways_between(old, new).find(|it| it.on_linux && wanted.contains(&it.event));
    let reset = Event::Received(Segment::Rst);
    let by_clues = match clues {
        // The kernel takes data that comes too late as if an RST had come, and sends one.
        Clues { reset_sent: true, .. } => of(&[Event::Abort]),
        Clues { reset_received: true, .. } => of(&[reset]),
        Clues { errno: Some(libc::ETIMEDOUT), .. } => of(&[Event::GaveUp, Event::TimeLimit]),
        Clues { errno: Some(libc::ECONNABORTED), .. } => of(&[Event::Abort]),
        // What a program is told after a reset, whoever sent it.
        Clues { errno: Some(errno), .. } if !matches!(errno, libc::ECONNRESET | libc::EPIPE) => {
            of(&[Event::Unreachable])
        }
        // An orphan is told no error.
        Clues { unanswered: true, in_interrupt: true, .. } => of(&[Event::GaveUp]),
        // Nothing but a program's call is left.
        Clues { in_interrupt: false, .. } => of(&[Event::Close]).or_else(|| {
            let usual = ways_between(old, new).next()?;
            if usual.event == reset { of(&[Event::Abort]) } else { Some(usual) }
        }),
        _ => None,
    };
    // A reset would have been seen.
    let usual = || ways_between(old, new).find(|it| it.on_linux && it.event != reset);
    by_clues.or_else(usual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use TcpState::{Close, Established, FinWait1, FinWait2, LastAck, SynSent, TimeWait};

    fn event(old: TcpState, new: TcpState, clues: Clues) -> Option<Event> {
        meaning(old, new, clues).transition().map(|way| way.event)
    }

    #[test]
    fn what_was_seen_tells_why_it_closed() {
        let reset = Clues { reset_received: true, in_interrupt: true, ..Clues::default() };
        let sent = Clues { reset_sent: true, ..Clues::default() };
        let told = |errno| Clues { errno: Some(errno), in_interrupt: true, ..Clues::default() };
        let rst = Some(Event::Received(Segment::Rst));
        for old in [SynSent, Established, FinWait1, FinWait2, LastAck] {
            assert_eq!(event(old, Close, reset), rst, "{old}");
        }
        assert_eq!(event(Established, Close, sent), Some(Event::Abort));
        assert_eq!(event(Established, Close, Clues::default()), Some(Event::Abort));
        assert_eq!(event(SynSent, Close, Clues::default()), Some(Event::Close));
        assert_eq!(event(SynSent, Close, told(libc::ETIMEDOUT)), Some(Event::GaveUp));
        assert_eq!(event(SynSent, Close, told(libc::EHOSTUNREACH)), Some(Event::Unreachable));
        assert_eq!(event(SynSent, Close, told(libc::ECONNABORTED)), Some(Event::Abort));
        assert_eq!(event(LastAck, Close, told(libc::ETIMEDOUT)), Some(Event::GaveUp));
        let interrupted = Clues { in_interrupt: true, ..Clues::default() };
        assert_eq!(event(FinWait1, Close, interrupted), Some(Event::GaveUp), "an orphan is told no error");
        let unanswered = Clues { unanswered: true, ..interrupted };
        assert_eq!(event(LastAck, Close, unanswered), Some(Event::GaveUp));
        let both = Clues { reset_sent: true, ..reset };
        assert_eq!(event(FinWait1, Close, both), Some(Event::Abort), "data came too late");
        assert_eq!(event(LastAck, Close, interrupted), Some(Event::AckOfFin));
        assert_eq!(event(LastAck, Close, Clues::default()), Some(Event::AckOfFin));
    }

    #[test]
    fn what_the_machine_does_not_have_is_marked() {
        assert_eq!(meaning(Close, Established, Clues::default()), Meaning::Unlisted);
        let limit = Clues { errno: Some(libc::ETIMEDOUT), in_interrupt: true, ..Clues::default() };
        assert!(meaning(FinWait2, Close, limit).text().starts_with("not in RFC 9293: "));
        assert!(!meaning(FinWait2, TimeWait, Clues::default()).text().starts_with("not in"));
    }
}
