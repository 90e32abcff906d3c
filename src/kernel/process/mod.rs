//! Which processes hold which sockets.

mod descriptors;
mod names;
mod privileges;
mod read;
mod scan;
mod threads;

use std::hash::BuildHasher as _;
use std::io;
use std::path::Path;
use std::sync::Arc;

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

pub(crate) use self::descriptors::descriptors;
pub(crate) use self::names::{is_initial_namespace, name_of, pids, process_of, threads_of};
use self::privileges::privileges;
use self::read::Reader;
use self::scan::{Found, Scan, scan};
use crate::model::{Gap, Holder, Needs, OwnerNote, Process, Socket, Unread};

/// The holders of the sockets that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    /// By socket, then by rising process and descriptor.
    holders: Vec<Holder>,
    /// The inode of each holder's socket.
    inodes: Vec<u64>,
    /// Of each inode the place of its first holder.
    first: HashTable<u32>,
    gaps: Vec<Gap>,
    /// Whether there are processes that could not be looked through.
    unseen: bool,
}

fn hash(inode: u64) -> u64 {
    FxBuildHasher.hash_one(inode)
}

impl Processes {
    /// Looks through the descriptors of every process below `root`, a proc tree, for sockets with these inodes.
    /// Nothing is opened when none is wanted.
    pub(crate) fn scan(root: &Path, inodes: FxHashSet<u64>, needs: Needs) -> Self {
        let mut processes = Self::default();
        if inodes.is_empty() {
            return processes;
        }
        let scanned = scan(root, &inodes);
        // A large list makes all of this large: nothing is kept longer than it is needed.
        drop(inodes);
        match scanned {
            Ok(mut scan) => {
                let found = std::mem::take(&mut scan.found);
                processes.keep(found, Reader::new(root, needs));
                processes.note_what_was_not_seen(root, &scan);
            }
            Err(error) => {
                processes.unseen = true;
                processes.unreadable(root, error.to_string());
            }
        }
        processes
    }

    /// Keeps what was found, which is in order, and reads each process once.
    fn keep(&mut self, mut found: Vec<Found>, mut reader: Reader<'_>) {
        /// What was found and what becomes of it are as large as each other: so many are turned over at once.
        const BATCH: usize = 64 * 1024;
        let mut known = FxHashMap::default();
        self.holders.reserve_exact(found.len());
        self.inodes.reserve_exact(found.len());
        while !found.is_empty() {
            let last = found.split_off(found.len().saturating_sub(BATCH));
            found.shrink_to_fit();
            for Found { inode, pid, fd } in last.into_iter().rev() {
                let process: &Arc<Process> =
                    known.entry(pid).or_insert_with(|| Arc::new(reader.process(pid)));
                self.inodes.push(inode);
                self.holders.push(Holder { process: process.clone(), fd });
            }
        }
        self.inodes.reverse();
        self.holders.reverse();
        self.index();
        self.gaps.extend(reader.gaps());
    }

    /// Notes of each inode the place of its first holder.
    fn index(&mut self) {
        let Self { inodes, first, .. } = self;
        first.reserve(inodes.len(), |_| 0);
        let mut last = None;
        for (at, inode) in (0..).zip(inodes.iter()) {
            if last.replace(*inode) != Some(*inode) {
                let of = |at: &u32| hash(inodes.get(*at as usize).copied().unwrap_or_default());
                first.insert_unique(hash(*inode), at, of);
            }
        }
    }

    /// What could not be seen.
    pub(crate) fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Every descriptor that refers to the socket with this inode, by rising process number.
    pub(crate) fn holders(&self, inode: Option<u64>) -> &[Holder] {
        let Some(inode) = inode else { return &[] };
        let is_of = |at: &u32| self.inodes.get(*at as usize) == Some(&inode);
        let Some(first) = self.first.find(hash(inode), is_of) else { return &[] };
        let start = *first as usize;
        let count = self.inodes.iter().skip(start).take_while(|other| **other == inode).count();
        self.holders.get(start..start + count).unwrap_or_default()
    }

    /// Why the socket has no holder; `None` where it has one.
    pub(crate) fn note(&self, socket: &Socket) -> Option<OwnerNote> {
        if !self.holders(socket.inode).is_empty() {
            return None;
        }
        let unseen = if self.unseen { OwnerNote::NotPermitted } else { OwnerNote::NotFound };
        OwnerNote::of(socket).or(socket.inode.map(|_| unseen))
    }

    /// Says what may be missing. Where every socket has its holder, nothing that was asked for is.
    fn note_what_was_not_seen(&mut self, root: &Path, scan: &Scan) {
        if let Some(error) = scan.unlisted {
            self.unreadable(root, error.to_string());
        }
        if scan.processes == 0 {
            self.unreadable(root, "no process is to be seen there".to_owned());
        } else {
            self.note_what_is_hidden(root);
        }
        self.unseen |= scan.unlisted.is_some() || !scan.denied.is_empty() || !scan.failed.is_empty();
        if scan.missing == 0 {
            return;
        }
        if let Some(first) = scan.denied.iter().min() {
            let count = scan.denied.len() as u64;
            self.gaps.push(Gap::ProcessesDenied { count, first: *first, privileges: privileges() });
        }
        if let Some(failure) = scan.failure {
            self.gaps.push(Gap::ProcessesUnread {
                what: Unread::Descriptors,
                count: scan.failed.len() as u64,
                reason: failure.to_string(),
            });
        }
        // Another proc tree is of another namespace anyway.
        // A kernel without such namespaces has one only.
        if root == Path::new("/proc") && is_initial_namespace() == Some(false) {
            self.gaps.push(Gap::OutsidePidNamespace { sockets: scan.missing as u64 });
        }
    }

    /// Every PID namespace has a process 1: who can't see it in a proc tree that has others sees its own only
    /// (`hidepid=2`).
    fn note_what_is_hidden(&mut self, root: &Path) {
        match root.join("1").metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.unseen = true;
                self.gaps.push(Gap::ProcessesHidden { privileges: privileges() });
            }
            _ => {}
        }
    }

    fn unreadable(&mut self, root: &Path, reason: String) {
        self.gaps.push(Gap::Unreadable { path: root.display().to_string(), reason });
    }
}
