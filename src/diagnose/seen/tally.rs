//! Counts by a key, the most first.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::model::Holder;

/// How many there are of each.
#[derive(Clone, Debug)]
pub(in crate::diagnose) struct Tally<K>(FxHashMap<K, u64>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<K: Copy + Ord + Hash> Tally<K> {
    /// Counts one more.
    pub(in crate::diagnose) fn add(&mut self, key: K) {
        *self.0.entry(key).or_default() += 1;
    }

    /// Counts one more of each.
    pub(in crate::diagnose) fn add_all(&mut self, keys: impl IntoIterator<Item = K>) {
        keys.into_iter().for_each(|key| self.add(key));
    }

    /// Counts what another has counted.
    pub(in crate::diagnose) fn merge(&mut self, other: &Self) {
        for (key, count) in &other.0 {
            *self.0.entry(*key).or_default() += count;
        }
    }

    /// All, the most first; of equal ones, by the key.
    pub(in crate::diagnose) fn sorted(&self) -> Vec<(K, u64)> {
        let mut all: Vec<_> = self.0.iter().map(|(key, count)| (*key, *count)).collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all
    }

    /// The few of which there are most.
    pub(in crate::diagnose) fn top(&self) -> Vec<(K, u64)> {
        /// So many are named.
        const FEW: usize = 5;
        let mut all = self.sorted();
        all.truncate(FEW);
        all
    }

    /// How many different ones there are.
    pub(in crate::diagnose) fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

/// Each process that holds a socket, once; `None` where there is none or none is to be seen.
pub(super) fn pids(holders: &[Holder]) -> Vec<Option<u32>> {
    let mut pids: Vec<_> = holders.iter().map(|holder| Some(holder.process.pid)).collect();
    // They come by rising number.
    pids.dedup();
    if pids.is_empty() {
        pids.push(None);
    }
    pids
}
