//! A socket's queues.

use super::TcpState;

/// A socket's two queues. Their content depends on whether the socket listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Queues {
    /// Bytes: received and not read, sent and not acknowledged. The peer's FIN counts as one byte in `recv_q` once it
    /// is received; our own FIN counts as one byte in `send_q` until it is acknowledged.
    Data {
        /// Bytes that the program has not read.
        recv_q: u32,
        /// Bytes that the peer has not acknowledged.
        send_q: u32,
    },
    /// Connections that wait for `accept`.
    Accept {
        /// How many wait. A full queue reads `backlog + 1`.
        pending: u32,
        /// How many may wait; `None` from /proc, which does not report the limit.
        backlog: Option<u32>,
    },
}

impl Queues {
    /// Interprets the two numbers by the socket's state.
    pub fn of(state: TcpState, recv_q: u32, send_q: u32, backlog: Option<u32>) -> Self {
        match state {
            TcpState::Listen => Self::Accept { pending: recv_q, backlog },
            _ => Self::Data { recv_q, send_q },
        }
    }

    /// Bytes that the program has not read; `None` for a listener, which receives none.
    pub fn unread(&self) -> Option<u32> {
        match *self {
            Self::Data { recv_q, .. } => Some(recv_q),
            Self::Accept { .. } => None,
        }
    }

    /// Bytes that the peer has not acknowledged; `None` for a listener, which sends none.
    pub fn unacknowledged(&self) -> Option<u32> {
        match *self {
            Self::Data { send_q, .. } => Some(send_q),
            Self::Accept { .. } => None,
        }
    }

    /// How many connections wait for `accept`; `None` if the socket does not listen.
    pub fn accept_queue(&self) -> Option<u32> {
        match *self {
            Self::Data { .. } => None,
            Self::Accept { pending, .. } => Some(pending),
        }
    }

    /// How many may wait; `None` if the socket does not listen, and from /proc.
    pub fn backlog(&self) -> Option<u32> {
        match *self {
            Self::Data { .. } => None,
            Self::Accept { backlog, .. } => backlog,
        }
    }

    /// The Recv-Q column.
    pub fn recv_q(&self) -> u32 {
        match *self {
            Self::Data { recv_q, .. } => recv_q,
            Self::Accept { pending, .. } => pending,
        }
    }

    /// The Send-Q column; 0 if the backlog is unknown.
    pub fn send_q(&self) -> u32 {
        match *self {
            Self::Data { send_q, .. } => send_q,
            Self::Accept { backlog, .. } => backlog.unwrap_or(0),
        }
    }
}
