//! The records of a ring (`enum perf_event_type`) → [`Event`]s, without allocating.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::event::{Comm, Ends, Event, Kind};
use super::tracefs::{Layout, Place};
use crate::model::{Endpoint, Family};

const PERF_RECORD_LOST: u32 = 2;
const PERF_RECORD_COMM: u32 = 3;
const PERF_RECORD_EXIT: u32 = 4;
const PERF_RECORD_FORK: u32 = 7;
const PERF_RECORD_SAMPLE: u32 = 9;

/// `TRACE_FLAG_HARDIRQ | TRACE_FLAG_SOFTIRQ | TRACE_FLAG_NMI`, in every tracepoint's flags.
const INTERRUPT: u64 = 0x08 | 0x10 | 0x40;

const AF_INET: u64 = 2;
const AF_INET6: u64 = 10;
const IPPROTO_TCP: u64 = 6;

/// Where the fields of each tracepoint are.
#[derive(Debug, Default)]
pub(super) struct Layouts {
    of: Vec<(u16, Fields)>,
}

/// What a tracepoint tells, and where.
#[derive(Clone, Copy, Debug)]
enum Fields {
    State { common: Common, old: Place, new: Place, protocol: Place, ends: EndPlaces },
    ResetReceived { common: Common },
    ResetSent { common: Common, ends: Option<SocketAddresses> },
    SentAgain { common: Common },
    Destroyed { common: Common, cookie: Option<Place> },
    Error { flags: Place, errno: Place, protocol: Place, ends: EndPlaces },
}

#[derive(Clone, Copy, Debug)]
struct Common {
    flags: Place,
    socket: Place,
}

/// Of two `struct sockaddr_in` or `sockaddr_in6`, which kernels since 6.10 have there.
#[derive(Clone, Copy, Debug)]
struct SocketAddresses {
    local: Place,
    peer: Place,
}

#[derive(Clone, Copy, Debug)]
struct EndPlaces {
    family: Place,
    local_port: Place,
    peer_port: Place,
    local: Place,
    peer: Place,
    local_v6: Place,
    peer_v6: Place,
}

/// The tracepoint without which there is nothing to see.
pub(super) const STATE: &str = "sock/inet_sock_set_state";
/// A socket is gone, and which it was.
pub(super) const DESTROYED: &str = "tcp/tcp_destroy_sock";
/// Those that tell why a connection ended, and which socket it was.
pub(super) const OTHERS: [&str; 5] = [
    "tcp/tcp_receive_reset",
    "tcp/tcp_send_reset",
    "tcp/tcp_retransmit_skb",
    DESTROYED,
    "sock/inet_sk_error_report",
];

impl Layouts {
    /// Notes a tracepoint's layout; false where it lacks a field that is needed.
    pub(super) fn add(&mut self, tracepoint: &str, layout: &Layout) -> bool {
        let fields = Fields::find(tracepoint, layout);
        self.of.extend(fields.map(|fields| (layout.id, fields)));
        fields.is_some()
    }

    /// The tracepoints' numbers.
    pub(super) fn ids(&self) -> Vec<u16> {
        self.of.iter().map(|(id, _)| *id).collect()
    }

    /// What a record tells; `None` where that is of no matter here.
    pub(super) fn decode(&self, record: &[u8]) -> Option<Event> {
        let kind = u32_at(record, 0)?;
        if kind == PERF_RECORD_SAMPLE {
            return self.sample(record);
        }
        // What follows any other record: the thread, the time and the processor.
        let time = u64_at(record, record.len().checked_sub(16)?)?;
        let cpu = u32_at(record, record.len().checked_sub(8)?)?;
        let about = |kind| Some(Event { at: time, pid: 0, cpu, in_interrupt: false, kind });
        match kind {
            PERF_RECORD_LOST => about(Kind::Lost { records: u64_at(record, 16)? }),
            PERF_RECORD_COMM => {
                let (pid, thread) = (u32_at(record, 8)?, u32_at(record, 12)?);
                let name = Comm::from_bytes(record.get(16..)?);
                if pid == thread { about(Kind::Named { pid, name }) } else { None }
            }
            PERF_RECORD_FORK => {
                let (pid, parent) = (u32_at(record, 8)?, u32_at(record, 12)?);
                if pid == parent { None } else { about(Kind::Forked { pid, parent }) }
            }
            PERF_RECORD_EXIT => {
                let (pid, thread) = (u32_at(record, 8)?, u32_at(record, 16)?);
                if pid == thread { about(Kind::Exited { pid }) } else { None }
            }
            _ => None,
        }
    }

    fn sample(&self, record: &[u8]) -> Option<Event> {
        let (pid, at, cpu) = (u32_at(record, 8)?, u64_at(record, 16)?, u32_at(record, 24)?);
        let len = usize::try_from(u32_at(record, 32)?).ok()?;
        let raw = record.get(36..)?.get(..len)?;
        let id = raw.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))?;
        let (_, fields) = self.of.iter().find(|(known, _)| *known == id)?;
        let (flags, kind) = fields.read(raw)?;
        Some(Event { at, pid, cpu, in_interrupt: flags & INTERRUPT != 0, kind })
    }
}

impl Fields {
    fn find(tracepoint: &str, layout: &Layout) -> Option<Self> {
        let flags = layout.place("common_flags")?;
        let common = || Some(Common { flags, socket: layout.place("skaddr")? });
        Some(match tracepoint {
            STATE => Self::State {
                common: common()?,
                old: layout.place("oldstate")?,
                new: layout.place("newstate")?,
                protocol: layout.place("protocol")?,
                ends: EndPlaces::find(layout)?,
            },
            "tcp/tcp_receive_reset" => Self::ResetReceived { common: common()? },
            "tcp/tcp_send_reset" => {
                Self::ResetSent { common: common()?, ends: SocketAddresses::find(layout) }
            }
            "tcp/tcp_retransmit_skb" => Self::SentAgain { common: common()? },
            DESTROYED => Self::Destroyed { common: common()?, cookie: layout.place("sock_cookie") },
            _ => Self::Error {
                flags,
                errno: layout.place("error")?,
                protocol: layout.place("protocol")?,
                ends: EndPlaces::find(layout)?,
            },
        })
    }

    /// The flags, and what happened.
    fn read(&self, raw: &[u8]) -> Option<(u64, Kind)> {
        let common = |common: &Common| Some((common.flags.number(raw)?, common.socket.number(raw)?));
        Some(match self {
            Self::State { common: places, old, new, protocol, ends } => {
                if protocol.number(raw)? != IPPROTO_TCP {
                    return None;
                }
                let (flags, socket) = common(places)?;
                // The kernel's numbers of states are small.
                let (old, new) = (u8::try_from(old.number(raw)?).ok()?, u8::try_from(new.number(raw)?).ok()?);
                (flags, Kind::State { socket, old, new, ends: ends.read(raw)? })
            }
            Self::ResetReceived { common: places } => {
                let (flags, socket) = common(places)?;
                (flags, Kind::ResetReceived { socket })
            }
            Self::ResetSent { common: places, ends } => {
                let (flags, socket) = common(places)?;
                (flags, Kind::ResetSent { socket, ends: ends.and_then(|ends| ends.read(raw)) })
            }
            Self::SentAgain { common: places } => {
                let (flags, socket) = common(places)?;
                (flags, Kind::SentAgain { socket })
            }
            Self::Destroyed { common: places, cookie } => {
                let (flags, socket) = common(places)?;
                (flags, Kind::Destroyed { socket, cookie: cookie.and_then(|cookie| cookie.number(raw)) })
            }
            Self::Error { flags, errno, protocol, ends } => {
                if protocol.number(raw)? != IPPROTO_TCP {
                    return None;
                }
                let errno = i32::try_from(errno.number(raw)?).ok()?;
                (flags.number(raw)?, Kind::Error { errno, ends: ends.read(raw)? })
            }
        })
    }
}

impl EndPlaces {
    fn find(layout: &Layout) -> Option<Self> {
        Some(Self {
            family: layout.place("family")?,
            local_port: layout.place("sport")?,
            peer_port: layout.place("dport")?,
            local: layout.place("saddr")?,
            peer: layout.place("daddr")?,
            local_v6: layout.place("saddr_v6")?,
            peer_v6: layout.place("daddr_v6")?,
        })
    }

    /// Ports are in host order, addresses as they travel.
    fn read(&self, raw: &[u8]) -> Option<Ends> {
        let family = match self.family.number(raw)? {
            AF_INET => Family::Inet,
            AF_INET6 => Family::Inet6,
            _ => return None,
        };
        let end = |v4: Place, v6: Place, port: Place| {
            let addr: IpAddr = match family {
                Family::Inet => Ipv4Addr::from(<[u8; 4]>::try_from(v4.bytes(raw)?).ok()?).into(),
                Family::Inet6 => Ipv6Addr::from(<[u8; 16]>::try_from(v6.bytes(raw)?).ok()?).into(),
            };
            Some(Endpoint::new(addr, u16::try_from(port.number(raw)?).ok()?))
        };
        Some(Ends {
            family,
            local: end(self.local, self.local_v6, self.local_port)?,
            peer: end(self.peer, self.peer_v6, self.peer_port)?,
        })
    }
}

impl SocketAddresses {
    fn find(layout: &Layout) -> Option<Self> {
        Some(Self { local: layout.place("saddr")?, peer: layout.place("daddr")? })
    }

    fn read(&self, raw: &[u8]) -> Option<Ends> {
        let end = |place: Place| {
            let address = place.bytes(raw)?;
            let family = address.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))?;
            let port = address.get(2..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))?;
            let addr: IpAddr = match family.into() {
                AF_INET => Ipv4Addr::from(*address.get(4..)?.first_chunk::<4>()?).into(),
                AF_INET6 => Ipv6Addr::from(*address.get(8..)?.first_chunk::<16>()?).into(),
                _ => return None,
            };
            Some(Endpoint::new(addr, port))
        };
        let (local, peer) = (end(self.local)?, end(self.peer)?);
        let family = if local.addr.is_ipv4() { Family::Inet } else { Family::Inet6 };
        Some(Ends { family, local, peer })
    }
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().map(|chunk| u32::from_ne_bytes(*chunk))
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes.get(offset..)?.first_chunk().map(|chunk| u64::from_ne_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use proptest::prelude::*;

    /// A tracepoint's format, and a record of it, made from the same fields.
    fn made(id: u16, fields: &[(&str, usize, &[u8])]) -> (Layout, Vec<u8>) {
        let (mut text, mut raw) = (format!("ID: {id}\n"), Vec::new());
        for (name, offset, bytes) in fields {
            let _ = writeln!(text, "\tfield:int {name};\toffset:{offset};\tsize:{};", bytes.len());
            raw.resize(raw.len().max(offset + bytes.len()), 0);
            raw[*offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        (Layout::parse(&text).unwrap(), raw)
    }

    /// Not where this machine's kernel has them.
    fn state(protocol: u16) -> (Layout, Vec<u8>) {
        made(
            77,
            &[
                ("common_type", 0, &77_u16.to_ne_bytes()),
                ("common_flags", 2, &[0x10]),
                ("oldstate", 4, &2_u32.to_ne_bytes()),
                ("newstate", 8, &1_u32.to_ne_bytes()),
                ("skaddr", 16, &0xffff_8000_u64.to_ne_bytes()),
                ("family", 24, &2_u16.to_ne_bytes()),
                ("protocol", 26, &protocol.to_ne_bytes()),
                ("sport", 28, &4000_u16.to_ne_bytes()),
                ("dport", 30, &80_u16.to_ne_bytes()),
                ("saddr", 32, &[127, 0, 0, 1]),
                ("daddr", 36, &[127, 0, 0, 2]),
                ("saddr_v6", 40, &[0; 16]),
                ("daddr_v6", 56, &[0; 16]),
            ],
        )
    }

    fn record(kind: u32, body: &[&[u8]]) -> Vec<u8> {
        let body = body.concat();
        let len = u16::try_from(8 + body.len()).unwrap();
        [&kind.to_ne_bytes()[..], &0_u16.to_ne_bytes(), &len.to_ne_bytes(), &body].concat()
    }

    fn sample(raw: &[u8]) -> Vec<u8> {
        let thread = [5_u32.to_ne_bytes(), 6_u32.to_ne_bytes()].concat();
        let cpu = [3_u32.to_ne_bytes(), 0_u32.to_ne_bytes()].concat();
        let len = u32::try_from(raw.len()).unwrap().to_ne_bytes();
        record(PERF_RECORD_SAMPLE, &[&thread, &9_u64.to_ne_bytes(), &cpu, &len, raw])
    }

    #[test]
    fn a_transition_is_read_by_the_formats_places() {
        let (layout, raw) = state(6);
        let mut layouts = Layouts::default();
        assert!(layouts.add(STATE, &layout));
        let event = layouts.decode(&sample(&raw)).unwrap();
        assert_eq!((event.at, event.pid, event.cpu, event.in_interrupt), (9, 5, 3, true));
        let end = |last, port| Endpoint::new([127, 0, 0, last].into(), port);
        let ends = Ends { family: Family::Inet, local: end(1, 4000), peer: end(2, 80) };
        assert_eq!(event.kind, Kind::State { socket: 0xffff_8000, old: 2, new: 1, ends });
        let mut others = Layouts::default();
        assert!(others.add(STATE, &state(132).0));
        assert_eq!(others.decode(&sample(&state(132).1)), None, "SCTP is none of ours");
        assert!(!layouts.add(STATE, &Layout::parse("ID: 1").unwrap()), "a format without the fields");
    }

    #[test]
    fn processes_and_losses_are_told() {
        let layouts = Layouts::default();
        let trailer = [[0; 8], 7_u64.to_ne_bytes(), [0; 8]].concat();
        let pair = |a: u32, b: u32| [a.to_ne_bytes(), b.to_ne_bytes()].concat();
        let kind = |kind, body: &[&[u8]]| {
            layouts.decode(&record(kind, &[body, &[&trailer]].concat())).map(|event| event.kind)
        };
        assert_eq!(
            kind(PERF_RECORD_LOST, &[&1_u64.to_ne_bytes(), &42_u64.to_ne_bytes()]),
            Some(Kind::Lost { records: 42 })
        );
        let name = Comm::from_bytes(b"curl");
        assert_eq!(
            kind(PERF_RECORD_COMM, &[&pair(5, 5), b"curl\0\0\0\0"]),
            Some(Kind::Named { pid: 5, name })
        );
        assert_eq!(kind(PERF_RECORD_COMM, &[&pair(5, 6), b"worker\0\0"]), None, "a thread's name");
        let times = 7_u64.to_ne_bytes();
        assert_eq!(
            kind(PERF_RECORD_FORK, &[&pair(5, 4), &pair(5, 4), &times]),
            Some(Kind::Forked { pid: 5, parent: 4 })
        );
        assert_eq!(kind(PERF_RECORD_FORK, &[&pair(5, 5), &pair(6, 5), &times]), None, "a thread");
        assert_eq!(
            kind(PERF_RECORD_EXIT, &[&pair(5, 4), &pair(5, 4), &times]),
            Some(Kind::Exited { pid: 5 })
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>, kind in 0_u32..12, cut in 0_usize..120) {
            let (layout, raw) = state(6);
            let mut layouts = Layouts::default();
            layouts.add(STATE, &layout);
            let _ = layouts.decode(&bytes);
            let _ = layouts.decode(&record(kind, &[&bytes]));
            let whole = sample(&raw);
            let cut = cut.min(whole.len() - 1);
            prop_assert_eq!(layouts.decode(&whole[..cut]), None);
        }
    }
}
