//! Where a dump is parted in two walks that go on side by side.

use std::fs;

use crate::collect::size;

/// A port that parts the connections so that both walks take about as long: one end of nearly each has a port that a
/// kernel chose. `None` where one walk will do.
pub fn middle_port() -> Option<u16> {
    if !size::is_large() {
        return None;
    }
    middle(&fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?)
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
    fn the_middle_of_the_ports() {
        assert_eq!(middle("32768\t60999\n"), Some(43352));
        assert_eq!(middle("1024 65535"), Some(25213));
        assert_eq!((middle("none"), middle("9 8")), (None, None));
    }
}
