//! The names of the processes that are on the processors.

use std::collections::VecDeque;
use std::fs;

use rustc_hash::FxHashMap;

use super::event::{Comm, Kind};

/// The names that are known, kept true by what the rings tell of processes.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: FxHashMap<u32, Comm>,
    /// Processes that have ended: they close their sockets after that is told.
    ended: VecDeque<u32>,
}

/// So many processes that have ended keep their names.
const ENDED: usize = 1024;

impl Names {
    /// The process's name: one that began since the trace did is known though it may be gone by now.
    pub(super) fn of(&mut self, pid: u32) -> Comm {
        if pid == 0 {
            // The processor's own thread, which does nothing.
            return Comm::from_bytes(b"idle");
        }
        *self.known.entry(pid).or_insert_with(|| {
            fs::read(format!("/proc/{pid}/comm"))
                .map_or_else(|_| Comm::default(), |name| Comm::from_bytes(&name))
        })
    }

    /// Learns what an event tells of processes.
    pub(super) fn learn(&mut self, kind: &Kind) {
        match kind {
            Kind::Named { pid, name } => {
                self.known.insert(*pid, *name);
            }
            Kind::Forked { pid, parent } => {
                if let Some(name) = self.known.get(parent) {
                    self.known.insert(*pid, *name);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_have_their_parents_name_until_they_have_one() {
        let mut names = Names::default();
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
        assert_eq!(Comm::from_bytes(b"a\nb").as_bytes(), b"a");
    }
}
