//! What was read of a host, and what could not be read.

use std::time::Duration;

use super::seen::Seen;
use super::values::Counted;
use crate::model::{Counters, Descriptors, Gap, Setting, Settings, TcpState};
use crate::tally::StateCounts;

/// Everything that the rules judge by.
#[derive(Debug)]
pub struct Evidence {
    /// The sockets.
    pub seen: Seen,
    /// The settings.
    pub settings: Settings,
    /// The counters, as they are now.
    pub counters: Counters,
    /// The state at the start of the interval, if there is one.
    pub before: Option<Before>,
    /// The descriptors of processes that may run out of them because of their sockets.
    pub descriptors: Vec<Descriptors>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// The host at the start of the interval.
#[derive(Debug)]
pub struct Before {
    /// The length of the interval.
    pub elapsed: Duration,
    /// How many sockets were in each state.
    pub states: StateCounts,
    /// The counters.
    pub counters: Counters,
}

impl Evidence {
    /// A counter; `None` if this kernel does not have it.
    pub fn counted(&self, group: &str, name: &str) -> Option<Counted> {
        let total = self.counters.count(group, name)?;
        let before = self.before.as_ref().and_then(|before| before.counters.count(group, name));
        Some(Counted { total, lately: before.map(|before| total.saturating_sub(before)) })
    }

    /// How many more sockets are in a state than at the start of the interval.
    pub fn grown(&self, state: TcpState) -> Option<i64> {
        let before = self.before.as_ref()?.states.of(state);
        Some(self.seen.states.of(state).cast_signed().wrapping_sub(before.cast_signed()))
    }

    /// A setting's number.
    pub(super) fn setting(&self, setting: Setting) -> Option<u64> {
        self.settings.number(setting)
    }
}
