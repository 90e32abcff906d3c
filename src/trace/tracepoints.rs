//! Transitions from the kernel's tracepoints: a ring for each processor, merged in the order of time.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::param::page_size;

use super::bytes::Joiner;
use super::change::Told;
use super::connections::Connections;
use super::event::{Event, Kind, Nanos};
use super::lines::{Lacks, Line, PATIENCE, Until};
use super::minisocket::{Closings, Minisockets};
use super::ports::Ports;
use super::records::{DESTROYED, Layouts, OTHERS, STATE};
use super::ring::{Ring, RingError};
use super::tracefs::{Tracefs, processors};
use super::{Missed, Options};
use crate::collect::netlink::Notices;
use crate::model::TcpState;

/// How long a record may take from its time to its place in the ring: less is newer than what another ring may yet
/// bring.
const SLACK: Nanos = 5_000_000;

/// How often ports are asked for at most.
const PORTS_EVERY: Nanos = 100_000_000;

/// All rings together, and each.
const ALL_RINGS: usize = 64 << 20;
const RING: std::ops::RangeInclusive<usize> = 128 << 10..=8 << 20;

/// The tracepoints at work.
#[derive(Debug)]
pub(super) struct Tracepoints {
    layouts: Layouts,
    rings: Vec<Ring>,
    /// What was read and may not be the next yet.
    events: Vec<Event>,
    connections: Connections,
    minisockets: Minisockets,
    closings: Closings,
    /// What passed through connections, where that is asked for and can be had.
    bytes: Option<Joiner>,
    /// When the ports of connections without an answer may be asked for again.
    next_ports: Nanos,
    ports: Ports,
    every: Nanos,
    lost: u64,
}

impl Tracepoints {
    /// Sets them up; minisockets are asked for in this thread's network namespace. The names are those of tracepoints
    /// that this kernel does not have.
    pub(super) fn start(options: &Options) -> Result<(Self, Vec<&'static str>), SetupError> {
        let tracefs = Tracefs::open().map_err(SetupError::Tracefs)?;
        let mut layouts = Layouts::default();
        let layout = tracefs.layout(STATE).map_err(SetupError::Tracefs)?;
        if !layouts.add(STATE, &layout) {
            return Err(SetupError::Fields);
        }
        let had = |tracepoint: &&str| {
            tracefs.layout(tracepoint).is_ok_and(|layout| layouts.add(tracepoint, &layout))
        };
        // What passed through a connection comes by its cookie, which only the destruction of its socket tells.
        let wanted = OTHERS.into_iter().filter(|tracepoint| options.bytes || *tracepoint != DESTROYED);
        let (_, missing): (Vec<_>, Vec<_>) = wanted.partition(had);
        let processors = processors().map_err(SetupError::Processors)?;
        let rings = open_rings(&processors, &layouts.ids())?;
        let bytes = options.bytes.then(Notices::join).and_then(Result::ok).map(Joiner::new);
        let mut connections = Connections::new(options.max_sockets);
        connections.destroyed = bytes.is_some().then(Vec::new);
        let tracepoints = Self {
            layouts,
            rings,
            events: Vec::new(),
            connections,
            minisockets: Minisockets::new(options.max_sockets, options.poll),
            closings: Closings::default(),
            bytes,
            next_ports: 0,
            ports: Ports::new(),
            every: options.poll,
            lost: 0,
        };
        Ok((tracepoints, missing))
    }

    /// What becomes readable when much is there.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.rings.iter().filter_map(|ring| Some(ring.descriptor()?.as_fd()))
    }

    /// Reads what is there and tells what is sure; with `all` whatever there is.
    pub(super) fn read(&mut self, now: Nanos, all: bool, tell: &mut dyn FnMut(Told<'_>)) {
        for ring in &mut self.rings {
            let (layouts, events) = (&self.layouts, &mut self.events);
            ring.read(|record| events.extend(layouts.decode(record)));
        }
        // Each ring's are nearly in order: a stable sort merges such runs.
        self.events.sort_by_key(|event| event.at);
        let sure = if all { Nanos::MAX } else { now.saturating_sub(SLACK) };
        self.take_events(sure);
        self.ask_for_minisockets(now, all, sure);
        let until = if all {
            Until::END
        } else {
            Until { sure: sure.min(self.minisockets.known_until()), patience: now.saturating_sub(PATIENCE) }
        };
        self.fill_in_ports(now, until.patience);
        while let Some(change) = self.connections.next(until) {
            tell(Told::Change(&change));
        }
        if let (Some(bytes), Some(destroyed)) = (&mut self.bytes, &mut self.connections.destroyed) {
            bytes.join(now, destroyed, tell);
        }
    }

    /// Takes the events up to this time.
    fn take_events(&mut self, sure: Nanos) {
        let count = self.events.partition_point(|event| event.at <= sure);
        for event in self.events.drain(..count) {
            match event.kind {
                Kind::Lost { records } => self.lost += records,
                Kind::ResetSent { ends: Some(ends), .. } => self.minisockets.reset_sent(&ends, event.at),
                _ => {}
            }
            self.connections.take(&event);
        }
        for (ends, at, state) in self.connections.opened.drain(..) {
            if let Some(change) = self.minisockets.open(&ends, at, state) {
                self.connections.lines.push_other(change);
            }
        }
    }

    /// Asks what the kernel has in the place of sockets that it closed, and what became of what it had.
    fn ask_for_minisockets(&mut self, now: Nanos, all: bool, sure: Nanos) {
        let is_due = all || self.minisockets.is_due(now);
        let mut others = Vec::new();
        let mut tell = |change| others.push(change);
        for line in self.connections.lines.lacking(Lacks::Fate) {
            self.minisockets.reset(line, &mut tell);
        }
        if is_due || self.connections.lines.lacking(Lacks::Minisocket).next().is_some() {
            self.note_closings();
            let closings = &self.closings;
            for line in self.connections.lines.lacking(Lacks::Minisocket) {
                self.minisockets.settle(line, now, closings, &mut tell);
            }
            if is_due {
                self.minisockets.ask_for_orphans(now, closings, &mut tell);
            }
        }
        self.minisockets.end_orphans(sure, &mut tell);
        self.minisockets.forget_resets();
        self.minisockets.end_waits(now.saturating_sub(SLACK), now, &mut tell);
        for change in others {
            self.connections.lines.push_other(change);
        }
    }

    /// Notes when sockets whose peers had closed were closed too, as far as that is not told yet.
    fn note_closings(&mut self) {
        let of_line = |line: &Line| {
            let change = &line.change;
            (change.new == Some(TcpState::LastAck)).then(|| (change.ends(), change.at))
        };
        let of_event = |event: &Event| match &event.kind {
            Kind::State { new, ends, .. } if *new == TcpState::LastAck.kernel() => Some((*ends, event.at)),
            _ => None,
        };
        self.closings.clear();
        self.closings.extend(self.connections.lines.iter().filter_map(of_line));
        self.closings.extend(self.events.iter().filter_map(of_event));
    }

    /// Asks for the ports of connections that have waited so long for one, though not each time.
    fn fill_in_ports(&mut self, now: Nanos, patience: Nanos) {
        if now >= self.next_ports
            && self.connections.lines.lacking(Lacks::Port).any(|line| line.change.at <= patience)
        {
            self.next_ports = now + self.every.min(PORTS_EVERY);
            self.ports.fill_in(self.connections.lines.lacking(Lacks::Port), patience);
        }
    }

    pub(super) fn missed(&self) -> Missed {
        Missed {
            // A record tells of lost ones only when the next finds place, which it may never.
            lost: self.lost.max(self.rings.iter().map(Ring::lost).sum()),
            unseen: self.connections.unseen,
            dropped: self.connections.dropped + self.minisockets.dropped,
            notices: self.bytes.as_ref().map_or(0, |bytes| bytes.losses),
        }
    }
}

/// A ring for each processor, all of the size that may be had for each.
fn open_rings(processors: &[i32], ids: &[u16]) -> Result<Vec<Ring>, SetupError> {
    let size = (ALL_RINGS / processors.len().max(1)).clamp(*RING.start(), *RING.end());
    let mut size = 1 << size.ilog2();
    loop {
        match processors.iter().map(|processor| Ring::open(*processor, ids, size)).collect() {
            Err(RingError::Map(_)) if size / 2 >= page_size() => size /= 2,
            Err(RingError::Map(error)) => return Err(SetupError::Memory(error)),
            Err(RingError::Open(error)) => return Err(SetupError::Perf(error)),
            Ok(rings) => return Ok(rings),
        }
    }
}

/// Why the tracepoints can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The tracing file system, which only root may read.
    #[error("tracefs: {0} (root is needed)")]
    Tracefs(io::Error),
    /// The list of processors.
    #[error("/sys/devices/system/cpu/online: {0}")]
    Processors(io::Error),
    /// The rings.
    #[error("perf_event_open: {0} (CAP_PERFMON is needed)")]
    Perf(io::Error),
    /// Their memory, which is locked.
    #[error("the memory of perf events: {0} (CAP_IPC_LOCK or a larger RLIMIT_MEMLOCK is needed)")]
    Memory(io::Error),
    /// A kernel with another tracepoint of that name.
    #[error("sock:inet_sock_set_state has other fields than are known")]
    Fields,
}
