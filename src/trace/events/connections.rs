//! Joins the events of each socket to transitions. Events name a socket by its address in the kernel. The address is
//! forgotten once the socket is closed and its last transition is reported: the kernel may then use it for another.

use hashlink::LinkedHashMap;
use rustc_hash::FxBuildHasher;

use super::clues::{Clues, meaning};
use super::names::Names;
use super::pending::{Horizon, PendingChange, PendingChanges, Status};
use crate::kernel::ring::{Event, EventKind, Nanos};
use crate::model::{Ends, TcpState};
use crate::trace::changes::{Meaning, StateChange};

/// The sockets that exist, and the transitions that are not reported yet.
#[derive(Debug)]
pub(super) struct Connections {
    /// By the socket's address in the kernel; the one that was idle longest is first.
    live: LinkedHashMap<u64, Live, FxBuildHasher>,
    limit: usize,
    /// Sockets that were forgotten because of the limit.
    pub(super) dropped: u64,
    /// Transitions whose old state was not the socket's last known state: events in between are missing.
    pub(super) unseen: u64,
    pub(super) pending: PendingChanges,
    /// Connections that began since this was last drained: address pair, time and first state.
    pub(super) opened: Vec<(Ends, Nanos, TcpState)>,
    next_connection: u64,
    /// By processor, the last error that a socket got there: time, errno and address pair.
    errors: Vec<Option<(Nanos, i32, Ends)>>,
    pub(super) names: Names,
    /// A filter in the kernel is in effect. It lets events pass that lack a port or an address, as they may match
    /// later. If such a socket turns out not to match, its next event is not recorded, so its absence is not counted.
    pub(super) is_filtered: bool,
    /// Destroyed sockets, as (cookie, connection); `None` if byte counts are not wanted.
    pub(super) destroyed: Option<Vec<(u64, u64)>>,
}

/// A socket between two of its transitions.
#[derive(Debug)]
struct Live {
    connection: u64,
    /// `None` if no transition was seen.
    state: Option<TcpState>,
    /// When it entered this state; `None` if that was not seen or means nothing (see [`Live::enter`]).
    since: Option<Nanos>,
    /// The kernel acted as if an RST had come (`tcp_receive_reset`).
    reset_received: bool,
    resent: Option<Resent>,
    /// A port or an address was not yet set in its last event.
    lacks_ends: bool,
    /// The number of its pending transition that still lacks something.
    waiting: Option<u64>,
}

/// A segment was retransmitted in this state.
#[derive(Clone, Copy, Debug)]
struct Resent {
    at: Nanos,
    /// When the next retransmission would be due: the kernel doubles the wait each time. A socket that closes after
    /// this has given up.
    again: Nanos,
}

impl Connections {
    /// Remembers at most `limit` sockets.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            live: LinkedHashMap::default(),
            limit: limit.max(1),
            dropped: 0,
            unseen: 0,
            pending: PendingChanges::default(),
            opened: Vec::new(),
            next_connection: 0,
            errors: Vec::new(),
            names: Names::read(),
            is_filtered: false,
            destroyed: None,
        }
    }

    /// Takes an event. Events must come in time order.
    pub(super) fn take(&mut self, event: &Event) {
        match event.kind {
            EventKind::State { socket, old, new, ends } => {
                let (old, new) = (TcpState::from_kernel(old).shown(), TcpState::from_kernel(new).shown());
                // close() in FIN_WAIT2 sets FIN_WAIT2 again, which is no transition.
                if old != new {
                    self.transition(event, socket, (old, new), &ends);
                }
            }
            EventKind::ResetReceived { socket } => match self.live.get_mut(&socket) {
                Some(live) => live.reset_received = true,
                None => self.begin(socket, None).reset_received = true,
            },
            EventKind::ResetSent { socket, .. } => self.add_clue(socket, |clues| clues.reset_sent = true),
            EventKind::SentAgain { socket } => {
                if let Some(live) = self.live.get_mut(&socket) {
                    live.sent_again(event.at);
                }
            }
            EventKind::Destroyed { socket, cookie } => {
                self.add_clue(socket, |_| {});
                let gone = self.live.remove(&socket);
                if let (Some(gone), Some(cookie), Some(destroyed)) = (gone, cookie, &mut self.destroyed) {
                    destroyed.push((cookie, gone.connection));
                }
            }
            EventKind::Error { errno, ends } => self.take_error(event, errno, ends),
            EventKind::Named { .. } | EventKind::Began { .. } | EventKind::Exited { .. } => {
                self.names.learn(event);
            }
        }
    }

    /// Starts to remember a socket as a new connection.
    fn begin(&mut self, socket: u64, state: Option<TcpState>) -> &mut Live {
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
            resent: None,
            lacks_ends: false,
            waiting: None,
        };
        self.live.remove(&socket);
        self.live.entry(socket).or_insert(live)
    }

    /// Takes the event of a transition, from one state to another.
    fn transition(&mut self, event: &Event, socket: u64, (old, new): (TcpState, TcpState), ends: &Ends) {
        // The kernel clones a child from its listener, so its first old state is LISTEN. A connect() begins a new
        // connection; how long its socket was CLOSED is unknown, since the address may have been another socket's.
        let is_child = old == TcpState::Listen && new == TcpState::SynRecv;
        let expected = if is_child { TcpState::Close } else { old };
        let known = self.live.to_back(&socket);
        let has_gap = known.as_ref().is_some_and(|live| live.has_gap_before(expected, self.is_filtered));
        self.unseen += u64::from(has_gap);
        let waiting = known.as_ref().and_then(|live| live.waiting);
        let is_new = is_child || old == TcpState::Close || known.is_none();
        self.fill_in_ends(waiting, ends, new);
        if (is_child || new == TcpState::SynSent) && has_ports(ends) {
            self.opened.push((*ends, event.at, new));
        }
        if is_new {
            self.begin(socket, Some(old));
        }
        let errno = self.error(event, ends);
        let number = self.pending.next_number();
        let Some(live) = self.live.get_mut(&socket) else { return };
        // If transitions were lost, the time of the last one is unknown.
        let since = live.since.filter(|_| live.state == Some(old));
        let clues = live.clues(event, errno);
        let status = first_status(old, new, ends, clues);
        live.enter(new, event.at, is_child);
        live.lacks_ends =
            [ends.local, ends.peer].iter().any(|end| end.port == 0 || end.addr.is_unspecified());
        live.waiting = (status != Status::Ready).then_some(number);
        let change = StateChange {
            at: event.at,
            connection: live.connection,
            family: ends.family,
            local: ends.local,
            peer: ends.peer,
            old,
            new: Some(new),
            in_old: since.map(|since| event.at.saturating_sub(since)),
            on_cpu: Some(self.names.on_cpu(event)),
            meaning: match meaning(old, new, clues) {
                _ if found_no_port(old, new, ends) => Meaning::NoPort,
                Meaning::Listed(way) if is_child => Meaning::ServerSocket(way),
                other => other,
            },
        };
        self.pending.push(PendingChange { socket, change, status, clues, since });
    }

    /// Gives an error to the transition that closed the socket, or keeps it for the one that will. Kernels before
    /// 6.10 report the error before they close the socket, later kernels after.
    fn take_error(&mut self, event: &Event, errno: i32, ends: Ends) {
        if let Some(pending) = self.pending.awaiting_reason(&ends) {
            pending.learn(|clues| clues.errno = Some(errno));
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

    /// The error that this socket got a moment ago on this processor: the reason why it closes.
    fn error(&mut self, event: &Event, ends: &Ends) -> Option<i32> {
        const JUST_NOW: Nanos = 1_000_000;
        let last = self.errors.get_mut(usize::try_from(event.cpu).ok()?)?;
        let (at, errno, socket) = (*last)?;
        let is_same = socket == *ends && event.at.saturating_sub(at) < JUST_NOW;
        is_same.then(|| {
            *last = None;
            errno
        })
    }

    /// Adds a clue to the socket's pending transition if that lacks its reason.
    fn add_clue(&mut self, socket: u64, learn: impl FnOnce(&mut Clues)) {
        let Some(live) = self.live.get_mut(&socket) else { return };
        let waiting = live.waiting.and_then(|number| self.pending.get_mut(number));
        if let Some(pending) = waiting.filter(|pending| pending.waits_for_reason()) {
            live.waiting = None;
            pending.learn(learn);
        }
    }

    /// Gives the socket's pending transition its ports and addresses, which this later event has. If the connection
    /// closes without them, the wait ends all the same.
    fn fill_in_ends(&mut self, waiting: Option<u64>, ends: &Ends, new: TcpState) {
        let pending = waiting.and_then(|number| self.pending.get_mut(number));
        let Some(pending) = pending.filter(|pending| pending.waits_for_ends()) else { return };
        if has_ports(ends) {
            (pending.change.local, pending.change.peer) = (ends.local, ends.peer);
            self.opened.extend(pending.change.new.map(|state| (*ends, pending.change.at, state)));
        }
        if has_ports(ends) || new == TcpState::Close {
            pending.status = Status::Ready;
        }
    }

    /// The next transition that can be reported.
    pub(super) fn next(&mut self, horizon: Horizon) -> Option<StateChange> {
        let (socket, change) = self.pending.next(horizon)?;
        if let Some(socket) = socket {
            self.forget_closed(socket, &change);
        }
        Some(change)
    }

    /// Forgets a socket when its closing is reported, unless the event of its destruction, which does the same, is
    /// traced.
    fn forget_closed(&mut self, socket: u64, change: &StateChange) {
        let is_over =
            |live: &Live| live.connection == change.connection && live.state == Some(TcpState::Close);
        if self.destroyed.is_none() && self.live.get(&socket).is_some_and(is_over) {
            self.live.remove(&socket);
        }
    }
}

impl Live {
    /// Whether it is in another state than the next transition begins with, so that events are missing. Not if a filter
    /// may have left them out.
    fn has_gap_before(&self, expected: TcpState, is_filtered: bool) -> bool {
        let may_be_left_out = is_filtered && self.lacks_ends;
        self.state.is_some_and(|state| state != expected) && !may_be_left_out
    }

    /// What was seen up to this event.
    fn clues(&self, event: &Event, errno: Option<i32>) -> Clues {
        Clues {
            reset_received: self.reset_received,
            reset_sent: false,
            unanswered: self.resent.is_some_and(|resent| event.at >= resent.again),
            errno,
            in_interrupt: event.in_interrupt,
        }
    }

    /// Notes that the socket entered a state.
    fn enter(&mut self, state: TcpState, at: Nanos, is_child: bool) {
        self.state = Some(state);
        // The kernel creates a child at the end of the handshake: how long it is in SYN_RECV means nothing.
        self.since = (!is_child).then_some(at);
        self.resent = None;
        if state == TcpState::Close {
            self.reset_received = false;
        }
    }

    /// Notes a retransmission. The first one is of what was sent as the state began, a FIN above all, so the wait is
    /// measured from there.
    fn sent_again(&mut self, at: Nanos) {
        let before = self.resent.map(|resent| resent.at).or(self.since);
        self.resent = before.map(|before| {
            let waited = at.saturating_sub(before);
            // The next wait is twice as long. 1.5 times allows for timers that fire late.
            Resent { at, again: at + waited + waited / 2 }
        });
    }
}

fn has_ports(ends: &Ends) -> bool {
    ends.local.port != 0 && ends.peer.port != 0
}

/// Whether connect() failed because no local port was free: then none will come.
fn found_no_port(old: TcpState, new: TcpState, ends: &Ends) -> bool {
    (old, new) == (TcpState::SynSent, TcpState::Close) && ends.local.port == 0
}

/// What a transition lacks when its event is taken.
fn first_status(old: TcpState, new: TcpState, ends: &Ends, clues: Clues) -> Status {
    use TcpState::{Close, Closing, FinWait1, FinWait2, Listen, SynRecv, SynSent};
    let is_known = clues.reset_received || clues.errno.is_some() || clues.unanswered;
    match (old, new) {
        (_, SynSent) if ends.local.port == 0 => Status::LacksPort,
        (Listen, SynRecv) if ends.peer.port == 0 => Status::LacksPeer,
        _ if found_no_port(old, new, ends) => Status::Ready,
        (FinWait2 | Closing, Close) if !is_known => Status::LacksMinisocket,
        // The RST may be one that the kernel sends: data for a program that has closed is handled as if an RST had
        // come.
        (FinWait1 | FinWait2, Close) if clues.reset_received => Status::LacksReason,
        (_, Close) if !is_known => Status::LacksReason,
        _ => Status::Ready,
    }
}

#[cfg(test)]
mod tests;
