//! What a trace reports.

use super::change::StateChange;
use crate::kernel::clock::Wall;
use crate::kernel::ring::Nanos;
use crate::model::Socket;

/// How long the kernel's notice of a destroyed socket and the transition that ends its connection wait for each other.
pub(crate) const NOTICE_WAIT: Nanos = 300_000_000;

/// What is told by a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Observation<'a> {
    /// A transition, and its wall-clock time.
    Change(&'a StateChange, Wall),
    /// A connection's socket is destroyed.
    Destroyed {
        /// Its number.
        connection: u64,
        /// What had passed through it; `None` where the socket has forgotten that.
        bytes: Option<Bytes>,
    },
}

/// What passed through a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// From here; those sent again count once.
    pub sent: u64,
    /// From the peer.
    pub received: u64,
}

impl Bytes {
    /// From the last numbers of a socket.
    pub(in crate::trace) fn of(socket: &Socket) -> Option<Self> {
        // SO_LINGER with 0 cuts a connection and forgets what it has counted: none ever stood without a segment.
        let info = socket.tcp_info().filter(|info| info.segs_out() != Some(0))?;
        let sent = info.bytes_sent()?.saturating_sub(info.bytes_retrans()?);
        Some(Self { sent, received: info.bytes_received()? })
    }
}
