//! The two hosts, the wire between them, and the states of both ends.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::host::{Host, enter_user_namespace};
use super::segment::is_again;
use super::{DemoError, Flags, Happening, Moment, Role};
use crate::inspect::collect;
use crate::model::{Access, Families, Query};
use crate::model::{
    Family, Segment, Sink, Socket, Source, StateSet, TcpState, Transition, Trigger, transitions_between,
};

/// Addresses for documentation (RFC 5737), which are in no host's routes.
pub(super) const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// Where the server listens.
pub(super) const PORT: u16 = 80;
/// How long a segment travels: long enough that two can cross.
const LATENCY: Duration = Duration::from_millis(100);
/// The longest wait before the states of both ends are read again.
const PAUSE: Duration = Duration::from_millis(20);
/// The number of pauses without a segment after which none is expected: longer than the kernel delays an
/// acknowledgement.
const SILENCE: u32 = 4;

/// The function that is called for each moment; an error ends the scene.
pub(super) type Watcher<'a> = dyn FnMut(&Moment) -> io::Result<()> + 'a;

pub(super) struct Wire<'a> {
    pub(super) client: Host,
    pub(super) server: Host,
    watch: &'a mut Watcher<'a>,
    begun: Instant,
    states: [TcpState; 2],
    /// Whether the end has had a connection; from then on the listener's state is not the end's state.
    connected: [bool; 2],
    /// The last event at each end since its state changed; it distinguishes transitions between the same states.
    last: [Option<Trigger>; 2],
    under_way: VecDeque<(Instant, Role, Vec<u8>)>,
    /// The segments that were not lost, and who sent them.
    carried: Vec<(Role, Vec<u8>)>,
    /// Whether everything that the client sends is lost.
    pub(super) cut: bool,
}

impl<'a> Wire<'a> {
    pub(super) fn new(watch: &'a mut Watcher<'a>) -> Result<Self, DemoError> {
        let client = match Host::new(CLIENT) {
            Err(error) if error.is_denied() => {
                enter_user_namespace()?;
                Host::new(CLIENT)
            }
            other => other,
        }?;
        Ok(Self {
            client,
            server: Host::new(SERVER)?,
            watch,
            begun: Instant::now(),
            states: [TcpState::Close; 2],
            connected: [false; 2],
            last: [None; 2],
            under_way: VecDeque::new(),
            carried: Vec::new(),
            cut: false,
        })
    }

    pub(super) fn host(&self, end: Role) -> &Host {
        match end {
            Role::Client => &self.client,
            Role::Server => &self.server,
        }
    }

    pub(super) fn state(&self, end: Role) -> TcpState {
        self.states[end as usize]
    }

    /// Reports a moment to the watcher.
    pub(super) fn report(&mut self, what: Happening) -> Result<(), DemoError> {
        let moment = Moment { at: self.begun.elapsed(), what };
        (self.watch)(&moment).map_err(DemoError::Watcher)
    }

    /// Reports a call that was just made, and the states that it changed.
    pub(super) fn called(&mut self, end: Role, call: &str, event: Option<Trigger>) -> Result<(), DemoError> {
        self.report(Happening::Call { end, call: call.to_owned() })?;
        if event.is_some() {
            self.last[end as usize] = event;
        }
        self.look()
    }

    /// Asks the kernel for the state of each end, and reports what changed.
    pub(super) fn look(&mut self) -> Result<(), DemoError> {
        for end in [Role::Client, Role::Server] {
            let new = self.asked(end)?;
            let old = std::mem::replace(&mut self.states[end as usize], new);
            if old != new {
                let meaning = meaning(old, new, self.last[end as usize].take());
                self.report(Happening::State { end, old, new, meaning })?;
            }
        }
        Ok(())
    }

    /// The state of the connection's socket; before there was a connection, the state of the listener.
    fn asked(&mut self, end: Role) -> Result<TcpState, DemoError> {
        let query = Query::new(Families::Only(Family::Inet), StateSet::ALL);
        let mut found = Found::default();
        let asked = self.host(end).inside(|| collect(&query, &Access::default(), &mut found));
        asked.map_err(DemoError::Wire)??;
        let connected = &mut self.connected[end as usize];
        *connected |= found.connection.is_some();
        let without = if found.listens && !*connected { TcpState::Listen } else { TcpState::Close };
        Ok(found.connection.unwrap_or(without))
    }

    /// Carries segments until there have been none for a while.
    pub(super) fn carry(&mut self) -> Result<(), DemoError> {
        self.carry_while(|_| false)
    }

    /// Carries segments until there have been none for a while and `holds` returns false.
    pub(super) fn carry_while(&mut self, holds: impl Fn(&Self) -> bool) -> Result<(), DemoError> {
        let mut pauses = 0;
        loop {
            let mut took = false;
            for end in [Role::Client, Role::Server] {
                while self.take(end)? {
                    took = true;
                }
            }
            self.look()?;
            self.deliver()?;
            if took || !self.under_way.is_empty() {
                pauses = 0;
            } else if pauses >= SILENCE && !holds(self) {
                return Ok(());
            }
            // Pauses are counted rather than timed: this program may itself have been stopped meanwhile.
            if !took {
                self.wait().map_err(DemoError::Wire)?;
                pauses += 1;
            }
        }
    }

    /// Delivers the segments that have travelled long enough.
    fn deliver(&mut self) -> Result<(), DemoError> {
        while let Some((at, to, packet)) = self.under_way.pop_front() {
            if at > Instant::now() {
                self.under_way.push_front((at, to, packet));
                return Ok(());
            }
            let mut tun = &self.host(to).tun;
            tun.write_all(&packet).map_err(DemoError::Wire)?;
            self.last[to as usize] = Flags::of_packet(&packet).map(|flags| received(flags, self.state(to)));
            self.look()?;
        }
        Ok(())
    }

    /// Takes the next packet that an end has sent; false if there is none.
    fn take(&mut self, from: Role) -> Result<bool, DemoError> {
        let mut packet = [0; 2048];
        let mut tun = &self.host(from).tun;
        let len = match tun.read(&mut packet) {
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(DemoError::Wire(error)),
        };
        let packet = packet.get(..len).unwrap_or_default();
        // Not TCP over IPv4: the kernel's IPv6 sends packets on every new device.
        let Some(flags) = Flags::of_packet(packet) else { return Ok(true) };
        // Sent again although it was not lost: this host was slow, which is not part of the scene.
        if self.carried.iter().any(|(sender, other)| *sender == from && is_again(packet, other)) {
            return Ok(true);
        }
        let lost = self.cut && from == Role::Client;
        self.report(Happening::Segment { from, flags, lost })?;
        if !lost {
            self.under_way.push_back((Instant::now() + LATENCY, from.other(), packet.to_vec()));
            self.carried.push((from, packet.to_vec()));
        }
        Ok(true)
    }

    /// Waits until a segment comes or is due, at most for a pause: time changes states, too.
    fn wait(&self) -> io::Result<()> {
        let due =
            self.under_way.front().map_or(PAUSE, |(at, ..)| at.saturating_duration_since(Instant::now()));
        let wait = due.min(PAUSE);
        let wait = Timespec { tv_sec: 0, tv_nsec: wait.subsec_nanos().into() };
        let mut watched = [&self.client, &self.server]
            .map(|host| PollFd::from_borrowed_fd(host.tun.as_fd(), PollFlags::IN));
        match poll(&mut watched, Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What the wire needs to know of one host's sockets.
#[derive(Default)]
struct Found {
    connection: Option<TcpState>,
    listens: bool,
}

impl Sink for Found {
    fn begin(&mut self, _source: Source) {
        *self = Self::default();
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        if socket.peer.port != 0 {
            self.connection = Some(socket.state.shown());
        }
        self.listens |= socket.state == TcpState::Listen;
        ControlFlow::Continue(())
    }
}

/// The trigger that a segment is for an end in this state.
fn received(flags: Flags, state: TcpState) -> Trigger {
    match flags {
        Flags { rst: true, .. } => Trigger::Received(Segment::Rst),
        Flags { syn: true, ack: true, .. } => Trigger::Received(Segment::SynAck),
        Flags { syn: true, .. } => Trigger::Received(Segment::Syn),
        Flags { fin: true, .. } => Trigger::Received(Segment::Fin),
        _ if state == TcpState::SynRecv => Trigger::AckOfSyn,
        _ => Trigger::AckOfFin,
    }
}

/// The meaning of the transition that this event causes; without an event, a timer did.
fn meaning(old: TcpState, new: TcpState, event: Option<Trigger>) -> &'static str {
    let by_event = |way: &&Transition| way.event == event.unwrap_or(Trigger::GaveUp);
    let way = transitions_between(old, new).find(by_event).or_else(|| transitions_between(old, new).next());
    way.map_or("RFC 9293 has no such way", |way| way.meaning)
}
