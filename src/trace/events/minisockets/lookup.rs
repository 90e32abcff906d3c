//! Asks sock_diag what the kernel keeps in place of a closed socket.

use rustc_hash::FxHashMap;
use rustix::time::{ClockId, clock_getres};

use super::devices::Devices;
use crate::kernel::clock::Clock;
use crate::kernel::ring::Nanos;
use crate::kernel::sock_diag::{Datagrams, connect, lookup};
use crate::model::{Endpoint, Ends, Socket, TIME_WAIT_MS, TcpState, Timer};
use crate::trace::changes::StateChange;

/// A connection to sock_diag, in this thread's network namespace.
pub(super) struct Lookup {
    /// `None` if sock_diag is unavailable.
    source: Option<Box<dyn Datagrams + Send>>,
    devices: Devices,
    pub(super) clock: Clock,
    /// The step of the kernel's clock for timers.
    pub(super) tick: Nanos,
}

/// What the kernel keeps in place of a closed socket.
pub(super) enum Remnant {
    /// An orphaned FIN_WAIT2, and the time left on its timer.
    Orphan(Nanos),
    /// A TIME_WAIT.
    TimeWait(TimeWaitStart),
    /// Nothing in this network namespace.
    Nothing,
}

/// When a TIME_WAIT began, within bounds, and how much time is left of it.
#[derive(Clone, Copy)]
pub(super) struct TimeWaitStart {
    pub(super) earliest: Nanos,
    pub(super) latest: Nanos,
    pub(super) left: Nanos,
}

/// When each socket went to LAST_ACK: it sent its FIN then. If the peer is on this host, it received the FIN at once.
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

    /// Asks for the minisocket with this address pair.
    pub(super) fn ask(&mut self, ends: &Ends, now: Nanos) -> Remnant {
        // The kernel's timers use the coarse clock.
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
                // Either clock reading may be a step behind.
                earliest: began(before).saturating_sub(self.tick),
                latest: began(after) + self.tick,
                left,
            }),
            _ => Remnant::Nothing,
        }
    }

    /// The socket with this address pair, whether or not it is bound to a device.
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
    /// When the FIN came that ended this FIN_WAIT2: not before `change`, the last known transition.
    pub(super) fn at(&self, change: &StateChange, now: Nanos, closings: &Closings) -> Nanos {
        let peer = closings.get(&change.ends().swapped());
        match peer {
            Some(closed) if *closed <= now => change.at.max(*closed),
            _ if self.earliest > change.at => self.latest.min(now),
            // Within a step of the clock: as if at once.
            _ => change.at,
        }
    }
}
