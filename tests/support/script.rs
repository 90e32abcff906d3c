//! What the peer says in each of its connections, segment by segment, as the
//! connection's script has it.

use std::collections::HashMap;
use std::mem;
use std::net::SocketAddr;

use super::packet::{ACK, FIN, PSH, RST, SYN, Segment};

/// How many bytes [`Script::SendData`] sends.
pub(crate) const BYTES_SENT: u32 = 123;

/// What the peer does with a connection. It resets none as long as it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// No answer to a SYN, nor to the answer to its own.
    Silent,
    /// Takes part in the handshake and acknowledges all, a FIN too, but never
    /// sends a FIN itself.
    Accept,
    /// As [`Script::Accept`], after having sent [`BYTES_SENT`] bytes.
    SendData,
    /// Takes part in the handshake, and acknowledges nothing after it.
    NeverAck,
    /// Acknowledges data, but never a FIN.
    AcceptIgnoreFin,
    /// Sends a FIN right after the handshake, and never acknowledges ours.
    AcceptThenFin,
    /// Answers a FIN with one that does not acknowledge it, as if the two had
    /// crossed on their way.
    SimultaneousFin,
    /// Answers a FIN with one that acknowledges it.
    OrderlyClose,
    /// Acknowledges what comes first, and has no room for more.
    CloseWindow,
}

impl Script {
    const ALL: [Self; 9] = [
        Self::Silent,
        Self::Accept,
        Self::SendData,
        Self::NeverAck,
        Self::AcceptIgnoreFin,
        Self::AcceptThenFin,
        Self::SimultaneousFin,
        Self::OrderlyClose,
        Self::CloseWindow,
    ];

    /// The peer's port at which connections meet this script.
    pub(crate) const fn port(self) -> u16 {
        7000 + self as u16
    }

    fn at_port(port: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|script| script.port() == port)
    }
}

/// The command to open a connection to one of our listeners.
pub(crate) struct Open {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) script: Script,
}

/// The connections the peer knows, by our address and its own.
#[derive(Default)]
pub(crate) struct Flows(HashMap<(SocketAddr, SocketAddr), Flow>);

impl Flows {
    /// Begins a connection of the peer's own: the SYN.
    pub(crate) fn open(&mut self, command: &Open) -> Segment {
        let &Open { from, to, script } = command;
        let flow = self.0.entry((to, from)).or_insert(Flow::new(from, to, script));
        flow.segment(SYN)
    }

    /// What there is to say to a segment of ours, possibly nothing. The same
    /// segment sent again gets the same answer.
    pub(crate) fn respond(&mut self, got: &Segment) -> Vec<Segment> {
        match got.flags & (SYN | ACK | RST) {
            SYN => self.meet_syn(got).into_iter().collect(),
            flags if flags & RST != 0 => {
                self.0.remove(&(got.from, got.to));
                Vec::new()
            }
            flags => {
                let flow = self.0.get_mut(&(got.from, got.to));
                let flow = flow.filter(|flow| flow.script != Script::Silent);
                flow.map_or_else(Vec::new, |flow| {
                    if flags & SYN != 0 { flow.meet_syn_ack(got) } else { flow.meet_ack(got) }
                })
            }
        }
    }

    /// What ends all the connections: a reset, which the peer says to none of
    /// them before. Without one, what the kernel still holds of them would go
    /// on for minutes after the peer, and the namespace with it.
    pub(crate) fn resets(&self) -> Vec<Segment> {
        self.0.values().map(Flow::reset).collect()
    }

    fn meet_syn(&mut self, got: &Segment) -> Option<Segment> {
        let script = Script::at_port(got.to.port()).filter(|script| *script != Script::Silent)?;
        let flow = self.0.entry((got.from, got.to)).or_insert_with(|| {
            let mut flow = Flow::new(got.to, got.from, script);
            flow.ack = got.seq.wrapping_add(1);
            flow
        });
        // In full, for a SYN which is sent again when the connection is established.
        Some(Segment { seq: Flow::FIRST_SEQ, ..flow.segment(SYN | ACK) })
    }
}

/// One connection, as the peer sees it.
struct Flow {
    from: SocketAddr,
    to: SocketAddr,
    script: Script,
    /// The sequence number to send next; the SYN's until the handshake is over.
    seq: u32,
    /// The sequence number expected next, or 0 where none is known yet.
    ack: u32,
    established: bool,
    /// The FIN's sequence number, once that is sent.
    fin: Option<u32>,
}

impl Flow {
    const FIRST_SEQ: u32 = 1_000_000;

    fn new(from: SocketAddr, to: SocketAddr, script: Script) -> Self {
        Self { from, to, script, seq: Self::FIRST_SEQ, ack: 0, established: false, fin: None }
    }

    /// The answer to our answer to the peer's SYN.
    fn meet_syn_ack(&mut self, got: &Segment) -> Vec<Segment> {
        if !self.established {
            self.ack = got.seq.wrapping_add(1);
        }
        // A greeting acknowledges as well.
        let greeting = self.establish();
        vec![greeting.unwrap_or_else(|| self.acknowledgement())]
    }

    /// The answer to any segment once the SYNs are exchanged.
    fn meet_ack(&mut self, got: &Segment) -> Vec<Segment> {
        let payload_len = u32::try_from(got.payload.len()).expect("packets are short");
        let mut said: Vec<_> = self.establish().into_iter().collect();
        if !got.payload.is_empty() && self.script != Script::NeverAck {
            self.take(got.seq, payload_len);
            said.push(self.acknowledgement());
        }
        if got.flags & FIN != 0 {
            let at = got.seq.wrapping_add(payload_len);
            said.extend(self.meet_fin(at));
        }
        said
    }

    fn meet_fin(&mut self, at: u32) -> Option<Segment> {
        match self.script {
            Script::Accept | Script::SendData | Script::CloseWindow => {
                self.take(at, 1);
                Some(self.acknowledgement())
            }
            Script::OrderlyClose => {
                self.take(at, 1);
                Some(self.finish())
            }
            Script::SimultaneousFin => Some(self.finish()),
            Script::Silent | Script::NeverAck | Script::AcceptIgnoreFin | Script::AcceptThenFin => None,
        }
    }

    /// Notes that the handshake is over; what the peer says of its own accord
    /// then, once.
    fn establish(&mut self) -> Option<Segment> {
        if mem::replace(&mut self.established, true) {
            return None;
        }
        self.seq = self.seq.wrapping_add(1);
        match self.script {
            Script::SendData => Some(self.data(BYTES_SENT)),
            Script::AcceptThenFin => Some(self.finish()),
            _ => None,
        }
    }

    /// Moves past `len` numbers from `seq` on, unless they are known already
    /// or some before them are missing.
    fn take(&mut self, seq: u32, len: u32) {
        let end = seq.wrapping_add(len);
        let after = |a: u32, b: u32| a.wrapping_sub(b).cast_signed() > 0;
        if after(end, self.ack) && !after(seq, self.ack) {
            self.ack = end;
        }
    }

    fn acknowledgement(&self) -> Segment {
        self.segment(ACK)
    }

    fn data(&mut self, len: u32) -> Segment {
        let mut segment = self.segment(ACK | PSH);
        segment.payload = vec![b'z'; len as usize];
        self.seq = self.seq.wrapping_add(len);
        segment
    }

    /// The FIN: the same one again, if it is sent already.
    fn finish(&mut self) -> Segment {
        let seq = *self.fin.get_or_insert(self.seq);
        self.seq = seq.wrapping_add(1);
        Segment { seq, ..self.segment(FIN | ACK) }
    }

    /// The kernel heeds no reset but with the very number it expects next.
    fn reset(&self) -> Segment {
        let syn = u32::from(!self.established);
        Segment { seq: self.seq.wrapping_add(syn), ..self.segment(RST | ACK) }
    }

    fn segment(&self, flags: u8) -> Segment {
        let closes = self.script == Script::CloseWindow && self.established;
        let window = if closes { 0 } else { u16::MAX };
        Segment {
            from: self.from,
            to: self.to,
            seq: self.seq,
            ack: self.ack,
            flags,
            window,
            payload: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::peer::{OUR_V4, OUR_V6, PEER_V4, PEER_V6};

    fn segment(flags: u8, seq: u32, ack: u32, script: Script, payload: &[u8]) -> Segment {
        Segment {
            from: (OUR_V4, 8001).into(),
            to: (PEER_V4, script.port()).into(),
            seq,
            ack,
            flags,
            window: u16::MAX,
            payload: payload.to_vec(),
        }
    }

    /// Flows with one connection from us to `script`'s port that stands, and
    /// what the peer said to the last segment of the handshake.
    fn connected(script: Script) -> (Flows, Vec<Segment>) {
        let mut flows = Flows::default();
        let syn_ack = flows.respond(&segment(SYN, 99, 0, script, b""));
        assert_eq!(syn_ack.len(), 1, "{syn_ack:?}");
        assert_eq!((syn_ack[0].flags, syn_ack[0].ack), (SYN | ACK, 100));
        let said = flows.respond(&segment(ACK, 100, 1_000_001, script, b""));
        (flows, said)
    }

    /// The flags, sequence and acknowledgement numbers and payload lengths.
    fn gist(segments: &[Segment]) -> Vec<(u8, u32, u32, usize)> {
        let gist = |s: &Segment| (s.flags, s.seq, s.ack, s.payload.len());
        segments.iter().map(gist).collect()
    }

    #[test]
    fn each_script_has_its_port() {
        for script in Script::ALL {
            assert_eq!(Script::at_port(script.port()), Some(script));
        }
        assert_eq!(Script::at_port(80), None);
    }

    #[test]
    fn the_silent_port_says_nothing() {
        let mut flows = Flows::default();
        assert_eq!(flows.respond(&segment(SYN, 1, 0, Script::Silent, b"")), []);
        assert_eq!(flows.respond(&segment(ACK, 1, 1, Script::Accept, b"")), []);
    }

    #[test]
    fn greetings_are_said_once() {
        for (script, greeting) in [
            (Script::Accept, vec![]),
            (Script::SendData, vec![(ACK | PSH, 1_000_001, 100, BYTES_SENT as usize)]),
            (Script::AcceptThenFin, vec![(FIN | ACK, 1_000_001, 100, 0)]),
        ] {
            let (mut flows, said) = connected(script);
            assert_eq!(gist(&said), greeting, "{script:?}");
            let again = flows.respond(&segment(ACK, 100, 1_000_001, script, b""));
            assert_eq!(again, [], "{script:?}");
        }
    }

    #[test]
    fn a_fin_is_met_by_the_script_each_time() {
        for (script, answer) in [
            (Script::Accept, Some((ACK, 1_000_001, 101, 0))),
            (Script::OrderlyClose, Some((FIN | ACK, 1_000_001, 101, 0))),
            (Script::SimultaneousFin, Some((FIN | ACK, 1_000_001, 100, 0))),
            (Script::AcceptIgnoreFin, None),
            (Script::AcceptThenFin, None),
            (Script::NeverAck, None),
        ] {
            let (mut flows, _) = connected(script);
            for _ in 0..2 {
                let said = flows.respond(&segment(FIN | ACK, 100, 1_000_001, script, b""));
                let answer: Vec<_> = answer.into_iter().collect();
                assert_eq!(gist(&said), answer, "{script:?}");
            }
        }
    }

    #[test]
    fn data_is_acknowledged_in_order() {
        let (mut flows, _) = connected(Script::AcceptIgnoreFin);
        let mut say = |seq, payload: &[u8]| {
            let said = segment(ACK, seq, 1_000_001, Script::AcceptIgnoreFin, payload);
            gist(&flows.respond(&said))[0].2
        };
        assert_eq!(say(100, b"four"), 104);
        assert_eq!(say(100, b"four"), 104, "sent again");
        assert_eq!(say(100, b"fourty"), 106, "sent again with more");
        assert_eq!(say(110, b"gap"), 106, "out of order");
        let (mut flows, _) = connected(Script::NeverAck);
        let data = segment(ACK, 100, 1_000_001, Script::NeverAck, b"four");
        assert_eq!(flows.respond(&data), []);
    }

    #[test]
    fn a_window_closes_behind_the_handshake() {
        let (mut flows, _) = connected(Script::CloseWindow);
        let said = flows.respond(&segment(ACK, 100, 1_000_001, Script::CloseWindow, b"four"));
        assert_eq!((said[0].ack, said[0].window), (104, 0));
    }

    #[test]
    fn resets_have_the_number_expected_next() {
        for (script, next) in [
            (Script::Accept, 1_000_001),
            (Script::SendData, 1_000_001 + BYTES_SENT),
            (Script::AcceptThenFin, 1_000_002),
        ] {
            let (flows, _) = connected(script);
            let resets = flows.resets();
            assert_eq!(gist(&resets), [(RST | ACK, next, 100, 0)], "{script:?}");
        }
        let (from, to) = ((PEER_V4, 7100).into(), (OUR_V4, 8100).into());
        let mut flows = Flows::default();
        let script = Script::Silent;
        flows.open(&Open { from, to, script });
        assert_eq!(flows.resets()[0].seq, 1_000_001);
    }

    #[test]
    fn the_peer_opens_connections_too() {
        let from = SocketAddr::from((PEER_V6, 7100));
        let to = SocketAddr::from((OUR_V6, 9000));
        let syn_ack = Segment {
            from: to,
            to: from,
            seq: 50,
            ack: 1_000_001,
            flags: SYN | ACK,
            window: u16::MAX,
            payload: Vec::new(),
        };
        for (script, answer) in [
            (Script::Silent, vec![]),
            (Script::Accept, vec![(ACK, 1_000_001, 51, 0)]),
            (Script::AcceptThenFin, vec![(FIN | ACK, 1_000_001, 51, 0)]),
        ] {
            let mut flows = Flows::default();
            let syn = flows.open(&Open { from, to, script });
            assert_eq!((syn.flags, syn.from, syn.to), (SYN, from, to));
            assert_eq!(gist(&flows.respond(&syn_ack)), answer, "{script:?}");
            let again = flows.respond(&syn_ack);
            assert_eq!(again.len(), answer.len(), "{script:?}");
        }
    }
}
