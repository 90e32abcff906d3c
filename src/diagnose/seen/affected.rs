//! Sockets with the same problem: how many, how old, of which processes and with which peers.

use rustc_hash::FxHashMap;

use super::tally::{Tally, pids};
use crate::diagnose::values::Peer;
use crate::model::Holder;

/// A problem for which a rule needs the affected sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// In CLOSE_WAIT for a long time.
    Held,
    /// Its SYN is not answered.
    Unanswered,
    /// Its peer does not read.
    UnreadThere,
    /// Its program does not read.
    UnreadHere,
}

/// An affected socket, kept until its holders are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noted {
    pub(super) trouble: Trouble,
    pub(super) peer: Peer,
    pub(super) bytes: u64,
    /// The minimum age of the problem, if the kernel reports it.
    pub(super) age_ms: Option<u32>,
    /// How often its SYN was sent again; 0 for other problems.
    pub(super) tries: u32,
    /// A socket without an inode is an orphan, or waits to be accepted.
    pub(super) has_inode: bool,
}

/// The sockets with one problem.
#[derive(Debug, Default)]
pub(in crate::diagnose) struct Affected {
    pub(in crate::diagnose) count: u64,
    /// Sockets that no process has in its descriptor table.
    pub(in crate::diagnose) without_inode: u64,
    pub(in crate::diagnose) bytes: u64,
    pub(in crate::diagnose) oldest_ms: Option<u32>,
    pub(in crate::diagnose) most_tries: u32,
    pub(in crate::diagnose) peers: Tally<Peer>,
    pub(in crate::diagnose) pids: Tally<Option<u32>>,
}

impl Affected {
    fn add(&mut self, noted: &Noted, holders: &[Holder]) {
        self.count += 1;
        self.bytes += noted.bytes;
        self.oldest_ms = self.oldest_ms.max(noted.age_ms);
        self.most_tries = self.most_tries.max(noted.tries);
        self.peers.add(noted.peer);
        self.without_inode += u64::from(!noted.has_inode);
        self.pids.add_all(pids(holders));
    }
}

/// The affected sockets by problem.
#[derive(Debug, Default)]
pub(in crate::diagnose) struct AffectedSockets {
    /// In CLOSE_WAIT for a long time, by process.
    pub(in crate::diagnose) held: FxHashMap<Option<u32>, Affected>,
    /// SYNs without an answer.
    pub(in crate::diagnose) unanswered: Affected,
    /// Data that peers don't read.
    pub(in crate::diagnose) unread_there: Affected,
    /// Data that programs don't read.
    pub(in crate::diagnose) unread_here: Affected,
}

impl AffectedSockets {
    pub(super) fn add(&mut self, noted: &Noted, holders: &[Holder]) {
        match noted.trouble {
            Trouble::Held => {
                for pid in pids(holders) {
                    self.held.entry(pid).or_default().add(noted, holders);
                }
            }
            Trouble::Unanswered => self.unanswered.add(noted, holders),
            Trouble::UnreadThere => self.unread_there.add(noted, holders),
            Trouble::UnreadHere => self.unread_here.add(noted, holders),
        }
    }
}
