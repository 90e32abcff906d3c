//! The TIME_WAITs that are followed. There may be a million, and all last equally long, so they are a queue, with an
//! index by address pair.

use std::collections::VecDeque;
use std::hash::BuildHasher as _;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

use crate::kernel::ring::Nanos;
use crate::model::{Ends, TcpState, transitions_between};
use crate::trace::changes::{Meaning, StateChange};

/// A TIME_WAIT that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeWait {
    pub(super) ends: Ends,
    pub(super) since: Nanos,
    pub(super) end: Nanos,
    pub(super) connection: u64,
}

impl TimeWait {
    /// Its transition to another state.
    pub(super) fn becomes(&self, new: TcpState, at: Nanos) -> StateChange {
        let Ends { family, local, peer } = self.ends;
        let way = transitions_between(TcpState::TimeWait, new).next();
        StateChange {
            at,
            connection: self.connection,
            family,
            local,
            peer,
            old: TcpState::TimeWait,
            new: Some(new),
            in_old: Some(at.saturating_sub(self.since)),
            on_cpu: None,
            meaning: way.map_or(Meaning::Unlisted, Meaning::Listed),
        }
    }
}

/// All TIME_WAITs, in the order in which they were found, which is nearly the order in which they end.
#[derive(Debug, Default)]
pub(super) struct TimeWaits {
    /// `None` in places that were taken out.
    queue: VecDeque<Option<TimeWait>>,
    /// The number of the first place; the others are numbered from there, and numbers wrap around.
    first: u32,
    /// The numbers of the places, by address pair.
    numbers: HashTable<u32>,
}

fn hash(ends: &Ends) -> u64 {
    FxBuildHasher.hash_one(ends)
}

impl TimeWaits {
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Adds a TIME_WAIT. One with the same address pair is removed.
    pub(super) fn push(&mut self, wait: TimeWait) {
        // The limit is a u32 and a place lasts no longer than a TIME_WAIT, so numbers do not run out.
        let number = self.first.wrapping_add(u32::try_from(self.queue.len()).unwrap_or_default());
        let Self { queue, first, numbers } = self;
        let is_it = |number: &u32| at(queue, *first, *number).is_some_and(|other| other.ends == wait.ends);
        let hash_of = |number: &u32| at(queue, *first, *number).map_or(0, |other| hash(&other.ends));
        match numbers.entry(hash(&wait.ends), is_it, hash_of) {
            Entry::Occupied(mut same) => {
                let before = std::mem::replace(same.get_mut(), number);
                if let Some(place) = queue.get_mut(before.wrapping_sub(*first) as usize) {
                    *place = None;
                }
            }
            Entry::Vacant(place) => {
                place.insert(number);
            }
        }
        queue.push_back(Some(wait));
    }

    /// Takes out the TIME_WAIT with this address pair.
    pub(super) fn remove(&mut self, ends: &Ends) -> Option<TimeWait> {
        let Self { queue, first, numbers } = self;
        let is_it = |number: &u32| at(queue, *first, *number).is_some_and(|wait| wait.ends == *ends);
        let (number, _) = numbers.find_entry(hash(ends), is_it).ok()?.remove();
        queue.get_mut(number.wrapping_sub(*first) as usize)?.take()
    }

    /// Takes out the first, which ends next or nearly so.
    pub(super) fn pop(&mut self) -> Option<TimeWait> {
        let first = self.front()?;
        self.remove(&first.ends)
    }

    /// The first, which ends next or nearly so.
    pub(super) fn front(&mut self) -> Option<TimeWait> {
        while let Some(None) = self.queue.front() {
            self.queue.pop_front();
            self.first = self.first.wrapping_add(1);
        }
        self.queue.front().copied().flatten()
    }
}

/// The TIME_WAIT with this number.
fn at(queue: &VecDeque<Option<TimeWait>>, first: u32, number: u32) -> Option<&TimeWait> {
    queue.get(number.wrapping_sub(first) as usize)?.as_ref()
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{Endpoint, Family};

    fn wait(port: u16, end: Nanos) -> TimeWait {
        let local = Endpoint::new([127, 0, 0, 1].into(), port);
        let ends = Ends { family: Family::Inet, local, peer: local };
        TimeWait { ends, since: 0, end, connection: 1 }
    }

    proptest! {
        /// Also where the numbers wrap around.
        #[test]
        fn they_behave_as_a_plain_queue(steps: Vec<(u8, Option<bool>)>) {
            let mut waits = TimeWaits { first: u32::MAX - 3, ..TimeWaits::default() };
            let mut plain: VecDeque<TimeWait> = VecDeque::new();
            for (at, (port, comes)) in (0..).zip(steps) {
                let Some(comes) = comes else {
                    prop_assert_eq!(waits.pop(), plain.pop_front());
                    continue;
                };
                let wait = wait(u16::from(port % 16), at);
                let same = plain.iter().position(|other| other.ends == wait.ends);
                let gone = same.and_then(|same| plain.remove(same));
                if comes {
                    waits.push(wait);
                    plain.push_back(wait);
                } else {
                    prop_assert_eq!(waits.remove(&wait.ends), gone);
                }
                prop_assert_eq!((waits.len(), waits.front()), (plain.len(), plain.front().copied()));
            }
        }
    }
}
