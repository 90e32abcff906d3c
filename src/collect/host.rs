//! What this host says of itself: how many sockets it has, which ports it chooses from.

use std::fs;
use std::thread::available_parallelism;

/// Below this many sockets one walk takes so little that a second thread costs more.
const MANY: u64 = 10_000;

/// Whether this network namespace has so many sockets that they are worth being read by two threads side by side, and
/// two can go on at once.
pub(super) fn is_large() -> bool {
    let stat = |name| fs::read_to_string(format!("/proc/thread-self/net/{name}")).unwrap_or_default();
    available_parallelism().is_ok_and(|threads| threads.get() > 1)
        && count(&stat("sockstat")) + count(&stat("sockstat6")) >= MANY
}

/// `TCP: inuse 12 orphan 0 tw 3 alloc 14 mem 0` and `TCP6: inuse 4`, as far as this namespace is meant.
fn count(sockstat: &str) -> u64 {
    let line = sockstat.lines().find(|line| line.starts_with("TCP: ") || line.starts_with("TCP6: "));
    let words: Vec<_> = line.unwrap_or_default().split(' ').collect();
    let numbers = words.windows(2).filter(|pair| matches!(pair[0], "inuse" | "tw"));
    numbers.filter_map(|pair| pair[1].parse::<u64>().ok()).sum()
}

/// The first and last port that the kernel chooses from (ip_local_port_range), where it tells.
pub fn local_ports() -> Option<(u16, u16)> {
    parse_ports(&fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?)
}

fn parse_ports(range: &str) -> Option<(u16, u16)> {
    let mut ends = range.split_whitespace().map(str::parse);
    Some((ends.next()?.ok()?, ends.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_of_ports_is_two_numbers() {
        assert_eq!(parse_ports("32768\t60999\n"), Some((32768, 60999)));
        assert_eq!(parse_ports("1024 65535"), Some((1024, 65535)));
        assert_eq!(parse_ports("none"), None);
    }

    #[test]
    fn sockets_of_both_families_count() {
        let text = "sockets: used 9\nTCP: inuse 12 orphan 7 tw 3 alloc 14 mem 0\nUDP: inuse 5 mem 0\n";
        assert_eq!(count(text), 15);
        assert_eq!(count("TCP6: inuse 4\nUDP6: inuse 9\n"), 4);
        assert_eq!(count(""), 0);
    }
}
