//! Threads with a descriptor table of their own.
//!
//! All threads of a process share one table, unless one of them asked for its own (`unshare(CLONE_FILES)`). That is
//! rare, and looking for such tables costs a few microseconds per thread: on hosts with ten thousand threads, as much
//! as the scan itself. So they are searched only if some wanted sockets are in no process's own table. A descriptor in
//! a thread's own table is therefore missed if another process, or another table of the same process, refers to the
//! same socket: that socket has its owner, but this further holder is not listed.

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, StatxFlags, readlinkat_raw, statx};
use rustix::path::DecInt;

use super::scan::{Scan, Search, each_number, is_gone, open_folder};
use crate::kernel::kcmp::shares_descriptors;

impl Search<'_> {
    /// Searches the tables that are not their process's.
    pub(super) fn threads(&self, pids: &[u32]) -> Scan {
        let mut scan = Scan::default();
        let can_compare = self.has_our_numbers();
        for pid in pids.iter().take_while(|_| !self.deadline.is_over()) {
            let result = self.threads_of(*pid, can_compare, &mut scan);
            scan.note(*pid, result);
        }
        scan
    }

    fn threads_of(&self, pid: u32, can_compare: bool, scan: &mut Scan) -> rustix::io::Result<()> {
        /// A folder of threads has two links, plus one for each thread (`proc_task_getattr`).
        const LINKS_OF_ONE: u32 = 3;
        let process = open_folder(&self.root, DecInt::new(pid))?;
        let links = statx(&process, c"task", AtFlags::empty(), StatxFlags::NLINK)?.stx_nlink;
        if links <= LINKS_OF_ONE {
            return Ok(());
        }
        let tasks = open_folder(&process, c"task")?;
        let mut threads = Vec::new();
        each_number(&tasks, |thread| threads.push(thread))?;
        let mut own = None;
        for thread in threads.into_iter().filter(|thread| *thread != pid) {
            let compared = if can_compare { shares_descriptors(pid, thread) } else { None };
            let shares = compared.unwrap_or_else(|| {
                let own = own.get_or_insert_with(|| numbers(&tasks, pid));
                own.is_some() && *own == numbers(&tasks, thread)
            });
            if shares {
                continue;
            }
            match self.thread(pid, &tasks, thread, scan) {
                Err(error) if !is_gone(error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether this tree has the process numbers of our own PID namespace, which kcmp(2) takes.
    fn has_our_numbers(&self) -> bool {
        let mut buffer = [std::mem::MaybeUninit::uninit(); 16];
        let own = rustix::process::getpid().as_raw_nonzero().to_string();
        readlinkat_raw(&self.root, c"self", &mut buffer).is_ok_and(|(text, _)| *text == *own.as_bytes())
    }
}

/// The numbers of a thread's descriptors. Where kcmp(2) cannot compare two threads, they are assumed to share one table
/// if their descriptors have the same numbers: a thread's own table starts as a copy, and differs as soon as the thread
/// opens anything.
fn numbers(tasks: &OwnedFd, thread: u32) -> Option<Vec<u32>> {
    let task = open_folder(tasks, DecInt::new(thread)).ok()?;
    let mut fds = Vec::new();
    each_number(open_folder(&task, c"fd").ok()?, |fd| fds.push(fd)).ok()?;
    Some(fds)
}
