//! Whether there are so many sockets that they are worth being read by two threads side by side.

use std::fs;
use std::thread::available_parallelism;

/// Below this many sockets one walk takes so little that a second thread costs more.
const MANY: u64 = 10_000;

/// Whether there are, in this network namespace, and whether two threads can go on at once.
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
}
