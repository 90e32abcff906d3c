//! Joins the kernel's notices of destroyed sockets, which tell what passed through them, with their connections. A
//! notice and the event that tells of the same socket come by different ways, in any order.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::kernel::ring::Nanos;
use crate::kernel::sock_diag::Notices;
use crate::trace::changes::{Bytes, NOTICE_WAIT, Observation};

/// The two halves, by cookie.
#[derive(Debug)]
pub(super) struct Joiner {
    notices: Notices,
    halves: FxHashMap<u64, Half>,
    /// The cookies by age.
    ages: VecDeque<(Nanos, u64)>,
    /// How often notices were lost.
    pub(super) losses: u64,
}

#[derive(Clone, Copy, Debug)]
enum Half {
    Connection(u64),
    Bytes(Option<Bytes>),
}

impl Joiner {
    pub(super) fn new(notices: Notices) -> Self {
        Self { notices, halves: FxHashMap::default(), ages: VecDeque::new(), losses: 0 }
    }

    /// Takes the connections that are gone, and tells what passed through those of which the notice has come.
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
