//! Connections from their first transition to their end: one `Story` each.

use std::collections::VecDeque;

use hashlink::LinkedHashMap;
use rustc_hash::FxBuildHasher;

use super::change::StateChange;
use super::meaning::Meaning;
use super::observation::{Bytes, NOTICE_WAIT, Observation};
use crate::kernel::clock::Wall;
use crate::kernel::ring::Nanos;
use crate::model::{Endpoint, Family, Segment, TcpState, Trigger};

/// A connection that has ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Story {
    /// Its number in the trace.
    pub connection: u64,
    /// When it ended. A connection that enters TIME_WAIT ends then: the program is done with it.
    pub at: Nanos,
    /// The wall-clock time of `at`.
    pub time: Wall,
    /// The socket's address family.
    pub family: Family,
    /// The local address and port.
    pub local: Endpoint,
    /// The peer's address and port.
    pub peer: Endpoint,
    /// The time from its first transition to its end; `None` if its beginning was not seen, or is also its end.
    pub lasted: Option<Nanos>,
    /// The states that were seen, and how long each lasted; for a TIME_WAIT at the end, how long it will last.
    pub states: Vec<(TcpState, Option<Nanos>)>,
    /// The side that closed first; `None` if neither did or it was not seen.
    pub closed_first: Option<Side>,
    /// How it ended.
    pub ended: Ended,
    /// The bytes that it carried, if the kernel reported them.
    pub bytes: Option<Bytes>,
    /// The time of its first transition, if that was seen.
    begun: Option<Nanos>,
    /// The notice that the socket was destroyed has come: `bytes` is final.
    is_destroyed: bool,
    /// The byte count includes the peer's FIN: the kernel counts it if it came for the socket, not if it came for the
    /// minisocket that replaced it.
    fin_counts: bool,
}

/// One side of a connection, or both at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Local,
    Peer,
    Both,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Both sides sent a FIN.
    Orderly,
    /// By an RST, from either side.
    Reset,
    /// By an RST in answer to the SYN.
    Refused,
    /// The peer did not answer in time.
    TimedOut,
    /// By an ICMP error.
    Unreachable,
    /// The program closed it before it was established.
    GivenUp,
    /// No local port was free, so it never began.
    NoPort,
    /// The end was not seen.
    Unknown,
}

impl Side {
    /// The word in the output.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Peer => "peer",
            Self::Both => "both",
        }
    }
}

impl Ended {
    /// The word in the output.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Orderly => "orderly",
            Self::Reset => "reset",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::Unreachable => "unreachable",
            Self::GivenUp => "given up",
            Self::NoPort => "no port",
            Self::Unknown => "unknown",
        }
    }

    fn of(change: &StateChange) -> Self {
        if change.new == Some(TcpState::TimeWait) {
            // Whatever the path to TIME_WAIT, both FINs have arrived.
            return Self::Orderly;
        }
        if change.meaning == Meaning::NoPort {
            return Self::NoPort;
        }
        let Some(transition) = change.meaning.transition() else { return Self::Unknown };
        match transition.event {
            Trigger::Received(Segment::Rst) if change.old == TcpState::SynSent => Self::Refused,
            Trigger::Received(Segment::Rst) | Trigger::Abort => Self::Reset,
            Trigger::GaveUp | Trigger::TimeLimit => Self::TimedOut,
            Trigger::Unreachable => Self::Unreachable,
            Trigger::Close => Self::GivenUp,
            _ => Self::Orderly,
        }
    }
}

/// Collects transitions into stories.
#[derive(Debug)]
pub(crate) struct Stories {
    /// By connection number; the one that was idle longest is first.
    open: LinkedHashMap<u64, Story, FxBuildHasher>,
    /// Ended connections that wait for their byte counts.
    ended: VecDeque<Story>,
    limit: usize,
    /// Connections that were forgotten because of the limit.
    pub dropped: u64,
}

impl Stories {
    /// Remembers at most `limit` open connections.
    pub(crate) fn new(limit: usize) -> Self {
        Self { open: LinkedHashMap::default(), ended: VecDeque::new(), limit: limit.max(1), dropped: 0 }
    }

    /// Takes what the trace reports.
    pub(crate) fn take(&mut self, observation: &Observation<'_>) {
        match *observation {
            Observation::Change(change, time) => self.change(change, time),
            Observation::Destroyed { connection, bytes } => {
                // The connection has ended a moment ago, or its end is not reported yet.
                let ended = self.ended.iter_mut().rev().find(|story| story.connection == connection);
                if let Some(story) = ended.or_else(|| self.open.get_mut(&connection)) {
                    (story.bytes, story.is_destroyed) = (bytes, true);
                }
            }
        }
    }

    fn change(&mut self, change: &StateChange, time: Wall) {
        let goes_on = self.open.contains_key(&change.connection);
        let is_late = change.old == TcpState::TimeWait && !goes_on;
        if change.peer.is_unspecified() || is_late {
            return;
        }
        if !goes_on && self.open.len() >= self.limit {
            self.open.pop_front();
            self.dropped += 1;
        }
        let story = self.open.entry(change.connection).or_insert_with(|| Story::new(change));
        story.step(change);
        story.time = time;
        let is_over = matches!(change.new, None | Some(TcpState::Close | TcpState::TimeWait));
        if is_over {
            self.ended.extend(self.open.remove(&change.connection));
        } else {
            self.open.to_back(&change.connection);
        }
    }

    /// The next ended connection, once its notice has come or `NOTICE_WAIT` is over.
    pub(crate) fn next(&mut self, now: Nanos) -> Option<Story> {
        let first = self.ended.front()?;
        let is_ready = first.is_destroyed || first.at.saturating_add(NOTICE_WAIT) < now;
        if !is_ready {
            return None;
        }
        let mut story = self.ended.pop_front()?;
        if let Some(bytes) = story.bytes.as_mut().filter(|_| story.fin_counts) {
            bytes.received = bytes.received.saturating_sub(1);
        }
        Some(story)
    }
}

impl Story {
    fn new(change: &StateChange) -> Self {
        let is_start = matches!(change.old, TcpState::Close | TcpState::Listen);
        Self {
            connection: change.connection,
            at: change.at,
            time: Wall::default(),
            family: change.family,
            local: change.local,
            peer: change.peer,
            lasted: None,
            states: Vec::with_capacity(6),
            closed_first: None,
            ended: Ended::Unknown,
            bytes: None,
            begun: is_start.then_some(change.at),
            is_destroyed: false,
            fin_counts: false,
        }
    }

    fn step(&mut self, change: &StateChange) {
        use TcpState::{Close, Closing, Listen, TimeWait};
        (self.at, self.local, self.peer) = (change.at, change.local, change.peer);
        // A connection that opened and closed between two snapshots has a single transition, so no duration.
        let begun = self.begun.filter(|begun| *begun < change.at);
        self.lasted = begun.map(|begun| change.at - begun);
        if !matches!(change.old, Close | Listen) {
            self.states.push((change.old, change.in_old));
        }
        if change.new == Some(TimeWait) {
            let left = if let Meaning::TimeWait(_, left) = change.meaning { Some(left) } else { None };
            self.states.push((TimeWait, left));
        }
        self.ended = Ended::of(change);
        self.fin_counts |= is_fin(change);
        if change.new == Some(Closing) {
            self.closed_first = Some(Side::Both);
        }
        self.closed_first = self.closed_first.or_else(|| closed_first(change));
    }
}

/// The side that closed first, as far as this transition shows: earlier transitions may not have been seen.
fn closed_first(change: &StateChange) -> Option<Side> {
    use TcpState::{CloseWait, Closing, FinWait1, FinWait2, LastAck};
    let by_state = |state| match state {
        FinWait1 | FinWait2 => Some(Side::Local),
        CloseWait | LastAck => Some(Side::Peer),
        Closing => Some(Side::Both),
        // TIME_WAIT comes after FIN_WAIT2 or CLOSING, which have settled it.
        _ => None,
    };
    let by_meaning = || match change.meaning.transition()?.event {
        Trigger::Abort => Some(Side::Local),
        Trigger::Received(Segment::Rst) => Some(Side::Peer),
        _ => None,
    };
    by_state(change.old).or_else(|| by_state(change.new?)).or_else(by_meaning)
}

/// Whether the peer's FIN came with this transition, and for the socket itself (see [`Story::fin_counts`]).
fn is_fin(change: &StateChange) -> bool {
    /// A socket that leaves FIN_WAIT2 sooner than this left it within one interrupt: the kernel replaced an orphan by
    /// a minisocket when its FIN was acknowledged, and the peer's FIN comes later.
    const AT_ONCE: Nanos = 50_000;
    let lasted = change.in_old.is_some_and(|span| span > AT_ONCE);
    match change.new {
        Some(TcpState::CloseWait | TcpState::Closing) => true,
        Some(TcpState::TimeWait) => lasted && change.on_cpu.is_some_and(|on_cpu| on_cpu.in_interrupt),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::OnCpu;
    use TcpState::{
        Close, CloseWait, Closing, Established, FinWait1, FinWait2, LastAck, Listen, SynRecv, SynSent,
        TimeWait,
    };

    fn change(connection: u64, at: Nanos, old: TcpState, new: TcpState) -> StateChange {
        let end = |port| Endpoint::new([127, 0, 0, 1].into(), port);
        let transition = crate::model::transitions_between(old, new).next();
        let meaning = match (transition, new) {
            (Some(transition), TimeWait) => Meaning::TimeWait(transition, 60),
            (Some(transition), _) => Meaning::Listed(transition),
            (None, _) => Meaning::Unlisted,
        };
        StateChange {
            at,
            connection,
            family: Family::Inet,
            local: end(1),
            peer: end(2),
            old,
            new: Some(new),
            in_old: Some(at / 10),
            on_cpu: None::<OnCpu>,
            meaning,
        }
    }

    fn take_all(stories: &mut Stories, connection: u64, steps: &[TcpState]) {
        for (at, pair) in (1..).zip(steps.windows(2)) {
            stories
                .take(&Observation::Change(&change(connection, at * 10, pair[0], pair[1]), Wall::default()));
        }
    }

    #[test]
    fn a_story_ends_as_time_wait_begins() {
        let mut stories = Stories::new(10);
        take_all(&mut stories, 7, &[Close, SynSent, Established, FinWait1, FinWait2, TimeWait, Close]);
        assert_eq!(stories.next(100), None, "it waits for its byte counts");
        let bytes = Some(Bytes { sent: 5, received: 6 });
        stories.take(&Observation::Destroyed { connection: 7, bytes });
        let story = stories.next(100).unwrap();
        assert_eq!((story.closed_first, story.ended), (Some(Side::Local), Ended::Orderly));
        assert_eq!((story.lasted, story.bytes), (Some(40), bytes));
        let states: Vec<_> = story.states.iter().map(|(state, _)| *state).collect();
        assert_eq!(states, [SynSent, Established, FinWait1, FinWait2, TimeWait]);
        assert_eq!(stories.next(Nanos::MAX), None);
    }

    #[test]
    fn the_peer_closed_first() {
        let mut stories = Stories::new(10);
        take_all(&mut stories, 7, &[Listen, SynRecv, Established, CloseWait, LastAck, Close]);
        stories.take(&Observation::Destroyed { connection: 7, bytes: Some(Bytes { sent: 0, received: 6 }) });
        let story = stories.next(0).unwrap();
        assert_eq!((story.closed_first, story.ended), (Some(Side::Peer), Ended::Orderly));
        assert_eq!(story.bytes.map(|bytes| bytes.received), Some(5), "its FIN is not a byte");
    }

    #[test]
    fn unseen_steps_are_inferred_where_only_one_is_possible() {
        let ended = |steps: &[TcpState]| {
            let mut stories = Stories::new(10);
            take_all(&mut stories, 7, steps);
            let story = stories.next(Nanos::MAX).unwrap();
            (story.closed_first, story.ended, story.lasted)
        };
        assert_eq!(ended(&[Close, Close]), (None, Ended::Unknown, None));
        assert_eq!(ended(&[Close, TimeWait]), (None, Ended::Orderly, None), "both may have closed at once");
        assert_eq!(ended(&[Established, FinWait2, TimeWait]), (Some(Side::Local), Ended::Orderly, None));
        assert_eq!(ended(&[FinWait2, Close]).0, Some(Side::Local), "it existed before the trace");
        assert_eq!(ended(&[Close, LastAck, Close]), (Some(Side::Peer), Ended::Orderly, Some(10)));
        assert_eq!(ended(&[Established, Closing, TimeWait]).0, Some(Side::Both));
    }

    #[test]
    fn no_more_than_the_limit_is_remembered() {
        let mut stories = Stories::new(2);
        for connection in 0..5 {
            take_all(&mut stories, connection, &[Close, SynSent, Established]);
        }
        assert_eq!((stories.open.len(), stories.dropped), (2, 3));
        take_all(&mut stories, 9, &[Close, SynSent, Close]);
        assert_eq!(stories.next(Nanos::MAX).unwrap().ended, Ended::Refused);
    }
}
