//! Joins what the tracepoints tell of a socket: it is known by its address in the kernel, until it is destroyed, or
//! closed and all is said of that.

use std::collections::VecDeque;

use hashlink::LinkedHashMap;
use rustc_hash::FxBuildHasher;

use super::change::{Change, Meaning, OnCpu};
use super::event::{Ends, Event, Kind, Nanos};
use super::meaning::{Seen, meaning};
use super::names::Names;
use crate::model::TcpState;

/// How long a line waits for what comes behind it: the port of a SYN_SENT, the reason of an end.
pub(super) const PATIENCE: Nanos = 10_000_000;

/// How much longer it waits for a port at most.
const FOR_PORTS: Nanos = 200_000_000;

/// The sockets that are known, and the transitions that are not told yet.
#[derive(Debug)]
pub(super) struct Connections {
    /// By the socket's address, the longest idle first.
    live: LinkedHashMap<u64, Live, FxBuildHasher>,
    limit: usize,
    /// Sockets that were forgotten for want of room.
    pub(super) dropped: u64,
    lines: VecDeque<Line>,
    /// The number of the first of them.
    first: u64,
    next_connection: u64,
    /// The last error that a socket was told on each processor.
    errors: Vec<Option<(Nanos, i32, Ends)>>,
    names: Names,
    /// The cookies of sockets that are gone, and their connections, where they are asked for.
    pub(super) destroyed: Option<Vec<(u64, u64)>>,
}

/// A socket between two of its transitions.
#[derive(Debug)]
struct Live {
    connection: u64,
    state: TcpState,
    /// When it came into this state; `None` where that was not seen, or is of no worth.
    since: Option<Nanos>,
    reset_received: bool,
    /// The number of a line that waits for more.
    waiting: Option<u64>,
}

/// A transition that is to be told.
#[derive(Debug)]
pub(super) struct Line {
    /// The socket's address; 0 where no event told it.
    socket: u64,
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
    /// Why it closed.
    Reason,
    /// What the kernel has in the socket's place.
    Minisocket,
    /// It is no transition after all.
    Worth,
}

impl Connections {
    /// For so many sockets at most.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            live: LinkedHashMap::default(),
            limit: limit.max(1),
            dropped: 0,
            lines: VecDeque::new(),
            first: 0,
            next_connection: 0,
            errors: Vec::new(),
            names: Names::default(),
            destroyed: None,
        }
    }

    /// Takes an event. They must come in the order of their times.
    pub(super) fn take(&mut self, event: &Event) {
        match event.kind {
            Kind::State { socket, old, new, ends } => {
                let (old, new) = (TcpState::from_kernel(old).shown(), TcpState::from_kernel(new).shown());
                // close() in FIN_WAIT2 sets that state anew.
                if old != new {
                    self.transition(event, socket, (old, new), &ends);
                }
            }
            Kind::ResetReceived { socket } => {
                if let Some(live) = self.live.get_mut(&socket) {
                    live.reset_received = true;
                } else {
                    self.begin(socket, TcpState::Other(0)).reset_received = true;
                }
            }
            Kind::ResetSent { socket } => self.note(socket, |seen| seen.reset_sent = true),
            Kind::Destroyed { socket, cookie } => {
                self.note(socket, |_| {});
                let gone = self.live.remove(&socket);
                if let (Some(gone), Some(cookie), Some(destroyed)) = (gone, cookie, &mut self.destroyed) {
                    destroyed.push((cookie, gone.connection));
                }
            }
            Kind::Error { errno, ends } => self.take_error(event, errno, ends),
            Kind::Named { .. } | Kind::Forked { .. } | Kind::Exited { .. } => self.names.learn(&event.kind),
            Kind::Lost { .. } => {}
        }
    }

    fn begin(&mut self, socket: u64, state: TcpState) -> &mut Live {
        if self.live.len() >= self.limit && !self.live.contains_key(&socket) {
            self.live.pop_front();
            self.dropped += 1;
        }
        self.next_connection += 1;
        let live = Live {
            connection: self.next_connection,
            state,
            since: None,
            reset_received: false,
            waiting: None,
        };
        self.live.remove(&socket);
        self.live.entry(socket).or_insert(live)
    }

    fn transition(&mut self, event: &Event, socket: u64, (old, new): (TcpState, TcpState), ends: &Ends) {
        self.note_port(socket, ends.local.port);
        // A child is made in its listener's state; a connection begins anew in CLOSED.
        let is_child = old == TcpState::Listen && new == TcpState::SynRecv;
        let begins = is_child || old == TcpState::Close;
        if begins || !self.live.contains_key(&socket) {
            let since = self.live.get(&socket).filter(|live| !is_child && live.state == old);
            let since = since.and_then(|live| live.since);
            let live = self.begin(socket, old);
            (live.state, live.since) = (old, since);
        }
        let error = self.error(event, ends);
        let Some(live) = self.live.to_back(&socket) else { return };
        // Of one whose transitions were lost, it is not known when the last one was.
        let since = live.since.filter(|_| live.state == old);
        let seen = Seen {
            reset_received: live.reset_received,
            reset_sent: false,
            errno: error,
            in_interrupt: event.in_interrupt,
        };
        let lacks = lacks(old, new, ends, seen);
        let number = self.first + self.lines.len() as u64;
        live.waiting = (lacks != Lacks::Nothing).then_some(number);
        live.state = new;
        // The kernel makes the child when the handshake is through: it is in SYN_RECV for no time.
        live.since = (!is_child).then_some(event.at);
        if new == TcpState::Close {
            live.reset_received = false;
        }
        let change = Change {
            at: event.at,
            connection: live.connection,
            family: ends.family,
            local: ends.local,
            peer: ends.peer,
            old,
            new: Some(new),
            in_old: since.map(|since| event.at.saturating_sub(since)),
            on_cpu: Some(OnCpu {
                pid: event.pid,
                name: self.names.of(event.pid),
                in_interrupt: event.in_interrupt,
            }),
            meaning: meaning(old, new, seen),
        };
        self.lines.push_back(Line { socket, change, lacks, seen, since });
    }

    /// Kernels before 6.10 tell the error before they close the socket, later ones after it.
    fn take_error(&mut self, event: &Event, errno: i32, ends: Ends) {
        /// It closed just now, so its line is among the last.
        const LAST: usize = 64;
        let closed = self.lines.iter_mut().rev().take(LAST).find(|line| {
            let change = &line.change;
            matches!(line.lacks, Lacks::Reason | Lacks::Minisocket)
                && (change.family, change.local, change.peer) == (ends.family, ends.local, ends.peer)
        });
        if let Some(line) = closed {
            line.learn(|seen| seen.errno = Some(errno));
            return;
        }
        let cpu = usize::try_from(event.cpu).unwrap_or(usize::MAX);
        if cpu >= self.errors.len() && cpu < 1 << 16 {
            self.errors.resize(cpu + 1, None);
        }
        if let Some(last) = self.errors.get_mut(cpu) {
            *last = Some((event.at, errno, ends));
        }
    }

    /// The error that this very socket was told just now on this processor: it closes for that.
    fn error(&mut self, event: &Event, ends: &Ends) -> Option<i32> {
        const JUST_NOW: Nanos = 1_000_000;
        let last = self.errors.get_mut(usize::try_from(event.cpu).ok()?)?;
        let (at, errno, told) = (*last)?;
        let is_it = told == *ends && event.at.saturating_sub(at) < JUST_NOW;
        is_it.then(|| {
            *last = None;
            errno
        })
    }

    /// The line of this socket that waits for something.
    fn waiting(&mut self, socket: u64) -> Option<&mut Line> {
        let number = self.live.get_mut(&socket)?.waiting.take()?;
        self.lines.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Ends a line's wait for its reason.
    fn note(&mut self, socket: u64, learn: impl FnOnce(&mut Seen)) {
        if let Some(line) = self.waiting(socket) {
            line.learn(learn);
        }
    }

    /// Ends a line's wait for its port.
    fn note_port(&mut self, socket: u64, port: u16) {
        if let Some(line) = self.waiting(socket)
            && line.lacks == Lacks::Port
            && port != 0
        {
            line.change.local.port = port;
            line.lacks = Lacks::Nothing;
        }
    }

    /// Adds a transition that no event told.
    pub(super) fn push(&mut self, change: Change) {
        let seen = Seen::default();
        self.lines.push_back(Line { socket: 0, change, lacks: Lacks::Nothing, seen, since: None });
    }

    /// The lines that wait for this.
    pub(super) fn lacking(&mut self, lacks: Lacks) -> impl Iterator<Item = &mut Line> {
        self.lines.iter_mut().filter(move |line| line.lacks == lacks)
    }

    /// Where its destruction is not told, a socket is forgotten when all is said of its end.
    fn forget_closed(&mut self, line: &Line) {
        let is_over =
            |live: &Live| (live.connection, live.state) == (line.change.connection, TcpState::Close);
        if self.destroyed.is_none() && self.live.get(&line.socket).is_some_and(is_over) {
            self.live.remove(&line.socket);
        }
    }

    /// The next line that can be told: it lacks nothing, or has waited until `patience` for it.
    pub(super) fn next(&mut self, patience: Nanos) -> Option<Line> {
        let is_ripe = |line: &Line| match line.lacks {
            Lacks::Nothing | Lacks::Worth => true,
            // Ports are asked for now and then, for all that wait by then.
            Lacks::Port => line.change.at.saturating_add(FOR_PORTS) <= patience,
            Lacks::Reason | Lacks::Minisocket => line.change.at <= patience,
        };
        loop {
            if !is_ripe(self.lines.front()?) {
                return None;
            }
            self.first += 1;
            let mut line = self.lines.pop_front()?;
            self.forget_closed(&line);
            if line.lacks == Lacks::Minisocket {
                (line.change.new, line.change.meaning) = (None, Meaning::HandedOver);
            }
            if line.lacks != Lacks::Worth {
                return Some(line);
            }
        }
    }
}

impl Line {
    /// Learns why the socket closed, or that no more will come.
    fn learn(&mut self, learn: impl FnOnce(&mut Seen)) {
        let before = self.seen;
        learn(&mut self.seen);
        match self.lacks {
            Lacks::Reason => self.lacks = Lacks::Nothing,
            Lacks::Minisocket if self.seen != before => self.lacks = Lacks::Nothing,
            _ => return,
        }
        if let Some(new) = self.change.new {
            self.change.meaning = meaning(self.change.old, new, self.seen);
        }
    }
}

/// What must be known yet of a transition.
fn lacks(old: TcpState, new: TcpState, ends: &Ends, seen: Seen) -> Lacks {
    use TcpState::{Close, Closing, FinWait2, Listen, SynSent};
    match (old, new) {
        (_, SynSent) if ends.local.port == 0 => Lacks::Port,
        (FinWait2 | Closing, Close) if !seen.reset_received && seen.errno.is_none() => Lacks::Minisocket,
        (Listen, Close) => Lacks::Nothing,
        (_, Close) if !seen.reset_received && seen.errno.is_none() => Lacks::Reason,
        _ => Lacks::Nothing,
    }
}

#[cfg(test)]
#[path = "connections_tests.rs"]
mod tests;
