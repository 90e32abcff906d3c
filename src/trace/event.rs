//! What the kernel's tracepoints say, one event each.

use rustix::time::{ClockId, clock_gettime};

use crate::model::{Endpoint, Family, Socket};

/// Nanoseconds of the kernel's `CLOCK_MONOTONIC`.
pub type Nanos = u64;

/// What a clock of the kernel's shows.
pub fn time_of(clock: ClockId) -> Nanos {
    let time = clock_gettime(clock);
    let [whole, nanoseconds] =
        [time.tv_sec, time.tv_nsec].map(|part| Nanos::try_from(part).unwrap_or_default());
    whole.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) at: Nanos,
    /// The process that was on the processor.
    pub(super) pid: u32,
    pub(super) cpu: u32,
    /// It only was interrupted: what happened was not its doing.
    pub(super) in_interrupt: bool,
    pub(super) kind: Kind,
}

/// The two ends of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ends {
    pub(super) family: Family,
    pub(super) local: Endpoint,
    pub(super) peer: Endpoint,
}

impl Ends {
    /// Those of a socket.
    pub(super) fn of(socket: &Socket) -> Self {
        Self { family: socket.family, local: socket.local, peer: socket.peer }
    }

    /// As the other end has them.
    pub(super) fn swapped(self) -> Self {
        Self { local: self.peer, peer: self.local, ..self }
    }
}

/// What happened. A socket is known by its address in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It went from one of the kernel's states to another.
    State { socket: u64, old: u8, new: u8, ends: Ends },
    /// An RST came for it, or what the kernel handles likewise.
    ResetReceived { socket: u64 },
    /// An RST was sent for it; 0 for no socket that is whole.
    ResetSent { socket: u64, ends: Option<Ends> },
    /// A segment of it was sent again.
    SentAgain { socket: u64 },
    /// It is gone, and its address may be used for another.
    Destroyed { socket: u64, cookie: Option<u64> },
    /// It was told an error.
    Error { errno: i32, ends: Ends },
    /// So many records found no place in the ring.
    Lost { records: u64 },
    /// A process has a new name.
    Named { pid: u32, name: Comm },
    /// A process began, with its parent's name.
    Forked { pid: u32, parent: u32 },
    /// A process ended.
    Exited { pid: u32 },
}

/// A process's name as the kernel has it: at most 15 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Comm {
    bytes: [u8; 15],
    len: u8,
}

impl Comm {
    /// Up to the first NUL, or as far as it fits.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut comm = Self::default();
        let name = bytes.iter().take_while(|byte| **byte != 0);
        for (to, from) in comm.bytes.iter_mut().zip(name) {
            *to = *from;
            comm.len += 1;
        }
        comm
    }

    /// The name, which may be any bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }
}
