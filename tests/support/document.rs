//! A JSON document as the tests read it: what they look at is typed, and the rest is kept as it is. That the keys are
//! those of the table of fields is tested beside the layouts.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A key that is there when it was asked for, and null where nothing is known.
type Asked<T> = Option<Option<T>>;

/// A list.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Document {
    pub(crate) schema: u32,
    pub(crate) source: String,
    pub(crate) sockets: Vec<Entry>,
    pub(crate) warnings: Vec<String>,
}

/// Counts by state.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Summary {
    pub(crate) source: String,
    pub(crate) states: BTreeMap<String, u64>,
    pub(crate) total: u64,
}

/// A socket.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Entry {
    pub(crate) family: String,
    pub(crate) state: String,
    pub(crate) recv_q: Option<u32>,
    pub(crate) send_q: Option<u32>,
    pub(crate) accept_queue: Option<u32>,
    #[serde(default, deserialize_with = "asked")]
    pub(crate) backlog: Asked<u32>,
    pub(crate) local_address: IpAddr,
    pub(crate) local_port: u16,
    pub(crate) peer_address: Option<IpAddr>,
    pub(crate) peer_port: Option<u16>,
    pub(crate) interface: Option<String>,
    pub(crate) uid: Option<u32>,
    pub(crate) inode: Option<u64>,
    pub(crate) cookie: Option<String>,
    pub(crate) processes: Option<Vec<Holder>>,
    pub(crate) peer_processes: Option<Vec<Holder>>,
    #[serde(default, deserialize_with = "asked")]
    pub(crate) owner_note: Asked<String>,
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, Value>,
}

/// A descriptor of a process.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Holder {
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) fd: u32,
}

impl Document {
    /// Reads a document.
    #[track_caller]
    pub(crate) fn of(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// A key that is there, be it null.
fn asked<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Asked<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
