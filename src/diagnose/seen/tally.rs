//! Counts by a key, highest first.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::model::Holder;

/// A count for each key.
#[derive(Clone, Debug)]
pub(in crate::diagnose) struct Tally<K>(FxHashMap<K, u64>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<K: Copy + Ord + Hash> Tally<K> {
    /// Adds one to a key's count.
    pub(in crate::diagnose) fn add(&mut self, key: K) {
        *self.0.entry(key).or_default() += 1;
    }

    /// Adds one to the count of each key.
    pub(in crate::diagnose) fn add_all(&mut self, keys: impl IntoIterator<Item = K>) {
        keys.into_iter().for_each(|key| self.add(key));
    }

    /// Adds the counts of another tally.
    pub(in crate::diagnose) fn merge(&mut self, other: &Self) {
        for (key, count) in &other.0 {
            *self.0.entry(*key).or_default() += count;
        }
    }

    /// All keys, highest count first; equal counts by key.
    pub(in crate::diagnose) fn sorted(&self) -> Vec<(K, u64)> {
        let mut all: Vec<_> = self.0.iter().map(|(key, count)| (*key, *count)).collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all
    }

    /// The few keys with the highest counts.
    pub(in crate::diagnose) fn top(&self) -> Vec<(K, u64)> {
        /// How many keys are named.
        const FEW: usize = 5;
        let mut all = self.sorted();
        all.truncate(FEW);
        all
    }

    /// How many distinct keys there are.
    pub(in crate::diagnose) fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

/// Each process that holds a socket, once; a single `None` if there is no process or none can be seen.
pub(super) fn pids(holders: &[Holder]) -> Vec<Option<u32>> {
    let mut pids: Vec<_> = holders.iter().map(|holder| Some(holder.process.pid)).collect();
    // The holders are sorted by pid.
    pids.dedup();
    if pids.is_empty() {
        pids.push(None);
    }
    pids
}
