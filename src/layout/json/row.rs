//! One socket as a JSON object, appended key by key without building it first. The keys need no escaping; the table
//! of fields defines them.

use super::text;
use super::value::{Decimal, ToJson, member};
use crate::fields::{self, Field, Kind, Object, Part, Read, Value};
use crate::layout::Parts;
use crate::model::{
    Congestion, Holder, InfoNumber, Queues, Reading, Row, Socket, TcpInfo, with_tcp_info_fields,
};

/// The keys of a row, made from the table of fields once for a list.
pub(in crate::layout) struct RowKeys {
    /// Whether a row begins with the keys that are always there.
    always: bool,
    members: Vec<Member>,
}

/// A key and its value.
enum Member {
    /// A field's value.
    Field(FieldKey),
    /// An object, null where the socket has none.
    Object(Key, Object, Vec<Inner>),
}

/// A member of an object.
enum Inner {
    /// A field's value.
    Field(FieldKey),
    /// All numbers of `tcp_info`.
    AllNumbers,
}

/// The key of a field, and how it is read.
struct FieldKey {
    key: Key,
    kind: Kind,
    read: Read,
}

/// `,"key":`, padded to a fixed length, which copies in one step.
struct Key {
    bytes: [u8; Key::ROOM],
    len: usize,
}

impl Key {
    /// More than the longest key, its quotes, comma and colon.
    const ROOM: usize = 40;

    /// The key behind another member.
    fn of(key: &str) -> Self {
        let text = format!(",\"{key}\":");
        let mut bytes = [0; Self::ROOM];
        let len = text.len().min(Self::ROOM);
        bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
        Self { bytes, len }
    }

    #[inline]
    fn push(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.len;
        out.extend_from_slice(&self.bytes);
        out.truncate(end);
    }
}

impl FieldKey {
    fn of(field: &Field) -> Self {
        Self { key: Key::of(field.key()), kind: field.kind, read: field.read }
    }

    /// Appends key and value, unless the value is absent.
    fn push(&self, out: &mut Vec<u8>, row: &Row<'_>) {
        let key = &self.key;
        match self.read {
            Read::Number(read) if self.kind == Kind::Large => {
                push_key_value(out, key, read(row).map(Decimal));
            }
            Read::Number(read) => push_key_value(out, key, read(row)),
            Read::NumberOrAbsent(read) => {
                if let Some(number) = read(row) {
                    push_key_value(out, key, number);
                }
            }
            Read::Address(read) => push_key_value(out, key, read(row)),
            Read::Name(read) => push_key_value(out, key, read(row)),
            Read::Word(read) => push_key_value(out, key, read(row)),
            Read::Info(number) => match row.socket.tcp_info().map(|info| info.reading(number)) {
                Some(Reading::Number(number)) => push_key_value(out, key, number),
                Some(Reading::Absent) => {}
                Some(Reading::Unknown) | None => push_key_value(out, key, None::<u64>),
            },
            Read::Holders(_) => push_key_value(out, key, row.holders),
            Read::PeerHolders(_) => push_key_value(out, key, row.peer_holders),
            Read::Any(read) => {
                let value = read(row);
                if !matches!(value, Value::Absent) {
                    key.push(out);
                    push_any(out, self.kind, value);
                }
            }
        }
    }
}

#[inline]
fn push_key_value(out: &mut Vec<u8>, key: &Key, value: impl ToJson) {
    key.push(out);
    value.push(out);
}

impl RowKeys {
    /// The keys of these parts.
    pub(in crate::layout) fn of(parts: Parts) -> Self {
        let mut keys = Self { always: true, members: Vec::new() };
        for field in fields::all().filter(|field| field.part != Part::Always && parts.contain(field.part)) {
            let inner = match field.read {
                Read::Info(_) => Inner::AllNumbers,
                _ => Inner::Field(FieldKey::of(field)),
            };
            keys.add(field, inner);
        }
        keys
    }

    /// The keys of these fields, each once: an endpoint becomes an address key and a port key, and a field of holders
    /// becomes the list of holders.
    pub(in crate::layout) fn of_fields(chosen: &[&'static Field]) -> Self {
        let mut keys = Self { always: false, members: Vec::new() };
        let mut done: Vec<&Field> = Vec::new();
        for field in chosen.iter().flat_map(|field| json_fields_of(field)) {
            if !done.contains(&field) {
                done.push(field);
                keys.add(field, Inner::Field(FieldKey::of(field)));
            }
        }
        keys
    }

    /// Adds a field, in its object if it stands in one.
    fn add(&mut self, field: &Field, inner: Inner) {
        let Some(object) = field.object() else {
            return self.members.push(Member::Field(FieldKey::of(field)));
        };
        let known = self.members.iter_mut().find_map(|member| match member {
            Member::Object(_, of, inner) if *of == object => Some(inner),
            _ => None,
        });
        match known {
            Some(known) if matches!((&inner, known.last()), (Inner::AllNumbers, Some(Inner::AllNumbers))) => {
            }
            Some(known) => known.push(inner),
            None => self.members.push(Member::Object(Key::of(object.key()), object, vec![inner])),
        }
    }

    /// Appends the row.
    pub(in crate::layout) fn push_row(&self, out: &mut Vec<u8>, row: &Row<'_>, taken_at: Option<&str>) {
        let begun = out.len();
        if let Some(taken_at) = taken_at {
            member!(out, "taken_at", taken_at);
        }
        if self.always {
            push_always(out, row);
        }
        for member in &self.members {
            match member {
                Member::Field(field) => field.push(out, row),
                Member::Object(key, object, fields) => {
                    key.push(out);
                    push_object(out, row, *object, fields);
                }
            }
        }
        open_object(out, begun);
        out.push(b'}');
    }
}

/// The fields under whose keys JSON has a field.
fn json_fields_of(field: &'static Field) -> Vec<&'static Field> {
    let is_of = |key: &str| fields::all().filter(|other| other.json == key).collect();
    match field.kind {
        Kind::Endpoint(_) => {
            let of_end = |part: &str| fields::named(&format!("{}_{part}", field.word));
            ["address", "port"].into_iter().filter_map(of_end).collect()
        }
        _ => match field.json.split_once('.') {
            Some((list, _)) if field.part == Part::Chosen => is_of(list),
            _ => vec![field],
        },
    }
}

/// Appends the keys common to all rows without using the table: they are most of the output, and this takes two
/// thirds of the table's time. A test compares the keys.
fn push_always(out: &mut Vec<u8>, row: &Row<'_>) {
    let Socket { local, peer, queues, .. } = row.socket;
    out.extend_from_slice(b",\"protocol\":\"tcp\"");
    member!(out, "family", row.socket.family.name());
    member!(out, "state", row.socket.state);
    match *queues {
        Queues::Data { recv_q, send_q } => {
            member!(out, "recv_q", recv_q);
            member!(out, "send_q", send_q);
        }
        Queues::Accept { pending, backlog } => {
            member!(out, "accept_queue", pending);
            member!(out, "backlog", backlog);
        }
    }
    let peer = Some(peer).filter(|_| row.socket.has_peer());
    member!(out, "local_address", local.addr);
    member!(out, "local_port", local.port);
    member!(out, "peer_address", peer.map(|peer| peer.addr));
    member!(out, "peer_port", peer.map(|peer| peer.port));
    member!(out, "interface", row.interface);
    member!(out, "uid", row.socket.uid);
    member!(out, "inode", row.socket.inode);
    member!(out, "cookie", row.socket.cookie.map(Decimal));
}

fn push_object(out: &mut Vec<u8>, row: &Row<'_>, object: Object, fields: &[Inner]) {
    if !object.is_of(row.socket) {
        out.extend_from_slice(b"null");
        return;
    }
    let begun = out.len();
    for field in fields {
        match field {
            Inner::Field(field) => field.push(out, row),
            Inner::AllNumbers => row.socket.tcp_info().into_iter().for_each(|info| push_numbers(out, info)),
        }
    }
    open_object(out, begun);
    out.push(b'}');
}

macro_rules! push_numbers {
    ($($name:ident: $ty:ty = $offset:literal $(($first:literal to $last:expr))?,)*) => {
        /// Appends a connection's numbers without using the table, with which such a list would take some 8 % longer.
        fn push_numbers(out: &mut Vec<u8>, info: &TcpInfo) {
            $(
                match info.reading(InfoNumber::$name) {
                    Reading::Number(number) => member!(out, stringify!($name), number),
                    Reading::Unknown => member!(out, stringify!($name), None::<u64>),
                    Reading::Absent => {}
                }
            )*
        }
    };
}
with_tcp_info_fields!(push_numbers);

/// Replaces the comma before the first member by a bracket.
fn open_object(out: &mut Vec<u8>, begun: usize) {
    match out.get_mut(begun) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
}

/// Appends the value of a field.
fn push_any(out: &mut Vec<u8>, kind: Kind, value: Value<'_>) {
    match value {
        Value::Absent | Value::Unknown | Value::Endpoint(_) | Value::User(None, _) => {
            out.extend_from_slice(b"null");
        }
        Value::Flag(flag) => flag.push(out),
        Value::Number(number) if kind == Kind::Large => Decimal(number).push(out),
        Value::Number(number) => number.push(out),
        Value::Text(bytes) => (&*text(&bytes)).push(out),
        Value::Word(word) => push_word(out, word),
        Value::State(state) => state.push(out),
        Value::Address(addr) => addr.push(out),
        Value::User(Some(name), _) => name.push(out),
        Value::Note(note) => note.to_string().as_str().push(out),
        Value::Options(info) => {
            out.push(b'[');
            for (at, name) in info.option_names().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                push_word(out, name);
            }
            out.push(b']');
        }
        Value::Congestion(congestion) => congestion.push(out),
        Value::Ulp(ulp) => ulp.push(out),
        Value::Md5Keys(keys) => keys.push(out),
    }
}

/// Appends a word of ours, which needs no escaping.
fn push_word(out: &mut Vec<u8>, word: &str) {
    out.push(b'"');
    out.extend_from_slice(word.as_bytes());
    out.push(b'"');
}

impl ToJson for &[Holder] {
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

impl ToJson for Congestion {
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
