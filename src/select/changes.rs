//! What changed between two snapshots, by keys.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::groups::{CountKey, Value, distinct_groups};
use crate::model::{Row, Socket, TcpState};

/// What became of a group's sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Only in the second snapshot.
    pub opened: u64,
    /// Only in the first.
    pub closed: u64,
    /// In both, and in another state.
    pub changed: u64,
}

/// By what a socket is known again: the kernel's number for it, or what /proc has in its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Identity {
    Cookie(u64),
    Ends((IpAddr, u16), (IpAddr, u16), Option<u64>),
}

impl Identity {
    fn of(socket: &Socket) -> Self {
        match socket.cookie {
            Some(cookie) => Self::Cookie(cookie),
            None => Self::Ends(
                (socket.local.addr, socket.local.port),
                (socket.peer.addr, socket.peer.port),
                socket.inode,
            ),
        }
    }
}

/// The groups that a socket is in.
type Groups = Vec<Box<[Value]>>;

/// Takes the first snapshot's sockets, then the second's.
#[derive(Debug)]
pub struct Changes {
    keys: Vec<CountKey>,
    before: FxHashMap<Identity, (TcpState, Groups)>,
    groups: FxHashMap<Box<[Value]>, Change>,
    total: Change,
}

impl Changes {
    /// Nothing has come yet.
    pub fn new(keys: &[CountKey]) -> Self {
        Self {
            keys: keys.to_vec(),
            before: FxHashMap::default(),
            groups: FxHashMap::default(),
            total: Change::default(),
        }
    }

    /// By what is counted.
    pub fn keys(&self) -> &[CountKey] {
        &self.keys
    }

    /// A socket of the first snapshot.
    pub fn remember(&mut self, row: &Row<'_>) {
        let groups = distinct_groups(&self.keys, row);
        self.before.insert(Identity::of(row.socket), (row.socket.state.shown(), groups));
    }

    /// A socket of the second.
    pub fn compare(&mut self, row: &Row<'_>) {
        let groups = distinct_groups(&self.keys, row);
        match self.before.remove(&Identity::of(row.socket)) {
            None => self.note(groups, |change| change.opened += 1),
            Some((state, _)) if state != row.socket.state.shown() => {
                self.note(groups, |change| change.changed += 1);
            }
            Some(_) => {}
        }
    }

    /// The second has ended: what did not come again has closed.
    pub fn finish(&mut self) {
        for (_, groups) in std::mem::take(&mut self.before).into_values() {
            self.note(groups, |change| change.closed += 1);
        }
    }

    fn note(&mut self, groups: Groups, add: impl Fn(&mut Change)) {
        add(&mut self.total);
        for group in groups {
            add(self.groups.entry(group).or_default());
        }
    }

    /// What changed in all. A socket that several processes hold is in several groups, and here once.
    pub fn total(&self) -> Change {
        self.total
    }

    /// The groups, those in which most happened first; of equal ones, by their values.
    pub fn sorted(&self) -> Vec<(&[Value], Change)> {
        let sum = |change: &Change| change.opened + change.closed + change.changed;
        let mut groups: Vec<_> = self.groups.iter().map(|(values, change)| (&**values, *change)).collect();
        groups.sort_unstable_by(|a, b| sum(&b.1).cmp(&sum(&a.1)).then_with(|| a.0.cmp(b.0)));
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, Family};

    fn socket(cookie: Option<u64>, state: TcpState, port: u16, inode: u64) -> Socket {
        let end = |port| Endpoint::new("127.0.0.1".parse().unwrap(), port);
        Socket { cookie, inode: Some(inode), ..Socket::new(Family::Inet, state, end(port), end(1)) }
    }

    fn diff(before: &[Socket], after: &[Socket]) -> Changes {
        let mut changes = Changes::new(&[CountKey::LocalPort]);
        for socket in before {
            changes.remember(&Row::bare(socket));
        }
        for socket in after {
            changes.compare(&Row::bare(socket));
        }
        changes.finish();
        changes
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
                    (&[Value::Number(82)][..], Change { opened: 1, closed: 1, changed: 0 }),
                    (&[Value::Number(81)][..], Change { opened: 0, closed: 0, changed: 1 }),
                ]
            );
        }
    }
}
