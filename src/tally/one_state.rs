//! Counts by state and, for one state, the processes, peers and ports with the most sockets.

use std::ops::ControlFlow;

use super::groups::{CountKey, GroupCounts};
use super::states::StateCounts;
use crate::fields::{self, Field};
use crate::model::{Consumer, Holder, Row, Source, TcpState};

/// Counters of all states, and groups of one.
#[derive(Clone, Debug)]
pub struct OneState {
    state: TcpState,
    /// How many sockets are in each state.
    pub states: StateCounts,
    /// Sockets of the one state, by pid and process.
    pub processes: GroupCounts,
    /// By peer.
    pub peers: GroupCounts,
    /// By local port.
    pub ports: GroupCounts,
}

fn counts(fields: &[&'static Field]) -> GroupCounts {
    GroupCounts::new(&fields.iter().map(|field| CountKey::of(field)).collect::<Vec<_>>(), &[])
}

impl OneState {
    /// No sockets yet.
    pub fn new(state: TcpState) -> Self {
        Self {
            state: state.shown(),
            states: StateCounts::default(),
            processes: counts(&[&fields::PID, &fields::PROCESS]),
            peers: counts(&[&fields::PEER]),
            ports: counts(&[&fields::LOCAL_PORT]),
        }
    }

    /// Counts a socket without its holders; returns whether it is in the one state.
    fn count_bare(&mut self, row: &Row<'_>) -> bool {
        self.states.add(row.socket.state);
        let is_of_it = row.socket.state.shown() == self.state;
        if is_of_it {
            let _ = self.peers.take(row);
            let _ = self.ports.take(row);
        }
        is_of_it
    }
}

impl Consumer for OneState {
    /// `None` in another state: the holders are not needed.
    type Later = Option<<GroupCounts as Consumer>::Later>;

    fn begin(&mut self, _: Source) {
        *self = Self::new(self.state);
    }

    fn take(&mut self, row: &Row<'_>) -> ControlFlow<()> {
        if self.count_bare(row) { self.processes.take(row) } else { ControlFlow::Continue(()) }
    }

    fn keep(&mut self, row: &Row<'_>) -> Self::Later {
        self.count_bare(row).then(|| self.processes.keep(row))
    }

    fn take_later(&mut self, later: Self::Later, holders: &[Holder]) {
        if let Some(later) = later {
            self.processes.take_later(later, holders);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, Family, Socket};

    #[test]
    fn groups_are_of_the_one_state_only() {
        let socket = |state, port| {
            let end = |port| Endpoint::new("10.0.0.1".parse().unwrap(), port);
            Socket::new(Family::Inet, state, end(port), end(9))
        };
        let sockets = [
            socket(TcpState::CloseWait, 1),
            socket(TcpState::CloseWait, 2),
            socket(TcpState::Established, 3),
        ];
        let mut now = OneState::new(TcpState::CloseWait);
        let mut later = now.clone();
        for socket in &sockets {
            let _ = now.take(&Row::bare(socket));
            let number = later.keep(&Row::bare(socket));
            later.take_later(number, &[]);
        }
        for counts in [now, later] {
            let totals = [&counts.processes, &counts.peers, &counts.ports].map(|counts| counts.total().count);
            assert_eq!((counts.states.total(), totals), (3, [2; 3]));
            assert_eq!(counts.ports.sorted().len(), 2);
        }
    }
}
