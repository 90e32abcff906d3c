//! TCP segments in bare IP packets: how they are built, read and summed up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub(crate) const FIN: u8 = 0x01;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const RST: u8 = 0x04;
pub(crate) const PSH: u8 = 0x08;
pub(crate) const ACK: u8 = 0x10;

const TCP: u8 = 6;
/// In words of four bytes.
const TCP_HEADER_WORDS: u8 = 5;
const TCP_HEADER_LEN: usize = 4 * TCP_HEADER_WORDS as usize;

/// A TCP segment with the addresses of the IP packet it travels in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) payload: Vec<u8>,
}

impl Segment {
    /// The IP packet.
    pub(crate) fn build(&self) -> Vec<u8> {
        let tcp = self.build_tcp();
        let mut packet = match (self.from.ip(), self.to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => ipv4_header(from, to, tcp.len()),
            (IpAddr::V6(from), IpAddr::V6(to)) => ipv6_header(from, to, tcp.len()),
            _ => panic!("a segment between two families: {self:?}"),
        };
        packet.extend(tcp);
        packet
    }

    fn build_tcp(&self) -> Vec<u8> {
        let mut tcp = Vec::with_capacity(TCP_HEADER_LEN + self.payload.len());
        tcp.extend(self.from.port().to_be_bytes());
        tcp.extend(self.to.port().to_be_bytes());
        tcp.extend(self.seq.to_be_bytes());
        tcp.extend(self.ack.to_be_bytes());
        tcp.push(TCP_HEADER_WORDS << 4);
        tcp.push(self.flags);
        tcp.extend(self.window.to_be_bytes());
        tcp.extend([0; 4]); // the checksum, below, and no urgent pointer
        tcp.extend(&self.payload);
        let sum = checksum(&[&pseudo_header(self.from.ip(), self.to.ip(), tcp.len()), &tcp]);
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        tcp
    }

    /// Reads an IP packet; none if it is not a sound one with TCP inside.
    pub(crate) fn parse(packet: &[u8]) -> Option<Self> {
        let (from, to, tcp) = match packet.first()? >> 4 {
            4 => split_ipv4(packet)?,
            6 => split_ipv6(packet)?,
            _ => return None,
        };
        if checksum(&[&pseudo_header(from, to, tcp.len()), tcp]) != 0 {
            return None;
        }
        let (header, _) = tcp.split_first_chunk::<TCP_HEADER_LEN>()?;
        let header_len = usize::from(header[12] >> 4) * 4;
        Some(Self {
            from: SocketAddr::new(from, be_u16(tcp, 0)?),
            to: SocketAddr::new(to, be_u16(tcp, 2)?),
            seq: be_u32(tcp, 4)?,
            ack: be_u32(tcp, 8)?,
            flags: header[13],
            window: be_u16(tcp, 14)?,
            payload: tcp.get(header_len..)?.to_vec(),
        })
    }
}

fn ipv4_header(from: Ipv4Addr, to: Ipv4Addr, tcp_len: usize) -> Vec<u8> {
    // Version and header length; the total length; don't fragment; the time to
    // live; the checksum, below.
    let mut header = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, TCP, 0, 0];
    header.extend(from.octets());
    header.extend(to.octets());
    let total = len_u16(header.len() + tcp_len);
    header[2..4].copy_from_slice(&total.to_be_bytes());
    let sum = checksum(&[&header]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header
}

fn ipv6_header(from: Ipv6Addr, to: Ipv6Addr, tcp_len: usize) -> Vec<u8> {
    // Version and no flow label; the payload's length; the hop limit.
    let mut header = vec![0x60, 0, 0, 0, 0, 0, TCP, 64];
    header[4..6].copy_from_slice(&len_u16(tcp_len).to_be_bytes());
    header.extend(from.octets());
    header.extend(to.octets());
    header
}

fn split_ipv4(packet: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    let header_len = usize::from(packet.first()? & 0xf) * 4;
    let total = usize::from(be_u16(packet, 2)?);
    let from: [u8; 4] = *packet.get(12..)?.first_chunk()?;
    let to: [u8; 4] = *packet.get(16..)?.first_chunk()?;
    let sound = packet[9] == TCP && checksum(&[packet.get(..header_len)?]) == 0;
    let tcp = packet.get(header_len..total)?;
    sound.then_some((from.into(), to.into(), tcp))
}

fn split_ipv6(packet: &[u8]) -> Option<(IpAddr, IpAddr, &[u8])> {
    let len = usize::from(be_u16(packet, 4)?);
    let from: [u8; 16] = *packet.get(8..)?.first_chunk()?;
    let to: [u8; 16] = *packet.get(24..)?.first_chunk()?;
    let tcp = packet.get(40..40 + len)?;
    (packet[6] == TCP).then_some((from.into(), to.into(), tcp))
}

/// The pseudo-header, which the checksum covers too.
fn pseudo_header(from: IpAddr, to: IpAddr, tcp_len: usize) -> Vec<u8> {
    let mut header = Vec::with_capacity(40);
    for address in [from, to] {
        match address {
            IpAddr::V4(address) => header.extend(address.octets()),
            IpAddr::V6(address) => header.extend(address.octets()),
        }
    }
    // IPv4's is shorter, but zeros add nothing to the sum.
    header.extend([0, 0]);
    header.extend(len_u16(tcp_len).to_be_bytes());
    header.extend([0, 0, 0, TCP]);
    header
}

/// The Internet checksum of `parts` as one; all but the last of an even length.
/// It is 0 over data which holds its checksum.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    !words.fold(0, |sum: u16, word| {
        let word = u16::from_be_bytes([word[0], *word.get(1).unwrap_or(&0)]);
        let (sum, carried) = sum.overflowing_add(word);
        sum + u16::from(carried)
    })
}

/// A length as the headers have it.
fn len_u16(len: usize) -> u16 {
    u16::try_from(len).expect("a packet is at most 64 KiB")
}

fn be_u16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::peer::{OUR_V4, OUR_V6, PEER_V4, PEER_V6};

    fn segment(flags: u8, seq: u32, ack: u32, payload: &[u8]) -> Segment {
        let (from, to) = ((OUR_V4, 8001).into(), (PEER_V4, 7001).into());
        Segment { from, to, seq, ack, flags, window: u16::MAX, payload: payload.to_vec() }
    }

    #[test]
    fn checksum_of_known_headers() {
        // A worked example of an IPv4 header.
        let header = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01,
            0xc0, 0xa8, 0x00, 0xc7,
        ];
        assert_eq!(checksum(&[&header]), 0);
        assert_eq!(checksum(&[&header[..10], &[0, 0], &header[12..]]), 0xb861);
        // RFC 1071's own example, and an odd byte, which counts as the high one.
        assert_eq!(checksum(&[&[0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
        assert_eq!(checksum(&[&[0x12]]), !0x1200);
        assert_eq!(checksum(&[&[0xff; 1500]]), 0);
    }

    #[test]
    fn built_packets_are_parsed_back() {
        let v4 = segment(ACK | PSH, 7, 8, b"odd");
        let v6 = Segment { from: (PEER_V6, 7001).into(), to: (OUR_V6, 9001).into(), ..v4.clone() };
        for segment in [v4, v6] {
            let mut packet = segment.build();
            assert_eq!(Segment::parse(&packet).as_ref(), Some(&segment));
            for len in 0..packet.len() {
                assert_eq!(Segment::parse(&packet[..len]), None, "cut to {len}");
            }
            *packet.last_mut().expect("not empty") ^= 1;
            assert_eq!(Segment::parse(&packet), None, "a wrong checksum");
        }
    }

    #[test]
    fn an_ipv6_packet_is_as_the_standards_have_it() {
        let syn = Segment {
            from: (PEER_V6, 1).into(),
            to: (OUR_V6, 2).into(),
            seq: 0,
            ack: 0,
            flags: SYN,
            window: u16::MAX,
            payload: Vec::new(),
        };
        let packet = syn.build();
        assert_eq!(packet[..8], [0x60, 0, 0, 0, 0, 20, 6, 64]);
        // 2 * fd99 + 2 + 1, the length 20, the protocol 6, the ports 1 and 2,
        // 5 words of header and the flag, and the window.
        let sum: u32 = 2 * 0xfd99 + 3 + 20 + 6 + 3 + 0x5002 + 0xffff;
        let folded = u16::try_from((sum & 0xffff) + (sum >> 16)).expect("it fits when folded");
        assert_eq!(packet[56..58], (!folded).to_be_bytes());
    }

    #[test]
    fn other_packets_are_passed_over() {
        let mut udp = segment(SYN, 0, 0, b"").build();
        udp[9] = 17;
        udp[10..12].copy_from_slice(&[0, 0]);
        let sum = checksum(&[&udp[..20]]);
        udp[10..12].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(Segment::parse(&udp), None);
        assert_eq!(Segment::parse(&[]), None);
        assert_eq!(Segment::parse(&[0x10; 64]), None);
    }
}
