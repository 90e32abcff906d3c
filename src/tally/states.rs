//! Counts by state: counters, never sockets.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::model::{Consumer, Holder, Row, Source, TcpState};

/// How many sockets are in each state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateCounts {
    shown: [u64; TcpState::SHOWN.len()],
    unknown: BTreeMap<u8, u64>,
}

impl StateCounts {
    /// Counts a socket in this state.
    pub fn add(&mut self, state: TcpState) {
        let counter = match state.rank() {
            Some(rank) => self.shown.get_mut(rank),
            None => Some(self.unknown.entry(state.kernel()).or_default()),
        };
        if let Some(counter) = counter {
            *counter += 1;
        }
    }

    /// How many are in this state, as it is shown.
    pub fn of(&self, state: TcpState) -> u64 {
        self.each().find(|(other, _)| *other == state.shown()).map_or(0, |(_, count)| count)
    }

    /// All eleven states in the order of our formats, then any that this program does not know.
    pub fn each(&self) -> impl Iterator<Item = (TcpState, u64)> {
        let unknown = self.unknown.iter().map(|(number, count)| (TcpState::Other(*number), *count));
        TcpState::SHOWN.into_iter().zip(self.shown).chain(unknown)
    }

    /// How many sockets there are in all.
    pub fn total(&self) -> u64 {
        self.shown.iter().sum::<u64>() + self.unknown.values().sum::<u64>()
    }
}

impl Consumer for StateCounts {
    type Later = TcpState;

    fn begin(&mut self, _: Source) {
        *self = Self::default();
    }

    fn take(&mut self, row: &Row<'_>) -> ControlFlow<()> {
        self.add(row.socket.state);
        ControlFlow::Continue(())
    }

    fn keep(&mut self, row: &Row<'_>) -> TcpState {
        row.socket.state
    }

    fn take_later(&mut self, state: TcpState, _: &[Holder]) {
        self.add(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_states_count_as_the_public_ones_and_unknown_ones_are_kept() {
        let mut counts = StateCounts::default();
        for number in [1, 3, 12, 13, 7, 14, 14, 255] {
            counts.add(TcpState::from_kernel(number));
        }
        let nonzero: Vec<_> =
            counts.each().filter(|(_, count)| *count > 0).map(|(state, n)| (state.to_string(), n)).collect();
        let expected =
            [("SYN_RECV", 2), ("ESTABLISHED", 1), ("CLOSED", 2), ("UNKNOWN(14)", 2), ("UNKNOWN(255)", 1)];
        assert_eq!(nonzero, expected.map(|(name, n)| (name.to_owned(), n)));
        assert_eq!(counts.total(), 8);
        assert_eq!(counts.each().count(), 13);
    }
}
