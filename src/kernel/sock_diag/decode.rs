//! The bytes of one socket in a dump → [`Socket`], without allocating.
//!
//! The layouts are those of include/uapi/linux/inet_diag.h. Attributes are identified by their number and may have any
//! length: unknown attributes are skipped, longer ones are read as far as this program knows them, shorter ones as far
//! as they go.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use zerocopy::byteorder::{native_endian, network_endian};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::frame::{Attribute, Attributes};
use super::ulp::{decode_md5keys, decode_ulp};
use crate::model::{
    Algorithm, Congestion, Details, Endpoint, Family, Memory, Queues, Shutdown, Socket, TcpInfo, TcpState,
    Timer, known_uid,
};

/// `struct inet_diag_msg`.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Message {
    family: u8,
    state: u8,
    timer: u8,
    retrans: u8,
    local_port: network_endian::U16,
    peer_port: network_endian::U16,
    local_addr: [u8; 16],
    peer_addr: [u8; 16],
    interface: native_endian::U32,
    /// The low half first.
    cookie: [native_endian::U32; 2],
    expires_ms: native_endian::U32,
    recv_q: native_endian::U32,
    send_q: native_endian::U32,
    uid: native_endian::U32,
    inode: native_endian::U32,
}

#[cfg(test)]
const MESSAGE_LEN: usize = size_of::<Message>();

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// `INET_DIAG_NOCOOKIE` in both halves.
const NO_COOKIE: u64 = u64::MAX;

/// The attributes that are read.
mod attribute {
    pub(super) const INFO: u16 = 2;
    pub(super) const VEGASINFO: u16 = 3;
    pub(super) const CONG: u16 = 4;
    pub(super) const SKMEMINFO: u16 = 7;
    pub(super) const SHUTDOWN: u16 = 8;
    pub(super) const DCTCPINFO: u16 = 9;
    pub(super) const SKV6ONLY: u16 = 11;
    /// The kernel sends this only to CAP_NET_ADMIN; it sends this and the next only with INFO.
    pub(super) const MD5SIG: u16 = 18;
    pub(super) const ULP_INFO: u16 = 19;
    pub(super) const MARK: u16 = 15;
    pub(super) const BBRINFO: u16 = 16;
    pub(super) const CGROUP_ID: u16 = 21;
}

/// Bytes that are not a socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Shorter than `struct inet_diag_msg`.
    #[error("a reply of {0} bytes is too short for a socket")]
    Short(usize),
    /// An address family that TCP does not have.
    #[error("a reply of address family {0}")]
    Family(u8),
}

/// Decodes one socket after the other into the same memory.
#[derive(Debug)]
pub struct Decoder {
    socket: Socket,
    /// The details' memory, kept for reuse while the socket has no details.
    spare: Option<Box<Details>>,
}

impl Decoder {
    /// A decoder that has not decoded a socket yet.
    pub fn new() -> Self {
        let nowhere = Endpoint::unspecified(Family::Inet);
        Self { socket: Socket::new(Family::Inet, TcpState::Close, nowhere, nowhere), spare: None }
    }

    /// Decodes the socket in a reply: `payload` is the bytes after the netlink header.
    pub fn decode(&mut self, payload: &[u8]) -> Result<&Socket, DecodeError> {
        let (message, attributes) =
            Message::ref_from_prefix(payload).map_err(|_| DecodeError::Short(payload.len()))?;
        let spare = self.socket.details.take().or_else(|| self.spare.take());
        self.socket = fixed_part(message)?;
        let mut wanted = Wanted { details: spare, used: false };
        // Message is a multiple of four bytes long, so the attributes follow without padding.
        for attribute in Attributes::new(attributes) {
            take_attribute(&mut self.socket, &mut wanted, attribute);
        }
        if wanted.used {
            self.socket.details = wanted.details;
        } else {
            self.spare = wanted.details;
        }
        Ok(&self.socket)
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

fn fixed_part(message: &Message) -> Result<Socket, DecodeError> {
    let family = match message.family {
        AF_INET => Family::Inet,
        AF_INET6 => Family::Inet6,
        other => return Err(DecodeError::Family(other)),
    };
    let state = TcpState::from_kernel(message.state);
    let interface = message.interface.get();
    let end = |addr: &[u8; 16], port: network_endian::U16| {
        Endpoint::new(ip_addr(family, addr), port.get()).scoped(interface)
    };
    let cookie = u64::from(message.cookie[0].get()) | u64::from(message.cookie[1].get()) << 32;
    let retrans = u32::from(message.retrans);
    let send_q = message.send_q.get();
    Ok(Socket {
        queues: Queues::of(state, message.recv_q.get(), send_q, Some(send_q)),
        timer: Timer::from_kernel(message.timer, message.expires_ms.get(), retrans, retrans),
        uid: uid(state, message.uid.get(), message.inode.get()),
        inode: Some(u64::from(message.inode.get())).filter(|inode| *inode != 0),
        interface,
        cookie: Some(cookie).filter(|cookie| *cookie != NO_COOKIE),
        ..Socket::new(
            family,
            state,
            end(&message.local_addr, message.local_port),
            end(&message.peer_addr, message.peer_port),
        )
    })
}

fn ip_addr(family: Family, bytes: &[u8; 16]) -> IpAddr {
    match family {
        Family::Inet => Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]).into(),
        Family::Inet6 => Ipv6Addr::from(*bytes).into(),
    }
}

/// The user; also `None` for a half-open connection, whose user netlink does not report.
fn uid(state: TcpState, uid: u32, inode: u32) -> Option<u32> {
    if state.shown() == TcpState::SynRecv { None } else { known_uid(state, uid, inode.into()) }
}

/// The details' memory, and whether an attribute has filled it for this socket.
struct Wanted {
    details: Option<Box<Details>>,
    used: bool,
}

impl Wanted {
    fn details(&mut self) -> &mut Details {
        let details = self.details.get_or_insert_default();
        if !self.used {
            self.used = true;
            **details = Details::default();
        }
        details
    }

    fn tcp_info(&mut self) -> &mut TcpInfo {
        self.details().tcp_info.get_or_insert_default()
    }
}

fn take_attribute(socket: &mut Socket, wanted: &mut Wanted, attribute: Attribute<'_>) {
    let bytes = attribute.payload;
    match attribute.kind {
        attribute::SHUTDOWN => {
            let bits = bytes.first().copied();
            socket.shutdown = bits.map(|bits| Shutdown { receive: bits & 1 != 0, send: bits & 2 != 0 });
        }
        attribute::SKV6ONLY => socket.v6only = bytes.first().map(|byte| *byte != 0),
        attribute::CGROUP_ID => socket.cgroup = u64_at(bytes, 0),
        attribute::MARK => socket.mark = u32_at(bytes, 0),
        attribute::SKMEMINFO => wanted.details().memory = Some(memory(bytes)),
        attribute::INFO => {
            let info = wanted.tcp_info();
            info.set(bytes);
        }
        attribute::CONG => wanted.tcp_info().algorithm = Some(Algorithm::from_bytes(bytes)),
        attribute::MD5SIG => wanted.tcp_info().md5keys = Some(decode_md5keys(bytes)),
        attribute::ULP_INFO => wanted.tcp_info().ulp = decode_ulp(bytes),
        attribute::VEGASINFO => wanted.tcp_info().congestion = vegas(bytes),
        attribute::DCTCPINFO => wanted.tcp_info().congestion = dctcp(bytes),
        attribute::BBRINFO => wanted.tcp_info().congestion = bbr(bytes),
        _ => {}
    }
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes.get(offset..)?.first_chunk().map(|chunk| u16::from_ne_bytes(*chunk))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().map(|chunk| u32::from_ne_bytes(*chunk))
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes.get(offset..)?.first_chunk().map(|chunk| u64::from_ne_bytes(*chunk))
}

/// `SK_MEMINFO_*`: an array that later kernels have extended.
fn memory(bytes: &[u8]) -> Memory {
    let word = |index: usize| u32_at(bytes, index * 4);
    Memory {
        rmem_alloc: word(0).unwrap_or(0),
        rcvbuf: word(1).unwrap_or(0),
        wmem_alloc: word(2).unwrap_or(0),
        sndbuf: word(3).unwrap_or(0),
        fwd_alloc: word(4).unwrap_or(0),
        wmem_queued: word(5).unwrap_or(0),
        optmem: word(6).unwrap_or(0),
        backlog: word(7),
        drops: word(8),
    }
}

fn vegas(bytes: &[u8]) -> Option<Congestion> {
    Some(Congestion::Vegas {
        enabled: u32_at(bytes, 0)? != 0,
        rtt_count: u32_at(bytes, 4)?,
        rtt_us: u32_at(bytes, 8)?,
        min_rtt_us: u32_at(bytes, 12)?,
    })
}

fn dctcp(bytes: &[u8]) -> Option<Congestion> {
    Some(Congestion::Dctcp {
        enabled: u16_at(bytes, 0)? != 0,
        ce_state: u16_at(bytes, 2)?,
        alpha: u32_at(bytes, 4)?,
        ab_ecn: u32_at(bytes, 8)?,
        ab_tot: u32_at(bytes, 12)?,
    })
}

fn bbr(bytes: &[u8]) -> Option<Congestion> {
    Some(Congestion::Bbr {
        bw_bytes_per_s: u64::from(u32_at(bytes, 0)?) | u64::from(u32_at(bytes, 4)?) << 32,
        min_rtt_us: u32_at(bytes, 8)?,
        pacing_gain: u32_at(bytes, 12)?,
        cwnd_gain: u32_at(bytes, 16)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(family: u8, state: u8) -> Vec<u8> {
        let mut bytes = vec![0; MESSAGE_LEN];
        bytes[0] = family;
        bytes[1] = state;
        bytes
    }

    fn with_attribute(mut bytes: Vec<u8>, kind: u16, payload: &[u8]) -> Vec<u8> {
        bytes.extend(u16::try_from(4 + payload.len()).unwrap().to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn the_fixed_part() {
        let mut bytes = message(AF_INET6, 1);
        bytes[2..4].copy_from_slice(&[2, 3]);
        bytes[4..8].copy_from_slice(&[0x1f, 0x90, 0xc3, 0x50]);
        bytes[8..24].copy_from_slice(&"fe80::1".parse::<Ipv6Addr>().unwrap().octets());
        bytes[24..40].copy_from_slice(&"fe80::2".parse::<Ipv6Addr>().unwrap().octets());
        for (at, word) in
            [(40, 7_u32), (44, 0x0506), (48, 1), (52, 1500), (56, 11), (60, 22), (64, 1000), (68, 4242)]
        {
            bytes[at..at + 4].copy_from_slice(&word.to_ne_bytes());
        }
        let mut decoder = Decoder::new();
        let socket = decoder.decode(&bytes).unwrap();
        assert_eq!(socket.local, Endpoint { addr: "fe80::1".parse().unwrap(), port: 8080, scope_id: 7 });
        assert_eq!(socket.peer, Endpoint { addr: "fe80::2".parse().unwrap(), port: 50000, scope_id: 7 });
        assert_eq!(socket.timer, Some(Timer::KeepAlive { expires_ms: 1500, probes: 3 }));
        assert_eq!(socket.queues, Queues::Data { recv_q: 11, send_q: 22 });
        assert_eq!((socket.uid, socket.inode), (Some(1000), Some(4242)));
        assert_eq!(socket.cookie, Some(0x1_0000_0506));
        assert_eq!(socket.details, None);
    }

    #[test]
    fn what_the_kernel_does_not_know_is_none() {
        let mut decoder = Decoder::new();
        for (state, uid) in [(6, None), (3, None), (4, None), (10, Some(0))] {
            let socket = decoder.decode(&message(AF_INET, state)).unwrap();
            assert_eq!((socket.uid, socket.inode), (uid, None), "state {state}");
        }
        let mut orphan = message(AF_INET, 4);
        orphan[64..68].copy_from_slice(&33_u32.to_ne_bytes());
        assert_eq!(decoder.decode(&orphan).unwrap().uid, Some(33));
    }

    #[test]
    fn attributes_at_any_length() {
        let bytes = with_attribute(message(AF_INET, 1), attribute::INFO, &[0; 104]);
        let bytes = with_attribute(bytes, 4000, b"from a later kernel");
        let bytes = with_attribute(bytes, attribute::CONG, b"cubic\0");
        let bytes = with_attribute(bytes, attribute::SKMEMINFO, &[1; 28]);
        let bytes = with_attribute(bytes, attribute::CGROUP_ID, &9_u64.to_ne_bytes());
        let bytes = with_attribute(bytes, attribute::MARK, &[1]);
        let mut decoder = Decoder::new();
        let socket = decoder.decode(&bytes).unwrap();
        let info = socket.tcp_info().unwrap();
        assert_eq!(info.rtt_us(), Some(0));
        assert_eq!(info.pacing_rate_bytes_per_s(), None);
        assert_eq!(info.algorithm.unwrap().as_bytes(), b"cubic");
        assert_eq!(socket.memory().unwrap().optmem, 0x0101_0101);
        assert_eq!(socket.memory().unwrap().backlog, None);
        assert_eq!((socket.cgroup, socket.mark), (Some(9), None));
    }

    #[test]
    fn nothing_stays_from_the_socket_before() {
        let full = with_attribute(message(AF_INET, 1), attribute::INFO, &[7; 280]);
        let full = with_attribute(full, attribute::CONG, b"reno\0");
        let full = with_attribute(full, attribute::SKMEMINFO, &[7; 36]);
        let mut decoder = Decoder::new();
        decoder.decode(&full).unwrap();
        assert_eq!(decoder.decode(&message(AF_INET, 6)).unwrap().details, None);
        let memory_only = with_attribute(message(AF_INET, 1), attribute::SKMEMINFO, &[1; 36]);
        assert_eq!(decoder.decode(&memory_only).unwrap().tcp_info(), None);
    }

    #[test]
    fn bytes_that_are_no_socket() {
        let mut decoder = Decoder::new();
        assert_eq!(decoder.decode(&[0; 71]), Err(DecodeError::Short(71)));
        assert_eq!(decoder.decode(&message(1, 1)), Err(DecodeError::Family(1)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600), v6: bool) {
            let mut decoder = Decoder::new();
            let _ = decoder.decode(&bytes);
            let mut socket = message(if v6 { AF_INET6 } else { AF_INET }, 1);
            socket.extend(&bytes);
            prop_assert!(decoder.decode(&socket).is_ok());
        }
    }
}
