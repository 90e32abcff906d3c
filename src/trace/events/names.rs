//! The process that was on the processor, and its name.
//!
//! An event has the number of a thread in the initial PID namespace. Threads that exist when the trace starts are
//! read from /proc, if that is the initial namespace's. Events report those that start and end later.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::kernel::process::{is_initial_namespace, name_of, pids, process_of, threads_of};
use crate::kernel::ring::{Comm, Event, EventKind};
use crate::trace::changes::OnCpu;

/// The known names.
#[derive(Debug)]
pub(super) struct Names {
    /// The names of processes, by PID. The first thread of a process has the PID as its number.
    known: FxHashMap<u32, Comm>,
    /// The PIDs of other threads, by thread number.
    process: FxHashMap<u32, u32>,
    /// Threads that have ended, oldest first. Their names are kept for a while: the kernel closes a process's sockets
    /// after the event of its exit.
    ended: VecDeque<u32>,
    /// Whether this process and its /proc use the same numbers as the events.
    is_initial_namespace: bool,
}

/// How many ended threads keep their names.
const ENDED: usize = 1024;

impl Names {
    /// Reads the names of all processes now: a process may have ended by the time that its event is read.
    pub(super) fn read() -> Self {
        // In another PID namespace, /proc has other numbers: all names come from events and from `saved_cmdlines`.
        if is_initial_namespace() == Some(true) { Self::from_proc() } else { Self::empty(false) }
    }

    /// The names of all processes in /proc.
    fn from_proc() -> Self {
        let mut names = Self::empty(true);
        for pid in pids() {
            names.look_up(pid);
        }
        names
    }

    /// No names yet.
    fn empty(is_initial_namespace: bool) -> Self {
        Self {
            known: FxHashMap::default(),
            process: FxHashMap::default(),
            ended: VecDeque::new(),
            is_initial_namespace,
        }
    }

    /// Reads the name and the threads of a process, if it exists.
    fn look_up(&mut self, pid: u32) {
        let Some(name) = name_of(pid) else { return };
        self.known.insert(pid, Comm::from_bytes(&name));
        let threads = threads_of(pid).into_iter().filter(|thread| *thread != pid);
        self.process.extend(threads.map(|thread| (thread, pid)));
    }

    /// The process that was on the processor, and its name if that is known.
    pub(super) fn on_cpu(&mut self, event: &Event) -> OnCpu {
        let (pid, name) = match event.thread {
            // Each processor's idle thread.
            0 => (Some(0), Comm::from_bytes(b"idle")),
            thread => self.of(thread),
        };
        OnCpu { pid, name, in_interrupt: event.in_interrupt }
    }

    /// The PID and the name for a thread's number.
    fn of(&mut self, thread: u32) -> (Option<u32>, Comm) {
        if self.is_initial_namespace && !self.is_known(thread) {
            self.look_up(process_of(thread).unwrap_or(thread));
        }
        let pid = self.pid(thread);
        let name = self.known.get(&pid).copied().unwrap_or_default();
        (self.is_initial_namespace.then_some(pid), name)
    }

    fn is_known(&self, thread: u32) -> bool {
        self.process.contains_key(&thread) || self.known.contains_key(&thread)
    }

    fn pid(&self, thread: u32) -> u32 {
        self.process.get(&thread).copied().unwrap_or(thread)
    }

    /// Whether `saved_cmdlines` has to be read: one of these events is of a thread without a known name, and /proc of
    /// another PID namespace does not have it.
    pub(super) fn need_list<'a>(&self, mut events: impl Iterator<Item = &'a Event>) -> bool {
        let is_unknown = |event: &Event| event.thread != 0 && !self.is_known(event.thread);
        !self.is_initial_namespace && events.any(is_unknown)
    }

    /// Takes names from `saved_cmdlines`, the kernel's list of threads that ran while events were recorded.
    pub(super) fn learn_list(&mut self, list: &str) {
        /// The kernel's placeholder for a forgotten name.
        const NO_NAME: &str = "<...>";
        for (thread, name) in list.lines().filter_map(|line| line.split_once(' ')) {
            if let Ok(thread) = thread.parse()
                && !self.is_known(thread)
                && name != NO_NAME
            {
                self.known.insert(thread, Comm::from_bytes(name.as_bytes()));
            }
        }
    }

    /// Takes an event about a thread: its start, its new name or its end.
    pub(super) fn learn(&mut self, event: &Event) {
        match event.kind {
            EventKind::Named { thread, name } if !self.process.contains_key(&thread) => {
                self.known.insert(thread, name);
            }
            EventKind::Began { thread, of_process: true, .. } => {
                self.of(event.thread);
                self.known.remove(&thread);
                self.process.insert(thread, self.pid(event.thread));
            }
            EventKind::Began { thread, name, .. } => {
                self.process.remove(&thread);
                self.known.insert(thread, name);
            }
            EventKind::Exited { thread, name } => self.end(thread, name),
            _ => {}
        }
    }

    /// Notes that a thread ended, and forgets the one that ended longest ago if there are too many.
    fn end(&mut self, thread: u32, name: Comm) {
        if !self.is_known(thread) && !self.is_initial_namespace {
            self.known.insert(thread, name);
        }
        self.ended.push_back(thread);
        if self.ended.len() > ENDED
            && let Some(first) = self.ended.pop_front()
        {
            // If the number is in use again, the next event of it looks the name up again.
            self.known.remove(&first);
            self.process.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests;
