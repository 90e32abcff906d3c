//! One socket as a JSON object, appended key by key: the keys are known to need no escaping, and nothing is built
//! first. What they are, and how they are read back, is in [`records`](super::records).

use super::text;
use super::value::{Decimal, Value, member};
use crate::layout::Parts;
use crate::layout::details::is_unset;
use crate::model::{Congestion, Holder, Memory, Queues, Row, Socket, TcpInfo, Timer, with_tcp_info_fields};

/// Appends the row with these parts.
pub(in crate::layout) fn push_row(out: &mut Vec<u8>, row: &Row<'_>, parts: Parts, taken_at: Option<&str>) {
    let socket = row.socket;
    out.push(b'{');
    if let Some(taken_at) = taken_at {
        out.extend_from_slice(b"\"taken_at\":");
        taken_at.push(out);
        out.push(b',');
    }
    out.extend_from_slice(b"\"protocol\":\"tcp\"");
    member!(out, "family", socket.family.name());
    member!(out, "state", socket.state);
    push_queues(out, socket.queues);
    push_ends(out, row, parts);
    member!(out, "interface", row.interface);
    member!(out, "uid", socket.uid);
    member!(out, "inode", socket.inode);
    member!(out, "cookie", socket.cookie.map(Decimal));
    push_parts(out, row, parts);
    out.push(b'}');
}

fn push_queues(out: &mut Vec<u8>, queues: Queues) {
    match queues {
        Queues::Data { recv_q, send_q } => {
            member!(out, "recv_q", recv_q);
            member!(out, "send_q", send_q);
        }
        Queues::Accept { pending, backlog } => {
            member!(out, "accept_queue", pending);
            member!(out, "backlog", backlog);
        }
    }
}

fn push_ends(out: &mut Vec<u8>, row: &Row<'_>, parts: Parts) {
    let Socket { local, peer, .. } = row.socket;
    let peer = Some(peer).filter(|_| row.socket.has_peer());
    member!(out, "local_address", local.addr);
    member!(out, "local_port", local.port);
    member!(out, "peer_address", peer.map(|peer| peer.addr));
    member!(out, "peer_port", peer.map(|peer| peer.port));
    if parts.hosts {
        member!(out, "local_host", row.local_host);
        member!(out, "peer_host", row.peer_host);
    }
}

fn push_parts(out: &mut Vec<u8>, row: &Row<'_>, parts: Parts) {
    let socket = row.socket;
    if parts.processes {
        member!(out, "processes", row.holders);
    }
    if parts.peer_processes {
        member!(out, "peer_processes", row.peer_holders);
    }
    if parts.processes {
        let note = row.owner_note.map(|note| note.to_string());
        member!(out, "owner_note", note.as_deref());
    }
    if parts.extended {
        member!(out, "user", row.user);
    }
    if parts.timers {
        member!(out, "timer", socket.timer.as_ref());
    }
    if parts.tcp_info {
        member!(out, "tcp_info", socket.tcp_info());
    }
    if parts.memory {
        member!(out, "memory", socket.memory());
    }
    if parts.extended {
        member!(out, "cgroup", row.cgroup.path);
        member!(out, "unit", row.cgroup.unit());
        member!(out, "container", row.cgroup.container().as_deref());
        member!(out, "pod_uid", row.cgroup.pod_uid().as_deref());
        member!(out, "mark", socket.mark);
    }
}

impl Value for &[Holder] {
    fn push(self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (at, holder) in self.iter().enumerate() {
            out.extend_from_slice(if at == 0 { b"{\"pid\":" } else { b",{\"pid\":" });
            holder.process.pid.push(out);
            member!(out, "name", &*text(&holder.process.name));
            member!(out, "fd", holder.fd);
            if let Some(details) = holder.process.details.as_ref() {
                member!(out, "user", details.user.as_deref());
                member!(out, "command", &*text(&details.command));
            }
            out.push(b'}');
        }
        out.push(b']');
    }
}

impl Value for &Timer {
    fn push(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"kind\":");
        self.name().push(out);
        member!(out, "expires_ms", self.expires_ms());
        member!(out, "retransmits", self.retransmits());
        member!(out, "probes", self.probes());
        out.push(b'}');
    }
}

impl Value for &Memory {
    fn push(self, out: &mut Vec<u8>) {
        let Memory { rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem, backlog, drops } =
            *self;
        out.extend_from_slice(b"{\"rmem_alloc\":");
        rmem_alloc.push(out);
        member!(out, "rcvbuf", rcvbuf);
        member!(out, "wmem_alloc", wmem_alloc);
        member!(out, "sndbuf", sndbuf);
        member!(out, "fwd_alloc", fwd_alloc);
        member!(out, "wmem_queued", wmem_queued);
        member!(out, "optmem", optmem);
        member!(out, "backlog", backlog);
        member!(out, "drops", drops);
        out.push(b'}');
    }
}

macro_rules! push_tcp_info_fields {
    ($($name:ident: $ty:ty = $offset:literal,)*) => {
        /// A key is missing where this kernel does not have it, null where its value means 'none' or the socket has
        /// no such thing.
        fn push_fields(out: &mut Vec<u8>, info: &TcpInfo) {
            $(
                if info.reaches($offset + size_of::<$ty>()) {
                    let value = info.$name().filter(|value| !is_unset(stringify!($name), (*value).into()));
                    member!(out, stringify!($name), value);
                }
            )*
        }
    };
}
with_tcp_info_fields!(push_tcp_info_fields);

impl Value for &TcpInfo {
    fn push(self, out: &mut Vec<u8>) {
        let begun = out.len();
        if let Some(algorithm) = &self.algorithm {
            member!(out, "congestion_control", &*text(algorithm.as_bytes()));
        }
        member!(out, "ca_state", self.ca_state());
        out.extend_from_slice(b",\"options\":[");
        for (at, name) in self.option_names().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            name.push(out);
        }
        out.push(b']');
        if let Some((snd, rcv)) = self.wscale() {
            member!(out, "snd_wscale", snd);
            member!(out, "rcv_wscale", rcv);
        }
        member!(out, "delivery_rate_app_limited", self.delivery_rate_app_limited());
        push_fields(out, self);
        if let Some(congestion) = self.congestion {
            member!(out, "congestion", congestion);
        }
        if let Some(ulp) = self.ulp.as_deref() {
            member!(out, "ulp", ulp);
        }
        if let Some(keys) = self.md5keys.as_deref() {
            member!(out, "md5keys", keys);
        }
        // The comma before the first key.
        if let Some(first) = out.get_mut(begun) {
            *first = b'{';
        }
        out.push(b'}');
    }
}

impl Value for Congestion {
    fn push(self, out: &mut Vec<u8>) {
        match self {
            Self::Vegas { enabled, rtt_count, rtt_us, min_rtt_us } => {
                out.extend_from_slice(b"{\"vegas\":{\"enabled\":");
                enabled.push(out);
                member!(out, "rtt_count", rtt_count);
                member!(out, "rtt_us", rtt_us);
                member!(out, "min_rtt_us", min_rtt_us);
            }
            Self::Dctcp { enabled, ce_state, alpha, ab_ecn, ab_tot } => {
                out.extend_from_slice(b"{\"dctcp\":{\"enabled\":");
                enabled.push(out);
                member!(out, "ce_state", ce_state);
                member!(out, "alpha", alpha);
                member!(out, "ab_ecn", ab_ecn);
                member!(out, "ab_tot", ab_tot);
            }
            Self::Bbr { bw_bytes_per_s, min_rtt_us, pacing_gain, cwnd_gain } => {
                out.extend_from_slice(b"{\"bbr\":{\"bw_bytes_per_s\":");
                bw_bytes_per_s.push(out);
                member!(out, "min_rtt_us", min_rtt_us);
                member!(out, "pacing_gain", pacing_gain);
                member!(out, "cwnd_gain", cwnd_gain);
            }
        }
        out.extend_from_slice(b"}}");
    }
}
