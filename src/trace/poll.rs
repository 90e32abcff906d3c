//! Transitions by comparing snapshots: where tracepoints can't be had. What lasts less than the time between two is
//! not seen, but for what the kernel's notices of destroyed sockets tell.

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use super::change::{Bytes, Change, Meaning, Told};
use super::event::{Ends, Nanos};
use super::{Missed, Options};
use crate::collect::netlink::Notices;
use crate::collect::{CollectError, Sink, collect};
use crate::model::{Gap, Socket, Source, StateSet, TcpState, ways_between};
use crate::query::{Access, Families, Query};

/// The snapshots at work.
#[derive(Debug)]
pub(super) struct Poller {
    known: FxHashMap<Identity, Known>,
    notices: Option<Notices>,
    every: Nanos,
    next: Nanos,
    limit: usize,
    /// The number of the snapshot.
    round: u64,
    next_connection: u64,
    missed: Missed,
    query: Query,
    access: Access,
}

/// By what a socket is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Identity {
    Cookie(u64),
    /// Where the source does not tell cookies.
    Ends(Ends),
}

#[derive(Clone, Copy, Debug)]
struct Known {
    ends: Ends,
    state: TcpState,
    /// When it was first seen in this state; not of those that were there from the beginning.
    since: Option<Nanos>,
    connection: u64,
    /// The last snapshot that had it; of what only a notice told, none.
    round: u64,
}

/// A snapshot being compared.
struct Comparison<'a> {
    poller: &'a mut Poller,
    now: Nanos,
    changes: Vec<Change>,
    fresh: Vec<(Identity, Known)>,
}

impl Poller {
    /// Of this thread's network namespace; with the kernel's notices of it, if they can be had.
    pub(super) fn new(options: &Options, access: &Access, notices: Option<Notices>) -> Self {
        Self {
            known: FxHashMap::default(),
            notices,
            every: options.poll,
            next: 0,
            limit: options.max_sockets,
            round: 0,
            next_connection: 0,
            missed: Missed::default(),
            query: Query::new(Families::Both, StateSet::ALL),
            access: access.clone(),
        }
    }

    /// How long until the next snapshot is due.
    pub(super) fn wait(&self, now: Nanos) -> Nanos {
        self.next.saturating_sub(now)
    }

    pub(super) fn missed(&self) -> Missed {
        self.missed
    }

    /// Takes a snapshot if it is time to, and tells what changed.
    pub(super) fn read(
        &mut self,
        now: Nanos,
        tell: &mut dyn FnMut(Told<'_>),
    ) -> Result<Vec<Gap>, CollectError> {
        if now < self.next { Ok(Vec::new()) } else { self.snapshot(now, tell) }
    }

    /// Takes a snapshot, and tells what changed.
    pub(super) fn snapshot(
        &mut self,
        now: Nanos,
        tell: &mut dyn FnMut(Told<'_>),
    ) -> Result<Vec<Gap>, CollectError> {
        self.next = now + self.every;
        self.round += 1;
        let is_first = self.round == 1;
        let gone = self.take_notices();
        let (query, access) = (self.query.clone(), self.access.clone());
        let mut comparison = Comparison { poller: self, now, changes: Vec::new(), fresh: Vec::new() };
        let snapshot = collect(&query, &access, &mut comparison)?;
        let Comparison { mut changes, fresh, .. } = comparison;
        // What broke off lacks sockets that have not gone.
        let is_whole = !snapshot.gaps.iter().any(|gap| matches!(gap, Gap::DumpInterrupted { .. }));
        self.place_fresh(fresh, now, is_first, &mut changes);
        if is_whole && !is_first {
            self.drop_gone(now, &mut changes);
        }
        for change in &changes {
            tell(Told::Change(change));
        }
        for (connection, bytes) in gone {
            tell(Told::Gone { connection, bytes });
        }
        Ok(snapshot.gaps)
    }

    /// What was destroyed since the last snapshot; what nobody has seen before is known from now on, as closed.
    fn take_notices(&mut self) -> Vec<(u64, Bytes)> {
        let Self { notices, known, next_connection, missed, round, limit, .. } = self;
        let Some(notices) = notices else { return Vec::new() };
        let mut gone = Vec::new();
        let is_first = *round == 1;
        missed.notices += notices.read(&mut |socket| {
            let (Some(cookie), Some(bytes)) = (socket.cookie, Bytes::of(socket)) else { return };
            let ends = Ends::of(socket);
            if is_first || known.len() >= *limit || ends.peer.is_unspecified() {
                return;
            }
            let connection = known.entry(Identity::Cookie(cookie)).or_insert_with(|| {
                *next_connection += 1;
                Known { ends, state: TcpState::Close, since: None, connection: *next_connection, round: 0 }
            });
            gone.push((connection.connection, bytes));
        });
        gone
    }

    /// Sockets that were not known: the minisockets of those that have gone, and new ones.
    fn place_fresh(
        &mut self,
        fresh: Vec<(Identity, Known)>,
        now: Nanos,
        is_first: bool,
        changes: &mut Vec<Change>,
    ) {
        if fresh.is_empty() {
            return;
        }
        let round = self.round;
        let mut gone: FxHashMap<Ends, Identity> = FxHashMap::default();
        if !is_first {
            let left = self.known.iter().filter(|(_, known)| known.round != round);
            gone.extend(left.map(|(identity, known)| (known.ends, *identity)));
        }
        for (identity, mut found) in fresh {
            if self.known.len() >= self.limit {
                self.missed.dropped += 1;
                continue;
            }
            if is_first {
                self.next_connection += 1;
                found.connection = self.next_connection;
                found.since = None;
            } else if let Some(before) =
                gone.remove(&found.ends).and_then(|before| self.known.remove(&before))
            {
                found.connection = before.connection;
                changes.push(change(&before, found.state, now));
            } else {
                self.next_connection += 1;
                found.connection = self.next_connection;
                let state = if found.state == TcpState::SynRecv { TcpState::Listen } else { TcpState::Close };
                changes.push(change(&Known { state, since: None, ..found }, found.state, now));
            }
            self.known.insert(identity, found);
        }
    }

    fn drop_gone(&mut self, now: Nanos, changes: &mut Vec<Change>) {
        let round = self.round;
        self.known.retain(|_, known| {
            if known.round != round {
                changes.push(change(known, TcpState::Close, now));
            }
            known.round == round
        });
    }
}

impl Sink for Comparison<'_> {
    fn begin(&mut self, _source: Source) -> bool {
        // What was noted of known sockets stands, and comes no second time.
        self.fresh.clear();
        true
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        let state = socket.state.shown();
        let ends = Ends::of(socket);
        let identity = socket.cookie.map_or(Identity::Ends(ends), Identity::Cookie);
        let round = self.poller.round;
        match self.poller.known.get_mut(&identity) {
            // A notice came before the snapshot had left it out.
            Some(known) if known.round == 0 && known.state == TcpState::Close => {}
            Some(known) => {
                known.round = round;
                if known.state != state {
                    // A connection has its peer, and its address, since its last state.
                    known.ends = ends;
                    self.changes.push(change(known, state, self.now));
                    (known.state, known.since) = (state, Some(self.now));
                }
            }
            None => {
                let found = Known { ends, state, since: Some(self.now), connection: 0, round };
                self.fresh.push((identity, found));
            }
        }
        ControlFlow::Continue(())
    }
}

fn change(known: &Known, new: TcpState, now: Nanos) -> Change {
    let Known { ends, state: old, since, connection, .. } = *known;
    Change {
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

/// What can be said of two states, one snapshot apart.
fn meaning(old: TcpState, new: TcpState) -> Meaning {
    use TcpState::{Close, LastAck, Listen, SynSent, TimeWait};
    match (old, new) {
        (Close, Close) => Meaning::BetweenSnapshots,
        // However it came about, the usual is by far the most likely.
        (Listen | LastAck | TimeWait, Close) => {
            ways_between(old, new).next().map_or(Meaning::StepsMissed, Meaning::Way)
        }
        (SynSent, Close) => Meaning::WhyUnseen,
        (_, Close) => Meaning::StepsMissed,
        _ => {
            let usual = ways_between(old, new).find(|way| way.on_linux);
            usual.map_or(Meaning::StepsMissed, Meaning::Way)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_between_two_snapshots_is_not_made_up() {
        use TcpState::{Close, Established, FinWait2, LastAck, SynSent, TimeWait};
        assert_eq!(meaning(Established, TimeWait), Meaning::StepsMissed);
        assert_eq!(meaning(Established, Close), Meaning::StepsMissed);
        assert_eq!(meaning(SynSent, Close), Meaning::WhyUnseen);
        assert_eq!(meaning(Close, Close), Meaning::BetweenSnapshots);
        assert!(meaning(LastAck, Close).way().is_some() && meaning(FinWait2, TimeWait).way().is_some());
    }
}
