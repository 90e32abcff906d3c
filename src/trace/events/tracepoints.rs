//! Transitions from the kernel's events: a ring for each processor, merged in time order.

use std::io;
use std::os::fd::BorrowedFd;

use super::bytes::Joiner;
use super::connections::Connections;
use super::minisockets::{Closings, Minisockets};
use super::pending::{Horizon, PendingChange, REASON_WAIT, Status};
use super::ports::Ports;
use crate::kernel::clock::{Clock, WallClock};
use crate::kernel::ring::Instance;
use crate::kernel::ring::PageLayout;
use crate::kernel::ring::Ring;
use crate::kernel::ring::SetupError;
use crate::kernel::ring::{DESTROYED, Layouts, OTHERS, STATE, THREADS};
use crate::kernel::ring::{Event, EventKind, Nanos};
use crate::kernel::ring::{Tracefs, tracefs};
use crate::kernel::sock_diag::Notices;
use crate::model::TcpState;
use crate::trace::changes::Observation;
use crate::trace::notes::{Missed, Note, ReadError};
use crate::trace::options::Options;

/// How long after its time stamp a record may enter its ring. A younger event is not reported yet, because another
/// ring may still bring an older one.
const SLACK: Nanos = 5_000_000;

/// The shortest time between two questions about ports.
const PORTS_EVERY: Nanos = 100_000_000;

/// The time between two comparisons of this process's clock with the ring's clock.
const CLOCK_EVERY: Nanos = 1_000_000_000;

/// The running tracepoints.
#[derive(Debug)]
pub(in crate::trace) struct Tracepoints {
    layouts: Layouts,
    instance: Instance,
    page_layout: PageLayout,
    page: Vec<u8>,
    clock: Clock,
    wall: WallClock,
    /// When to compare the clocks next.
    next_clock: Nanos,
    /// Events that were read but are younger than [`SLACK`], in time order.
    events: Vec<Event>,
    connections: Connections,
    minisockets: Minisockets,
    closings: Closings,
    /// The byte counts of connections, if wanted and available.
    bytes: Option<Joiner>,
    /// When sock_diag may be asked for ports again.
    next_ports: Nanos,
    ports: Ports,
    interval: Nanos,
}

impl Tracepoints {
    /// Sets the tracepoints up. The notes name events that this kernel lacks. Minisockets are asked for in the
    /// network namespace of this thread.
    pub(in crate::trace) fn start(
        options: &Options,
        filter: Option<&str>,
    ) -> Result<(Self, Vec<Note>), SetupError> {
        let tracefs = Tracefs::open()?;
        let page_layout = tracefs.page_layout()?;
        let mut layouts = Layouts::default();
        let layout = tracefs.layout(STATE)?;
        if !layouts.add(STATE, &layout) {
            return Err(SetupError::Fields);
        }
        let instance = Instance::make(tracefs)?;
        instance.record(STATE, filter)?;
        let mut is_missing = |event: &&str, filter| {
            let is_known = instance.layout(event).is_ok_and(|layout| layouts.add(event, &layout));
            !is_known || instance.record(event, filter).is_err()
        };
        // Byte counts are matched by the socket's cookie, and only the event of its destruction has that.
        let reasons = OTHERS.into_iter().filter(|event| options.bytes || *event != DESTROYED);
        let mut missing: Vec<_> =
            reasons.filter(|event| is_missing(event, filter)).map(Note::NoReasons).collect();
        missing.extend(THREADS.into_iter().filter(|event| is_missing(event, None)).map(Note::NoNames));
        let bytes = options.bytes.then(Notices::join).and_then(Result::ok).map(Joiner::new);
        // `Connections` reads the names of processes. Events of threads are recorded already, so none is missed.
        let mut connections = Connections::new(options.max_sockets);
        connections.destroyed = bytes.is_some().then(Vec::new);
        connections.is_filtered = filter.is_some();
        let mut minisockets = Minisockets::new(options.max_sockets, options.poll);
        minisockets.sees_resets = layouts.report_all_resets();
        let mut tracepoints = Self {
            layouts,
            page: vec![0; page_layout.len()],
            page_layout,
            instance,
            clock: Clock::default(),
            wall: WallClock::default(),
            next_clock: 0,
            events: Vec::new(),
            connections,
            minisockets,
            closings: Closings::default(),
            bytes,
            next_ports: 0,
            ports: Ports::new(),
            interval: options.poll,
        };
        tracepoints.sample_clocks();
        Ok((tracepoints, missing))
    }

    /// The current time by the ring's clock.
    pub(in crate::trace) fn now(&self) -> Nanos {
        self.clock.now()
    }

    /// Descriptors that become readable when a ring is a quarter full.
    pub(in crate::trace) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.instance.rings().iter().filter_map(Ring::descriptor)
    }

    /// Samples the wall clock, and every [`CLOCK_EVERY`] compares this process's clock with the ring's.
    fn sample_clocks(&mut self) {
        if self.now() >= self.next_clock {
            let (folder, rings) = (self.instance.folder(), self.instance.rings());
            self.clock.set_by(|| rings.first()?.stats(folder).ok()?.now);
            self.minisockets.set_clock(self.clock);
            self.next_clock = self.now() + CLOCK_EVERY;
        }
        self.wall.sample(self.clock);
    }

    /// Reads the rings and reports what is certain.
    pub(in crate::trace) fn read(
        &mut self,
        report: &mut dyn FnMut(Observation<'_>),
    ) -> Result<(), ReadError> {
        self.sample_clocks();
        self.read_rings()?;
        self.report(self.now(), false, report);
        Ok(())
    }

    /// Stops the recording and reports everything.
    pub(in crate::trace) fn finish(
        &mut self,
        report: &mut dyn FnMut(Observation<'_>),
    ) -> Result<(), ReadError> {
        self.instance.stop();
        self.sample_clocks();
        self.read_rings()?;
        self.report(self.now(), true, report);
        Ok(())
    }

    /// Reads all rings and puts their events into time order.
    fn read_rings(&mut self) -> io::Result<()> {
        let Self { layouts, page_layout, page, events, .. } = self;
        for ring in self.instance.rings_mut() {
            let cpu = ring.cpu;
            ring.read(page_layout, page, |at, record| events.extend(layouts.decode(at, cpu, record)))?;
        }
        // Each ring is in order already, and a stable sort merges sorted runs quickly.
        events.sort_by_key(|event| event.at);
        Ok(())
    }

    /// Reports what is certain, or everything.
    fn report(&mut self, now: Nanos, all: bool, report: &mut dyn FnMut(Observation<'_>)) {
        let complete = if all { Nanos::MAX } else { now.saturating_sub(SLACK) };
        self.ask_for_names(complete);
        self.take_events(complete);
        self.ask_for_minisockets(now, all, complete);
        let horizon = if all {
            Horizon::END
        } else {
            Horizon {
                complete: complete.min(self.minisockets.known_until()),
                overdue: now.saturating_sub(REASON_WAIT),
            }
        };
        self.fill_in_ports(now, horizon.overdue);
        while let Some(change) = self.connections.next(horizon) {
            report(Observation::Change(&change, self.wall.at(change.at)));
        }
        if let (Some(bytes), Some(destroyed)) = (&mut self.bytes, &mut self.connections.destroyed) {
            bytes.join(now, destroyed, report);
        }
    }

    /// Reads `saved_cmdlines` if an event up to this time is of a thread whose name only that list may have.
    fn ask_for_names(&mut self, complete: Nanos) {
        let names = &mut self.connections.names;
        let complete_events = self.events.iter().take_while(|event| event.at <= complete);
        if names.need_list(complete_events)
            && let Ok(list) = tracefs::read(self.instance.tracefs(), "saved_cmdlines")
        {
            names.learn_list(&list);
        }
    }

    /// Turns the events up to this time into transitions.
    fn take_events(&mut self, complete: Nanos) {
        let count = self.events.partition_point(|event| event.at <= complete);
        for event in self.events.drain(..count) {
            if let EventKind::ResetSent { ends: Some(ends), .. } = event.kind {
                self.minisockets.reset_sent(&ends, event.at);
            }
            self.connections.take(&event);
        }
        for (ends, at, state) in self.connections.opened.drain(..) {
            if let Some(change) = self.minisockets.replace_time_wait(&ends, at, state) {
                self.connections.pending.insert(change);
            }
        }
    }

    /// Asks what the kernel keeps in place of closed sockets, and what became of the orphans and TIME_WAITs known so
    /// far.
    fn ask_for_minisockets(&mut self, now: Nanos, all: bool, complete: Nanos) {
        let is_due = all || self.minisockets.is_due(now);
        let mut found = Vec::new();
        let mut report = |change| found.push(change);
        for pending in self.connections.pending.with_status(Status::LacksReset) {
            self.minisockets.end_by_reset(pending, &mut report);
        }
        if is_due || self.connections.pending.with_status(Status::LacksMinisocket).next().is_some() {
            self.note_closings();
            let closings = &self.closings;
            for pending in self.connections.pending.with_status(Status::LacksMinisocket) {
                self.minisockets.resolve(pending, now, closings, &mut report);
            }
            if is_due {
                self.minisockets.ask_for_orphans(now, closings, &mut report);
            }
        }
        self.minisockets.end_orphans(complete, &mut report);
        self.minisockets.forget_resets();
        self.minisockets.end_time_waits(now.saturating_sub(SLACK), now, &mut report);
        for change in found {
            self.connections.pending.insert(change);
        }
    }

    /// Notes when sockets went to LAST_ACK, from all transitions that are not reported yet: their FIN ended the
    /// peer's FIN_WAIT2.
    fn note_closings(&mut self) {
        let of_line = |pending: &PendingChange| {
            let change = &pending.change;
            (change.new == Some(TcpState::LastAck)).then(|| (change.ends(), change.at))
        };
        let of_event = |event: &Event| match &event.kind {
            EventKind::State { new, ends, .. } if *new == TcpState::LastAck.kernel() => {
                Some((*ends, event.at))
            }
            _ => None,
        };
        self.closings.clear();
        self.closings.extend(self.connections.pending.iter().filter_map(of_line));
        self.closings.extend(self.events.iter().filter_map(of_event));
    }

    /// Asks for ports if a transition up to the time `overdue` lacks one, at most every [`PORTS_EVERY`].
    fn fill_in_ports(&mut self, now: Nanos, overdue: Nanos) {
        if now >= self.next_ports
            && self
                .connections
                .pending
                .with_status(Status::LacksPort)
                .any(|pending| pending.change.at <= overdue)
        {
            self.next_ports = now + self.interval.min(PORTS_EVERY);
            self.ports.fill_in(self.connections.pending.with_status(Status::LacksPort), self.clock, overdue);
        }
    }

    /// What was missed so far.
    pub(in crate::trace) fn missed(&self) -> Missed {
        Missed {
            lost: self.instance.lost(),
            unseen: self.connections.unseen,
            dropped: self.connections.dropped + self.minisockets.dropped,
            notices: self.bytes.as_ref().map_or(0, |bytes| bytes.losses),
        }
    }
}
