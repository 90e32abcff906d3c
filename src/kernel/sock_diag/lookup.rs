//! Asks for one socket by its two ends.

use std::net::IpAddr;

use rustix::io::Errno;
use zerocopy::byteorder::network_endian;
use zerocopy::{Immutable, IntoBytes};

use super::NetlinkError;
use super::datagrams::Datagrams;
use super::decode::Decoder;
use super::frame::{Body, Frames};
use crate::model::{Endpoint, Family, Socket};

const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;
const IPPROTO_TCP: u8 = 6;

/// `struct nlmsghdr` and `struct inet_diag_req_v2` (include/uapi/linux/inet_diag.h).
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Request {
    len: u32,
    kind: u16,
    flags: u16,
    sequence: u32,
    port: u32,
    family: u8,
    protocol: u8,
    extensions: u8,
    pad: u8,
    states: u32,
    local_port: network_endian::U16,
    peer_port: network_endian::U16,
    local: [u8; 16],
    peer: [u8; 16],
    interface: u32,
    /// `INET_DIAG_NOCOOKIE`: any cookie matches.
    cookie: [u32; 2],
}

const LEN: u32 = 72;
const _: () = assert!(size_of::<Request>() == LEN as usize);

/// Asks for the socket with these ends in this network namespace. If a connection no longer exists, the kernel may
/// answer with its listener.
pub fn lookup(
    source: &mut dyn Datagrams,
    family: Family,
    local: Endpoint,
    peer: Endpoint,
) -> Result<Option<Socket>, NetlinkError> {
    let call = |call| move |source| NetlinkError::Call { call, source };
    source.send(request(family, local, peer).as_bytes()).map_err(call("send the request"))?;
    loop {
        let datagram = source.receive().map_err(call("receive the answer"))?;
        for frame in Frames::new(datagram.bytes).map_while(Result::ok) {
            match frame.body {
                Body::Socket(payload) => return Ok(Decoder::new().decode(payload).ok().cloned()),
                Body::Error { errno, .. } if errno == Errno::NOENT.raw_os_error() => return Ok(None),
                Body::Error { errno, .. } => {
                    let source = std::io::Error::from_raw_os_error(errno);
                    return Err(NetlinkError::Refused { source, note: None });
                }
                _ => {}
            }
        }
    }
}

fn request(family: Family, local: Endpoint, peer: Endpoint) -> Request {
    Request {
        len: LEN,
        kind: SOCK_DIAG_BY_FAMILY,
        flags: NLM_F_REQUEST,
        sequence: 1,
        port: 0,
        family: match family {
            Family::Inet => 2,
            Family::Inet6 => 10,
        },
        protocol: IPPROTO_TCP,
        extensions: 0,
        pad: 0,
        states: u32::MAX,
        local_port: local.port.into(),
        peer_port: peer.port.into(),
        local: octets(local.addr),
        peer: octets(peer.addr),
        interface: local.scope_id,
        cookie: [u32::MAX; 2],
    }
}

fn octets(addr: IpAddr) -> [u8; 16] {
    match addr {
        IpAddr::V4(addr) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&addr.octets());
            bytes
        }
        IpAddr::V6(addr) => addr.octets(),
    }
}
