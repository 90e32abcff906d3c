//! What was seen of a host, and what could not be.

use std::time::Duration;

use super::seen::Seen;
use super::values::Counted;
use crate::model::{Counters, Descriptors, Gap, Setting, Settings, TcpState};
use crate::tally::StateCounts;

/// All that the rules judge by.
#[derive(Debug)]
pub struct Evidence {
    /// The sockets.
    pub seen: Seen,
    /// The settings.
    pub settings: Settings,
    /// The counters, as they are now.
    pub counters: Counters,
    /// What was seen some time before.
    pub before: Option<Before>,
    /// The descriptors of the processes whose sockets may use them up.
    pub descriptors: Vec<Descriptors>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// What was seen some time before.
#[derive(Debug)]
pub struct Before {
    /// How long before.
    pub elapsed: Duration,
    /// How many sockets were in each state.
    pub states: StateCounts,
    /// The counters.
    pub counters: Counters,
}

impl Evidence {
    /// A counter; `None` where this kernel has no such one.
    pub fn counted(&self, group: &str, name: &str) -> Option<Counted> {
        let total = self.counters.count(group, name)?;
        let before = self.before.as_ref().and_then(|before| before.counters.count(group, name));
        Some(Counted { total, lately: before.map(|before| total.saturating_sub(before)) })
    }

    /// By how much more sockets are in a state than before.
    pub fn grown(&self, state: TcpState) -> Option<i64> {
        let before = self.before.as_ref()?.states.of(state);
        Some(self.seen.states.of(state).cast_signed().wrapping_sub(before.cast_signed()))
    }

    /// A setting's number.
    pub(super) fn setting(&self, setting: Setting) -> Option<u64> {
        self.settings.number(setting)
    }
}
