//! One line of /proc/net/tcp or tcp6 → [`Socket`] (`get_tcp4_sock` and its siblings in net/ipv4/tcp_ipv4.c).
//!
//! Words of an address are hex in host byte order, ports are hex numbers, timers count hundredths of a second. The
//! columns after the inode are not told by every kernel and are not read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::{Endpoint, Family, Queues, Socket, TcpState, Timer, known_uid};

/// A line that is no socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// It ends before this column.
    #[error("no {0}")]
    Missing(&'static str),
    /// A column that can't be read.
    #[error("bad {0}")]
    Bad(&'static str),
}

/// Whether this is the heading that stands over the columns.
pub fn is_heading(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"sl ")
}

/// Reads one line, without its line break.
pub fn parse(line: &[u8], family: Family) -> Result<Socket, BadLine> {
    let mut columns = Columns { rest: line };
    let number = columns.next("line number")?;
    if !number.ends_with(b":") {
        return Err(BadLine::Bad("line number"));
    }
    let local = endpoint(columns.next("local address")?, family).ok_or(BadLine::Bad("local address"))?;
    let peer = endpoint(columns.next("remote address")?, family).ok_or(BadLine::Bad("remote address"))?;
    let state = hex(columns.next("state")?).ok_or(BadLine::Bad("state"))?;
    let state = TcpState::from_kernel(u8::try_from(state).map_err(|_| BadLine::Bad("state"))?);
    let (tx_queue, rx_queue) = pair(columns.next("queues")?).ok_or(BadLine::Bad("queues"))?;
    let (timer, ticks) = pair(columns.next("timer")?).ok_or(BadLine::Bad("timer"))?;
    let retransmits = hex(columns.next("retransmits")?).ok_or(BadLine::Bad("retransmits"))?;
    let uid = decimal(columns.next("uid")?).ok_or(BadLine::Bad("uid"))?;
    let probes = decimal(columns.next("timeout")?).ok_or(BadLine::Bad("timeout"))?;
    let inode = decimal(columns.next("inode")?).ok_or(BadLine::Bad("inode"))?;

    let uid = u32::try_from(uid).map_err(|_| BadLine::Bad("uid"))?;
    Ok(Socket {
        // A listener's tx_queue is always 0 here: the backlog is not told.
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

struct Columns<'a> {
    rest: &'a [u8],
}

impl<'a> Columns<'a> {
    /// The columns are a few bytes long: they are looked through byte by byte.
    fn next(&mut self, name: &'static str) -> Result<&'a [u8], BadLine> {
        let start = self.rest.trim_ascii_start();
        let len = start.iter().position(|byte| *byte == b' ').unwrap_or(start.len());
        if len == 0 {
            return Err(BadLine::Missing(name));
        }
        let (column, rest) = start.split_at(len);
        self.rest = rest;
        Ok(column)
    }
}

/// The value of each byte as a digit; what is none has a bit that no digit has.
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

/// Plain digits; no sign, no overflow, not empty.
fn hex(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 16 {
        return None;
    }
    let (mut value, mut seen) = (0_u64, 0);
    for byte in text {
        let digit = DIGITS[usize::from(*byte)];
        value = value << 4 | u64::from(digit & 0xf);
        seen |= digit;
    }
    (seen & NO_DIGIT == 0).then_some(value)
}

/// Likewise.
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 { value.checked_mul(10)?.checked_add(digit.into()) } else { None }
    })
}

fn split_colon(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = text.iter().position(|byte| *byte == b':')?;
    Some((&text[..colon], &text[colon + 1..]))
}

fn pair(text: &[u8]) -> Option<(u64, u64)> {
    let (left, right) = split_colon(text)?;
    Some((hex(left)?, hex(right)?))
}

/// The bytes of an address word: as the kernel printed the word, so it lies in memory.
fn word(text: &[u8]) -> Option<[u8; 4]> {
    if text.len() != 8 {
        return None;
    }
    Some(u32::try_from(hex(text)?).ok()?.to_ne_bytes())
}

fn endpoint(text: &[u8], family: Family) -> Option<Endpoint> {
    let (addr, port) = split_colon(text)?;
    let addr: IpAddr = match family {
        Family::Inet => Ipv4Addr::from(word(addr)?).into(),
        Family::Inet6 => {
            if addr.len() != 32 {
                return None;
            }
            let mut bytes = [0; 16];
            for (target, text) in bytes.chunks_exact_mut(4).zip(addr.chunks_exact(8)) {
                target.copy_from_slice(&word(text)?);
            }
            Ipv6Addr::from(bytes).into()
        }
    };
    Some(Endpoint::new(addr, u16::try_from(hex(port)?).ok()?))
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
