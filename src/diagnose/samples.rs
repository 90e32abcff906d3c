//! Hand-built evidence.

use std::sync::Arc;

use super::evidence::{Before, Evidence};
use super::seen::{Earlier, Seen};
use super::thresholds::Thresholds;
use crate::model::{
    Consumer, Counters, Details, Endpoint, Family, Holder, Process, Queues, Row, Setting, Settings, Socket,
    TcpInfo, TcpState,
};
use crate::tally::StateCounts;

/// A host with ordinary settings, on which nothing has happened.
pub(crate) struct Sample {
    pub(crate) thresholds: Thresholds,
    settings: Vec<(Setting, String)>,
    counters: Vec<((String, String), u64)>,
    before: Option<Before>,
    earlier: Option<Vec<Socket>>,
    sockets: Vec<(Socket, Vec<Holder>)>,
}

/// Numbers of a connection, by their place in `tcp_info`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Numbers {
    pub(crate) last_data_sent_ms: u32,
    pub(crate) last_data_recv_ms: u32,
    pub(crate) last_ack_recv_ms: u32,
    pub(crate) total_retrans: u32,
    pub(crate) data_segs_out: u32,
    pub(crate) snd_wnd: u32,
    /// Segments that were sent again and are on the way.
    pub(crate) retrans: u32,
    pub(crate) bytes_received: u64,
}

impl Numbers {
    fn info(self) -> TcpInfo {
        let mut bytes = [0; 280];
        for (at, number) in [
            (44, self.last_data_sent_ms),
            (52, self.last_data_recv_ms),
            (56, self.last_ack_recv_ms),
            (100, self.total_retrans),
            (156, self.data_segs_out),
            (228, self.snd_wnd),
            (36, self.retrans),
        ] {
            bytes[at..at + 4].copy_from_slice(&number.to_ne_bytes());
        }
        bytes[128..136].copy_from_slice(&self.bytes_received.to_ne_bytes());
        TcpInfo::from_bytes(&bytes)
    }
}

pub(crate) fn end(addr: &str, port: u16) -> Endpoint {
    Endpoint::new(addr.parse().unwrap(), port)
}

pub(crate) fn socket(state: TcpState, local: Endpoint, peer: Endpoint) -> Socket {
    let family = if local.addr.is_ipv4() { Family::Inet } else { Family::Inet6 };
    Socket { inode: Some(1), ..Socket::new(family, state, local, peer) }
}

/// A connection of 10.0.0.1:8080 with its queues and numbers.
pub(crate) fn connection(state: TcpState, peer: &str, queues: (u32, u32), numbers: Numbers) -> Socket {
    Socket {
        queues: Queues::of(state, queues.0, queues.1, None),
        details: Some(Box::new(Details { tcp_info: Some(numbers.info()), memory: None })),
        ..socket(state, end("10.0.0.1", 8080), end(peer, 40000))
    }
}

pub(crate) fn listener(addr: &str, port: u16, pending: u32, backlog: Option<u32>) -> Socket {
    let local = end(addr, port);
    let family = if local.addr.is_ipv4() { Family::Inet } else { Family::Inet6 };
    Socket {
        queues: Queues::Accept { pending, backlog },
        v6only: local.addr.is_ipv6().then_some(false),
        ..socket(TcpState::Listen, local, Endpoint::unspecified(family))
    }
}

pub(crate) fn holder(pid: u32, name: &str) -> Holder {
    Holder { process: Arc::new(Process::new(pid, name.as_bytes())), fd: 3 }
}

impl Default for Sample {
    fn default() -> Self {
        let usual = [
            (Setting::MaxTwBuckets, "100"),
            (Setting::MaxOrphans, "100"),
            (Setting::Mem, "100\t200\t400"),
            (Setting::LocalPortRange, "40000\t40009"),
            (Setting::LocalReservedPorts, ""),
            (Setting::TwReuse, "2"),
            (Setting::TwReuseDelay, "1000"),
            (Setting::Timestamps, "1"),
            (Setting::Somaxconn, "4096"),
            (Setting::MaxSynBacklog, "100"),
            (Setting::Syncookies, "1"),
            (Setting::SynRetries, "6"),
            (Setting::BindV6only, "0"),
            (Setting::DisableIpv6, "0"),
        ];
        let sample = Self {
            thresholds: Thresholds::default(),
            settings: usual.map(|(setting, value)| (setting, value.to_owned())).to_vec(),
            counters: Vec::new(),
            before: None,
            earlier: None,
            sockets: Vec::new(),
        };
        let still =
            ["ListenOverflows", "ListenDrops", "SyncookiesSent", "TCPReqQFullDrop", "TCPTimeWaitOverflow"];
        let sample = still.into_iter().fold(sample, |sample, name| sample.counter("TcpExt", name, 0));
        let others = [("TCP", "orphan"), ("TCP", "mem"), ("Tcp", "OutSegs"), ("Tcp", "RetransSegs")];
        others.into_iter().fold(sample, |sample, (group, name)| sample.counter(group, name, 0))
    }
}

impl Sample {
    pub(crate) fn counter(mut self, group: &str, name: &str, count: u64) -> Self {
        self.counters.push(((group.to_owned(), name.to_owned()), count));
        self
    }

    pub(crate) fn setting(mut self, setting: Setting, value: &str) -> Self {
        self.settings.push((setting, value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, setting: Setting) -> Self {
        self.settings.retain(|(other, _)| *other != setting);
        self
    }

    /// With these counters two seconds before.
    pub(crate) fn since(mut self, counters: &[(&str, &str, u64)]) -> Self {
        let named =
            counters.iter().map(|(group, name, count)| (((*group).to_owned(), (*name).to_owned()), *count));
        // All other counters have stood still since.
        let counters: Counters = self.counters.iter().cloned().chain(named).collect();
        let elapsed = std::time::Duration::from_secs(2);
        self.before = Some(Before { elapsed, states: StateCounts::default(), counters });
        self
    }

    /// With a snapshot of two seconds before.
    pub(crate) fn earlier(mut self, sockets: Vec<Socket>) -> Self {
        self.earlier = Some(sockets);
        self.since(&[])
    }

    pub(crate) fn socket(self, socket: Socket) -> Self {
        self.held(socket, &[holder(7, "sshd")])
    }

    pub(crate) fn sockets(self, count: usize, socket: &Socket) -> Self {
        (0..count).fold(self, |sample, _| sample.socket(socket.clone()))
    }

    pub(crate) fn held(mut self, socket: Socket, holders: &[Holder]) -> Self {
        self.sockets.push((socket, holders.to_vec()));
        self
    }

    pub(crate) fn evidence(self) -> Evidence {
        let settings: Settings = self.settings.into_iter().collect();
        let mut seen = Seen::new(&settings, &self.thresholds);
        if let Some(sockets) = &self.earlier {
            let mut earlier = Earlier::default();
            for socket in sockets {
                let _ = earlier.take(&Row::bare(socket));
            }
            seen = seen.since(earlier, std::time::Duration::from_secs(2));
        }
        // All sockets first, then their holders, as when processes are scanned after the dump.
        let waiting: Vec<_> = self.sockets.iter().map(|(socket, _)| seen.keep(&Row::bare(socket))).collect();
        for (waiting, (_, holders)) in waiting.into_iter().zip(&self.sockets) {
            seen.take_later(waiting, holders);
        }
        Evidence {
            seen,
            settings,
            counters: self.counters.into_iter().collect(),
            before: self.before,
            descriptors: Vec::new(),
            gaps: Vec::new(),
        }
    }
}
