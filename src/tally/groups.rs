//! Counts by any fields: counters, never sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::ControlFlow;

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::fields::{End, Field, Kind, OfHolder, Read, Value, named, plain_word};
use crate::model::{Consumer, Holder, Row, Source, v4_mask, v6_mask};

/// A key to count sockets by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountKey {
    /// The field.
    pub field: &'static Field,
    /// For an address: the prefix length to count by.
    pub net: Option<u8>,
}

impl CountKey {
    /// By the whole value.
    pub fn of(field: &'static Field) -> Self {
        Self { field, net: None }
    }

    /// Parses a word of `--count-by`, or a heading over the counts.
    pub fn parse(word: &str) -> Option<Self> {
        let word = plain_word(word);
        let Some((end, len)) = word.split_once("_net/") else { return named(&word).map(Self::of) };
        let is_plain = len.bytes().all(|byte| byte.is_ascii_digit());
        let net = len.parse().ok().filter(|len| is_plain && *len <= 128);
        let field = ["local", "peer"].contains(&end).then(|| named(end)).flatten();
        Some(Self { field: field?, net: Some(net?) })
    }

    /// Its name in JSON and CSV: without the length.
    pub fn name(self) -> String {
        if self.net.is_some() { format!("{}_net", self.field.word) } else { self.field.word.to_owned() }
    }
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyValue {
    /// Unknown.
    Unknown,
    /// A state, by its place in our order.
    State(usize, Box<str>),
    /// Yes or no.
    Flag(bool),
    /// A port, a process.
    Number(u64),
    /// An address; IPv4 for a v4-mapped one.
    Addr(IpAddr),
    /// A prefix.
    Net(IpAddr, u8),
    /// A name's bytes.
    Text(Box<[u8]>),
}

impl From<Value<'_>> for KeyValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Absent | Value::Unknown => Self::Unknown,
            Value::Options(info) if info.option_names().next().is_none() => Self::Unknown,
            Value::Flag(flag) => Self::Flag(flag),
            Value::Number(number) => Self::Number(number),
            Value::User(None, uid) => Self::Number(uid.into()),
            Value::State(state) => Self::State(state.rank().unwrap_or(usize::MAX), state.to_string().into()),
            Value::Address(addr) => Self::Addr(addr.to_canonical()),
            Value::Endpoint(end) => Self::Addr(end.addr.to_canonical()),
            other => Self::Text(other.into_text().into()),
        }
    }
}

/// A combination of values, in the order of the keys.
pub(super) type Group = Box<[KeyValue]>;

/// A group's count and sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many sockets.
    pub count: u64,
    /// The sums of the requested fields, in the order requested.
    pub sums: Box<[u64]>,
}

impl Amount {
    fn new(sums: usize) -> Self {
        Self { count: 0, sums: vec![0; sums].into() }
    }

    fn add(&mut self, numbers: impl Iterator<Item = u64>) {
        self.count += 1;
        for (sum, number) in self.sums.iter_mut().zip(numbers) {
            *sum = sum.saturating_add(number);
        }
    }
}

/// How many sockets have each combination of values.
#[derive(Clone, Debug)]
pub struct GroupCounts {
    keys: Vec<CountKey>,
    sums: Vec<&'static Field>,
    groups: FxHashMap<Group, Amount>,
    deferred: Groups,
    total: Amount,
}

/// Groups by number.
pub(super) type Groups = IndexSet<Group, FxBuildHasher>;

/// The number of a group, which is added if new.
pub(super) fn number_of(groups: &mut Groups, group: Group) -> u32 {
    u32::try_from(groups.insert_full(group).0).unwrap_or(u32::MAX)
}

impl GroupCounts {
    /// No sockets yet. Unknown values add nothing to a sum.
    pub fn new(keys: &[CountKey], sums: &[&'static Field]) -> Self {
        Self {
            keys: keys.to_vec(),
            sums: sums.to_vec(),
            groups: FxHashMap::default(),
            deferred: Groups::default(),
            total: Amount::new(sums.len()),
        }
    }

    /// The count keys.
    pub fn keys(&self) -> &[CountKey] {
        &self.keys
    }

    /// The fields that are summed.
    pub fn sums(&self) -> &[&'static Field] {
        &self.sums
    }

    /// The total. A socket that several processes hold is in several groups, but counts once here.
    pub fn total(&self) -> &Amount {
        &self.total
    }

    /// Counts a socket once in each distinct combination of its values.
    fn add(&mut self, group: Group, numbers: &[u64], holders: &[Holder], peer_holders: &[Holder]) {
        self.total.add(numbers.iter().copied());
        for group in of_holders(&self.keys, group, holders, peer_holders) {
            let amount = self.groups.entry(group).or_insert_with(|| Amount::new(self.sums.len()));
            amount.add(numbers.iter().copied());
        }
    }

    fn numbers(&self, row: &Row<'_>) -> Box<[u64]> {
        self.sums.iter().map(|field| field.number(row).unwrap_or(0)).collect()
    }

    /// The groups, largest first; equal groups by their values.
    pub fn sorted(&self) -> Vec<(&[KeyValue], &Amount)> {
        let mut groups: Vec<_> = self.groups.iter().map(|(values, amount)| (&**values, amount)).collect();
        groups.sort_unstable_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(b.0)));
        groups
    }
}

impl Consumer for GroupCounts {
    /// The number of a combination of key values and summands, which many sockets share.
    type Later = u32;

    fn begin(&mut self, _: Source) {
        *self = Self::new(&self.keys, &self.sums);
    }

    fn take(&mut self, row: &Row<'_>) -> ControlFlow<()> {
        self.add(group(&self.keys, row), &self.numbers(row), row.holders, row.peer_holders);
        ControlFlow::Continue(())
    }

    fn keep(&mut self, row: &Row<'_>) -> u32 {
        let numbers = self.sums.iter().map(|field| KeyValue::Number(field.number(row).unwrap_or(0)));
        let kept = group(&self.keys, row).into_iter().chain(numbers).collect();
        number_of(&mut self.deferred, kept)
    }

    fn take_later(&mut self, number: u32, holders: &[Holder]) {
        let Some(kept) = self.deferred.get_index(number as usize) else { return };
        let Some((values, numbers)) = kept.split_at_checked(self.keys.len()) else { return };
        let number = |value: &KeyValue| if let KeyValue::Number(number) = value { *number } else { 0 };
        let (group, numbers): (Group, Vec<_>) = (values.into(), numbers.iter().map(number).collect());
        self.add(group, &numbers, holders, &[]);
    }
}

/// The socket's combination of values, without its holders.
pub(super) fn group(keys: &[CountKey], row: &Row<'_>) -> Group {
    keys.iter().map(|key| value(*key, row)).collect()
}

/// The distinct combinations of values, with the holders of the socket and of its peer filled in.
pub(super) fn of_holders(
    keys: &[CountKey],
    group: Group,
    holders: &[Holder],
    peer_holders: &[Holder],
) -> Vec<Group> {
    let of_holder = |key: &CountKey| if let Read::Holders(read) = key.field.read { Some(read) } else { None };
    let of_peer =
        |key: &CountKey| if let Read::PeerHolders(read) = key.field.read { Some(read) } else { None };
    let groups = of_each(keys, vec![group], holders, of_holder);
    of_each(keys, groups, peer_holders, of_peer)
}

/// Fills in the keys read from holders: each group, once for each distinct holder's values.
fn of_each(
    keys: &[CountKey],
    groups: Vec<Group>,
    holders: &[Holder],
    read_of: impl Fn(&CountKey) -> Option<OfHolder>,
) -> Vec<Group> {
    if holders.is_empty() || keys.iter().all(|key| read_of(key).is_none()) {
        return groups;
    }
    let mut each: Vec<Group> = Vec::new();
    for group in groups {
        for holder in holders {
            let of_holder = |(key, value): (&CountKey, &KeyValue)| {
                read_of(key).map_or_else(|| value.clone(), |read| read(holder).into())
            };
            let group = keys.iter().zip(&group).map(of_holder).collect();
            if !each.contains(&group) {
                each.push(group);
            }
        }
    }
    each
}

fn value(key: CountKey, row: &Row<'_>) -> KeyValue {
    if key.field.kind == Kind::Endpoint(End::Peer) && !row.socket.has_peer() {
        return KeyValue::Unknown;
    }
    let value = key.field.read.of_row(row).map_or(KeyValue::Unknown, KeyValue::from);
    match (value, key.net) {
        (KeyValue::Addr(addr), Some(len)) => net_value(addr, len),
        (value, _) => value,
    }
}

/// The first bits of an address; an IPv4 address has 32 at most.
fn net_value(addr: IpAddr, len: u8) -> KeyValue {
    let len = len.min(if addr.is_ipv4() { 32 } else { 128 });
    KeyValue::Net(net_of(addr, len), len)
}

/// An address with all bits after the prefix zero.
pub fn net_of(addr: IpAddr, len: u8) -> IpAddr {
    match addr {
        IpAddr::V4(addr) => Ipv4Addr::from(u32::from(addr) & v4_mask(len)).into(),
        IpAddr::V6(addr) => Ipv6Addr::from(u128::from(addr) & v6_mask(len)).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Endpoint, Family, Process, Queues, Socket, TcpState};

    fn key(word: &str) -> CountKey {
        CountKey::parse(word).unwrap()
    }

    fn socket(state: TcpState, peer: &str) -> Socket {
        let local = Endpoint::new("10.0.0.1".parse().unwrap(), 443);
        Socket::new(Family::Inet, state, local, Endpoint::new(peer.parse().unwrap(), 5))
    }

    fn holder(pid: u32, name: &[u8], fd: u32) -> Holder {
        Holder { process: Arc::new(Process::new(pid, name)), fd }
    }

    fn counted(keys: &[CountKey], rows: &[Row<'_>]) -> Vec<(Vec<KeyValue>, u64)> {
        let mut counts = GroupCounts::new(keys, &[]);
        for row in rows {
            let _ = counts.take(row);
        }
        assert_eq!(counts.total().count, rows.len() as u64);
        counts.sorted().into_iter().map(|(values, amount)| (values.to_vec(), amount.count)).collect()
    }

    #[test]
    fn the_largest_first_then_by_value() {
        let sockets = ["192.0.2.9", "192.0.2.200", "198.51.100.1", "2001:db8::1"]
            .map(|peer| socket(TcpState::Established, peer));
        let rows: Vec<_> = sockets.iter().map(Row::bare).collect();
        let net = |text: &str, len| KeyValue::Net(text.parse().unwrap(), len);
        assert_eq!(
            counted(&[key("peer_net/24")], &rows),
            [
                (vec![net("192.0.2.0", 24)], 2),
                (vec![net("198.51.100.0", 24)], 1),
                (vec![net("2001:d00::", 24)], 1),
            ]
        );
        assert_eq!(counted(&[key("local_port")], &rows), [(vec![KeyValue::Number(443)], 4)]);
    }

    #[test]
    fn a_shared_socket_counts_for_each_of_its_holders() {
        let socket = socket(TcpState::Established, "192.0.2.9");
        let holders = [holder(1, b"a", 3), holder(1, b"a", 4), holder(2, b"a", 3), holder(3, b"b", 3)];
        let rows = [Row { holders: &holders, ..Row::bare(&socket) }, Row::bare(&socket)];
        let text = |text: &[u8]| KeyValue::Text(text.into());
        assert_eq!(
            counted(&[key("process")], &rows),
            [(vec![KeyValue::Unknown], 1), (vec![text(b"a")], 1), (vec![text(b"b")], 1)]
        );
        assert_eq!(counted(&[key("pid"), key("state")], &rows).len(), 4);

        let keys = [key("pid"), key("state")];
        let mut deferred = GroupCounts::new(&keys, &[]);
        let numbers = rows.map(|row| (deferred.keep(&row), row.holders));
        assert_eq!(numbers[0].0, numbers[1].0, "they are alike but for their holders");
        for (number, holders) in numbers {
            deferred.take_later(number, holders);
        }
        let later: Vec<_> =
            deferred.sorted().into_iter().map(|(values, amount)| (values.to_vec(), amount.count)).collect();
        assert_eq!((later, deferred.total().count), (counted(&keys, &rows), 2));
    }

    #[test]
    fn words() {
        for field in crate::fields::all() {
            assert_eq!(CountKey::parse(&field.typed()), Some(CountKey::of(field)));
        }
        assert_eq!((key("Peer-Net/24").name().as_str(), key("local_net/8").net), ("peer_net", Some(8)));
        for bad in ["peer-net", "peer-net/129", "peer-net/+24", "peer-net/x", "state-net/8", "size"] {
            assert_eq!(CountKey::parse(bad), None);
        }
    }

    #[test]
    fn numbers_are_added_up_now_and_later() {
        let mut socket = socket(TcpState::Established, "192.0.2.9");
        let holders = [holder(1, b"a", 3), holder(2, b"b", 3)];
        let keys = [key("program")];
        let sums = [named("recv_q").unwrap(), named("rtt").unwrap()];
        let (mut now, mut later) = (GroupCounts::new(&keys, &sums), GroupCounts::new(&keys, &sums));
        for recv_q in [5, 7] {
            socket.queues = Queues::Data { recv_q, send_q: 0 };
            let row = Row { holders: &holders, ..Row::bare(&socket) };
            let _ = now.take(&row);
            let number = later.keep(&row);
            later.take_later(number, &holders);
        }
        for counts in [now, later] {
            let expected = Amount { count: 2, sums: [12, 0].into() };
            assert_eq!(counts.total(), &expected, "each socket once");
            let groups = counts.sorted();
            assert!(groups.len() == 2 && groups.iter().all(|(_, amount)| **amount == expected), "{groups:?}");
        }
    }
}
