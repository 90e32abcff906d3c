//! Hand-built sockets, one of each kind that some format treats specially.

use std::sync::Arc;

use super::{Format, Head, Parts, Style, listing};
use crate::model::cgroup::Cgroup;
use crate::model::{
    Algorithm, Congestion, Details, Endpoint, Family, Gap, Holder, Memory, OwnerNote, Process, Queues, Row,
    Shutdown, Socket, Source, TcpInfo, TcpState, Timer,
};

pub(super) const ALL_PARTS: Parts = Parts {
    timers: true,
    extended: true,
    processes: true,
    tcp_info: true,
    memory: true,
    hosts: true,
    peer_processes: true,
};

pub(super) fn style(parts: Parts) -> Style {
    Style { width: Some(80), ..Style::new(parts) }
}

fn end(addr: &str, port: u16) -> Endpoint {
    Endpoint::new(addr.parse().unwrap(), port)
}

fn tcp_info() -> TcpInfo {
    let mut bytes = [0; 240];
    bytes[5] = 0b0111;
    bytes[6] = 0xa7;
    for (at, word) in [
        (8, 204_000_u32),
        (16, 1448),
        (60, 1500),
        (68, 21_512),
        (72, 3_100),
        (76, 0x7fff_ffff),
        (80, 10),
        (88, 3),
        (100, 2),
        (148, 20_001),
    ] {
        bytes[at..at + 4].copy_from_slice(&word.to_ne_bytes());
    }
    for (at, word) in [(104, 5_385_000_u64), (112, u64::MAX), (120, 123_456)] {
        bytes[at..at + 8].copy_from_slice(&word.to_ne_bytes());
    }
    let mut info = TcpInfo::from_bytes(&bytes);
    info.algorithm = Some(Algorithm::from_bytes(b"bbr"));
    info.congestion = Some(Congestion::Bbr {
        bw_bytes_per_s: 1_250_000,
        min_rtt_us: 20_001,
        pacing_gain: 739,
        cwnd_gain: 512,
    });
    info
}

fn listener() -> Socket {
    let local = end("0.0.0.0", 22);
    Socket {
        queues: Queues::Accept { pending: 1, backlog: Some(128) },
        uid: Some(0),
        inode: Some(1073),
        cookie: Some(1),
        cgroup: Some(9),
        shutdown: Some(Shutdown { receive: false, send: false }),
        ..Socket::new(Family::Inet, TcpState::Listen, local, Endpoint::unspecified(Family::Inet))
    }
}

fn dual_stack_listener() -> Socket {
    let local = Endpoint::new("::".parse().unwrap(), 443);
    Socket {
        queues: Queues::Accept { pending: 0, backlog: None },
        uid: Some(33),
        inode: Some(2001),
        v6only: Some(false),
        ..Socket::new(Family::Inet6, TcpState::Listen, local, Endpoint::unspecified(Family::Inet6))
    }
}

fn established() -> Socket {
    Socket {
        queues: Queues::Data { recv_q: 5, send_q: 1448 },
        timer: Some(Timer::Retransmit { expires_ms: 204, retransmits: 2 }),
        uid: Some(1000),
        inode: Some(4_294_967_295),
        cookie: Some(u64::MAX - 1),
        cgroup: Some(77),
        mark: Some(0x10),
        shutdown: Some(Shutdown { receive: true, send: false }),
        details: Some(Box::new(Details {
            tcp_info: Some(tcp_info()),
            memory: Some(Memory {
                rmem_alloc: 768,
                rcvbuf: 131_072,
                sndbuf: 87_040,
                backlog: Some(0),
                drops: Some(3),
                ..Memory::default()
            }),
        })),
        ..Socket::new(Family::Inet, TcpState::Established, end("10.0.0.1", 54321), end("192.0.2.7", 443))
    }
}

fn time_wait() -> Socket {
    let (local, peer) = (end("2001:db8:1111:2222:3333:4444:5555:6666", 443), end("2001:db8::7", 50000));
    Socket {
        timer: Some(Timer::TimeWait { expires_ms: 59_510 }),
        cookie: Some(12),
        v6only: Some(false),
        ..Socket::new(Family::Inet6, TcpState::TimeWait, local, peer)
    }
}

fn mapped() -> Socket {
    Socket {
        queues: Queues::Data { recv_q: 1, send_q: 0 },
        timer: Some(Timer::KeepAlive { expires_ms: 7_199_000, probes: 1 }),
        uid: Some(33),
        inode: Some(2002),
        v6only: Some(false),
        ..Socket::new(
            Family::Inet6,
            TcpState::CloseWait,
            end("::ffff:10.0.0.1", 443),
            end("::ffff:203.0.113.9", 40000),
        )
    }
}

fn link_local() -> Socket {
    let local = end("fe80::1", 8080).scoped(7);
    Socket {
        queues: Queues::Accept { pending: 0, backlog: Some(5) },
        interface: 7,
        uid: Some(1000),
        inode: Some(3000),
        v6only: Some(true),
        ..Socket::new(Family::Inet6, TcpState::Listen, local, Endpoint::unspecified(Family::Inet6))
    }
}

fn from_a_later_kernel() -> Socket {
    Socket::new(Family::Inet, TcpState::Other(14), end("127.0.0.1", 1), end("127.0.0.1", 2))
}

pub(super) fn sockets() -> Vec<Socket> {
    vec![
        listener(),
        dual_stack_listener(),
        established(),
        time_wait(),
        mapped(),
        link_local(),
        from_a_later_kernel(),
    ]
}

fn holder(pid: u32, name: &[u8], fd: u32) -> Holder {
    Holder { process: Arc::new(Process::new(pid, name)), fd }
}

/// The sample sockets in this format. The second has two holders, the third one with a hostile name.
pub(super) fn shown(format: Format, style: Style) -> String {
    let two = [holder(100, b"nginx", 6), holder(100, b"nginx", 7), holder(101, b"nginx", 6)];
    let hostile = [holder(4321, b"ev)il\x1b[31m\n\xff\"", 3)];
    let mut out = Vec::new();
    let mut layout = listing(format, style, &[]);
    let head = Head { source: Source::Netlink, taken_at: "2026-01-02T03:04:05.678Z" };
    layout.head(&mut out, &head).unwrap();
    for socket in &sockets() {
        let holders: &[Holder] = match socket.inode {
            Some(2001) => &two,
            Some(4_294_967_295) => &hostile,
            _ => &[],
        };
        let row = Row {
            holders,
            owner_note: if holders.is_empty() {
                OwnerNote::of(socket).or(Some(OwnerNote::NotPermitted))
            } else {
                None
            },
            user: (socket.uid == Some(1000)).then_some("alice"),
            interface: (socket.interface == 7).then_some("eth0"),
            cgroup: if socket.cgroup == Some(9) {
                Cgroup::at("/system.slice/ssh.service")
            } else {
                Cgroup::default()
            },
            ..Row::bare(socket)
        };
        layout.row(&mut out, &row).unwrap();
    }
    let gaps = [Gap::ProcessesDenied { count: 2, first: 1, privileges: None }];
    layout.tail(&mut out, &gaps).unwrap();
    String::from_utf8(out).unwrap()
}
