//! What the kernel's tracepoints say, one event each.

use crate::model::{Endpoint, Family, Socket};

/// Nanoseconds of `CLOCK_MONOTONIC` in the initial time namespace.
pub(crate) type Nanos = u64;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at: Nanos,
    /// The thread that was on the processor, by its number in the initial PID namespace.
    pub(crate) thread: u32,
    pub(crate) cpu: u32,
    /// It only was interrupted: what happened was not its doing.
    pub(crate) in_interrupt: bool,
    pub(crate) kind: Kind,
}

/// The two ends of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ends {
    pub(crate) family: Family,
    pub(crate) local: Endpoint,
    pub(crate) peer: Endpoint,
}

impl Ends {
    /// Those of a socket.
    pub(crate) fn of(socket: &Socket) -> Self {
        Self { family: socket.family, local: socket.local, peer: socket.peer }
    }

    /// As the other end has them.
    pub(crate) fn swapped(self) -> Self {
        Self { local: self.peer, peer: self.local, ..self }
    }
}

/// What happened. A socket is known by its address in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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
    /// A thread has a new name.
    Named { thread: u32, name: Comm },
    /// The thread that was on the processor started another, in its own process or as a new process.
    Began { thread: u32, of_process: bool, name: Comm },
    /// A thread ended.
    Exited { thread: u32, name: Comm },
}

/// A process's name as the kernel has it: at most 15 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Comm {
    bytes: [u8; 15],
    len: u8,
}

impl Comm {
    /// Up to the first NUL, or as far as it fits.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let mut comm = Self::default();
        let name = bytes.iter().take_while(|byte| **byte != 0);
        for (to, from) in comm.bytes.iter_mut().zip(name) {
            *to = *from;
            comm.len += 1;
        }
        comm
    }

    /// The name, which may be any bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }
}
