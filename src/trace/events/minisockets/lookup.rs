//! Asks the kernel what it has of a connection whose socket it closed.

use rustc_hash::FxHashMap;
use rustix::time::{ClockId, clock_getres};

use super::devices::Devices;
use crate::kernel::clock::Clock;
use crate::kernel::ring::{Ends, Nanos};
use crate::kernel::sock_diag::{Datagrams, connect, lookup};
use crate::model::{Endpoint, Socket, TIME_WAIT_MS, TcpState, Timer};
use crate::trace::changes::StateChange;

/// Asks sock_diag, in this thread's network namespace.
pub(super) struct Lookup {
    /// `None` where it can't be asked.
    source: Option<Box<dyn Datagrams + Send>>,
    devices: Devices,
    pub(super) clock: Clock,
    /// The kernel's clock for timers goes by such steps.
    pub(super) tick: Nanos,
}

/// What the kernel has.
pub(super) enum Remnant {
    Orphan(Nanos),
    TimeWait(TimeWaitStart),
    Nothing,
}

/// Within these times a TIME_WAIT began, and so much is left of it.
#[derive(Clone, Copy)]
pub(super) struct TimeWaitStart {
    pub(super) earliest: Nanos,
    pub(super) latest: Nanos,
    pub(super) left: Nanos,
}

/// When each socket went to LAST_ACK: its FIN came to the peer then, if that is on this host.
pub(in crate::trace::events) type Closings = FxHashMap<Ends, Nanos>;

impl Lookup {
    pub(super) fn new() -> Self {
        let tick = clock_getres(ClockId::MonotonicCoarse);
        Self {
            source: connect().ok(),
            devices: Devices::default(),
            clock: Clock::default(),
            tick: Nanos::try_from(tick.tv_nsec).unwrap_or_default(),
        }
    }

    pub(super) fn ask(&mut self, ends: &Ends, now: Nanos) -> Remnant {
        // The kernel's timers go by the coarse one.
        let clock = self.clock;
        let before = clock.coarse();
        let Some(socket) = self.find(ends, now) else { return Remnant::Nothing };
        let after = clock.coarse();
        let left = match socket.timer {
            Some(Timer::TimeWait { expires_ms }) => Nanos::from(expires_ms) * 1_000_000,
            _ => 0,
        };
        let began = |at: Nanos| (at + left).saturating_sub(Nanos::from(TIME_WAIT_MS) * 1_000_000);
        match socket.state {
            TcpState::FinWait2 => Remnant::Orphan(left),
            TcpState::TimeWait => Remnant::TimeWait(TimeWaitStart {
                // Either clock may have been about to make its step.
                earliest: began(before).saturating_sub(self.tick),
                latest: began(after) + self.tick,
                left,
            }),
            _ => Remnant::Nothing,
        }
    }

    /// The socket with these ends, whether or not it is bound to a device.
    fn find(&mut self, ends: &Ends, now: Nanos) -> Option<Socket> {
        let source = self.source.as_mut()?.as_mut();
        let mut at = |device| {
            let local = Endpoint { scope_id: device, ..ends.local };
            lookup(source, ends.family, local, ends.peer).ok().flatten()
        };
        at(0).or_else(|| self.devices.numbers(now).iter().find_map(|device| at(*device)))
    }
}

impl TimeWaitStart {
    /// When the FIN came that ended this FIN_WAIT2: not before the transition that is known last.
    pub(super) fn at(&self, change: &StateChange, now: Nanos, closings: &Closings) -> Nanos {
        let peer = closings.get(&change.ends().swapped());
        match peer {
            Some(closed) if *closed <= now => change.at.max(*closed),
            _ if self.earliest > change.at => self.latest.min(now),
            // To a step of the clock it was at once.
            _ => change.at,
        }
    }
}
