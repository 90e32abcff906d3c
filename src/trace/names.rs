//! The names of the processes that are on the processors.

use std::collections::VecDeque;
use std::fs;

use rustc_hash::FxHashMap;

use super::event::{Comm, Kind};

/// The names that are known, kept true by what the rings tell of processes.
#[derive(Debug)]
pub(super) struct Names {
    known: FxHashMap<u32, Comm>,
    /// Processes that have ended: they close their sockets after that is told.
    ended: VecDeque<u32>,
}

/// So many processes that have ended keep their names.
const ENDED: usize = 1024;

impl Names {
    /// Those of the processes that there are: one that ends is gone before its name is asked for.
    pub(super) fn of_now() -> Self {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let known = pids.filter_map(|pid| Some((pid, read(pid)?))).collect();
        Self { known, ended: VecDeque::new() }
    }

    /// The process's name: that of one that was there since the trace began is known though it may be gone by now.
    pub(super) fn of(&mut self, pid: u32) -> Comm {
        if pid == 0 {
            // The processor's own thread, which does nothing.
            return Comm::from_bytes(b"idle");
        }
        *self.known.entry(pid).or_insert_with(|| read(pid).unwrap_or_default())
    }

    /// Learns what an event tells of processes.
    pub(super) fn learn(&mut self, kind: &Kind) {
        match kind {
            Kind::Named { pid, name } => {
                self.known.insert(*pid, *name);
            }
            Kind::Forked { pid, parent } => {
                let name = self.of(*parent);
                if name.as_bytes().is_empty() {
                    // It may be there to be asked itself; what is known is of an earlier one.
                    self.known.remove(pid);
                } else {
                    self.known.insert(*pid, name);
                }
            }
            Kind::Exited { pid } => {
                self.ended.push_back(*pid);
                if self.ended.len() > ENDED
                    && let Some(first) = self.ended.pop_front()
                {
                    // Another one may have the number by now: then its name is read again.
                    self.known.remove(&first);
                }
            }
            _ => {}
        }
    }
}

/// Of a process that is there.
fn read(pid: u32) -> Option<Comm> {
    let name = fs::read(format!("/proc/{pid}/comm")).ok()?;
    // The last line break is the file's, any before it the name's.
    Some(Comm::from_bytes(name.strip_suffix(b"\n").unwrap_or(&name)))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn children_have_their_parents_name_until_they_have_one() {
        let mut names = Names::of_now();
        // No process has so high a number.
        let (parent, pid) = (u32::MAX, u32::MAX - 1);
        assert_eq!(names.of(parent).as_bytes(), b"");
        names.learn(&Kind::Named { pid: parent, name: Comm::from_bytes(b"sh\0\0") });
        names.learn(&Kind::Forked { pid, parent });
        assert_eq!(names.of(pid).as_bytes(), b"sh");
        names.learn(&Kind::Named { pid, name: Comm::from_bytes(b"curl") });
        assert_eq!(names.of(pid).as_bytes(), b"curl");
        names.learn(&Kind::Exited { pid });
        assert_eq!(names.of(pid).as_bytes(), b"curl", "it closes its sockets yet");
        for pid in 1..=u32::try_from(ENDED).unwrap() {
            names.learn(&Kind::Exited { pid: u32::MAX / 2 + pid });
        }
        assert_eq!(names.of(pid).as_bytes(), b"", "it is forgotten");
        assert_ne!(names.of(std::process::id()).as_bytes(), b"", "its own is read");
    }

    #[test]
    fn names_are_cut_as_the_kernel_does() {
        assert_eq!(Comm::from_bytes(b"0123456789abcdefgh").as_bytes(), b"0123456789abcde");
        assert_eq!(Comm::from_bytes(b"a\nb\n\0\0").as_bytes(), b"a\nb\n", "a line break is a character");
    }

    #[test]
    fn a_process_that_was_there_keeps_its_name() {
        let mut cat = Command::new("cat");
        let mut child = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let mut names = Names::of_now();
        child.stdin.take();
        child.wait().unwrap();
        assert_eq!(names.of(child.id()).as_bytes(), b"cat");
    }

    #[test]
    fn the_parent_of_a_process_is_looked_up() {
        let mut names = Names { known: FxHashMap::default(), ended: VecDeque::new() };
        // No process has so high a number.
        let pid = u32::MAX - 1;
        names.learn(&Kind::Forked { pid, parent: std::process::id() });
        assert_ne!(names.of(pid).as_bytes(), b"");
        // Of one that has gone, the child is asked itself, and not taken for another that had its number.
        let name = Comm::from_bytes(b"another");
        names.learn(&Kind::Named { pid: std::process::id(), name });
        names.learn(&Kind::Forked { pid: std::process::id(), parent: u32::MAX });
        assert_ne!(names.of(std::process::id()), name);
    }
}
