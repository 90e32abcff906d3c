//! The kernel's counters of one processor's ring (`per_cpu/cpuN/stats`).

use super::event::Nanos;

/// The number of lost records, and the ring's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    /// Records that were dropped because the ring was full, or overwritten before they were read.
    pub(crate) lost: u64,
    /// The time by the ring's clock, truncated to microseconds.
    pub(crate) now: Option<Nanos>,
}

impl Stats {
    /// Reads a `stats` file.
    pub(crate) fn parse(text: &str) -> Self {
        let mut stats = Self::default();
        for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
            match key {
                "overrun" | "commit overrun" | "dropped events" => {
                    let count: u64 = value.trim().parse().unwrap_or_default();
                    stats.lost = stats.lost.saturating_add(count);
                }
                "now ts" => stats.now = seconds(value.trim()),
                _ => {}
            }
        }
        stats
    }
}

/// Parses `1244.597178`. A ring clock that is a plain counter prints no fraction: it is not a time.
fn seconds(text: &str) -> Option<Nanos> {
    let (whole, micros) = text.split_once('.').filter(|(_, micros)| micros.len() == 6)?;
    let (whole, micros): (u64, u64) = (whole.parse().ok()?, micros.parse().ok()?);
    whole.checked_mul(1_000_000_000)?.checked_add(micros * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lost_records_are_added_up() {
        let text = "entries: 629\noverrun: 3\ncommit overrun: 4\nbytes: 48300\n\
                    oldest event ts:  1244.592670\nnow ts:  1244.597178\ndropped events: 5\nread events: 0\n";
        assert_eq!(Stats::parse(text), Stats { lost: 12, now: Some(1_244_597_178_000) });
        assert_eq!(Stats::parse("now ts: 99\n"), Stats::default(), "a plain counter");
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(text: String, number: String) {
            Stats::parse(&text);
            Stats::parse(&format!("overrun: {number}\nnow ts: {number}.{number}\ndropped events: 18446744073709551615"));
        }
    }
}
