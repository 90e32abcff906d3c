//! The events that the kernel's tracepoints report.

use crate::model::Ends;

/// Nanoseconds of `CLOCK_MONOTONIC` in the initial time namespace.
pub(crate) type Nanos = u64;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at: Nanos,
    /// The thread that was on the processor, by its number in the initial PID namespace.
    pub(crate) thread: u32,
    pub(crate) cpu: u32,
    /// The thread was merely interrupted: it did not cause the event.
    pub(crate) in_interrupt: bool,
    pub(crate) kind: EventKind,
}

/// What happened. A socket is identified by its address in the kernel's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// The socket went from one of the kernel's states to another.
    State { socket: u64, old: u8, new: u8, ends: Ends },
    /// The socket received an RST, or something that the kernel handles like one.
    ResetReceived { socket: u64 },
    /// The kernel sent an RST for the socket; `socket` is 0 if it is not a full socket.
    ResetSent { socket: u64, ends: Option<Ends> },
    /// The kernel retransmitted a segment of the socket.
    SentAgain { socket: u64 },
    /// The socket is gone; the kernel may use its address for another.
    Destroyed { socket: u64, cookie: Option<u64> },
    /// The kernel reported an error to the socket.
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
