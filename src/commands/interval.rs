//! Parses a time in seconds, for several options.

use std::time::Duration;

pub(super) fn interval(word: &str) -> Result<Duration, String> {
    /// A millisecond to a year.
    const ACCEPTED: std::ops::RangeInclusive<f64> = 0.001..=31_536_000.0;
    let seconds = in_seconds(word).filter(|seconds| ACCEPTED.contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("expected seconds ({} to {})", ACCEPTED.start(), ACCEPTED.end()))
}

/// Parses a number, alone or followed by a unit, as in the times that tcpstates prints.
fn in_seconds(word: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 5] = [("us", 1e-6), ("ms", 1e-3), ("min", 60.0), ("sec", 1.0), ("s", 1.0)];
    let unit = UNITS.into_iter().find_map(|(unit, factor)| Some((word.strip_suffix(unit)?, factor)));
    let (number, factor) = unit.unwrap_or((word, 1.0));
    number.trim_end().parse::<f64>().ok().map(|number| number * factor)
}
