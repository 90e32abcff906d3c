//! Whether a dump is worth being parted in two walks that go on side by side, and where.

use std::fs;
use std::thread::available_parallelism;

/// Below this many sockets one walk takes so little that a second thread costs more.
const MANY: u64 = 10_000;

/// A port that parts the connections so that both walks take about as long: one end of nearly each has a port that a
/// kernel chose. `None` where one walk will do.
pub fn middle_port() -> Option<u16> {
    if available_parallelism().map_or(1, usize::from) < 2 {
        return None;
    }
    let sockets: u64 = ["sockstat", "sockstat6"]
        .into_iter()
        .filter_map(|name| fs::read_to_string(format!("/proc/thread-self/net/{name}")).ok())
        .map(|text| count(&text))
        .sum();
    if sockets < MANY {
        return None;
    }
    middle(&fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?)
}

/// `TCP: inuse 12 orphan 0 tw 3 alloc 14 mem 0` and `TCP6: inuse 4`, as far as this namespace is meant.
fn count(sockstat: &str) -> u64 {
    let line = sockstat.lines().find(|line| line.starts_with("TCP: ") || line.starts_with("TCP6: "));
    let words: Vec<_> = line.unwrap_or_default().split(' ').collect();
    let numbers = words.windows(2).filter(|pair| matches!(pair[0], "inuse" | "tw"));
    numbers.filter_map(|pair| pair[1].parse::<u64>().ok()).sum()
}

/// At three eighths: who has those below goes through the table of bound sockets besides.
fn middle(range: &str) -> Option<u16> {
    let mut ends = range.split_whitespace().map(str::parse::<u16>);
    let (first, last) = (ends.next()?.ok()?, ends.next()?.ok()?);
    Some(first + last.checked_sub(first)? / 8 * 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_of_both_families_count() {
        let text = "sockets: used 9\nTCP: inuse 12 orphan 7 tw 3 alloc 14 mem 0\nUDP: inuse 5 mem 0\n";
        assert_eq!(count(text), 15);
        assert_eq!(count("TCP6: inuse 4\nUDP6: inuse 9\n"), 4);
        assert_eq!(count(""), 0);
    }

    #[test]
    fn the_middle_of_the_ports() {
        assert_eq!(middle("32768\t60999\n"), Some(43352));
        assert_eq!(middle("1024 65535"), Some(25213));
        assert_eq!((middle("none"), middle("9 8")), (None, None));
    }
}
