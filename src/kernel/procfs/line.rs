//! One line of /proc/net/tcp or tcp6 → [`Socket`] (`get_tcp4_sock` and its siblings in net/ipv4/tcp_ipv4.c).
//!
//! Words of an address are hex in host byte order, ports are hex numbers, timers count hundredths of a second. The
//! columns after the inode are not read, because not every kernel prints them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::{Endpoint, Family, Queues, Socket, TcpState, Timer, known_uid};

/// A line that is not a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// The line ends before this column.
    #[error("no {0}")]
    Missing(&'static str),
    /// A column that can't be read.
    #[error("bad {0}")]
    Bad(&'static str),
}

/// Whether this is the heading over the columns.
pub fn is_heading(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"sl ")
}

/// Reads one line, without its line break.
pub fn parse(line: &[u8], family: Family) -> Result<Socket, BadLine> {
    let mut line = Line { rest: line };
    line.column("line number", Line::number)?;
    let local = line.column("local address", |line| line.endpoint(family))?;
    let peer = line.column("remote address", |line| line.endpoint(family))?;
    let state = line.column("state", Line::hex)?;
    let state = TcpState::from_kernel(u8::try_from(state).map_err(|_| BadLine::Bad("state"))?);
    let (tx_queue, rx_queue) = line.column("queues", Line::pair)?;
    let (timer, ticks) = line.column("timer", Line::pair)?;
    let retransmits = line.column("retransmits", Line::hex)?;
    let uid = line.column("uid", Line::decimal)?;
    let probes = line.column("timeout", Line::decimal)?;
    let inode = line.column("inode", Line::decimal)?;

    let uid = u32::try_from(uid).map_err(|_| BadLine::Bad("uid"))?;
    Ok(Socket {
        // A listener's tx_queue is always 0 here: /proc does not report the backlog.
        queues: Queues::of(state, saturated(rx_queue), saturated(tx_queue), None),
        timer: Timer::from_kernel(
            u8::try_from(timer).map_err(|_| BadLine::Bad("timer"))?,
            saturated(ticks.saturating_mul(10)),
            saturated(retransmits),
            saturated(probes),
        ),
        uid: known_uid(state, uid, inode),
        inode: Some(inode).filter(|inode| *inode != 0),
        ..Socket::new(family, state, local, peer)
    })
}

fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The value of each byte as a hex digit; bytes that are not digits get `NO_DIGIT`, a bit that no digit has.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 10 {
        digits[b'0' as usize + value as usize] = value;
        value += 1;
    }
    while value < 16 {
        digits[b'A' as usize + value as usize - 10] = value;
        digits[b'a' as usize + value as usize - 10] = value;
        value += 1;
    }
    digits
};
const NO_DIGIT: u8 = 0x80;

/// The rest of a line. Each byte of it is read once.
struct Line<'a> {
    rest: &'a [u8],
}

impl Line<'_> {
    /// Reads one column, which ends at a blank.
    fn column<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T, BadLine> {
        while let [b' ', rest @ ..] = self.rest {
            self.rest = rest;
        }
        if self.rest.is_empty() {
            return Err(BadLine::Missing(name));
        }
        let value = read(self).ok_or(BadLine::Bad(name))?;
        if matches!(self.rest, [] | [b' ', ..]) { Ok(value) } else { Err(BadLine::Bad(name)) }
    }

    /// Skips `12:`; the number does not matter.
    fn number(&mut self) -> Option<()> {
        let len = self.rest.iter().position(|byte| *byte == b' ').unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        number.ends_with(b":").then_some(())
    }

    /// Plain digits; no sign, no overflow, not empty.
    fn hex(&mut self) -> Option<u64> {
        let (mut value, mut len) = (0_u64, 0);
        for byte in self.rest {
            let digit = DIGITS[usize::from(*byte)];
            if digit == NO_DIGIT {
                break;
            }
            value = value << 4 | u64::from(digit);
            len += 1;
        }
        self.rest = self.rest.get(len..)?;
        (1..=16).contains(&len).then_some(value)
    }

    /// The same rules for decimal digits.
    fn decimal(&mut self) -> Option<u64> {
        let (mut value, mut len) = (0_u64, 0);
        for byte in self.rest {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = value.checked_mul(10)?.checked_add(digit.into())?;
            len += 1;
        }
        self.rest = self.rest.get(len..)?;
        (len > 0).then_some(value)
    }

    fn colon(&mut self) -> Option<()> {
        self.rest = self.rest.strip_prefix(b":")?;
        Some(())
    }

    fn pair(&mut self) -> Option<(u64, u64)> {
        let left = self.hex()?;
        self.colon()?;
        Some((left, self.hex()?))
    }

    /// The bytes of an address word, eight digits: the order in memory of the number that the kernel printed.
    fn word(&mut self) -> Option<[u8; 4]> {
        let (text, rest) = self.rest.split_first_chunk::<8>()?;
        let (mut value, mut seen) = (0_u32, 0);
        for byte in text {
            let digit = DIGITS[usize::from(*byte)];
            value = value << 4 | u32::from(digit & 0xf);
            seen |= digit;
        }
        self.rest = rest;
        (seen & NO_DIGIT == 0).then_some(value.to_ne_bytes())
    }

    fn endpoint(&mut self, family: Family) -> Option<Endpoint> {
        let addr: IpAddr = match family {
            Family::Inet => Ipv4Addr::from(self.word()?).into(),
            Family::Inet6 => {
                let mut bytes = [0; 16];
                for word in bytes.as_chunks_mut::<4>().0 {
                    *word = self.word()?;
                }
                Ipv6Addr::from(bytes).into()
            }
        };
        self.colon()?;
        Some(Endpoint::new(addr, u16::try_from(self.hex()?).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A line as the kernel prints it, but for the columns after the inode.
    fn format(socket: &Socket) -> String {
        let word = |bytes: &[u8]| format!("{:08X}", u32::from_ne_bytes(bytes.try_into().unwrap()));
        let words = |addr: IpAddr| match addr {
            IpAddr::V4(addr) => word(&addr.octets()),
            IpAddr::V6(addr) => addr.octets().chunks_exact(4).map(word).collect::<Vec<_>>().concat(),
        };
        let (timer, ticks, retransmits, probes) = match socket.timer {
            None => (0, 0, 0, 0),
            Some(Timer::Retransmit { expires_ms, retransmits }) => (1, expires_ms / 10, retransmits, 0),
            Some(Timer::KeepAlive { expires_ms, probes }) => (2, expires_ms / 10, 0, probes),
            Some(Timer::TimeWait { expires_ms }) => (3, expires_ms / 10, 0, 0),
            Some(Timer::Probe0 { expires_ms, probes }) => (4, expires_ms / 10, 0, probes),
            Some(Timer::DelayedAck { expires_ms }) => (5, expires_ms / 10, 0, 0),
            Some(Timer::Other { kind, expires_ms, count }) => (kind, expires_ms / 10, count, 0),
        };
        format!(
            "{:4}: {}:{:04X} {}:{:04X} {:02X} {:08X}:{:08X} {:02X}:{:08X} {:08X} {:5} {:8} {} 1 0000000000000000 \
             100 0 0 10 0",
            7,
            words(socket.local.addr),
            socket.local.port,
            words(socket.peer.addr),
            socket.peer.port,
            socket.state.kernel(),
            socket.queues.send_q(),
            socket.queues.recv_q(),
            timer,
            ticks,
            retransmits,
            socket.uid.unwrap_or(0),
            probes,
            socket.inode.unwrap_or(0),
        )
    }

    fn endpoints(family: Family) -> BoxedStrategy<Endpoint> {
        match family {
            Family::Inet => (any::<Ipv4Addr>(), any::<u16>())
                .prop_map(|(addr, port)| Endpoint::new(addr.into(), port))
                .boxed(),
            Family::Inet6 => (any::<Ipv6Addr>(), any::<u16>())
                .prop_map(|(addr, port)| Endpoint::new(addr.into(), port))
                .boxed(),
        }
    }

    fn timers() -> impl Strategy<Value = Option<Timer>> {
        (0_u8..8, 0_u32..1_000_000, 0_u32..20).prop_map(|(kind, ticks, count)| {
            let probes = if matches!(kind, 2 | 4) { count } else { 0 };
            let retransmits = if matches!(kind, 1 | 6..) { count } else { 0 };
            Timer::from_kernel(kind, ticks * 10, retransmits, probes)
        })
    }

    fn sockets() -> impl Strategy<Value = Socket> {
        prop_oneof![Just(Family::Inet), Just(Family::Inet6)].prop_flat_map(|family| {
            let ends = (endpoints(family), endpoints(family));
            (ends, any::<u8>(), timers(), any::<(u32, u32, u32)>(), any::<u64>()).prop_map(
                move |((local, peer), state, timer, (recv_q, send_q, uid), inode)| {
                    let state = TcpState::from_kernel(state);
                    Socket {
                        queues: Queues::of(state, recv_q, send_q, None),
                        timer,
                        uid: known_uid(state, uid, inode),
                        inode: Some(inode).filter(|inode| *inode != 0),
                        ..Socket::new(family, state, local, peer)
                    }
                },
            )
        })
    }

    #[test]
    fn a_line_of_a_live_kernel() {
        let line = b"   0: 0100007F:1389 00000000:0000 0A 00000000:00000001 00:00000000 00000000  1000        0 6266 \
                     1 0000000000000000 100 0 0 10 0";
        let socket = parse(line, Family::Inet).unwrap();
        assert_eq!(socket.local, Endpoint::new(Ipv4Addr::LOCALHOST.into(), 5001));
        assert_eq!(socket.state, TcpState::Listen);
        assert_eq!(socket.queues, Queues::Accept { pending: 1, backlog: None });
        assert_eq!((socket.uid, socket.inode, socket.timer), (Some(1000), Some(6266), None));
    }

    #[test]
    fn root_is_a_user_of_a_listener_and_unknown_of_an_orphan() {
        let uid = |state: &str| {
            let line = format!("0: 0100007F:1389 00000000:0000 {state} 0:0 00:0 0 0 0 0");
            parse(line.as_bytes(), Family::Inet).unwrap().uid
        };
        assert_eq!((uid("0A"), uid("04"), uid("06")), (Some(0), None, None));
    }

    #[test]
    fn errors_name_the_column() {
        let good = "0: 0100007F:1389 00000000:0000 0A 00000000:00000001 00:00000000 00000000 0 0 6266";
        assert!(parse(good.as_bytes(), Family::Inet).is_ok());
        for (from, to, error) in [
            ("0:", "0", BadLine::Bad("line number")),
            ("0100007F", "0100007", BadLine::Bad("local address")),
            ("00000000:0000 ", "00000000:10000 ", BadLine::Bad("remote address")),
            ("0A", "0G", BadLine::Bad("state")),
            ("0A", "100", BadLine::Bad("state")),
            (" 6266", "", BadLine::Missing("inode")),
            ("6266", "-1", BadLine::Bad("inode")),
        ] {
            let line = good.replacen(from, to, 1);
            assert_eq!(parse(line.as_bytes(), Family::Inet), Err(error), "{line}");
        }
        assert_eq!(parse(b"", Family::Inet), Err(BadLine::Missing("line number")));
        assert!(parse(good.as_bytes(), Family::Inet6).is_err());
    }

    proptest! {
        #[test]
        fn a_formatted_line_comes_back(socket in sockets()) {
            prop_assert_eq!(parse(format(&socket).as_bytes(), socket.family), Ok(socket));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, v6: bool) {
            let _ = parse(&bytes, if v6 { Family::Inet6 } else { Family::Inet });
        }

        #[test]
        fn a_damaged_line_is_read_or_refused(socket in sockets(), at: usize, byte: u8) {
            let mut line = format(&socket).into_bytes();
            let at = at % line.len();
            line[at] = byte;
            let _ = parse(&line, socket.family);
        }
    }
}
