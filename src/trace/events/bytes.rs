//! Joins the kernel's notices of destroyed sockets, which have their byte counts, with the connections of the trace.
//! A notice comes by netlink, the event of the same socket through the ring: in any order. Both have the socket's
//! cookie.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::kernel::ring::Nanos;
use crate::kernel::sock_diag::Notices;
use crate::trace::changes::{Bytes, NOTICE_WAIT, Observation};

/// Notices and connections that wait for each other.
#[derive(Debug)]
pub(super) struct Joiner {
    notices: Notices,
    /// By cookie.
    halves: FxHashMap<u64, Half>,
    /// When each cookie was put into `halves`; the oldest is first.
    ages: VecDeque<(Nanos, u64)>,
    /// How many times notices were lost.
    pub(super) losses: u64,
}

/// What came first: the number of the connection, or the notice.
#[derive(Clone, Copy, Debug)]
enum Half {
    Connection(u64),
    Bytes(Option<Bytes>),
}

impl Joiner {
    pub(super) fn new(notices: Notices) -> Self {
        Self { notices, halves: FxHashMap::default(), ages: VecDeque::new(), losses: 0 }
    }

    /// Takes the connections whose sockets were destroyed, as (cookie, connection), and reports those whose notice
    /// has come.
    pub(super) fn join(
        &mut self,
        now: Nanos,
        destroyed: &mut Vec<(u64, u64)>,
        report: &mut dyn FnMut(Observation<'_>),
    ) {
        while let Some((at, cookie)) = self.ages.front().copied() {
            if at + NOTICE_WAIT >= now {
                break;
            }
            self.ages.pop_front();
            self.halves.remove(&cookie);
        }
        let Self { notices, halves, ages, losses } = self;
        let mut meet = |cookie, half| match (halves.remove(&cookie), half) {
            (Some(Half::Bytes(bytes)), Half::Connection(connection))
            | (Some(Half::Connection(connection)), Half::Bytes(bytes)) => {
                report(Observation::Destroyed { connection, bytes });
            }
            _ => {
                halves.insert(cookie, half);
                ages.push_back((now, cookie));
            }
        };
        *losses += notices.read(&mut |socket| {
            if let Some(cookie) = socket.cookie {
                meet(cookie, Half::Bytes(Bytes::of(socket)));
            }
        });
        for (cookie, connection) in destroyed.drain(..) {
            meet(cookie, Half::Connection(connection));
        }
    }
}
