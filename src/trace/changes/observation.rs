//! What a trace reports: transitions, and the byte counts of connections.

use super::change::StateChange;
use crate::kernel::clock::Wall;
use crate::kernel::ring::Nanos;
use crate::model::Socket;

/// How long the notice of a destroyed socket and the transition that ends its connection wait for each other. They
/// come from the kernel by different paths, in any order.
pub(crate) const NOTICE_WAIT: Nanos = 300_000_000;

/// One thing that a trace reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Observation<'a> {
    /// A transition, and its wall-clock time.
    Change(&'a StateChange, Wall),
    /// The kernel has destroyed a connection's socket.
    Destroyed {
        /// The connection's number.
        connection: u64,
        /// The bytes that the connection carried; `None` if the socket no longer has the counts.
        bytes: Option<Bytes>,
    },
}

/// The bytes that a connection carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes {
    /// Bytes sent; retransmitted bytes count once.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
}

impl Bytes {
    /// Computes them from the counters of a destroyed socket.
    pub(in crate::trace) fn of(socket: &Socket) -> Option<Self> {
        // A close with SO_LINGER 0 resets the counters. They are gone if segs_out is 0, because every connection has
        // sent a segment.
        let info = socket.tcp_info().filter(|info| info.segs_out() != Some(0))?;
        let sent = info.bytes_sent()?.saturating_sub(info.bytes_retrans()?);
        Some(Self { sent, received: info.bytes_received()? })
    }
}
