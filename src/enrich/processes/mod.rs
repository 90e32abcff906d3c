//! Which processes hold which sockets, from /proc/PID/fd.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use procfs::ProcError;
use procfs::process::{FDTarget, Process, all_processes_with_root};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{Gap, Holder, OwnerNote, ProcessName, Socket};

/// The holders of the sockets that were asked for.
#[derive(Debug, Default)]
pub struct Processes {
    by_inode: FxHashMap<u64, Vec<Holder>>,
    gaps: Vec<Gap>,
    denied: u64,
    hidden: bool,
}

impl Processes {
    /// Looks through the descriptors of every process below `root`, a proc tree, for sockets with these inodes.
    /// A process that ends meanwhile is passed over.
    pub fn scan(root: &Path, wanted: &FxHashSet<u64>, name: ProcessName) -> Self {
        let mut found = Self::default();
        if wanted.is_empty() {
            return found;
        }
        match all_processes_with_root(root) {
            Ok(processes) => {
                let mut seen = 0;
                // One that can't even be opened has just ended.
                for process in processes.flatten() {
                    seen += 1;
                    found.take(&process, root, wanted, name);
                }
                found.note_what_is_hidden(root, seen);
            }
            Err(error) => {
                let path = root.display().to_string();
                found.gaps.push(Gap::Unreadable { path, reason: error.to_string() });
            }
        }
        if found.denied > 0 {
            found.gaps.push(Gap::ProcessesDenied { count: found.denied });
        }
        found
    }

    /// What could not be seen.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Every descriptor that refers to the socket, by rising process number.
    pub fn holders(&self, socket: &Socket) -> &[Holder] {
        socket.inode.and_then(|inode| self.by_inode.get(&inode)).map_or(&[], Vec::as_slice)
    }

    /// Why the socket has no holder; `None` where it has one.
    pub fn note(&self, socket: &Socket) -> Option<OwnerNote> {
        if !self.holders(socket).is_empty() {
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

    fn take(&mut self, process: &Process, root: &Path, wanted: &FxHashSet<u64>, name: ProcessName) {
        let descriptors = match process.fd() {
            Ok(descriptors) => descriptors,
            Err(ProcError::PermissionDenied(_)) => {
                self.denied += 1;
                return;
            }
            Err(_) => return,
        };
        let Ok(pid) = u32::try_from(process.pid()) else { return };
        let mut own_name = None;
        for descriptor in descriptors {
            let descriptor = match descriptor {
                Ok(descriptor) => descriptor,
                // The folder may be read and its links not: the process is another user's all the same.
                Err(ProcError::PermissionDenied(_)) => {
                    self.denied += 1;
                    return;
                }
                Err(_) => continue,
            };
            let (FDTarget::Socket(inode), Ok(fd)) = (descriptor.target, u32::try_from(descriptor.fd)) else {
                continue;
            };
            if wanted.contains(&inode) {
                let name = own_name.get_or_insert_with(|| read_name(root, pid, name)).clone();
                self.by_inode.entry(inode).or_default().push(Holder { pid, name, fd });
            }
        }
    }
}

/// The name's bytes; empty where the process has just ended.
fn read_name(root: &Path, pid: u32, name: ProcessName) -> Arc<[u8]> {
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
