//! Counts by any keys: counters, never sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::ControlFlow;

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::key_word;
use crate::model::{Consumer, Holder, Row, Source, TcpState, v4_mask, v6_mask};

/// What sockets are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountKey {
    /// The state, as it is shown.
    State,
    /// The name of a process that holds it.
    Process,
    /// The number of a process that holds it.
    Pid,
    /// Its user.
    User,
    /// The local address.
    Local,
    /// The local port.
    LocalPort,
    /// The peer's address.
    Peer,
    /// The peer's port.
    PeerPort,
    /// The peer's address, so many bits of it.
    PeerNet(u8),
    /// The device that it is bound to.
    Iface,
    /// The systemd unit.
    Unit,
    /// The container.
    Container,
    /// The uid of the Kubernetes pod.
    PodUid,
    /// The running timer.
    Timer,
}

impl CountKey {
    /// The words of `--count-by` but `peer-net/LEN`.
    pub const WORDS: [(&'static str, Self); 13] = [
        ("state", Self::State),
        ("process", Self::Process),
        ("pid", Self::Pid),
        ("user", Self::User),
        ("local", Self::Local),
        ("local-port", Self::LocalPort),
        ("peer", Self::Peer),
        ("peer-port", Self::PeerPort),
        ("iface", Self::Iface),
        ("unit", Self::Unit),
        ("container", Self::Container),
        ("pod-uid", Self::PodUid),
        ("timer", Self::Timer),
    ];

    /// Reads a word of `--count-by`, or what stands over the counts.
    pub fn parse(word: &str) -> Option<Self> {
        let word = &*key_word(word);
        if let Some(len) = word.strip_prefix("peer-net/") {
            let is_plain = len.bytes().all(|byte| byte.is_ascii_digit());
            return len.parse().ok().filter(|len| is_plain && *len <= 128).map(Self::PeerNet);
        }
        Self::WORDS.into_iter().find(|(name, _)| *name == word).map(|(_, key)| key)
    }

    /// The word for it, with `-`; in JSON and CSV with `_`, and without the length.
    pub fn name(self) -> &'static str {
        match self {
            Self::PeerNet(_) => "peer-net",
            other => Self::WORDS.iter().find(|(_, key)| *key == other).map_or("", |(name, _)| name),
        }
    }

    /// Whether the cgroup must be known.
    pub fn is_of_cgroup(self) -> bool {
        matches!(self, Self::Unit | Self::Container | Self::PodUid)
    }

    /// Whether a socket may have several values: one for each of its holders.
    fn is_of_holders(self) -> bool {
        matches!(self, Self::Process | Self::Pid)
    }
}

/// A value of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Nothing is known.
    Unknown,
    /// A state, by its place in our order.
    State(usize, Box<str>),
    /// A port, a process.
    Number(u64),
    /// An address; IPv4 for a v4-mapped one.
    Addr(IpAddr),
    /// A prefix.
    Net(IpAddr, u8),
    /// A name's bytes.
    Text(Box<[u8]>),
}

/// A combination of values, in the order of the keys.
pub(super) type Group = Box<[Value]>;

/// How many sockets have each combination of values.
#[derive(Clone, Debug)]
pub struct GroupCounts {
    keys: Vec<CountKey>,
    groups: FxHashMap<Group, u64>,
    put_off: Groups,
    total: u64,
}

/// Groups by number.
pub(super) type Groups = IndexSet<Group, FxBuildHasher>;

/// The number of a group, be it new or not.
pub(super) fn number_of(groups: &mut Groups, group: Group) -> u32 {
    u32::try_from(groups.insert_full(group).0).unwrap_or(u32::MAX)
}

impl GroupCounts {
    /// No sockets yet.
    pub fn new(keys: &[CountKey]) -> Self {
        Self { keys: keys.to_vec(), groups: FxHashMap::default(), put_off: Groups::default(), total: 0 }
    }

    /// What is counted by.
    pub fn keys(&self) -> &[CountKey] {
        &self.keys
    }

    /// How many sockets were counted. One that several processes hold is in several groups.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Counts a socket: once for each different combination of values that it has.
    fn add(&mut self, group: Group, holders: &[Holder]) {
        self.total += 1;
        for group in of_holders(&self.keys, group, holders) {
            *self.groups.entry(group).or_default() += 1;
        }
    }

    /// The groups, the largest first; of equal ones, by their values.
    pub fn sorted(&self) -> Vec<(&[Value], u64)> {
        let mut groups: Vec<_> = self.groups.iter().map(|(values, count)| (&**values, *count)).collect();
        groups.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        groups
    }
}

impl Consumer for GroupCounts {
    /// The number of a combination of values: many sockets have it in common.
    type Later = u32;

    fn begin(&mut self, _: Source) {
        *self = Self::new(&self.keys);
    }

    fn take(&mut self, row: &Row<'_>) -> ControlFlow<()> {
        self.add(group(&self.keys, row), row.holders);
        ControlFlow::Continue(())
    }

    fn keep(&mut self, row: &Row<'_>) -> u32 {
        number_of(&mut self.put_off, group(&self.keys, row))
    }

    fn take_later(&mut self, number: u32, holders: &[Holder]) {
        if let Some(group) = self.put_off.get_index(number as usize) {
            self.add(group.clone(), holders);
        }
    }
}

/// The combination of values that a socket has whoever holds it.
pub(super) fn group(keys: &[CountKey], row: &Row<'_>) -> Group {
    keys.iter().map(|key| value(*key, row)).collect()
}

/// Each different combination of values that a socket has with its holders: one, or one for each of them.
pub(super) fn of_holders(keys: &[CountKey], group: Group, holders: &[Holder]) -> Vec<Group> {
    let by_holder = keys.iter().any(|key| key.is_of_holders());
    if !by_holder || holders.is_empty() {
        return vec![group];
    }
    let mut groups = Vec::new();
    for holder in holders {
        let of_holder = |(key, value): (&CountKey, &Value)| match key {
            CountKey::Process => Value::Text((&*holder.process.name).into()),
            CountKey::Pid => Value::Number(holder.process.pid.into()),
            _ => value.clone(),
        };
        let group = keys.iter().zip(&group).map(of_holder).collect();
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

fn value(key: CountKey, row: &Row<'_>) -> Value {
    let socket = row.socket;
    let text = |text: Option<&[u8]>| text.map_or(Value::Unknown, |text| Value::Text(text.into()));
    match key {
        CountKey::State => state(socket.state),
        CountKey::Process | CountKey::Pid => Value::Unknown,
        CountKey::User => match (row.user, socket.uid) {
            (Some(name), _) => text(Some(name.as_bytes())),
            (None, Some(uid)) => Value::Number(uid.into()),
            (None, None) => Value::Unknown,
        },
        CountKey::Local => Value::Addr(socket.local.addr.to_canonical()),
        CountKey::LocalPort => Value::Number(socket.local.port.into()),
        CountKey::Peer | CountKey::PeerPort | CountKey::PeerNet(_) if !socket.has_peer() => Value::Unknown,
        CountKey::Peer => Value::Addr(socket.peer.addr.to_canonical()),
        CountKey::PeerPort => Value::Number(socket.peer.port.into()),
        CountKey::PeerNet(len) => net(socket.peer.addr.to_canonical(), len),
        CountKey::Iface => text(row.interface.map(str::as_bytes)),
        CountKey::Unit => text(row.cgroup.unit().map(str::as_bytes)),
        CountKey::Container => text(row.cgroup.container().as_deref().map(str::as_bytes)),
        CountKey::PodUid => text(row.cgroup.pod_uid().as_deref().map(str::as_bytes)),
        CountKey::Timer => text(socket.timer.map(|timer| timer.name().as_bytes())),
    }
}

fn state(state: TcpState) -> Value {
    Value::State(state.rank().unwrap_or(usize::MAX), state.to_string().into())
}

/// The first bits of an address; an IPv4 address has 32 at most.
fn net(addr: IpAddr, len: u8) -> Value {
    let len = len.min(if addr.is_ipv4() { 32 } else { 128 });
    Value::Net(net_of(addr, len), len)
}

/// An address with all but its first bits 0.
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
    use crate::model::{Endpoint, Family, Process, Socket};

    fn socket(state: TcpState, peer: &str) -> Socket {
        let local = Endpoint::new("10.0.0.1".parse().unwrap(), 443);
        Socket::new(Family::Inet, state, local, Endpoint::new(peer.parse().unwrap(), 5))
    }

    fn holder(pid: u32, name: &[u8], fd: u32) -> Holder {
        Holder { process: Arc::new(Process::new(pid, name)), fd }
    }

    fn counted(keys: &[CountKey], rows: &[Row<'_>]) -> Vec<(Vec<Value>, u64)> {
        let mut counts = GroupCounts::new(keys);
        for row in rows {
            let _ = counts.take(row);
        }
        assert_eq!(counts.total(), rows.len() as u64);
        counts.sorted().into_iter().map(|(values, count)| (values.to_vec(), count)).collect()
    }

    #[test]
    fn the_largest_first_then_by_value() {
        let sockets = ["192.0.2.9", "192.0.2.200", "198.51.100.1", "2001:db8::1"]
            .map(|peer| socket(TcpState::Established, peer));
        let rows: Vec<_> = sockets.iter().map(Row::bare).collect();
        let net = |text: &str, len| Value::Net(text.parse().unwrap(), len);
        assert_eq!(
            counted(&[CountKey::PeerNet(24)], &rows),
            [
                (vec![net("192.0.2.0", 24)], 2),
                (vec![net("198.51.100.0", 24)], 1),
                (vec![net("2001:d00::", 24)], 1),
            ]
        );
        assert_eq!(counted(&[CountKey::LocalPort], &rows), [(vec![Value::Number(443)], 4)]);
    }

    #[test]
    fn a_shared_socket_counts_for_each_of_its_holders() {
        let socket = socket(TcpState::Established, "192.0.2.9");
        let holders = [holder(1, b"a", 3), holder(1, b"a", 4), holder(2, b"a", 3), holder(3, b"b", 3)];
        let rows = [Row { holders: &holders, ..Row::bare(&socket) }, Row::bare(&socket)];
        let text = |text: &[u8]| Value::Text(text.into());
        assert_eq!(
            counted(&[CountKey::Process], &rows),
            [(vec![Value::Unknown], 1), (vec![text(b"a")], 1), (vec![text(b"b")], 1)]
        );
        assert_eq!(counted(&[CountKey::Pid, CountKey::State], &rows).len(), 4);

        let keys = [CountKey::Pid, CountKey::State];
        let mut put_off = GroupCounts::new(&keys);
        let numbers = rows.map(|row| (put_off.keep(&row), row.holders));
        assert_eq!(numbers[0].0, numbers[1].0, "they are alike but for their holders");
        for (number, holders) in numbers {
            put_off.take_later(number, holders);
        }
        let later: Vec<_> = put_off.sorted().into_iter().map(|(values, n)| (values.to_vec(), n)).collect();
        assert_eq!((later, put_off.total()), (counted(&keys, &rows), 2));
    }

    #[test]
    fn words() {
        for (word, key) in CountKey::WORDS {
            assert_eq!((CountKey::parse(word), key.name()), (Some(key), word));
        }
        assert_eq!(CountKey::parse("peer-net/24"), Some(CountKey::PeerNet(24)));
        for bad in ["peer-net", "peer-net/129", "peer-net/+24", "peer-net/x", "size"] {
            assert_eq!(CountKey::parse(bad), None);
        }
    }
}
