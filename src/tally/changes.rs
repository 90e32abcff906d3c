//! Changes between two snapshots, grouped by keys.

use std::net::IpAddr;
use std::ops::ControlFlow;

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::groups::{CountKey, Group, Groups, KeyValue, group, number_of, of_holders};
use crate::model::{Consumer, Endpoint, Holder, Row, Socket, Source, TcpState};

/// The changes in a group of sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Only in the second snapshot.
    pub opened: u64,
    /// Only in the first.
    pub closed: u64,
    /// In both, and in another state.
    pub changed: u64,
}

/// Recognises a socket in the next snapshot: by the kernel's cookie or, with /proc, by addresses, ports and inode.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Cookie(u64),
    Addresses(Box<Addresses>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Addresses {
    local: (IpAddr, u16),
    peer: (IpAddr, u16),
    inode: Option<u64>,
}

impl Key {
    fn of(socket: &Socket) -> Self {
        let end = |end: &Endpoint| (end.addr, end.port);
        socket.cookie.map_or_else(
            || {
                let (local, peer) = (end(&socket.local), end(&socket.peer));
                Self::Addresses(Box::new(Addresses { local, peer, inode: socket.inode }))
            },
            Self::Cookie,
        )
    }
}

/// A reduced snapshot: each socket's key, its state, and the number of its set of groups.
#[derive(Clone, Debug)]
pub struct Census {
    keys: Vec<CountKey>,
    sockets: FxHashMap<Key, (TcpState, u32)>,
    /// The distinct sets of groups; a socket with several holders is in several groups.
    sets: IndexSet<Vec<Group>, FxBuildHasher>,
    deferred: Vec<(Key, TcpState, u32)>,
    deferred_groups: Groups,
}

impl Census {
    /// No sockets yet.
    pub fn new(keys: &[CountKey]) -> Self {
        Self {
            keys: keys.to_vec(),
            sockets: FxHashMap::default(),
            sets: IndexSet::default(),
            deferred: Vec::new(),
            deferred_groups: Groups::default(),
        }
    }

    fn add(&mut self, key: Key, state: TcpState, groups: Vec<Group>) {
        let set = u32::try_from(self.sets.insert_full(groups).0).unwrap_or(u32::MAX);
        self.sockets.insert(key, (state, set));
    }

    fn groups(&self, set: u32) -> &[Group] {
        self.sets.get_index(set as usize).map_or(&[], Vec::as_slice)
    }
}

impl Consumer for Census {
    /// The socket's place in `deferred`.
    type Later = u32;

    fn begin(&mut self, _: Source) {
        *self = Self::new(&self.keys);
    }

    fn take(&mut self, row: &Row<'_>) -> ControlFlow<()> {
        let groups = of_holders(&self.keys, group(&self.keys, row), row.holders, row.peer_holders);
        self.add(Key::of(row.socket), row.socket.state.shown(), groups);
        ControlFlow::Continue(())
    }

    fn keep(&mut self, row: &Row<'_>) -> u32 {
        let group = number_of(&mut self.deferred_groups, group(&self.keys, row));
        self.deferred.push((Key::of(row.socket), row.socket.state.shown(), group));
        u32::try_from(self.deferred.len() - 1).unwrap_or(u32::MAX)
    }

    fn take_later(&mut self, number: u32, holders: &[Holder]) {
        let Some((key, state, group)) = self.deferred.get(number as usize).cloned() else { return };
        let Some(group) = self.deferred_groups.get_index(group as usize).cloned() else { return };
        let groups = of_holders(&self.keys, group, holders, &[]);
        self.add(key, state, groups);
    }
}

/// What changed from one snapshot to the next.
#[derive(Debug)]
pub struct Changes {
    keys: Vec<CountKey>,
    groups: FxHashMap<Group, Change>,
    total: Change,
}

impl Changes {
    /// A closed socket counts in the groups of `before`, every other socket in those of `after`.
    pub fn between(mut before: Census, after: &Census) -> Self {
        let mut changes =
            Self { keys: after.keys.clone(), groups: FxHashMap::default(), total: Change::default() };
        for (key, (state, set)) in &after.sockets {
            match before.sockets.remove(key) {
                None => changes.note(after.groups(*set), |change| change.opened += 1),
                Some((was, _)) if was != *state => {
                    changes.note(after.groups(*set), |change| change.changed += 1);
                }
                Some(_) => {}
            }
        }
        for (_, set) in before.sockets.values() {
            changes.note(before.groups(*set), |change| change.closed += 1);
        }
        changes
    }

    /// The count keys.
    pub fn keys(&self) -> &[CountKey] {
        &self.keys
    }

    fn note(&mut self, groups: &[Group], add: impl Fn(&mut Change)) {
        add(&mut self.total);
        for group in groups {
            add(self.groups.entry(group.clone()).or_default());
        }
    }

    /// All changes. A socket that several processes hold is in several groups, but counts once here.
    pub fn total(&self) -> Change {
        self.total
    }

    /// The groups, most changes first; equal groups by their values.
    pub fn sorted(&self) -> Vec<(&[KeyValue], Change)> {
        let sum = |change: &Change| change.opened + change.closed + change.changed;
        let mut groups: Vec<_> = self.groups.iter().map(|(values, change)| (&**values, *change)).collect();
        groups.sort_unstable_by(|a, b| sum(&b.1).cmp(&sum(&a.1)).then_with(|| a.0.cmp(b.0)));
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields;
    use crate::model::Family;

    fn socket(cookie: Option<u64>, state: TcpState, port: u16, inode: u64) -> Socket {
        let end = |port| Endpoint::new("127.0.0.1".parse().unwrap(), port);
        Socket { cookie, inode: Some(inode), ..Socket::new(Family::Inet, state, end(port), end(1)) }
    }

    fn census(sockets: &[Socket], later: bool) -> Census {
        let mut census = Census::new(&[CountKey::of(&fields::LOCAL_PORT)]);
        for socket in sockets {
            if later {
                let number = census.keep(&Row::bare(socket));
                census.take_later(number, &[]);
            } else {
                let _ = census.take(&Row::bare(socket));
            }
        }
        census
    }

    fn diff(before: &[Socket], after: &[Socket]) -> Changes {
        Changes::between(census(before, false), &census(after, true))
    }

    #[test]
    fn by_cookie_and_without_one_by_the_ends_and_the_inode() {
        let (open, done) = (TcpState::Established, TcpState::CloseWait);
        for cookie in [Some as fn(u64) -> Option<u64>, |_| None] {
            let before = [
                socket(cookie(1), open, 80, 1),
                socket(cookie(2), open, 81, 2),
                socket(cookie(3), open, 82, 3),
            ];
            let after = [
                socket(cookie(1), open, 80, 1),
                socket(cookie(2), done, 81, 2),
                socket(cookie(4), open, 82, 4),
            ];
            let changes = diff(&before, &after);
            assert_eq!(changes.total(), Change { opened: 1, closed: 1, changed: 1 });
            assert_eq!(
                changes.sorted(),
                [
                    (&[KeyValue::Number(82)][..], Change { opened: 1, closed: 1, changed: 0 }),
                    (&[KeyValue::Number(81)][..], Change { opened: 0, closed: 0, changed: 1 }),
                ]
            );
        }
    }
}
