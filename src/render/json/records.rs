//! The JSON types, apart from the model: their fields are the keys, and are read back strictly.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::cgroup;
use crate::model::{Congestion, Holder, Memory, Queues, Row, Socket, TcpInfo, Timer, with_tcp_info_fields};
use crate::render::Parts;
use crate::render::details::is_unset;
use crate::render::text::push_hex;

/// A key that is there when it was asked for, and null where nothing is known.
type Asked<T> = Option<Option<T>>;

/// A list: what a document is read back as. It is written piece by piece, never as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are described in the manual")]
pub struct DocumentRecord<'a> {
    pub schema: u32,
    pub source: Cow<'a, str>,
    pub taken_at: Cow<'a, str>,
    pub sockets: Vec<SocketRecord<'a>>,
    pub warnings: Vec<String>,
}

/// A summary, likewise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are described in the manual")]
pub struct SummaryRecord<'a> {
    pub schema: u32,
    pub source: Cow<'a, str>,
    pub taken_at: Cow<'a, str>,
    pub states: BTreeMap<String, u64>,
    pub total: u64,
    pub warnings: Vec<String>,
}

/// One socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are described in the manual")]
pub struct SocketRecord<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Cow<'a, str>>,
    pub protocol: Cow<'a, str>,
    pub family: Cow<'a, str>,
    pub state: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recv_q: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_q: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_queue: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
    pub backlog: Asked<u32>,
    pub local_address: IpAddr,
    pub local_port: u16,
    pub peer_address: Option<IpAddr>,
    pub peer_port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
    pub local_host: Asked<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
    pub peer_host: Asked<Cow<'a, str>>,
    pub interface: Option<Cow<'a, str>>,
    pub uid: Option<u32>,
    pub inode: Option<u64>,
    pub cookie: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<Vec<HolderRecord<'a>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_processes: Option<Vec<HolderRecord<'a>>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
    pub owner_note: Asked<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
    pub user: Asked<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
    pub timer: Asked<TimerRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
    pub tcp_info: Asked<TcpInfoRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
    pub memory: Asked<MemoryRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
    pub cgroup: Asked<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
    pub unit: Asked<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
    pub container: Asked<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
    pub mark: Asked<u32>,
}

/// A key that is there, be it null.
fn asked<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Asked<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A number that may pass 2^53, as a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(pub u64);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(itoa::Buffer::new().format(self.0))
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// One descriptor of one process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are described in the manual")]
pub struct HolderRecord<'a> {
    pub pid: u32,
    pub name: Cow<'a, str>,
    pub fd: u32,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
    pub user: Asked<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Cow<'a, str>>,
}

/// The running timer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are described in the manual")]
pub struct TimerRecord<'a> {
    pub kind: Cow<'a, str>,
    pub expires_ms: u32,
    pub retransmits: u32,
    pub probes: u32,
}

/// The memory of a socket's buffers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are described in the manual")]
pub struct MemoryRecord {
    pub rmem_alloc: u32,
    pub rcvbuf: u32,
    pub wmem_alloc: u32,
    pub sndbuf: u32,
    pub fwd_alloc: u32,
    pub wmem_queued: u32,
    pub optmem: u32,
    pub backlog: Option<u32>,
    pub drops: Option<u32>,
}

/// The congestion control algorithm's own numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[expect(missing_docs, reason = "the keys are described in the manual")]
pub enum CongestionRecord {
    Vegas { enabled: bool, rtt_count: u32, rtt_us: u32, min_rtt_us: u32 },
    Dctcp { enabled: bool, ce_state: u16, alpha: u32, ab_ecn: u32, ab_tot: u32 },
    Bbr { bw_bytes_per_s: u64, min_rtt_us: u32, pacing_gain: u32, cwnd_gain: u32 },
}

macro_rules! tcp_info_record {
    ($($name:ident: $ty:ty = $offset:literal,)*) => {
        /// A connection's numbers; a key is missing where this kernel does not have it.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(missing_docs, reason = "the kernel's names less tcpi_, with the unit behind")]
        pub struct TcpInfoRecord<'a> {
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub congestion_control: Option<Cow<'a, str>>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub ca_state: Option<Cow<'a, str>>,
            pub options: Vec<Cow<'a, str>>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub snd_wscale: Option<u8>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub rcv_wscale: Option<u8>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub delivery_rate_app_limited: Option<bool>,
            $(
                #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
                pub $name: Asked<$ty>,
            )*
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub congestion: Option<CongestionRecord>,
        }

        impl<'a> TcpInfoRecord<'a> {
            fn new(info: &'a TcpInfo) -> Self {
                Self {
                    congestion_control: info.algorithm.as_ref().map(|name| text(name.as_bytes())),
                    ca_state: info.ca_state().map(Cow::Borrowed),
                    options: info.option_names().map(Cow::Borrowed).collect(),
                    snd_wscale: info.wscale().map(|(snd, _)| snd),
                    rcv_wscale: info.wscale().map(|(_, rcv)| rcv),
                    delivery_rate_app_limited: info.delivery_rate_app_limited(),
                    $($name: info.$name().map(|value| Some(value).filter(|value| !is_unset(stringify!($name), (*value).into()))),)*
                    congestion: info.congestion.map(CongestionRecord::from),
                }
            }
        }
    };
}
with_tcp_info_fields!(tcp_info_record);

/// Text as it is, but for bytes that are not UTF-8, which show as `\xNN`. JSON escapes what else is in it.
pub(in crate::render) fn text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            push_hex(&mut shown, *byte);
        }
    }
    Cow::Owned(shown)
}

impl<'a> SocketRecord<'a> {
    /// The record of a row with these parts.
    pub fn new(row: &Row<'a>, parts: Parts, taken_at: Option<&'a str>) -> Self {
        let socket = row.socket;
        let queues = QueueKeys::new(socket.queues);
        let peer = Some(socket.peer).filter(|peer| !peer.is_unspecified());
        Self {
            taken_at: taken_at.map(Cow::Borrowed),
            protocol: Cow::Borrowed("tcp"),
            family: Cow::Borrowed(socket.family.name()),
            state: state_name(socket),
            recv_q: queues.recv_q,
            send_q: queues.send_q,
            accept_queue: queues.accept_queue,
            backlog: queues.backlog,
            local_address: socket.local.addr,
            local_port: socket.local.port,
            peer_address: peer.map(|peer| peer.addr),
            peer_port: peer.map(|peer| peer.port),
            local_host: parts.hosts.then(|| row.local_host.map(Cow::Borrowed)),
            peer_host: parts.hosts.then(|| row.peer_host.map(Cow::Borrowed)),
            interface: row.interface.map(Cow::Borrowed),
            uid: socket.uid,
            inode: socket.inode,
            cookie: socket.cookie.map(Decimal),
            processes: parts.processes.then(|| row.holders.iter().map(HolderRecord::new).collect()),
            peer_processes: parts
                .peer_processes
                .then(|| row.peer_holders.iter().map(HolderRecord::new).collect()),
            owner_note: parts.processes.then(|| row.owner_note.map(|note| Cow::Owned(note.to_string()))),
            user: parts.extended.then(|| row.user.map(Cow::Borrowed)),
            timer: parts.timers.then(|| socket.timer.as_ref().map(TimerRecord::new)),
            tcp_info: parts.tcp_info.then(|| socket.tcp_info().map(TcpInfoRecord::new)),
            memory: parts.memory.then(|| socket.memory().map(MemoryRecord::from)),
            cgroup: parts.extended.then(|| cgroup_path(row)),
            unit: parts.extended.then(|| row.cgroup.and_then(cgroup::unit).map(Cow::Borrowed)),
            container: parts.extended.then(|| row.cgroup.and_then(cgroup::container).map(Cow::Borrowed)),
            mark: parts.extended.then_some(socket.mark),
        }
    }
}

/// The queue keys: those of a listener, or those of the others.
struct QueueKeys {
    recv_q: Option<u32>,
    send_q: Option<u32>,
    accept_queue: Option<u32>,
    backlog: Asked<u32>,
}

impl QueueKeys {
    fn new(queues: Queues) -> Self {
        match queues {
            Queues::Data { recv_q, send_q } => {
                Self { recv_q: Some(recv_q), send_q: Some(send_q), accept_queue: None, backlog: None }
            }
            Queues::Accept { pending, backlog } => {
                Self { recv_q: None, send_q: None, accept_queue: Some(pending), backlog: Some(backlog) }
            }
        }
    }
}

fn state_name(socket: &Socket) -> Cow<'static, str> {
    socket.state.name().map_or_else(|| Cow::Owned(socket.state.to_string()), Cow::Borrowed)
}

fn cgroup_path<'a>(row: &Row<'a>) -> Option<Cow<'a, str>> {
    let id = row.socket.cgroup?;
    Some(row.cgroup.map_or_else(|| Cow::Owned(id.to_string()), Cow::Borrowed))
}

impl<'a> HolderRecord<'a> {
    fn new(holder: &'a Holder) -> Self {
        let details = holder.details.as_deref();
        Self {
            pid: holder.pid,
            name: text(&holder.name),
            fd: holder.fd,
            user: details.map(|details| details.user.as_deref().map(Cow::Borrowed)),
            command: details.map(|details| text(&details.command)),
        }
    }
}

impl TimerRecord<'_> {
    fn new(timer: &Timer) -> Self {
        Self {
            kind: Cow::Borrowed(timer.name()),
            expires_ms: timer.expires_ms(),
            retransmits: timer.retransmits(),
            probes: timer.probes(),
        }
    }
}

impl From<&Memory> for MemoryRecord {
    fn from(memory: &Memory) -> Self {
        let Memory { rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem, backlog, drops } =
            *memory;
        Self { rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem, backlog, drops }
    }
}

impl From<Congestion> for CongestionRecord {
    fn from(congestion: Congestion) -> Self {
        match congestion {
            Congestion::Vegas { enabled, rtt_count, rtt_us, min_rtt_us } => {
                Self::Vegas { enabled, rtt_count, rtt_us, min_rtt_us }
            }
            Congestion::Dctcp { enabled, ce_state, alpha, ab_ecn, ab_tot } => {
                Self::Dctcp { enabled, ce_state, alpha, ab_ecn, ab_tot }
            }
            Congestion::Bbr { bw_bytes_per_s, min_rtt_us, pacing_gain, cwnd_gain } => {
                Self::Bbr { bw_bytes_per_s, min_rtt_us, pacing_gain, cwnd_gain }
            }
        }
    }
}
