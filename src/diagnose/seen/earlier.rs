//! The connections at the start of the interval, by the kernel's cookie.

use std::ops::ControlFlow;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::model::{Consumer, Holder, Queues, Row, Socket, Source, TcpInfo};
use crate::tally::StateCounts;

/// The first of two snapshots.
#[derive(Debug, Default)]
pub struct Earlier {
    /// How many sockets were in each state.
    pub states: StateCounts,
    connections: FxHashMap<u64, Done>,
}

/// The counters of a connection at the start of the interval.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) segments: u32,
    pub(super) segments_again: u32,
    /// How many bytes its program had read; `None` if no more were waiting.
    read: Option<u64>,
}

/// The connections at the start of the interval, and the interval's minimum length.
#[derive(Debug)]
pub(super) struct Since {
    connections: FxHashMap<u64, Done>,
    interval: Duration,
}

impl Since {
    pub(super) fn new(earlier: Earlier, interval: Duration) -> Self {
        Self { connections: earlier.connections, interval }
    }

    /// The counters at the start of the interval: zeros for a connection that began within it.
    pub(super) fn done(&self, socket: &Socket) -> Done {
        socket.cookie.and_then(|cookie| self.connections.get(&cookie)).copied().unwrap_or_default()
    }

    /// The minimum time for which the program has read nothing although data was waiting; newer data does not matter.
    pub(super) fn unread_ms(&self, socket: &Socket) -> Option<u32> {
        let read = self.done(socket).read?;
        (has_read(socket, socket.tcp_info()?) == Some(read))
            .then(|| u32::try_from(self.interval.as_millis()).unwrap_or(u32::MAX))
    }
}

/// How many of the received bytes the program has read; `None` if no more are waiting.
fn has_read(socket: &Socket, info: &TcpInfo) -> Option<u64> {
    match socket.queues {
        Queues::Data { recv_q, .. } if recv_q > 0 => info.bytes_received()?.checked_sub(recv_q.into()),
        _ => None,
    }
}

impl Earlier {
    fn add(&mut self, socket: &Socket) {
        self.states.add(socket.state);
        let Some((cookie, info)) = socket.cookie.zip(socket.tcp_info()) else { return };
        let done = Done {
            segments: info.data_segs_out().unwrap_or_default(),
            segments_again: info.total_retrans().unwrap_or_default(),
            read: has_read(socket, info),
        };
        if done.segments > 0 || done.segments_again > 0 || done.read.is_some() {
            self.connections.insert(cookie, done);
        }
    }
}

impl Consumer for Earlier {
    /// The holders of the earlier sockets are not needed.
    type Later = ();

    fn begin(&mut self, _: Source) {
        *self = Self::default();
    }

    fn take(&mut self, row: &Row<'_>) -> ControlFlow<()> {
        self.add(row.socket);
        ControlFlow::Continue(())
    }

    fn keep(&mut self, row: &Row<'_>) {
        self.add(row.socket);
    }

    fn take_later(&mut self, (): (), _: &[Holder]) {}
}
