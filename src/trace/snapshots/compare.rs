//! Compares each snapshot with the sockets known from earlier ones, and with the kernel's notices of sockets
//! destroyed in between.

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use crate::kernel::clock::Wall;
use crate::kernel::ring::Nanos;
use crate::model::{Consumer, Ends, Holder, Identity, Row, Socket, Source, TcpState, transitions_between};
use crate::trace::changes::{Bytes, Meaning, NOTICE_WAIT, Observation, StateChange};

/// The known sockets, and the snapshot that is being compared with them.
#[derive(Debug)]
pub(super) struct Comparison {
    known: FxHashMap<Identity, Known>,
    limit: usize,
    /// Connections whose socket is gone but whose notice has not come: when it went, and the connection's number.
    awaiting_notice: FxHashMap<Ends, (Nanos, u64)>,
    /// The number of the current snapshot.
    snapshot: u64,
    now: Nanos,
    wall: Wall,
    next_connection: u64,
    /// How many sockets of the last snapshot are not remembered because of the limit: a socket that seems new may be
    /// one of them.
    not_remembered: u64,
    /// Sockets of this snapshot that are not known.
    unknown: Vec<(Identity, Known)>,
    /// How many more there were, over the limit.
    over_limit: u64,
    /// Transitions to report at the end of the snapshot.
    changes: Vec<StateChange>,
    /// Byte counts from notices, by the connection's number.
    gone: Vec<(u64, Option<Bytes>)>,
    /// Byte counts from notices of sockets that no snapshot had.
    unseen: FxHashMap<Ends, Option<Bytes>>,
    /// Sockets that were not remembered because of the limit.
    pub(super) dropped: u64,
}

/// A known socket.
#[derive(Clone, Copy, Debug)]
struct Known {
    ends: Ends,
    state: TcpState,
    /// When it was first seen in this state; `None` if it may have been in it before the trace.
    since: Option<Nanos>,
    connection: u64,
    /// The last snapshot that had it.
    snapshot: u64,
    /// Its notice has come.
    notice_came: bool,
}

impl Known {
    /// Whether this may be a minisocket, which the kernel keeps in place of a closed socket.
    fn may_be_minisocket(&self) -> bool {
        matches!(self.state, TcpState::FinWait2 | TcpState::TimeWait)
    }

    /// Whether a notice may come after it has gone. A TIME_WAIT has none.
    fn may_get_notice(&self) -> bool {
        !self.notice_came && self.state != TcpState::TimeWait && !self.ends.peer.is_unspecified()
    }
}

impl Comparison {
    /// Remembers at most `limit` sockets.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            known: FxHashMap::default(),
            limit,
            awaiting_notice: FxHashMap::default(),
            snapshot: 0,
            now: 0,
            wall: Wall::default(),
            next_connection: 0,
            not_remembered: 0,
            unknown: Vec::new(),
            over_limit: 0,
            changes: Vec::new(),
            gone: Vec::new(),
            unseen: FxHashMap::default(),
            dropped: 0,
        }
    }

    /// Begins a snapshot: give it the notices that have come first, and then its sockets.
    pub(super) fn begin_snapshot(&mut self, now: Nanos, wall: Wall) {
        self.snapshot += 1;
        (self.now, self.wall) = (now, wall);
    }

    /// Takes a notice of a destroyed socket.
    pub(super) fn notice(&mut self, socket: &Socket) {
        let Some(cookie) = socket.cookie else { return };
        let bytes = Bytes::of(socket);
        let ends = Ends::of(socket);
        if self.snapshot == 1 || ends.peer.is_unspecified() {
            return;
        }
        if let Some(known) = self.known.get_mut(&Identity::Cookie(cookie)) {
            known.notice_came = true;
            self.gone.push((known.connection, bytes));
        } else if let Some((_, connection)) = self.awaiting_notice.remove(&ends) {
            self.gone.push((connection, bytes));
        } else if self.not_remembered > 0 {
            // It may be one of those that are not remembered.
        } else if self.known.len() + self.unseen.len() < self.limit {
            if let Some(of_earlier) = self.unseen.insert(ends, bytes) {
                self.report_unseen(ends, of_earlier);
            }
        } else {
            self.dropped += 1;
        }
    }

    /// Ends the snapshot and reports what has changed. A socket that an interrupted snapshot lacks need not have
    /// gone.
    pub(super) fn end(&mut self, is_whole: bool, report: &mut dyn FnMut(Observation<'_>)) {
        // Only now, after the notices: the pause since the last snapshot may have been longer than NOTICE_WAIT.
        self.awaiting_notice.retain(|_, (since, _)| *since + NOTICE_WAIT >= self.now);
        let unknown = std::mem::take(&mut self.unknown);
        let unknown = self.join_minisockets(unknown);
        if is_whole {
            self.close_gone();
        }
        self.remember(unknown);
        for (ends, bytes) in std::mem::take(&mut self.unseen) {
            self.report_unseen(ends, bytes);
        }
        for change in self.changes.drain(..) {
            report(Observation::Change(&change, self.wall));
        }
        for (connection, bytes) in self.gone.drain(..) {
            report(Observation::Destroyed { connection, bytes });
        }
    }

    /// Reports a connection that opened and closed since the last snapshot.
    fn report_unseen(&mut self, ends: Ends, bytes: Option<Bytes>) {
        let connection = self.new_number();
        self.changes.push(change(&between_snapshots(ends, connection), TcpState::Close, self.now));
        self.gone.push((connection, bytes));
    }

    fn new_number(&mut self) -> u64 {
        self.next_connection += 1;
        self.next_connection
    }

    /// Joins new minisockets to the connections they come from: those with the same address pair whose socket has
    /// gone. Returns the others.
    fn join_minisockets(&mut self, unknown: Vec<(Identity, Known)>) -> Vec<(Identity, Known)> {
        if unknown.is_empty() {
            return unknown;
        }
        let snapshot = self.snapshot;
        let left = self.known.iter().filter(|(_, known)| known.snapshot != snapshot);
        let mut gone: FxHashMap<_, _> = left.map(|(identity, known)| (known.ends, *identity)).collect();
        let mut rest = Vec::new();
        for (identity, mut found) in unknown {
            let before = gone.remove(&found.ends).and_then(|before| self.known.remove(&before));
            let before = before.or_else(|| self.unseen_before(&found));
            let Some(before) = before else {
                rest.push((identity, found));
                continue;
            };
            found.connection = before.connection;
            self.changes.push(change(&before, found.state, self.now));
            if before.may_get_notice() {
                self.await_notice(&before);
            }
            self.known.insert(identity, found);
        }
        rest
    }

    /// The closed socket that this minisocket replaced, if a notice has come of it but no snapshot had it.
    fn unseen_before(&mut self, found: &Known) -> Option<Known> {
        let bytes = if found.may_be_minisocket() { self.unseen.remove(&found.ends) } else { None }?;
        let connection = self.new_number();
        self.gone.push((connection, bytes));
        Some(between_snapshots(found.ends, connection))
    }

    /// Notes that the sockets which this snapshot lacks have closed.
    fn close_gone(&mut self) {
        let snapshot = self.snapshot;
        let gone: Vec<_> = self.known.extract_if(|_, known| known.snapshot != snapshot).collect();
        for (_, known) in gone {
            // A socket that was only bound was CLOSED already.
            if known.state != TcpState::Close {
                self.changes.push(change(&known, TcpState::Close, self.now));
            }
            if known.may_get_notice() {
                self.await_notice(&known);
            }
        }
    }

    /// Notes that the notice of this connection's socket, which has gone, may still come.
    fn await_notice(&mut self, of: &Known) {
        if self.awaiting_notice.len() < self.limit {
            self.awaiting_notice.insert(of.ends, (self.now, of.connection));
        }
    }

    /// Remembers new sockets up to the limit. Known sockets are not dropped for them: they would seem new in the next
    /// snapshot.
    fn remember(&mut self, unknown: Vec<(Identity, Known)>) {
        let may_be_older = self.snapshot == 1 || self.not_remembered > 0;
        let mut not_remembered = std::mem::take(&mut self.over_limit);
        for (identity, mut found) in unknown {
            if self.known.len() >= self.limit {
                not_remembered += 1;
                continue;
            }
            found.connection = self.new_number();
            if may_be_older {
                found.since = None;
            } else if found.state != TcpState::Close {
                let old = if found.state == TcpState::SynRecv { TcpState::Listen } else { TcpState::Close };
                let before = Known { state: old, since: None, ..found };
                self.changes.push(change(&before, found.state, self.now));
            }
            if found.may_be_minisocket() {
                self.await_notice(&found);
            }
            self.known.insert(identity, found);
        }
        self.dropped += not_remembered.saturating_sub(self.not_remembered);
        self.not_remembered = not_remembered;
    }
}

impl Consumer for Comparison {
    /// No row waits for its holders: none are asked for.
    type Later = ();

    fn begin(&mut self, _source: Source) {
        // The source starts over. What was noted about known sockets stands, and is not noted twice.
        self.unknown.clear();
        self.over_limit = 0;
    }

    fn take(&mut self, row: &Row<'_>) -> ControlFlow<()> {
        let socket = row.socket;
        let (state, ends, snapshot) = (socket.state.shown(), Ends::of(socket), self.snapshot);
        let identity = Identity::of(socket);
        match self.known.get_mut(&identity) {
            Some(known) => {
                known.snapshot = snapshot;
                if known.state != state {
                    // connect() sets the peer and the local address together with the state.
                    known.ends = ends;
                    self.changes.push(change(known, state, self.now));
                    (known.state, known.since) = (state, Some(self.now));
                }
            }
            None if self.unknown.len() < self.limit => {
                let since = Some(self.now);
                let found = Known { ends, state, since, connection: 0, snapshot, notice_came: false };
                self.unknown.push((identity, found));
            }
            None => self.over_limit += 1,
        }
        ControlFlow::Continue(())
    }

    fn keep(&mut self, row: &Row<'_>) {
        let _ = self.take(row);
    }

    fn take_later(&mut self, (): (), _: &[Holder]) {}
}

/// A socket that no snapshot had, as if it had been CLOSED before.
fn between_snapshots(ends: Ends, connection: u64) -> Known {
    Known { ends, state: TcpState::Close, since: None, connection, snapshot: 0, notice_came: true }
}

/// The transition of a known socket to a new state.
fn change(known: &Known, new: TcpState, now: Nanos) -> StateChange {
    let Known { ends, state: old, since, connection, .. } = *known;
    StateChange {
        at: now,
        connection,
        family: ends.family,
        local: ends.local,
        peer: ends.peer,
        old,
        new: Some(new),
        in_old: since.filter(|_| old != new).map(|since| now.saturating_sub(since)),
        on_cpu: None,
        meaning: meaning(old, new),
    }
}

/// The meaning of two states, one snapshot apart.
fn meaning(old: TcpState, new: TcpState) -> Meaning {
    use TcpState::{Close, LastAck, Listen, SynSent, TimeWait};
    match (old, new) {
        (Close, Close) => Meaning::BetweenSnapshots,
        // Several transitions are possible, but the first one listed is by far the most likely.
        (Listen | LastAck | TimeWait, Close) => {
            transitions_between(old, new).next().map_or(Meaning::StepsMissed, Meaning::Listed)
        }
        (SynSent, Close) => Meaning::WhyUnseen,
        (_, Close) => Meaning::StepsMissed,
        _ => {
            let usual = transitions_between(old, new).find(|way| way.on_linux);
            usual.map_or(Meaning::StepsMissed, Meaning::Listed)
        }
    }
}

#[cfg(test)]
mod tests;
