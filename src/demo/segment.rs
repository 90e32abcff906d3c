//! Parses what the wire needs of a packet.

use std::fmt;

/// The flags of a TCP segment that open, acknowledge, close and reset a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a bit each, as RFC 9293 has them")]
pub(crate) struct Flags {
    /// It opens.
    pub syn: bool,
    /// It acknowledges.
    pub ack: bool,
    /// It closes.
    pub fin: bool,
    /// It resets.
    pub rst: bool,
}

impl Flags {
    /// The flags in an IPv4 packet; `None` if it has no TCP segment.
    pub(super) fn of_packet(packet: &[u8]) -> Option<Self> {
        /// The offset of the flags in a segment.
        const FLAGS: usize = 13;
        let flags = *segment(packet)?.get(FLAGS)?;
        let has = |bit: u8| flags & bit != 0;
        Some(Self { fin: has(0x01), syn: has(0x02), rst: has(0x04), ack: has(0x10) })
    }
}

/// Whether `packet` is `other` sent again: the same SYN or FIN, which may acknowledge more by now, or the same ACK.
pub(super) fn is_again(packet: &[u8], other: &[u8]) -> bool {
    let numbers = |packet| {
        let flags = Flags::of_packet(packet)?;
        let sequence = segment(packet)?.get(4..8)?;
        let acknowledges = segment(packet)?.get(8..12)?;
        Some((flags, sequence, Some(acknowledges).filter(|_| !flags.syn && !flags.fin)))
    };
    packet.len() == other.len() && numbers(packet).is_some_and(|is| numbers(other) == Some(is))
}

/// The TCP segment in an IPv4 packet.
fn segment(packet: &[u8]) -> Option<&[u8]> {
    const IPV4: u8 = 4;
    const TCP: u8 = 6;
    let first = *packet.first()?;
    if first >> 4 != IPV4 || *packet.get(9)? != TCP {
        return None;
    }
    packet.get(usize::from(first & 0xf) * 4..)
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [(self.syn, "SYN"), (self.fin, "FIN"), (self.rst, "RST"), (self.ack, "ACK")];
        let set: Vec<_> = named.iter().filter(|(is_set, _)| *is_set).map(|(_, name)| *name).collect();
        f.pad(&set.join("+"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(version: u8, words: u8, protocol: u8, flags: u8) -> Vec<u8> {
        let mut packet = vec![0; usize::from(words) * 4 + 20];
        packet[0] = version << 4 | words;
        packet[9] = protocol;
        packet[usize::from(words) * 4 + 13] = flags;
        packet
    }

    #[test]
    fn flags_are_read_behind_whatever_header() {
        let shown = |words, flags| Flags::of_packet(&packet(4, words, 6, flags)).unwrap().to_string();
        assert_eq!([shown(5, 0x02), shown(6, 0x12), shown(15, 0x11)], ["SYN", "SYN+ACK", "FIN+ACK"]);
        assert_eq!([shown(5, 0x14), shown(5, 0x18)], ["RST+ACK", "ACK"]);
        assert_eq!(Flags::of_packet(&packet(6, 5, 6, 2)), None);
        assert_eq!(Flags::of_packet(&packet(4, 5, 17, 2)), None);
    }

    #[test]
    fn what_is_sent_again_is_known() {
        let is_again_but_for = |flags: u8, places: &[usize]| {
            let sent = packet(4, 5, 6, flags);
            let mut again = sent.clone();
            for place in places {
                again[*place] ^= 1;
            }
            is_again(&again, &sent)
        };
        // IP's identification, and a segment's window and checksum.
        assert!(is_again_but_for(0x10, &[4, 34, 36]));
        // The sequence number, what is acknowledged, the flags.
        assert!([24, 27, 28, 31, 33].into_iter().all(|place| !is_again_but_for(0x10, &[place])));
        assert!(is_again_but_for(0x11, &[28, 31]), "a FIN may acknowledge more when it is sent again");
        assert!(![24, 27, 33].into_iter().any(|place| is_again_but_for(0x11, &[place])));
        assert!(!is_again(&[], &[]), "there is no segment");
    }

    proptest! {
        #[test]
        fn no_packet_panics(packet: Vec<u8>) {
            let _ = Flags::of_packet(&packet);
            let _ = is_again(&packet, &packet);
        }
    }
}
