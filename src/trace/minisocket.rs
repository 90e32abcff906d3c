//! What the kernel keeps of a connection when it has closed the socket: an orphaned FIN_WAIT2, a TIME_WAIT or nothing.
//! It tells of these by no event, so it is asked.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::IpAddr;

use super::change::{Change, Meaning};
use super::connections::{Lacks, Line};
use super::event::Nanos;
use crate::collect::netlink::{Datagrams, connect, lookup};
use crate::model::{Endpoint, Event, Family, Segment, TcpState, Timer, ways_between};

/// The kernel's small records that are watched.
pub(super) struct Minisockets {
    /// `None` where it can't be asked.
    source: Option<Box<dyn Datagrams + Send>>,
    orphans: VecDeque<Kept>,
    /// The next to end first.
    waits: BinaryHeap<Reverse<Wait>>,
    limit: usize,
    /// Records that were forgotten for want of room.
    pub(super) dropped: u64,
    every: Nanos,
    next_poll: Nanos,
}

/// A TIME_WAIT, of which there may be very many. They are in the order of their ends.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Wait {
    end: Nanos,
    since: Nanos,
    connection: u64,
    local: (IpAddr, u16),
    peer: (IpAddr, u16),
}

/// An orphan.
struct Kept {
    /// Its last transition.
    change: Change,
    /// When its FIN_WAIT2 began.
    since: Option<Nanos>,
    /// How long it may last yet.
    left: Nanos,
}

/// What the kernel has.
enum Mini {
    Orphan(Nanos),
    TimeWait(Nanos),
    Nothing,
}

impl Minisockets {
    /// Of this thread's network namespace; orphans are asked for every so often.
    pub(super) fn new(limit: usize, every: Nanos) -> Self {
        Self {
            source: connect().ok(),
            orphans: VecDeque::new(),
            waits: BinaryHeap::new(),
            limit,
            dropped: 0,
            every,
            next_poll: 0,
        }
    }

    fn ask(&mut self, change: &Change) -> Mini {
        let Some(source) = &mut self.source else { return Mini::Nothing };
        let Ok(Some(socket)) = lookup(source.as_mut(), change.family, change.local, change.peer) else {
            return Mini::Nothing;
        };
        let left = match socket.timer {
            Some(Timer::TimeWait { expires_ms }) => Nanos::from(expires_ms) * 1_000_000,
            _ => 0,
        };
        match socket.state {
            TcpState::FinWait2 => Mini::Orphan(left),
            TcpState::TimeWait => Mini::TimeWait(left),
            _ => Mini::Nothing,
        }
    }

    /// Finds out what a closed socket became. A line of which nothing is found waits on: a reset may yet be told.
    pub(super) fn settle(&mut self, line: &mut Line, now: Nanos) {
        match self.ask(&line.change) {
            Mini::Orphan(left) => {
                line.lacks = Lacks::Worth;
                self.keep_orphan(Kept { change: line.change, since: line.since, left });
            }
            Mini::TimeWait(left) => {
                line.lacks = Lacks::Nothing;
                enter_time_wait(&mut line.change, left);
                self.keep_wait(now, &line.change, left);
            }
            Mini::Nothing => {}
        }
    }

    /// What has become of the orphans, if it is time to ask or the `last` time, and which TIME_WAITs are over.
    pub(super) fn poll(&mut self, now: Nanos, last: bool, tell: &mut dyn FnMut(Change)) {
        while let Some(Reverse(first)) = self.waits.peek() {
            if first.end > now {
                break;
            }
            tell(first.over(now));
            self.waits.pop();
        }
        if now < self.next_poll && !last {
            return;
        }
        self.next_poll = now + self.every;
        for _ in 0..self.orphans.len() {
            let Some(mut orphan) = self.orphans.pop_front() else { break };
            match self.ask(&orphan.change) {
                Mini::Orphan(left) => {
                    orphan.left = left;
                    self.orphans.push_back(orphan);
                }
                Mini::TimeWait(left) => {
                    let mut change = orphan.next(TcpState::FinWait2, TcpState::TimeWait, now, |_| true);
                    enter_time_wait(&mut change, left);
                    tell(change);
                    self.keep_wait(now, &change, left);
                }
                Mini::Nothing => {
                    // It went before its time.
                    let early = orphan.left > 2 * self.every;
                    let way = if early { Event::Received(Segment::Rst) } else { Event::TimeLimit };
                    tell(orphan.next(TcpState::FinWait2, TcpState::Close, now, |event| event == way));
                }
            }
        }
    }

    fn keep_orphan(&mut self, orphan: Kept) {
        if self.orphans.len() >= self.limit {
            self.orphans.pop_front();
            self.dropped += 1;
        }
        self.orphans.push_back(orphan);
    }

    fn keep_wait(&mut self, now: Nanos, change: &Change, left: Nanos) {
        if self.waits.len() >= self.limit {
            self.waits.pop();
            self.dropped += 1;
        }
        let end = |end: &Endpoint| (end.addr, end.port);
        let (local, peer) = (end(&change.local), end(&change.peer));
        let wait = Wait { end: now + left, since: change.at, connection: change.connection, local, peer };
        self.waits.push(Reverse(wait));
    }
}

impl Wait {
    fn over(&self, now: Nanos) -> Change {
        let end = |(addr, port)| Endpoint::new(addr, port);
        let family = if self.local.0.is_ipv4() { Family::Inet } else { Family::Inet6 };
        let over = ways_between(TcpState::TimeWait, TcpState::Close).find(|way| way.event == Event::TwoMsl);
        Change {
            at: now,
            connection: self.connection,
            family,
            local: end(self.local),
            peer: end(self.peer),
            old: TcpState::TimeWait,
            new: Some(TcpState::Close),
            in_old: Some(now.saturating_sub(self.since)),
            on_cpu: None,
            meaning: over.map_or(Meaning::Unlisted, Meaning::Way),
        }
    }
}

impl Kept {
    /// Its next transition, which nobody was on a processor for.
    fn next(&self, old: TcpState, new: TcpState, now: Nanos, is_way: impl Fn(Event) -> bool) -> Change {
        let way = ways_between(old, new).find(|way| is_way(way.event));
        Change {
            at: now,
            old,
            new: Some(new),
            in_old: self.since.map(|since| now.saturating_sub(since)),
            on_cpu: None,
            meaning: way.map_or(Meaning::Unlisted, Meaning::Way),
            ..self.change
        }
    }
}

fn enter_time_wait(change: &mut Change, left: Nanos) {
    change.new = Some(TcpState::TimeWait);
    let way = ways_between(change.old, TcpState::TimeWait).next();
    change.meaning = way.map_or(Meaning::Unlisted, |way| Meaning::TimeWait(way, left));
}

impl std::fmt::Debug for Minisockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minisockets")
            .field("orphans", &self.orphans.len())
            .field("waits", &self.waits.len())
            .finish_non_exhaustive()
    }
}
