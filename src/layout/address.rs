//! Writes addresses as text faster than the standard library's formatter: a list has two per socket.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Appends an address in its usual form; IPv6 as RFC 5952 has it.
pub(crate) fn push_addr(out: &mut Vec<u8>, addr: IpAddr) {
    match addr {
        IpAddr::V4(addr) => push_ipv4(out, addr),
        IpAddr::V6(addr) => match addr.to_ipv4_mapped() {
            Some(mapped) => {
                out.extend_from_slice(b"::ffff:");
                push_ipv4(out, mapped);
            }
            None => push_segments(out, addr),
        },
    }
}

/// Appends an IPv6 address as the C library prints it: the last 32 bits dotted for v4-compatible addresses too.
pub(super) fn push_libc_ipv6(out: &mut Vec<u8>, addr: Ipv6Addr) {
    match addr.segments() {
        // Not `::` and `::1`, whose second-last 16 bits are zero.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
            out.extend_from_slice(b"::");
            push_ipv4(out, Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
        }
        _ => push_addr(out, addr.into()),
    }
}

fn push_ipv4(out: &mut Vec<u8>, addr: Ipv4Addr) {
    let mut text = [b'.'; 16];
    let mut len = 0;
    for byte in addr.octets() {
        let (digits, count) = &BYTES[usize::from(byte)];
        // Copies four bytes at once; the next byte's text overwrites any excess.
        if let Some(target) = text.get_mut(len..len + 4) {
            target.copy_from_slice(digits);
        }
        len += count + 1;
    }
    out.extend_from_slice(text.get(..len - 1).unwrap_or_default());
}

/// The digits of each byte, padded with dots, and their number.
const BYTES: [([u8; 4], usize); 256] = {
    let mut bytes = [([b'.'; 4], 0); 256];
    let mut value = 0;
    while value < 256 {
        let digits = [value / 100, value / 10 % 10, value % 10];
        let count = if value > 99 {
            3
        } else if value > 9 {
            2
        } else {
            1
        };
        let mut at = 0;
        while at < count {
            bytes[value].0[at] = b"0123456789"[digits[3 - count + at]];
            at += 1;
        }
        bytes[value].1 = count;
        value += 1;
    }
    bytes
};

fn push_segments(out: &mut Vec<u8>, addr: Ipv6Addr) {
    let segments = addr.segments();
    let zeros = longest_zeros(segments);
    for (at, segment) in segments.into_iter().enumerate() {
        if zeros.contains(&at) {
            // A colon at the run's start; the next segment writes the colon at its end, unless the run is last.
            if at == zeros.start {
                out.push(b':');
            }
            if at == 7 {
                out.push(b':');
            }
            continue;
        }
        if at > 0 {
            out.push(b':');
        }
        push_hex(out, segment);
    }
}

/// The first of the longest runs of at least two zero segments.
fn longest_zeros(segments: [u16; 8]) -> std::ops::Range<usize> {
    let (mut longest, mut current) = (0..0, 0..0);
    for (at, segment) in segments.into_iter().enumerate() {
        current = if segment != 0 { at + 1..at + 1 } else { current.start..at + 1 };
        if current.len() > longest.len() {
            longest = current.clone();
        }
    }
    if longest.len() < 2 { 8..8 } else { longest }
}

/// Appends a segment in hexadecimal without leading zeros.
fn push_hex(out: &mut Vec<u8>, segment: u16) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut shown = false;
    for shift in [12, 8, 4, 0] {
        let digit = usize::from(segment >> shift & 0xf);
        shown |= digit != 0 || shift == 0;
        if shown {
            out.push(DIGITS[digit]);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pushed(addr: IpAddr) -> String {
        let mut out = Vec::new();
        push_addr(&mut out, addr);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_edges_of_compression() {
        for text in [
            "::",
            "::1",
            "1::",
            "::ffff:1.2.3.4",
            "1:0:0:2::3",
            "0:1::",
            "::2:0:0:0:1",
            "fe80::1:0:2",
            "1:0:2:3:4:5:6:7",
        ] {
            let addr: IpAddr = text.parse().unwrap();
            assert_eq!(pushed(addr), addr.to_string());
        }
    }

    #[test]
    fn ipv6_as_the_c_library_prints_it() {
        for (addr, text) in [
            ("::", "::"),
            ("::1", "::1"),
            ("::102:304", "::1.2.3.4"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
            ("2001:db8:0:0:1::", "2001:db8:0:0:1::"),
        ] {
            let mut out = Vec::new();
            push_libc_ipv6(&mut out, addr.parse().unwrap());
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    proptest! {
        #[test]
        fn as_the_standard_library_has_it(
            v4: u32,
            segments in proptest::array::uniform8(prop_oneof![Just(0_u16), Just(0), 0_u16..20, any::<u16>()]),
        ) {
            for addr in [IpAddr::from(v4.to_be_bytes()), IpAddr::from(segments)] {
                prop_assert_eq!(pushed(addr), addr.to_string());
            }
        }
    }
}
