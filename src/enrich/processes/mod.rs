//! Which processes hold which sockets.

mod scan;

use std::fs;
use std::hash::BuildHasher as _;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use self::scan::{Found, Scan, scan};
use super::users::Users;
use crate::model::{Gap, Holder, OwnerNote, Process, ProcessDetails, ProcessName, Socket};

/// What is read of a process besides its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Details {
    /// Nothing.
    None,
    /// Its command line, and its user's number.
    Numbers,
    /// Its command line, and its user's number and name.
    Names,
}

/// The holders of the sockets that were asked for.
#[derive(Debug, Default)]
pub struct Processes {
    /// By socket, then by rising process and descriptor.
    holders: Vec<Holder>,
    /// The inode of each holder's socket.
    inodes: Vec<u64>,
    /// Of each inode the place of its first holder.
    first: HashTable<u32>,
    gaps: Vec<Gap>,
    denied: u64,
    hidden: bool,
}

fn hash(inode: u64) -> u64 {
    FxBuildHasher.hash_one(inode)
}

impl Processes {
    /// Looks through the descriptors of every process below `root`, a proc tree, for sockets with these inodes.
    /// Nothing is opened when none is wanted.
    pub fn scan(root: &Path, wanted: FxHashSet<u64>, name: ProcessName, details: Details) -> Self {
        let count = wanted.len();
        let mut processes = Self::default();
        if wanted.is_empty() {
            return processes;
        }
        let scanned = scan(root, &wanted);
        // A large list makes all of this large: nothing is kept longer than it is needed.
        drop(wanted);
        match scanned {
            Ok(Scan { found, processes: seen, denied, failed, failure }) => {
                processes.keep(found, root, name, details);
                processes.note_what_is_hidden(root, seen);
                processes.denied = denied.len() as u64;
                if let Some(failure) = failure {
                    let path = format!("{}: the descriptors of {failed} processes", root.display());
                    processes.gaps.push(Gap::Unreadable { path, reason: failure.to_string() });
                }
            }
            Err(error) => {
                let path = root.display().to_string();
                processes.gaps.push(Gap::Unreadable { path, reason: error.to_string() });
            }
        }
        // Where every socket has its holder, nothing that was asked for is missing.
        if processes.denied > 0 && processes.first.len() < count {
            processes.gaps.push(Gap::ProcessesDenied { count: processes.denied });
        }
        processes
    }

    /// Puts what was found in order, and gives each process its name.
    fn keep(&mut self, mut found: Vec<Found>, root: &Path, name: ProcessName, details: Details) {
        /// What was found and what becomes of it are as large as each other: so many are turned over at once.
        const BATCH: usize = 64 * 1024;
        found.sort_unstable();
        let mut users = Users::default();
        let mut known = FxHashMap::default();
        self.holders.reserve_exact(found.len());
        self.inodes.reserve_exact(found.len());
        while !found.is_empty() {
            let last = found.split_off(found.len().saturating_sub(BATCH));
            found.shrink_to_fit();
            for Found { inode, pid, fd } in last.into_iter().rev() {
                let process: &Arc<Process> = known.entry(pid).or_insert_with(|| {
                    let users = (details == Details::Names).then_some(&mut users);
                    let details = (details != Details::None).then(|| read_details(root, pid, users));
                    Arc::new(Process { pid, name: read_name(root, pid, name), details })
                });
                self.inodes.push(inode);
                self.holders.push(Holder { process: process.clone(), fd });
            }
        }
        self.inodes.reverse();
        self.holders.reverse();
        self.index();
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
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Every descriptor that refers to the socket with this inode, by rising process number.
    pub fn holders(&self, inode: Option<u64>) -> &[Holder] {
        let Some(inode) = inode else { return &[] };
        let is_of = |at: &u32| self.inodes.get(*at as usize) == Some(&inode);
        let Some(first) = self.first.find(hash(inode), is_of) else { return &[] };
        let start = *first as usize;
        let count = self.inodes.iter().skip(start).take_while(|other| **other == inode).count();
        self.holders.get(start..start + count).unwrap_or_default()
    }

    /// Why the socket has no holder; `None` where it has one.
    pub fn note(&self, socket: &Socket) -> Option<OwnerNote> {
        if !self.holders(socket.inode).is_empty() {
            return None;
        }
        let unseen =
            if self.denied > 0 || self.hidden { OwnerNote::NotPermitted } else { OwnerNote::NotFound };
        OwnerNote::of(socket).or(socket.inode.map(|_| unseen))
    }

    /// Every PID namespace has a process 1: who can't see it in a proc tree that has others sees its own only
    /// (`hidepid=2`).
    fn note_what_is_hidden(&mut self, root: &Path, seen: u64) {
        if seen == 0 {
            let path = root.display().to_string();
            self.gaps.push(Gap::Unreadable { path, reason: "no process is to be seen there".to_owned() });
        } else if !root.join("1").exists() {
            self.hidden = true;
            self.gaps.push(Gap::ProcessesHidden);
        }
    }
}

/// The user that a process runs as, and its command line; as much as can be read.
fn read_details(root: &Path, pid: u32, users: Option<&mut Users>) -> ProcessDetails {
    let folder = root.join(pid.to_string());
    let uid = fs::metadata(&folder).ok().map(|meta| meta.uid());
    let user = uid.zip(users).and_then(|(uid, users)| {
        users.look_up(uid);
        users.name(uid).map(str::to_owned)
    });
    let mut command = fs::read(folder.join("cmdline")).unwrap_or_default();
    while command.last() == Some(&0) {
        command.pop();
    }
    for byte in &mut command {
        if *byte == 0 {
            *byte = b' ';
        }
    }
    ProcessDetails { uid, user, command: command.into() }
}

/// The name's bytes; empty where the process has just ended.
fn read_name(root: &Path, pid: u32, name: ProcessName) -> Box<[u8]> {
    let folder = root.join(pid.to_string());
    match name {
        ProcessName::Comm => read_comm(folder.join("comm")),
        ProcessName::Command => read_command(folder.join("cmdline")),
    }
    .unwrap_or_default()
    .into()
}

fn read_comm(path: PathBuf) -> io::Result<Vec<u8>> {
    let mut bytes = fs::read(path)?;
    // The kernel adds a line break; the name may hold others.
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}

/// The first word of the command line; of a path from the root, what follows its last slash.
fn read_command(path: PathBuf) -> io::Result<Vec<u8>> {
    /// netstat reads no further.
    const READ: usize = 511;
    let mut bytes = fs::read(path)?;
    bytes.truncate(READ);
    bytes.truncate(bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()));
    if bytes.first() == Some(&b'/') {
        let slash = bytes.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        bytes.drain(..=slash);
    }
    Ok(bytes)
}
