//! The TCP state machine: RFC 9293's figure 5, what its text adds, and what Linux does besides.
//!
//! This is the only copy: drawings, explanations and traces are made from it.

use std::fmt;

use super::TcpState;

/// A transition from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state before.
    pub from: TcpState,
    /// The state after.
    pub to: TcpState,
    /// The event that causes the transition.
    pub event: Trigger,
    /// The segment that is sent with it.
    pub sends: Option<Segment>,
    /// The section of RFC 9293 that describes it; `None` if only Linux does it.
    pub section: Option<&'static str>,
    /// Whether the RFC's figure 5 shows it.
    pub in_figure: bool,
    /// Whether Linux ever does it.
    pub on_linux: bool,
    /// What the transition means, in a few words.
    pub meaning: &'static str,
}

/// The event that causes a transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The program listens.
    PassiveOpen,
    /// The program connects.
    ActiveOpen,
    /// The program sends on a listener, which Linux does not support.
    Send,
    /// The program closes, or shuts its sending side down.
    Close,
    /// This host aborts the connection: unread data at close, SO_LINGER with 0, or an administrator.
    Abort,
    /// This segment is received.
    Received(Segment),
    /// The acknowledgement of our SYN is received.
    AckOfSyn,
    /// The acknowledgement of our FIN is received.
    AckOfFin,
    /// The peer's FIN is received together with the acknowledgement of ours.
    FinAndAckOfFin,
    /// An ICMP error says that the peer can't be reached.
    Unreachable,
    /// No answer came, however often a segment was sent.
    GaveUp,
    /// Twice the maximum segment lifetime has passed.
    TwoMsl,
    /// A setting's time limit has passed.
    TimeLimit,
}

/// The kind of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Opens a connection.
    Syn,
    /// Opens a connection, and acknowledges the peer's SYN.
    SynAck,
    /// Acknowledges.
    Ack,
    /// Closes one direction.
    Fin,
    /// Resets the connection.
    Rst,
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Syn => "SYN",
            Self::SynAck => "SYN+ACK",
            Self::Ack => "ACK",
            Self::Fin => "FIN",
            Self::Rst => "RST",
        })
    }
}

impl fmt::Display for Trigger {
    /// A program's action as its system call, a received segment after `rcv`, as in figure 5.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PassiveOpen => "listen()",
            Self::ActiveOpen => "connect()",
            Self::Send => "send()",
            Self::Close => "close()",
            Self::Abort => "abort",
            Self::Received(segment) => return write!(f, "rcv {segment}"),
            Self::AckOfSyn => "rcv ACK of SYN",
            Self::AckOfFin => "rcv ACK of FIN",
            Self::FinAndAckOfFin => "rcv FIN+ACK of FIN",
            Self::Unreachable => "ICMP error",
            Self::GaveUp => "timed out",
            Self::TwoMsl => "2 MSL",
            Self::TimeLimit => "time limit",
        })
    }
}

const fn row(
    from: TcpState,
    to: TcpState,
    event: Trigger,
    section: &'static str,
    meaning: &'static str,
) -> Transition {
    Transition {
        from,
        to,
        event,
        sends: None,
        section: Some(section),
        in_figure: false,
        on_linux: true,
        meaning,
    }
}

impl Transition {
    const fn sending(mut self, segment: Segment) -> Self {
        self.sends = Some(segment);
        self
    }

    const fn in_figure(mut self) -> Self {
        self.in_figure = true;
        self
    }

    const fn not_on_linux(mut self) -> Self {
        self.on_linux = false;
        self
    }

    const fn only_on_linux(mut self) -> Self {
        self.section = None;
        self
    }
}

/// All transitions, in the order of a connection's life; between the same two states, the usual one first.
#[rustfmt::skip]
pub const MACHINE: [Transition; 53] = {
    use Trigger::{Abort, AckOfFin, AckOfSyn, ActiveOpen, Close as Shut, FinAndAckOfFin, GaveUp, PassiveOpen, Received, Send, TimeLimit, TwoMsl, Unreachable};
    use Segment::{Ack, Fin, Rst, Syn, SynAck};
    use TcpState::{Close, CloseWait, Closing, Established, FinWait1, FinWait2, LastAck, Listen, SynRecv, SynSent, TimeWait};
    /// What ends any established connection: section 3.10.7.4 for a received reset, 3.10.8 for time-outs.
    const RESET: &str = "RST received: the peer reset the connection";
    const SILENT: &str = "no ACK came, however often it was sent: timed out";
    const CUT: &str = "aborted by this host, RST sent: unread data at close, SO_LINGER 0, or an administrator";
    const DROPPED: &str = "closed on this host by an administrator";
    const DEAF: &str = "aborted by this host, RST sent: data came for a program that has closed, or an administrator";
    [
        row(Close, Listen, PassiveOpen, "3.10.1", "listen(): connections may come").in_figure(),
        row(Close, SynSent, ActiveOpen, "3.10.1", "connect(): the handshake begins").sending(Syn).in_figure(),
        row(Listen, SynRecv, Received(Syn), "3.10.7.2", "SYN received: the handshake's first segment").sending(SynAck).in_figure(),
        row(Listen, SynSent, Send, "3.10.2", "the program connects from a listener").sending(Syn).in_figure().not_on_linux(),
        row(Listen, Close, Shut, "3.10.4", "the program closed its listener").in_figure(),
        row(Listen, Close, Abort, "3.10.5", DROPPED),
        row(SynSent, Established, Received(SynAck), "3.10.7.3", "SYN and ACK received: the connection is established").sending(Ack).in_figure(),
        row(SynSent, SynRecv, Received(Syn), "3.10.7.3", "SYN received: both ends open at once").sending(SynAck).in_figure(),
        row(SynSent, Close, Received(Rst), "3.10.7.3", "RST received: the connection was refused"),
        row(SynSent, Close, GaveUp, "3.10.8", "no answer to any SYN: timed out"),
        row(SynSent, Close, Unreachable, "3.9.2.2", "an ICMP error: the peer can't be reached (codes 0, 1 and 5 end it on Linux alone)"),
        row(SynSent, Close, Shut, "3.10.4", "the program gave up before an answer came").in_figure(),
        row(SynSent, Close, Abort, "3.10.5", DROPPED),
        row(SynRecv, Established, AckOfSyn, "3.10.7.4", "ACK received: the connection is established").in_figure(),
        row(SynRecv, FinWait1, Shut, "3.10.4", "closed here before the handshake was complete").sending(Fin).in_figure(),
        row(SynRecv, CloseWait, Received(Fin), "3.10.7.4", "FIN received in the handshake (on Linux with TCP Fast Open only)").sending(Ack),
        row(SynRecv, Listen, Received(Rst), "3.10.7.4", "RST received: the listener keeps waiting").in_figure().not_on_linux(),
        row(SynRecv, Close, Received(Rst), "3.10.7.4", "RST received: the handshake is aborted"),
        row(SynRecv, Close, GaveUp, "3.10.8", "the handshake's last ACK never came: timed out"),
        row(SynRecv, Close, Abort, "3.10.5", "aborted by this host, RST sent: the listener closed, or an administrator").sending(Rst),
        row(Established, FinWait1, Shut, "3.10.4", "closed here first: the FIN follows the data").sending(Fin).in_figure(),
        row(Established, CloseWait, Received(Fin), "3.10.7.4", "FIN received: the peer closed first").sending(Ack).in_figure(),
        row(Established, Close, Received(Rst), "3.10.7.4", RESET),
        row(Established, Close, GaveUp, "3.10.8", SILENT),
        row(Established, Close, Abort, "3.10.5", CUT).sending(Rst),
        row(FinWait1, FinWait2, AckOfFin, "3.10.7.4", "our FIN is acknowledged").in_figure(),
        row(FinWait1, Closing, Received(Fin), "3.10.7.4", "FIN received before ours is acknowledged: both closed at once").sending(Ack).in_figure(),
        row(FinWait1, TimeWait, FinAndAckOfFin, "3.10.7.4", "FIN received together with the ACK of ours: Linux passes FIN_WAIT2 on the way").sending(Ack).not_on_linux(),
        row(FinWait1, Close, Received(Rst), "3.10.7.4", RESET),
        row(FinWait1, Close, GaveUp, "3.10.8", "our FIN was never acknowledged: timed out"),
        row(FinWait1, Close, Abort, "3.10.5", DEAF).sending(Rst),
        row(FinWait2, TimeWait, Received(Fin), "3.10.7.4", "FIN received: both ends have closed").sending(Ack).in_figure(),
        row(FinWait2, Close, TimeLimit, "", "the peer's FIN did not come within tcp_fin_timeout").only_on_linux(),
        row(FinWait2, Close, Received(Rst), "3.10.7.4", RESET),
        row(FinWait2, Close, GaveUp, "3.8.4", "no answer to keepalive probes: timed out"),
        row(FinWait2, Close, Abort, "3.10.5", DEAF).sending(Rst),
        row(CloseWait, LastAck, Shut, "3.10.4", "closed here too: the FIN follows the data").sending(Fin).in_figure(),
        row(CloseWait, Close, Received(Rst), "3.10.7.4", RESET),
        row(CloseWait, Close, GaveUp, "3.10.8", SILENT),
        row(CloseWait, Close, Abort, "3.10.5", CUT).sending(Rst),
        row(Closing, TimeWait, AckOfFin, "3.10.7.4", "our FIN is acknowledged: both ends have closed").in_figure(),
        row(Closing, Close, Received(Rst), "3.10.7.4", RESET),
        row(Closing, Close, GaveUp, "3.10.8", "our FIN was never acknowledged: timed out"),
        row(Closing, Close, Abort, "3.10.5", DROPPED),
        row(LastAck, Close, AckOfFin, "3.10.7.4", "our FIN is acknowledged: the connection is closed").in_figure(),
        row(LastAck, Close, Received(Rst), "3.10.7.4", RESET),
        row(LastAck, Close, GaveUp, "3.10.8", "our FIN was never acknowledged: timed out"),
        row(LastAck, Close, Abort, "3.10.5", DROPPED),
        row(TimeWait, Close, TwoMsl, "3.10.8", "the wait is over (60 s on Linux)").in_figure(),
        row(TimeWait, Close, Received(Rst), "3.10.7.4", "RST received: the wait ends early"),
        row(TimeWait, Close, Abort, "3.10.5", DROPPED),
        row(TimeWait, SynRecv, Received(Syn), "3.6.1", "a new SYN with a later sequence number takes the place").sending(SynAck),
        row(TimeWait, SynSent, ActiveOpen, "", "tcp_tw_reuse: a new connection takes the ports").sending(Syn).only_on_linux(),
    ]
};

/// The transitions out of a state.
pub fn transitions_from(state: TcpState) -> impl Iterator<Item = &'static Transition> {
    MACHINE.iter().filter(move |way| way.from == state.shown())
}

/// The transitions into a state.
pub fn transitions_into(state: TcpState) -> impl Iterator<Item = &'static Transition> {
    MACHINE.iter().filter(move |way| way.to == state.shown())
}

/// The transitions from one state to another, the usual one first; none if neither RFC 9293 nor Linux has one.
pub fn transitions_between(from: TcpState, to: TcpState) -> impl Iterator<Item = &'static Transition> {
    transitions_from(from).filter(move |way| way.to == to.shown())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use TcpState::{
        Close, CloseWait, Closing, Established, FinWait1, FinWait2, LastAck, Listen, SynRecv, SynSent,
        TimeWait,
    };

    /// A path through the machine, each step by its event.
    fn path(steps: &[(TcpState, Trigger)], end: TcpState) {
        let next = steps.iter().skip(1).map(|(state, _)| *state).chain([end]);
        for ((from, event), to) in steps.iter().zip(next) {
            assert!(
                transitions_between(*from, to).any(|way| way.event == *event && way.on_linux),
                "{from} to {to} by {event}"
            );
        }
    }

    #[test]
    fn every_state_is_reached_and_left() {
        for state in TcpState::SHOWN {
            for on_linux in [false, true] {
                assert!(
                    transitions_into(state).any(|way| way.on_linux || !on_linux),
                    "nothing leads to {state}"
                );
                assert!(
                    transitions_from(state).any(|way| way.on_linux || !on_linux),
                    "nothing leaves {state}"
                );
            }
        }
        let mut seen = BTreeSet::from([Close.kernel()]);
        let mut new = vec![Close];
        while let Some(state) = new.pop() {
            new.extend(
                transitions_from(state)
                    .filter(|way| way.on_linux && seen.insert(way.to.kernel()))
                    .map(|way| way.to),
            );
        }
        assert_eq!(
            seen.len(),
            TcpState::SHOWN.len(),
            "from CLOSED every state can be reached, and from each CLOSED"
        );
        for state in TcpState::SHOWN {
            let mut reached = BTreeSet::from([state.kernel()]);
            let mut new = vec![state];
            while let Some(state) = new.pop() {
                new.extend(
                    transitions_from(state).filter(|way| reached.insert(way.to.kernel())).map(|way| way.to),
                );
            }
            assert!(reached.contains(&Close.kernel()), "{state} never ends");
        }
    }

    #[test]
    fn the_paths_of_the_textbooks() {
        let fin = Trigger::Received(Segment::Fin);
        // The client that closes first.
        path(
            &[
                (Close, Trigger::ActiveOpen),
                (SynSent, Trigger::Received(Segment::SynAck)),
                (Established, Trigger::Close),
                (FinWait1, Trigger::AckOfFin),
                (FinWait2, fin),
                (TimeWait, Trigger::TwoMsl),
            ],
            Close,
        );
        // The server whose peer closes first.
        path(
            &[
                (Close, Trigger::PassiveOpen),
                (Listen, Trigger::Received(Segment::Syn)),
                (SynRecv, Trigger::AckOfSyn),
                (Established, fin),
                (CloseWait, Trigger::Close),
                (LastAck, Trigger::AckOfFin),
            ],
            Close,
        );
        // Both at once.
        path(
            &[
                (Close, Trigger::ActiveOpen),
                (SynSent, Trigger::Received(Segment::Syn)),
                (SynRecv, Trigger::AckOfSyn),
            ],
            Established,
        );
        path(&[(Established, Trigger::Close), (FinWait1, fin), (Closing, Trigger::AckOfFin)], TimeWait);
    }

    /// Measured in tests/states.rs.
    #[test]
    fn linux_takes_no_short_cut_from_fin_wait1() {
        let ways: Vec<_> =
            transitions_between(FinWait1, TimeWait).map(|way| (way.event, way.on_linux)).collect();
        assert_eq!(ways, [(Trigger::FinAndAckOfFin, false)]);
    }

    #[test]
    fn resets_and_time_outs_end_all_that_can_be_cut() {
        for state in
            [SynSent, SynRecv, Established, FinWait1, FinWait2, CloseWait, Closing, LastAck, TimeWait]
        {
            assert!(
                transitions_between(state, Close).any(|way| way.event == Trigger::Received(Segment::Rst)),
                "a reset does not end {state}"
            );
        }
        for state in [SynSent, SynRecv, Established, FinWait1, FinWait2, CloseWait, Closing, LastAck] {
            assert!(
                transitions_between(state, Close).any(|way| way.event == Trigger::GaveUp),
                "{state} waits for ever"
            );
        }
        // A program that never closes is waited for: CLOSE_WAIT has no time limit, FIN_WAIT2 has one on Linux.
        let limited: Vec<_> =
            MACHINE.iter().filter(|way| way.event == Trigger::TimeLimit).map(|way| way.from).collect();
        assert_eq!(limited, [FinWait2]);
    }

    /// RFC 9293, figure 5, row by row.
    #[test]
    fn the_figure_is_there_and_nothing_else_claims_to_be() {
        let figure: BTreeSet<_> = MACHINE
            .iter()
            .filter(|way| way.in_figure)
            .map(|way| (way.from.kernel(), way.to.kernel()))
            .collect();
        let expected = [
            (Close, Listen),
            (Close, SynSent),
            (Listen, Close),
            (Listen, SynRecv),
            (Listen, SynSent),
            (SynSent, Close),
            (SynSent, SynRecv),
            (SynSent, Established),
            (SynRecv, Listen),
            (SynRecv, Established),
            (SynRecv, FinWait1),
            (Established, FinWait1),
            (Established, CloseWait),
            (FinWait1, FinWait2),
            (FinWait1, Closing),
            (FinWait2, TimeWait),
            (CloseWait, LastAck),
            (Closing, TimeWait),
            (LastAck, Close),
            (TimeWait, Close),
        ];
        assert_eq!(figure, expected.map(|(from, to)| (from.kernel(), to.kernel())).into_iter().collect());
    }

    #[test]
    fn rows_are_whole() {
        for (at, way) in MACHINE.iter().enumerate() {
            assert!(!way.meaning.is_empty() && way.from != way.to, "{way:?}");
            assert!(way.section.is_none_or(|section| section.starts_with("3.")), "{way:?}");
            assert!(way.section.is_some() || way.on_linux, "nobody does {way:?}");
            let same =
                |other: &Transition| (other.from, other.to, other.event) == (way.from, way.to, way.event);
            assert!(!MACHINE[..at].iter().any(same), "twice: {way:?}");
        }
        assert_eq!(transitions_between(Listen, Established).count(), 0);
        assert_eq!(transitions_from(TcpState::BoundInactive).count(), transitions_from(Close).count());
    }
}
