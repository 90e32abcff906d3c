//! Transitions that are not told yet, in the order of time. One may lack something that comes behind it, and holds those
//! behind it back meanwhile.

use std::collections::{BTreeMap, VecDeque};

use super::meaning::{Seen, meaning};
use crate::kernel::ring::{Ends, Nanos};
use crate::trace::changes::{Change, Meaning};

/// How long a line waits for what comes behind it: the reason of an end.
pub(super) const PATIENCE: Nanos = 10_000_000;

/// How much longer it waits for a port at most.
pub(super) const FOR_PORTS: Nanos = 200_000_000;

/// The transitions of events, and those that no event told.
#[derive(Debug, Default)]
pub(super) struct Lines {
    queue: VecDeque<Line>,
    /// The number of the first of them.
    first: u64,
    others: BTreeMap<(Nanos, u64), Change>,
    next_other: u64,
}

/// A transition that is to be told.
#[derive(Debug)]
pub(super) struct Line {
    /// The socket's address.
    pub(super) socket: u64,
    pub(super) change: Change,
    pub(super) lacks: Lacks,
    pub(super) seen: Seen,
    /// When its state before began.
    pub(super) since: Option<Nanos>,
}

/// What a line waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lacks {
    Nothing,
    /// The local port.
    Port,
    /// The local port was asked for at this time: an event from before it knows better.
    PortAsked(Nanos),
    /// The peer of a server's new socket, which kernels before 6.14 tell with its next event.
    Peer,
    /// Why it closed.
    Reason,
    /// What the kernel has in the socket's place.
    Minisocket,
    /// Why there is nothing in its place: a reset may yet be told.
    Fate,
    /// It is no transition after all.
    Worth,
}

/// What can be told by now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Until {
    /// Nothing can come any more that is as old as this.
    pub(super) sure: Nanos,
    /// What is as old as this has waited long enough.
    pub(super) patience: Nanos,
}

impl Until {
    /// Whatever there is.
    pub(super) const END: Self = Self { sure: Nanos::MAX, patience: Nanos::MAX };
}

impl Lines {
    /// The number that the next line will have.
    pub(super) fn next_number(&self) -> u64 {
        self.first + self.queue.len() as u64
    }

    pub(super) fn push(&mut self, line: Line) {
        self.queue.push_back(line);
    }

    /// Adds a transition that no event told, at its time.
    pub(super) fn push_other(&mut self, change: Change) {
        self.others.insert((change.at, self.next_other), change);
        self.next_other += 1;
    }

    /// The line of this number, if it is not told yet.
    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Line> {
        self.queue.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Line> {
        self.queue.iter()
    }

    /// The lines that wait for this.
    pub(super) fn lacking(&mut self, lacks: Lacks) -> impl Iterator<Item = &mut Line> {
        self.queue.iter_mut().filter(move |line| line.lacks == lacks)
    }

    /// The line of a socket with these ends that closed just now and waits to know why.
    pub(super) fn closed(&mut self, ends: &Ends) -> Option<&mut Line> {
        /// It is among the last.
        const LAST: usize = 64;
        self.queue
            .iter_mut()
            .rev()
            .take(LAST)
            .find(|line| line.waits_for_reason() && line.change.ends() == *ends)
    }

    /// The next that can be told, and the address of its socket where an event told it.
    pub(super) fn next(&mut self, until: Until) -> Option<(Option<u64>, Change)> {
        loop {
            let at = self.queue.front().map(|line| line.change.at);
            if let Some(other) = self.others.first_entry()
                && other.key().0 <= until.sure
                && at.is_none_or(|at| other.key().0 < at)
            {
                return Some((None, other.remove()));
            }
            if !self.queue.front()?.is_ripe(until) {
                return None;
            }
            self.first += 1;
            let mut line = self.queue.pop_front()?;
            if matches!(line.lacks, Lacks::Minisocket | Lacks::Fate) {
                (line.change.new, line.change.meaning) = (None, Meaning::HandedOver);
            }
            if line.lacks != Lacks::Worth {
                return Some((Some(line.socket), line.change));
            }
        }
    }
}

impl Line {
    fn is_ripe(&self, until: Until) -> bool {
        let at = self.change.at;
        at <= until.sure
            && match self.lacks {
                Lacks::Nothing | Lacks::Worth => true,
                // Ports are asked for now and then, for all that wait by then.
                Lacks::Port => at.saturating_add(FOR_PORTS) <= until.patience,
                Lacks::PortAsked(then) => then <= until.sure,
                Lacks::Peer | Lacks::Reason | Lacks::Minisocket | Lacks::Fate => at <= until.patience,
            }
    }

    pub(super) fn waits_for_ends(&self) -> bool {
        matches!(self.lacks, Lacks::Port | Lacks::PortAsked(_) | Lacks::Peer)
    }

    pub(super) fn waits_for_reason(&self) -> bool {
        matches!(self.lacks, Lacks::Reason | Lacks::Minisocket | Lacks::Fate)
    }

    /// Learns why the socket closed, or that no more will come.
    pub(super) fn learn(&mut self, learn: impl FnOnce(&mut Seen)) {
        let before = self.seen;
        learn(&mut self.seen);
        match self.lacks {
            Lacks::Reason => self.lacks = Lacks::Nothing,
            Lacks::Minisocket | Lacks::Fate if self.seen != before => self.lacks = Lacks::Nothing,
            _ => return,
        }
        if let Some(new) = self.change.new {
            self.change.meaning = meaning(self.change.old, new, self.seen);
        }
    }
}
