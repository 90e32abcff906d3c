//! The records of a ring → [`Event`]s, without allocating.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::event::{Comm, Event, EventKind, Nanos};
use super::format::{Layout, Place};
use crate::model::{Endpoint, Ends, Family};

/// `TRACE_FLAG_HARDIRQ | TRACE_FLAG_SOFTIRQ | TRACE_FLAG_NMI`, in every tracepoint's flags.
const INTERRUPT: u64 = 0x08 | 0x10 | 0x40;

const AF_INET: u64 = 2;
const AF_INET6: u64 = 10;
const IPPROTO_TCP: u64 = 6;

/// In `clone_flags`: the new thread belongs to the same process.
const CLONE_THREAD: u64 = 0x0001_0000;

/// Where the fields of each event are.
#[derive(Debug, Default)]
pub(crate) struct Layouts {
    /// Each with its event's number, which a record starts with.
    of: Vec<(u16, Common, Fields)>,
}

/// Fields of every record.
#[derive(Clone, Copy, Debug)]
struct Common {
    flags: Place,
    thread: Place,
}

/// The fields of each event that are used.
#[derive(Clone, Copy, Debug)]
enum Fields {
    State { socket: Place, old: Place, new: Place, protocol: Place, ends: EndPlaces },
    ResetReceived { socket: Place },
    ResetSent { socket: Place, ends: Option<SocketAddresses> },
    SentAgain { socket: Place },
    Destroyed { socket: Place, cookie: Option<Place> },
    Error { errno: Place, protocol: Place, ends: EndPlaces },
    Named { thread: Place, name: Place },
    Began { thread: Place, name: Place, flags: Place },
    Exited { thread: Place, name: Place },
}

/// The places of two `struct sockaddr_in` or `sockaddr_in6`, which kernels since 6.10 report.
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

/// The event of a transition.
pub(crate) const STATE: &str = "sock/inet_sock_set_state";
/// The event of a socket that is destroyed.
pub(crate) const DESTROYED: &str = "tcp/tcp_destroy_sock";
/// Events that show why a connection ended, and which socket it was.
pub(crate) const OTHERS: [&str; 5] = [
    "tcp/tcp_receive_reset",
    "tcp/tcp_send_reset",
    "tcp/tcp_retransmit_skb",
    DESTROYED,
    "sock/inet_sk_error_report",
];
/// Events of threads: start, new name and end.
pub(crate) const THREADS: [&str; 3] = ["task/task_newtask", "task/task_rename", "sched/sched_process_exit"];

impl Layouts {
    /// Adds an event's layout; false if it lacks a needed field.
    pub(crate) fn add(&mut self, event: &str, layout: &Layout) -> bool {
        let fields = Common::find(layout).and_then(|common| Some((common, Fields::find(event, layout)?)));
        self.of.extend(fields.map(|(common, fields)| (layout.id, common, fields)));
        fields.is_some()
    }

    /// Whether the kernel also reports an RST that it sends in place of a socket that it has closed; before 6.10 it
    /// reports only those of full sockets.
    pub(crate) fn report_all_resets(&self) -> bool {
        self.of.iter().any(|(.., fields)| matches!(fields, Fields::ResetSent { ends: Some(_), .. }))
    }

    /// Decodes a record; `None` for events that are not used, such as those of SCTP sockets.
    pub(crate) fn decode(&self, at: Nanos, cpu: u32, record: &[u8]) -> Option<Event> {
        let id = record.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))?;
        let (_, common, fields) = self.of.iter().find(|(known, ..)| *known == id)?;
        let kind = fields.read(record)?;
        Some(Event {
            at,
            cpu,
            thread: number(common.thread, record)?,
            in_interrupt: common.flags.number(record)? & INTERRUPT != 0,
            kind,
        })
    }
}

impl Common {
    fn find(layout: &Layout) -> Option<Self> {
        Some(Self { flags: layout.place("common_flags")?, thread: layout.place("common_pid")? })
    }
}

impl Fields {
    fn find(event: &str, layout: &Layout) -> Option<Self> {
        let place = |name| layout.place(name);
        Some(match event {
            STATE => Self::State {
                socket: place("skaddr")?,
                old: place("oldstate")?,
                new: place("newstate")?,
                protocol: place("protocol")?,
                ends: EndPlaces::find(layout)?,
            },
            "tcp/tcp_receive_reset" => Self::ResetReceived { socket: place("skaddr")? },
            "tcp/tcp_send_reset" => {
                Self::ResetSent { socket: place("skaddr")?, ends: SocketAddresses::find(layout) }
            }
            "tcp/tcp_retransmit_skb" => Self::SentAgain { socket: place("skaddr")? },
            DESTROYED => Self::Destroyed { socket: place("skaddr")?, cookie: place("sock_cookie") },
            "task/task_newtask" => {
                Self::Began { thread: place("pid")?, name: place("comm")?, flags: place("clone_flags")? }
            }
            "task/task_rename" => Self::Named { thread: place("pid")?, name: place("newcomm")? },
            "sched/sched_process_exit" => Self::Exited { thread: place("pid")?, name: place("comm")? },
            _ => Self::Error {
                errno: place("error")?,
                protocol: place("protocol")?,
                ends: EndPlaces::find(layout)?,
            },
        })
    }

    fn read(&self, record: &[u8]) -> Option<EventKind> {
        let is_tcp = |protocol: &Place| protocol.number(record) == Some(IPPROTO_TCP);
        Some(match self {
            Self::State { socket, old, new, protocol, ends } => {
                if !is_tcp(protocol) {
                    return None;
                }
                EventKind::State {
                    socket: socket.number(record)?,
                    // The kernel's numbers of states are small.
                    old: u8::try_from(old.number(record)?).ok()?,
                    new: u8::try_from(new.number(record)?).ok()?,
                    ends: ends.read(record)?,
                }
            }
            Self::ResetReceived { socket } => EventKind::ResetReceived { socket: socket.number(record)? },
            Self::ResetSent { socket, ends } => EventKind::ResetSent {
                socket: socket.number(record)?,
                ends: ends.and_then(|ends| ends.read(record)),
            },
            Self::SentAgain { socket } => EventKind::SentAgain { socket: socket.number(record)? },
            Self::Destroyed { socket, cookie } => EventKind::Destroyed {
                socket: socket.number(record)?,
                cookie: cookie.and_then(|cookie| cookie.number(record)),
            },
            Self::Error { errno, protocol, ends } => {
                if !is_tcp(protocol) {
                    return None;
                }
                let errno = i32::try_from(errno.number(record)?).ok()?;
                EventKind::Error { errno, ends: ends.read(record)? }
            }
            Self::Named { thread, name } => {
                EventKind::Named { thread: number(*thread, record)?, name: comm(*name, record)? }
            }
            Self::Began { thread, name, flags } => EventKind::Began {
                thread: number(*thread, record)?,
                of_process: flags.number(record)? & CLONE_THREAD != 0,
                name: comm(*name, record)?,
            },
            Self::Exited { thread, name } => {
                EventKind::Exited { thread: number(*thread, record)?, name: comm(*name, record)? }
            }
        })
    }
}

/// The number of a thread, which is signed and never negative.
fn number(place: Place, record: &[u8]) -> Option<u32> {
    u32::try_from(place.number(record)?).ok()
}

fn comm(place: Place, record: &[u8]) -> Option<Comm> {
    Some(Comm::from_bytes(place.bytes(record)?))
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

    /// Ports are in host byte order, addresses in network byte order.
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
        // Older kernels have the 4 bytes of an IPv4 address there.
        let place = |name| layout.place(name).filter(|place| place.size >= size_of::<libc::sockaddr_in6>());
        Some(Self { local: place("saddr")?, peer: place("daddr")? })
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

    /// The fields are not where this machine's kernel has them.
    fn state(protocol: u16) -> (Layout, Vec<u8>) {
        made(
            77,
            &[
                ("common_type", 0, &77_u16.to_ne_bytes()),
                ("common_flags", 2, &[0x10]),
                ("common_pid", 4, &5_u32.to_ne_bytes()),
                ("oldstate", 8, &2_u32.to_ne_bytes()),
                ("newstate", 12, &1_u32.to_ne_bytes()),
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

    #[test]
    fn a_transition_is_read_by_the_formats_places() {
        let (layout, raw) = state(6);
        let mut layouts = Layouts::default();
        assert!(layouts.add(STATE, &layout));
        let event = layouts.decode(9, 3, &raw).unwrap();
        assert_eq!((event.at, event.thread, event.cpu, event.in_interrupt), (9, 5, 3, true));
        let end = |last, port| Endpoint::new([127, 0, 0, last].into(), port);
        let ends = Ends { family: Family::Inet, local: end(1, 4000), peer: end(2, 80) };
        assert_eq!(event.kind, EventKind::State { socket: 0xffff_8000, old: 2, new: 1, ends });
        let mut others = Layouts::default();
        assert!(others.add(STATE, &state(132).0));
        assert_eq!(others.decode(9, 3, &state(132).1), None, "an SCTP socket");
        assert!(!layouts.add(STATE, &Layout::parse("ID: 1").unwrap()), "a format without the fields");
    }

    /// The fields that every record has.
    fn common(id: u16) -> [(&'static str, usize, Vec<u8>); 3] {
        let id = id.to_ne_bytes().to_vec();
        [
            ("common_type", 0, id),
            ("common_flags", 2, vec![0]),
            ("common_pid", 4, 5_u32.to_ne_bytes().to_vec()),
        ]
    }

    fn decoded(event: &str, fields: &[(&'static str, usize, &[u8])]) -> Option<EventKind> {
        let mut all = common(78).to_vec();
        all.extend(fields.iter().map(|(name, offset, bytes)| (*name, *offset, bytes.to_vec())));
        let all: Vec<_> =
            all.iter().map(|(name, offset, bytes)| (*name, *offset, bytes.as_slice())).collect();
        let (layout, raw) = made(78, &all);
        let mut layouts = Layouts::default();
        assert!(layouts.add(event, &layout));
        layouts.decode(1, 0, &raw).map(|event| event.kind)
    }

    #[test]
    fn an_rst_without_a_socket_is_told_by_later_kernels_alone() {
        let decodes = |size| {
            let (number, address) = ([0; 8], vec![0; size]);
            let fields: [(_, _, &[u8]); 5] = [
                ("common_flags", 2, &[0]),
                ("common_pid", 4, &[0; 4]),
                ("skaddr", 8, &number),
                ("saddr", 16, &address),
                ("daddr", 48, &address),
            ];
            let mut layouts = Layouts::default();
            assert!(layouts.add("tcp/tcp_send_reset", &made(79, &fields).0));
            layouts.report_all_resets()
        };
        assert!(!decodes(4), "the two addresses of Linux 6.1, not struct sockaddr_in6");
        assert!(decodes(28));
    }

    #[test]
    fn events_of_threads_are_read() {
        let (thread, name) = (7_u32.to_ne_bytes(), *b"curl\0\0\0\0\0\0\0\0\0\0\0\0");
        let comm = Comm::from_bytes(b"curl");
        let began = |flags: u64| {
            let flags = flags.to_ne_bytes();
            let fields: [(_, _, &[u8]); 3] =
                [("pid", 8, &thread), ("comm", 12, &name), ("clone_flags", 32, &flags)];
            decoded("task/task_newtask", &fields)
        };
        assert_eq!(began(0x0120_0011), Some(EventKind::Began { thread: 7, of_process: false, name: comm }));
        assert_eq!(began(0x003d_0f00), Some(EventKind::Began { thread: 7, of_process: true, name: comm }));
        let renamed = decoded(
            "task/task_rename",
            &[("pid", 8, &thread), ("oldcomm", 12, &[b'x'; 16]), ("newcomm", 28, &name)],
        );
        assert_eq!(renamed, Some(EventKind::Named { thread: 7, name: comm }));
        let exited = decoded("sched/sched_process_exit", &[("comm", 8, &name), ("pid", 24, &thread)]);
        assert_eq!(exited, Some(EventKind::Exited { thread: 7, name: comm }));
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic(bytes: Vec<u8>, cut in 0_usize..40) {
            let (layout, raw) = state(6);
            let mut layouts = Layouts::default();
            layouts.add(STATE, &layout);
            let _ = layouts.decode(0, 0, &bytes);
            let _ = layouts.decode(0, 0, &[&raw[..4], &bytes].concat());
            prop_assert_eq!(layouts.decode(0, 0, &raw[..cut]), None);
        }
    }
}
