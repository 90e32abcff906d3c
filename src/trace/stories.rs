//! Connections from their first transition to their end.

use std::collections::VecDeque;

use hashlink::LinkedHashMap;
use rustc_hash::FxBuildHasher;

use super::bytes::PATIENCE;
use super::change::{Bytes, Change, Meaning, Told};
use super::event::Nanos;
use crate::model::{Endpoint, Event, Family, Segment, TcpState};

/// A connection that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// Its number.
    pub connection: u64,
    /// When it ended: for the program, as TIME_WAIT begins.
    pub at: Nanos,
    /// Of the socket.
    pub family: Family,
    /// This end.
    pub local: Endpoint,
    /// The other end.
    pub peer: Endpoint,
    /// From its first transition to its end, where the first was seen.
    pub lasted: Option<Nanos>,
    /// The states that it was in, and for how long; a TIME_WAIT at the end is yet to come.
    pub states: Vec<(TcpState, Option<Nanos>)>,
    /// Who closed first, if anybody did.
    pub closed_first: Option<Side>,
    /// How it ended.
    pub ended: Ended,
    /// What passed through it, where the kernel told.
    pub bytes: Option<Bytes>,
    begun: Option<Nanos>,
    /// The kernel counts the peer's FIN as a byte where it came for the socket, and not for what is kept of it.
    fin_counts: bool,
}

/// One of the two, or both at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called what they are")]
pub enum Side {
    Local,
    Peer,
    Both,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By a FIN of each.
    Orderly,
    /// By an RST.
    Reset,
    /// By an RST in place of a handshake.
    Refused,
    /// For want of answers.
    TimedOut,
    /// By an ICMP error.
    Unreachable,
    /// By the program, before it stood.
    GivenUp,
    /// Nobody saw.
    Unknown,
}

impl Side {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Peer => "peer",
            Self::Both => "both",
        }
    }
}

impl Ended {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Orderly => "orderly",
            Self::Reset => "reset",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::Unreachable => "unreachable",
            Self::GivenUp => "given up",
            Self::Unknown => "unknown",
        }
    }

    fn of(change: &Change) -> Self {
        let Some(way) = change.meaning.way() else { return Self::Unknown };
        match way.event {
            Event::Received(Segment::Rst) if change.old == TcpState::SynSent => Self::Refused,
            Event::Received(Segment::Rst) | Event::Abort => Self::Reset,
            Event::GaveUp | Event::TimeLimit => Self::TimedOut,
            Event::Unreachable => Self::Unreachable,
            Event::Close => Self::GivenUp,
            _ => Self::Orderly,
        }
    }
}

/// Puts the stories together.
#[derive(Debug)]
pub struct Stories {
    /// The longest idle first.
    open: LinkedHashMap<u64, Story, FxBuildHasher>,
    /// They wait for what passed through them.
    ended: VecDeque<Story>,
    limit: usize,
    /// Connections that were forgotten for want of room.
    pub dropped: u64,
}

impl Stories {
    /// Of so many connections at most.
    pub fn new(limit: usize) -> Self {
        Self { open: LinkedHashMap::default(), ended: VecDeque::new(), limit: limit.max(1), dropped: 0 }
    }

    /// Learns what a trace tells.
    pub fn take(&mut self, told: &Told<'_>) {
        match *told {
            Told::Change(change) => self.change(change),
            Told::Gone { connection, bytes } => {
                // It ended just now, or has not ended yet.
                let ended = self.ended.iter_mut().rev().find(|story| story.connection == connection);
                if let Some(story) = ended.or_else(|| self.open.get_mut(&connection)) {
                    story.bytes = Some(bytes);
                }
            }
        }
    }

    fn change(&mut self, change: &Change) {
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
        let is_over = matches!(change.new, None | Some(TcpState::Close | TcpState::TimeWait));
        if is_over {
            self.ended.extend(self.open.remove(&change.connection));
        } else {
            self.open.to_back(&change.connection);
        }
    }

    /// The next one that has ended, once it is known what passed through it or that has been waited for.
    pub fn next(&mut self, now: Nanos) -> Option<Story> {
        let first = self.ended.front()?;
        let is_ripe = first.bytes.is_some() || first.at.saturating_add(PATIENCE) < now;
        if !is_ripe {
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
    fn new(change: &Change) -> Self {
        let is_begin = matches!(change.old, TcpState::Close | TcpState::Listen);
        Self {
            connection: change.connection,
            at: change.at,
            family: change.family,
            local: change.local,
            peer: change.peer,
            lasted: None,
            states: Vec::with_capacity(6),
            closed_first: None,
            ended: Ended::Unknown,
            bytes: None,
            begun: is_begin.then_some(change.at),
            fin_counts: false,
        }
    }

    fn step(&mut self, change: &Change) {
        use TcpState::{Close, CloseWait, Closing, FinWait1, Listen, TimeWait};
        (self.at, self.local, self.peer) = (change.at, change.local, change.peer);
        self.lasted = self.begun.map(|begun| change.at.saturating_sub(begun));
        if !matches!(change.old, Close | Listen) {
            self.states.push((change.old, change.in_old));
        }
        if let (Some(TimeWait), Meaning::TimeWait(_, left)) = (change.new, change.meaning) {
            self.states.push((TimeWait, Some(left)));
        }
        self.ended = Ended::of(change);
        self.fin_counts |= is_fin(change);
        self.closed_first = match (change.new, self.closed_first) {
            (Some(FinWait1), None) => Some(Side::Local),
            (Some(CloseWait), None) => Some(Side::Peer),
            (Some(Closing), _) => Some(Side::Both),
            (_, None) => match change.meaning.way().map(|way| way.event) {
                Some(Event::Abort) => Some(Side::Local),
                Some(Event::Received(Segment::Rst)) => Some(Side::Peer),
                _ => None,
            },
            (_, known) => known,
        };
    }
}

/// Whether the peer's FIN came for the socket itself with this transition.
fn is_fin(change: &Change) -> bool {
    /// What passes within an interrupt is the acknowledgement of an orphan's FIN, and the peer's comes later.
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
    use crate::trace::change::Meaning;
    use TcpState::{
        Close, CloseWait, Established, FinWait1, FinWait2, LastAck, Listen, SynRecv, SynSent, TimeWait,
    };

    fn change(connection: u64, at: Nanos, old: TcpState, new: TcpState) -> Change {
        let end = |port| Endpoint::new([127, 0, 0, 1].into(), port);
        let way = crate::model::ways_between(old, new).next();
        let meaning = match (way, new) {
            (Some(way), TimeWait) => Meaning::TimeWait(way, 60),
            (Some(way), _) => Meaning::Way(way),
            (None, _) => Meaning::Unlisted,
        };
        Change {
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

    fn told(stories: &mut Stories, connection: u64, steps: &[TcpState]) {
        for (at, pair) in (1..).zip(steps.windows(2)) {
            stories.take(&Told::Change(&change(connection, at * 10, pair[0], pair[1])));
        }
    }

    #[test]
    fn a_story_ends_as_time_wait_begins() {
        let mut stories = Stories::new(10);
        told(&mut stories, 7, &[Close, SynSent, Established, FinWait1, FinWait2, TimeWait, Close]);
        assert_eq!(stories.next(100), None, "it waits for what passed");
        let bytes = Bytes { sent: 5, received: 6 };
        stories.take(&Told::Gone { connection: 7, bytes });
        let story = stories.next(100).unwrap();
        assert_eq!((story.closed_first, story.ended), (Some(Side::Local), Ended::Orderly));
        assert_eq!((story.lasted, story.bytes), (Some(40), Some(bytes)));
        let states: Vec<_> = story.states.iter().map(|(state, _)| *state).collect();
        assert_eq!(states, [SynSent, Established, FinWait1, FinWait2, TimeWait]);
        assert_eq!(stories.next(Nanos::MAX), None);
    }

    #[test]
    fn the_other_end_closed_first() {
        let mut stories = Stories::new(10);
        told(&mut stories, 7, &[Listen, SynRecv, Established, CloseWait, LastAck, Close]);
        stories.take(&Told::Gone { connection: 7, bytes: Bytes { sent: 0, received: 6 } });
        let story = stories.next(0).unwrap();
        assert_eq!((story.closed_first, story.ended), (Some(Side::Peer), Ended::Orderly));
        assert_eq!(story.bytes.map(|bytes| bytes.received), Some(5), "its FIN is no byte");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut stories = Stories::new(2);
        for connection in 0..5 {
            told(&mut stories, connection, &[Close, SynSent, Established]);
        }
        assert_eq!((stories.open.len(), stories.dropped), (2, 3));
        told(&mut stories, 9, &[Close, SynSent, Close]);
        assert_eq!(stories.next(Nanos::MAX).unwrap().ended, Ended::Refused);
    }
}
