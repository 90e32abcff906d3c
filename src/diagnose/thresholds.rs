//! From where on something is worth telling.

macro_rules! thresholds {
    ($($(#[doc = $doc:literal])+ $name:ident = $flag:literal, $usual:literal;)*) => {
        /// A threshold, which has a flag of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Threshold {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Threshold {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The flag, less its dashes.
            pub const fn flag(self) -> &'static str {
                match self {
                    $(Self::$name => $flag,)*
                }
            }

            /// Its value where nothing else is said.
            pub const fn usual(self) -> u64 {
                match self {
                    $(Self::$name => $usual,)*
                }
            }
        }
    };
}

thresholds! {
    /// Seconds in CLOSE_WAIT, from which on a program is said to hold it.
    CloseWaitAge = "close-wait-age", 60;
    /// How many of them by one process are no longer a note.
    CloseWaitCount = "close-wait-count", 10;
    /// How much of an accept queue is filled.
    QueuePercent = "queue-percent", 75;
    /// How many connections of a listener are half-open.
    SynRecvCount = "syn-recv-count", 20;
    /// How often a SYN was sent again.
    SynRetries = "syn-retries", 2;
    /// How many of the local ports towards one destination are taken.
    PortsPercent = "ports-percent", 80;
    /// How much of a limit of the kernel's, or of a process, is used.
    LimitPercent = "limit-percent", 80;
    /// Seconds for which data has been lying because the peer or the program does not read.
    StallAge = "stall-age", 30;
    /// How many of the segments were sent again.
    RetransPercent = "retrans-percent", 5;
    /// How many segments are enough to judge by.
    RetransSegments = "retrans-segments", 100;
}

/// The thresholds of a diagnosis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds([u64; Threshold::ALL.len()]);

impl Default for Thresholds {
    fn default() -> Self {
        let mut all = [0; Threshold::ALL.len()];
        for (value, threshold) in all.iter_mut().zip(Threshold::ALL) {
            *value = threshold.usual();
        }
        Self(all)
    }
}

impl Thresholds {
    /// The value of one.
    pub fn of(&self, threshold: Threshold) -> u64 {
        self.0.get(threshold as usize).copied().unwrap_or_default()
    }

    /// Whether so many sockets can be the cause where the descriptors of a process are used up: at least half of them.
    pub fn sockets_may_fill(&self, sockets: u64, limit: u64) -> bool {
        percent(sockets.saturating_mul(2), limit) >= self.of(Threshold::LimitPercent)
    }

    /// With another value of one.
    #[must_use]
    pub fn with(mut self, threshold: Threshold, value: u64) -> Self {
        if let Some(own) = self.0.get_mut(threshold as usize) {
            *own = value;
        }
        self
    }
}

/// So many percent of the whole are this part; none of nothing.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    part.saturating_mul(100).checked_div(whole).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_value() {
        let usual = Thresholds::default();
        for threshold in Threshold::ALL {
            let other = usual.with(*threshold, 7777);
            for each in Threshold::ALL {
                let expected = if each == threshold { 7777 } else { each.usual() };
                assert_eq!(other.of(*each), expected, "{}", each.flag());
            }
        }
    }

    #[test]
    fn a_part_of_nothing_is_nothing() {
        assert_eq!((percent(1, 0), percent(3, 4), percent(u64::MAX, 1)), (0, 75, u64::MAX));
    }
}
