//! The thresholds from which on something is reported.

macro_rules! thresholds {
    ($($(#[doc = $doc:literal])+ $name:ident = $flag:literal, $default:literal;)*) => {
        /// A threshold; each has a flag of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Threshold {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Threshold {
            /// All thresholds.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The flag without its dashes.
            pub const fn flag(self) -> &'static str {
                match self {
                    $(Self::$name => $flag,)*
                }
            }

            /// The default.
            pub const fn default_value(self) -> u64 {
                match self {
                    $(Self::$name => $default,)*
                }
            }
        }
    };
}

thresholds! {
    /// Seconds in CLOSE_WAIT from which on a socket is reported.
    CloseWaitAge = "close-wait-age", 60;
    /// How many such sockets of one process are a warning instead of a note.
    CloseWaitCount = "close-wait-count", 10;
    /// Percentage of an accept queue that is filled.
    QueuePercent = "queue-percent", 75;
    /// How many connections of a listener are half-open.
    SynRecvCount = "syn-recv-count", 20;
    /// How often a SYN was sent again.
    SynRetries = "syn-retries", 2;
    /// Percentage of the local ports to one destination that are taken.
    PortsPercent = "ports-percent", 80;
    /// Percentage used of a limit of the kernel or of a process.
    LimitPercent = "limit-percent", 80;
    /// Seconds that data has been waiting because the peer or the program does not read.
    StallAge = "stall-age", 30;
    /// Percentage of the segments that were sent again.
    RetransPercent = "retrans-percent", 5;
    /// The fewest segments to judge by.
    RetransSegments = "retrans-segments", 100;
}

/// The thresholds of a diagnosis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds([u64; Threshold::ALL.len()]);

impl Default for Thresholds {
    fn default() -> Self {
        let mut all = [0; Threshold::ALL.len()];
        for (value, threshold) in all.iter_mut().zip(Threshold::ALL) {
            *value = threshold.default_value();
        }
        Self(all)
    }
}

impl Thresholds {
    /// The value of a threshold.
    pub fn of(&self, threshold: Threshold) -> u64 {
        self.0.get(threshold as usize).copied().unwrap_or_default()
    }

    /// Whether so many sockets can be why a process runs out of descriptors: at least half of its descriptors are then
    /// sockets.
    pub fn sockets_may_fill(&self, sockets: u64, limit: u64) -> bool {
        percent(sockets.saturating_mul(2), limit) >= self.of(Threshold::LimitPercent)
    }

    /// The same thresholds with another value for one of them.
    #[must_use]
    pub fn with(mut self, threshold: Threshold, value: u64) -> Self {
        if let Some(own) = self.0.get_mut(threshold as usize) {
            *own = value;
        }
        self
    }
}

/// `part` as a percentage of `whole`; 0 if `whole` is 0.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    part.saturating_mul(100).checked_div(whole).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_value() {
        let defaults = Thresholds::default();
        for threshold in Threshold::ALL {
            let other = defaults.with(*threshold, 7777);
            for each in Threshold::ALL {
                let expected = if each == threshold { 7777 } else { each.default_value() };
                assert_eq!(other.of(*each), expected, "{}", each.flag());
            }
        }
    }

    #[test]
    fn a_part_of_nothing_is_nothing() {
        assert_eq!((percent(1, 0), percent(3, 4), percent(u64::MAX, 1)), (0, 75, u64::MAX));
    }
}
