//! Finds the processes that hold sockets.

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
use std::time::Duration;

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

pub(crate) use self::descriptors::descriptors;
pub(crate) use self::names::{is_initial_namespace, name_of, pids, process_of, threads_of};
use self::privileges::privileges;
use self::read::Reader;
use self::scan::{Found, Scan, scan};
use crate::model::{Gap, Holder, Needs, OwnerNote, Process, Socket, Unread};

/// The holders of the requested sockets.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    /// In the order of socket inode, process number and descriptor.
    holders: Vec<Holder>,
    /// The inode of each holder's socket.
    inodes: Vec<u64>,
    /// For each inode, the index of its first holder.
    first: HashTable<u32>,
    gaps: Vec<Gap>,
    /// Whether some processes could not be searched.
    unseen: bool,
}

fn hash(inode: u64) -> u64 {
    FxBuildHasher.hash_one(inode)
}

impl Processes {
    /// Searches the descriptors of every process in the proc tree at `root` for sockets with these inodes. If no inode
    /// is requested, opens nothing.
    /// With a `patience` the search ends after it without a result, and its being late is the only gap that is noted:
    /// nobody asked for it.
    pub(crate) fn scan(
        root: &Path,
        inodes: FxHashSet<u64>,
        needs: Needs,
        patience: Option<Duration>,
    ) -> Self {
        let mut processes = Self::default();
        if inodes.is_empty() {
            return processes;
        }
        let scanned = scan(root, &inodes, patience);
        // With many sockets, each of these collections is large: free each as soon as it is no longer needed.
        drop(inodes);
        match scanned {
            Ok(scan) if scan.is_late => processes.gaps.push(Gap::ProcessesLate),
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
        if patience.is_some() {
            processes.gaps.retain(|gap| *gap == Gap::ProcessesLate);
        }
        processes
    }

    /// Converts what was found, which is sorted, into holders. Reads each process once.
    fn keep(&mut self, mut found: Vec<Found>, mut reader: Reader<'_>) {
        /// Convert in batches, so that both vectors never exist whole at the same time.
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

    /// Records the index of each inode's first holder.
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

    /// Every descriptor that refers to the socket with this inode, in the order of process numbers.
    pub(crate) fn holders(&self, inode: Option<u64>) -> &[Holder] {
        let Some(inode) = inode else { return &[] };
        let is_of = |at: &u32| self.inodes.get(*at as usize) == Some(&inode);
        let Some(first) = self.first.find(hash(inode), is_of) else { return &[] };
        let start = *first as usize;
        let count = self.inodes.iter().skip(start).take_while(|other| **other == inode).count();
        self.holders.get(start..start + count).unwrap_or_default()
    }

    /// Why the socket has no holder; `None` if it has one.
    pub(crate) fn note(&self, socket: &Socket) -> Option<OwnerNote> {
        if !self.holders(socket.inode).is_empty() {
            return None;
        }
        let unseen = if self.unseen { OwnerNote::NotPermitted } else { OwnerNote::NotFound };
        OwnerNote::of(socket).or(socket.inode.map(|_| unseen))
    }

    /// Records the gaps. Processes that could not be read are a gap only if a requested socket has no known holder.
    fn note_what_was_not_seen(&mut self, root: &Path, scan: &Scan) {
        if let Some(error) = scan.unlisted {
            self.unreadable(root, error.to_string());
        }
        if scan.processes == 0 {
            self.unreadable(root, "no process is listed there".to_owned());
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
        // Another proc tree belongs to another namespace anyway, and a kernel without PID namespaces has only one.
        if root == Path::new("/proc") && is_initial_namespace() == Some(false) {
            self.gaps.push(Gap::OutsidePidNamespace { sockets: scan.missing as u64 });
        }
    }

    /// Every PID namespace has a process 1. If a proc tree lists others but not process 1, the user sees only their own
    /// processes (`hidepid=2`).
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
