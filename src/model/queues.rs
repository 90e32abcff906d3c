//! What waits in a socket.

use super::TcpState;

/// A socket's two queues. What they hold depends on whether it listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Queues {
    /// Bytes: received and not read, sent and not acknowledged. After the peer's FIN was received `recv_q` counts it
    /// as one byte, and so does `send_q` for our own until it is acknowledged.
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
        /// How many may wait; `None` from /proc, which does not tell.
        backlog: Option<u32>,
    },
}

impl Queues {
    /// What the two numbers mean in this state.
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

    /// How many connections wait for `accept`; `None` where nothing listens.
    pub fn accept_queue(&self) -> Option<u32> {
        match *self {
            Self::Data { .. } => None,
            Self::Accept { pending, .. } => Some(pending),
        }
    }

    /// How many may wait; `None` where nothing listens, and from /proc.
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

    /// The Send-Q column; 0 where the backlog is not known.
    pub fn send_q(&self) -> u32 {
        match *self {
            Self::Data { send_q, .. } => send_q,
            Self::Accept { backlog, .. } => backlog.unwrap_or(0),
        }
    }
}
