//! What the rules need of the sockets: counters by group, updated as the sockets arrive. The sockets themselves are not
//! kept. Only of listeners and affected sockets a few values are kept until their holders are known.

mod affected;
mod earlier;
mod listeners;
mod ports;
mod tally;

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use self::affected::{Noted, Trouble};
use self::earlier::Since;
use super::thresholds::{Threshold, Thresholds};
use super::values::Peer;
use crate::model::{
    self, Consumer, Holder, Process, Queues, Row, Settings, Socket, TcpInfo, TcpState, Timer,
};
use crate::tally::StateCounts;

pub(super) use affected::{Affected, AffectedSockets};
pub use earlier::Earlier;
pub(super) use listeners::{HalfOpen, Listeners, Listening};
pub(super) use ports::{Choice, Ports, Reuse, Route, SourceAddress, Used};
pub(super) use tally::Tally;

/// What the rules need of the sockets.
#[derive(Debug)]
pub struct Seen {
    thresholds: Thresholds,
    /// The connections at the start of the interval, if there is one.
    since: Option<Since>,
    /// How many sockets are in each state.
    pub states: StateCounts,
    pub(super) listeners: Listeners,
    pub(super) ports: Ports,
    pub(super) affected: AffectedSockets,
    pub(super) sent: FxHashMap<IpAddr, ToPeer>,
    pub(super) orphans: StateCounts,
    /// Sockets that count as time-wait records of the kernel: TIME_WAIT and orphaned FIN_WAIT2.
    pub(super) time_wait_records: u64,
    pub(super) time_wait_peers: Tally<Peer>,
    /// Connections without tcp_info.
    pub(super) without_info: u64,
    /// Sockets with an inode: some process must hold them.
    pub(super) with_inode: u64,
    /// Sockets with an inode for which a process was seen.
    pub(super) held: u64,
    programs: FxHashMap<u32, Program>,
    kept: Vec<Kept>,
}

/// A process that holds sockets.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) process: Arc<Process>,
    /// Its descriptors that refer to TCP sockets.
    pub(super) descriptors: u64,
}

/// What was sent to a peer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ToPeer {
    pub(super) connections: u64,
    /// Connections that wait for the answer to a retransmission.
    pub(super) resending: u64,
    /// Since the connections were opened.
    pub(super) sent: Sent,
    /// Within the interval, if there is one.
    pub(super) lately: Option<Sent>,
    pub(super) bytes: u64,
    pub(super) bytes_again: u64,
}

/// Segments with data, and those of them that were sent again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) segments: u64,
    pub(super) segments_again: u64,
}

impl Sent {
    /// `again` includes SYNs that were sent again, which are not data: it is capped at `segments`.
    fn add(&mut self, segments: u32, again: u32) {
        self.segments += u64::from(segments);
        self.segments_again += u64::from(again.min(segments));
    }
}

/// What is kept of a socket until its holders are known. For nearly all of a million sockets that is nothing, or just
/// the number of their route.
#[derive(Clone, Copy, Debug)]
pub enum Waiting {
    /// Nothing: without an inode it has no holders of its own.
    Unheld,
    /// Only that some process holds it.
    Held,
    /// That some process holds it, and the number of its route.
    Route(u32),
    /// The number of its entry in `kept`.
    Kept(u32),
}

/// What is kept of a listener or an affected socket until its holders are known.
#[derive(Clone, Copy, Debug)]
struct Kept {
    what: Subject,
    /// The number of its route, if it has one.
    route: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Subject {
    Listener(usize),
    Noted(Noted),
}

impl Seen {
    /// No sockets yet. The settings say which ports matter, the thresholds how old a problem must be.
    pub fn new(settings: &Settings, thresholds: &Thresholds) -> Self {
        Self {
            thresholds: *thresholds,
            since: None,
            states: StateCounts::default(),
            listeners: Listeners::default(),
            ports: Ports::of(settings),
            affected: AffectedSockets::default(),
            sent: FxHashMap::default(),
            orphans: StateCounts::default(),
            time_wait_records: 0,
            time_wait_peers: Tally::default(),
            without_info: 0,
            with_inode: 0,
            held: 0,
            programs: FxHashMap::default(),
            kept: Vec::new(),
        }
    }

    /// Adds the earlier snapshot, taken at least `interval` before.
    #[must_use]
    pub fn since(mut self, earlier: Earlier, interval: Duration) -> Self {
        self.since = Some(Since::new(earlier, interval));
        self
    }

    /// The processes that hold sockets, and how many of their descriptors refer to sockets, most first.
    pub fn by_sockets(&self) -> Vec<(u32, u64)> {
        let mut all: Vec<_> =
            self.programs.iter().map(|(pid, program)| (*pid, program.descriptors)).collect();
        all.sort_unstable_by_key(|(pid, descriptors)| (std::cmp::Reverse(*descriptors), *pid));
        all
    }

    /// Counts the descriptors that refer to one socket.
    fn count_descriptors(&mut self, holders: &[Holder]) {
        self.held += u64::from(!holders.is_empty());
        for holder in holders {
            let new = || Program { process: holder.process.clone(), descriptors: 0 };
            self.programs.entry(holder.process.pid).or_insert_with(new).descriptors += 1;
        }
    }

    /// Counts the holders of a listener or of an affected socket.
    fn take_kept(&mut self, Kept { what, route }: Kept, holders: &[Holder]) {
        match what {
            Subject::Listener(place) => {
                self.count_descriptors(holders);
                self.listeners.held(place, holders);
            }
            Subject::Noted(noted) => {
                if noted.has_inode {
                    self.count_descriptors(holders);
                }
                self.affected.add(&noted, holders);
            }
        }
        if let Some(route) = route {
            self.ports.held(route, holders);
        }
    }

    pub(super) fn program(&self, pid: u32) -> Option<&Program> {
        self.programs.get(&pid)
    }

    /// Counts a socket; returns what to keep until its holders are known, if anything.
    fn look(&mut self, socket: &Socket) -> Option<Subject> {
        self.states.add(socket.state);
        self.count_records(socket);
        match socket.state.shown() {
            TcpState::Listen => return Some(Subject::Listener(self.listeners.listen(socket))),
            TcpState::SynRecv => {
                self.listeners.half_open(socket);
                return None;
            }
            TcpState::TimeWait => {
                self.time_wait_peers.add(Peer { addr: socket.peer.addr.to_canonical(), port: None });
                return None;
            }
            TcpState::Close => return None,
            _ => {}
        }
        match socket.tcp_info() {
            Some(info) => self.count_sent(socket, info),
            None if socket.inode.is_some() => self.without_info += 1,
            None => {}
        }
        self.trouble(socket).map(Subject::Noted)
    }

    /// Counts what the kernel limits: time-wait records and orphans. An orphaned FIN_WAIT2 soon becomes such a record.
    fn count_records(&mut self, socket: &Socket) {
        let is_record = matches!(socket.timer, Some(Timer::TimeWait { .. }));
        let closing = [TcpState::FinWait1, TcpState::FinWait2, TcpState::LastAck, TcpState::Closing];
        if is_record || socket.state == TcpState::TimeWait {
            self.time_wait_records += 1;
        } else if socket.inode.is_none() && closing.contains(&socket.state) {
            self.orphans.add(socket.state);
        }
    }

    fn count_sent(&mut self, socket: &Socket, info: &TcpInfo) {
        let (Some(segments), Some(again)) = (info.data_segs_out(), info.total_retrans()) else { return };
        let to_peer = self.sent.entry(socket.peer.addr.to_canonical()).or_default();
        to_peer.connections += 1;
        let is_resending = info.retrans() > Some(0) || info.retransmits() > Some(0);
        to_peer.resending += u64::from(is_resending);
        to_peer.sent.add(segments, again);
        if let Some(since) = &self.since {
            let done = since.done(socket);
            let lately = to_peer.lately.get_or_insert_default();
            lately.add(segments.wrapping_sub(done.segments), again.wrapping_sub(done.segments_again));
        }
        to_peer.bytes += info.bytes_sent().unwrap_or(0);
        to_peer.bytes_again += info.bytes_retrans().unwrap_or(0);
    }

    fn trouble(&self, socket: &Socket) -> Option<Noted> {
        let Queues::Data { recv_q, send_q } = socket.queues else { return None };
        let peer = Peer { addr: socket.peer.addr.to_canonical(), port: None };
        let has_inode = socket.inode.is_some();
        let noted = |trouble, bytes: u32, age_ms| {
            let bytes = bytes.into();
            Noted { trouble, peer, bytes, age_ms, tries: 0, has_inode }
        };
        let info = socket.tcp_info();
        let is_old = |age: Option<u32>, threshold| {
            age.is_some_and(|age| u64::from(age) >= self.thresholds.of(threshold).saturating_mul(1000))
        };
        if socket.state == TcpState::SynSent {
            let tries = socket.timer.map_or(0, |timer| timer.retransmits());
            let peer = Peer { port: Some(socket.peer.port), ..peer };
            let enough = u64::from(tries) >= self.thresholds.of(Threshold::SynRetries);
            return enough.then_some(Noted { peer, tries, ..noted(Trouble::Unanswered, 0, None) });
        }
        // The FIN counts as one byte of Recv-Q. It came before the last ACK did, so the age is a minimum.
        if socket.state == TcpState::CloseWait {
            let age = info.and_then(|info| info.last_ack_recv_ms().min(info.last_data_recv_ms()));
            let is_held = age.is_none() || is_old(age, Threshold::CloseWaitAge);
            return is_held.then(|| noted(Trouble::Held, recv_q.saturating_sub(1), age));
        }
        let sent = info.and_then(TcpInfo::last_data_sent_ms);
        if send_q > 0 && is_closed(socket) && is_old(sent, Threshold::StallAge) {
            return Some(noted(Trouble::UnreadThere, send_q, sent));
        }
        let may_read = match socket.state {
            // Without an inode the connection waits to be accepted.
            TcpState::Established => true,
            TcpState::FinWait1 | TcpState::FinWait2 => has_inode,
            _ => false,
        };
        // If data keeps arriving, `received` stays low: then only the earlier snapshot shows that none is read.
        let received = info.and_then(TcpInfo::last_data_recv_ms);
        let unread = received.max(self.since.as_ref().and_then(|since| since.unread_ms(socket)));
        let is_unread = may_read && recv_q > 0 && is_old(unread, Threshold::StallAge);
        is_unread.then(|| noted(Trouble::UnreadHere, recv_q, unread))
    }
}

/// Whether the peer's window is closed: it is 0, or the kernel probes it.
fn is_closed(socket: &Socket) -> bool {
    let no_window = socket.tcp_info().and_then(TcpInfo::snd_wnd) == Some(0);
    no_window || matches!(socket.timer, Some(Timer::Probe0 { .. }))
}

impl Consumer for Seen {
    type Later = Waiting;

    fn begin(&mut self, _: model::Source) {
        let mut ports = std::mem::take(&mut self.ports);
        ports.reset();
        let since = self.since.take();
        *self = Self { since, ports, ..Self::new(&Settings::default(), &self.thresholds) };
    }

    fn take(&mut self, row: &Row<'_>) -> ControlFlow<()> {
        let waiting = self.keep(row);
        self.take_later(waiting, row.holders);
        ControlFlow::Continue(())
    }

    fn keep(&mut self, row: &Row<'_>) -> Waiting {
        let has_inode = row.socket.inode.is_some();
        self.with_inode += u64::from(has_inode);
        let route = self.ports.add(row.socket);
        match (self.look(row.socket), route) {
            (Some(what), route) => {
                self.kept.push(Kept { what, route });
                Waiting::Kept(number(self.kept.len() - 1))
            }
            (None, Some(route)) => Waiting::Route(number(route)),
            (None, None) if has_inode => Waiting::Held,
            (None, None) => Waiting::Unheld,
        }
    }

    fn take_later(&mut self, waiting: Waiting, holders: &[Holder]) {
        match waiting {
            // The holders of a connection without an inode are those of its listener.
            Waiting::Unheld => {}
            Waiting::Held => self.count_descriptors(holders),
            Waiting::Route(route) => {
                self.count_descriptors(holders);
                self.ports.held(route as usize, holders);
            }
            Waiting::Kept(number) => {
                if let Some(kept) = self.kept.get(number as usize).copied() {
                    self.take_kept(kept, holders);
                }
            }
        }
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
