//! The JSON types, apart from the model: what is written is read back into them strictly.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::with_tcp_info_fields;

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
    pub pod_uid: Asked<Cow<'a, str>>,
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

/// What works on top of TCP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are described in the manual")]
pub struct UlpRecord<'a> {
    pub name: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mptcp: Option<SubflowRecord<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsRecord<'a>>,
}

/// A subflow of an MPTCP connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are described in the manual")]
pub struct SubflowRecord<'a> {
    pub flags: Vec<Cow<'a, str>>,
    pub token_remote: u32,
    pub id_remote: u8,
    pub token_local: u32,
    pub id_local: u8,
    pub map_seq: Decimal,
    pub map_subflow_seq: u32,
    pub ssn_offset: u32,
    pub map_data_len: u16,
}

/// TLS in the kernel; null for a number that has no name here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are described in the manual")]
pub struct TlsRecord<'a> {
    pub version: Option<Cow<'a, str>>,
    pub cipher: Option<Cow<'a, str>>,
    pub tx_conf: Option<Cow<'a, str>>,
    pub rx_conf: Option<Cow<'a, str>>,
}

/// Whose segments are signed; the key itself is never shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the keys are described in the manual")]
pub struct Md5KeyRecord {
    pub address: IpAddr,
    pub prefix_length: u8,
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
            pub ca_state: Option<Cow<'a, str>>,
            pub options: Vec<Cow<'a, str>>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub snd_wscale: Option<u8>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub rcv_wscale: Option<u8>,
            pub delivery_rate_app_limited: Option<bool>,
            $(
                #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "asked")]
                pub $name: Asked<$ty>,
            )*
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub congestion: Option<CongestionRecord>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub ulp: Option<UlpRecord<'a>>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub md5keys: Option<Vec<Md5KeyRecord>>,
        }
    };
}
with_tcp_info_fields!(tcp_info_record);
