//! The bytes of a dump request.

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::IPPROTO_TCP;
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use zerocopy::{Immutable, IntoBytes};

use crate::model::{Families, Needs, Order, Query};
use crate::model::{Family, StateSet};

/// `TCPDIAG_GETSOCK`: the older request, which dumps both families in one walk of the hash table. It is TCP only.
const TCPDIAG_GETSOCK: u16 = 18;

/// The sockets that a walk of the kernel's table is to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk<'a> {
    /// Both families, rows mixed.
    Mixed,
    /// One family.
    Family(Family),
    /// Both families, mixed: only the sockets that this program accepts.
    Half {
        /// The program (`INET_DIAG_REQ_BYTECODE`).
        program: &'a [u8],
        /// Whether this half has only connections.
        upper: bool,
    },
}

/// Programs that split all sockets in two, the lower half first. The upper half has only connections, so that the
/// tables of listeners and bound sockets are read only once.
pub type Halves = [Vec<u8>; 2];

/// The walks that answer the query: to be read in order, or halves that may be read in parallel.
pub fn walks<'a>(query: &Query, halves: Option<&'a Halves>) -> Vec<Walk<'a>> {
    match (query.families, query.order, halves) {
        (Families::Both, Order::Any, Some([lower, upper])) => {
            vec![Walk::Half { program: lower, upper: false }, Walk::Half { program: upper, upper: true }]
        }
        (Families::Both, Order::Any, _) => vec![Walk::Mixed],
        (families, ..) => per_family(families),
    }
}

/// Whether these are the two halves of a walk.
pub fn are_halves(walks: &[Walk<'_>]) -> bool {
    matches!(walks, [Walk::Half { .. }, Walk::Half { .. }])
}

/// A walk for each family, IPv4 first.
pub fn per_family(families: Families) -> Vec<Walk<'static>> {
    families.each().iter().map(|family| Walk::Family(*family)).collect()
}

/// A whole request message.
pub fn encode(walk: Walk<'_>, query: &Query, sequence: u32) -> Vec<u8> {
    let mut message = match walk {
        Walk::Mixed => encode_mixed(query, query.states, sequence),
        Walk::Family(family) => encode_family(family, query, sequence),
        Walk::Half { program, upper } => return encode_half(program, upper, query, sequence),
    };
    if let Some(filter) = &query.kernel_filter {
        push_bytecode(&mut message, &filter.bytecode);
    }
    message
}

/// Encodes the request for a half. Listeners and bound sockets have tables of their own, which only the lower half's
/// walk reads.
fn encode_half(program: &[u8], upper: bool, query: &Query, sequence: u32) -> Vec<u8> {
    let states = if upper { query.states - StateSet::unconnected() } else { query.states };
    let mut message = encode_mixed(query, states, sequence);
    push_bytecode(&mut message, program);
    message
}

/// Appends the attribute, and corrects the message's length.
fn push_bytecode(message: &mut Vec<u8>, bytecode: &[u8]) {
    const INET_DIAG_REQ_BYTECODE: u16 = 1;
    // The filter compiler stays far below an attribute's limit.
    let Ok(len) = u16::try_from(4 + bytecode.len()) else { return };
    message.extend(len.to_ne_bytes());
    message.extend(INET_DIAG_REQ_BYTECODE.to_ne_bytes());
    message.extend(bytecode);
    if let (Ok(len), Some(field)) = (u32::try_from(message.len()), message.first_chunk_mut()) {
        *field = len.to_ne_bytes();
    }
}

fn extensions(needs: Needs) -> ExtensionFlags {
    let mut flags = ExtensionFlags::empty();
    if needs.contains(Needs::TCP_INFO) {
        // The bit of Vegas requests the numbers of whichever algorithm is in use: Vegas, DCTCP or BBR.
        flags |= ExtensionFlags::INFO | ExtensionFlags::CONG | ExtensionFlags::VEGASINFO;
    }
    if needs.contains(Needs::MEMORY) {
        flags |= ExtensionFlags::SKMEMINFO;
    }
    flags
}

fn encode_family(family: Family, query: &Query, sequence: u32) -> Vec<u8> {
    let (number, socket_id) = match family {
        Family::Inet => (netlink_packet_sock_diag::constants::AF_INET, SocketId::new_v4()),
        Family::Inet6 => (netlink_packet_sock_diag::constants::AF_INET6, SocketId::new_v6()),
    };
    let request = InetRequest {
        family: number,
        protocol: IPPROTO_TCP,
        extensions: extensions(query.needs),
        states: StateFlags::from_bits_retain(query.states.bits()),
        socket_id,
    };
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    header.sequence_number = sequence;
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

/// `struct nlmsghdr` and `struct inet_diag_req` (include/uapi/linux/inet_diag.h), all in host order.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct MixedRequest {
    len: u32,
    kind: u16,
    flags: u16,
    sequence: u32,
    port: u32,
    /// The address family (unused), and two unused lengths.
    unused: [u8; 3],
    extensions: u8,
    socket_id: [u32; 12],
    states: u32,
    tables: u32,
}

/// Four header words, and 15 of the request.
const MIXED_LEN: u32 = 76;
const _: () = assert!(size_of::<MixedRequest>() == MIXED_LEN as usize);

fn encode_mixed(query: &Query, states: StateSet, sequence: u32) -> Vec<u8> {
    MixedRequest {
        len: MIXED_LEN,
        kind: TCPDIAG_GETSOCK,
        flags: NLM_F_REQUEST | NLM_F_DUMP,
        sequence,
        port: 0,
        unused: [0; 3],
        extensions: extensions(query.needs).bits(),
        socket_id: [0; 12],
        states: states.bits(),
        tables: 0,
    }
    .as_bytes()
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StateSet;

    fn query(families: Families, order: Order) -> Query {
        let needs = Needs::TCP_INFO | Needs::MEMORY;
        Query { needs, order, ..Query::new(families, StateSet::ALL) }
    }

    #[test]
    fn one_walk_where_the_order_allows_it() {
        let walks = |families, order| walks(&query(families, order), None);
        assert_eq!(walks(Families::Both, Order::Any), [Walk::Mixed]);
        let both = [Walk::Family(Family::Inet), Walk::Family(Family::Inet6)];
        assert_eq!(walks(Families::Both, Order::Ipv4First), both);
        assert_eq!(walks(Families::Only(Family::Inet6), Order::Any), [Walk::Family(Family::Inet6)]);
    }

    #[test]
    fn both_requests_carry_the_states_and_extensions() {
        let query = query(Families::Both, Order::Any);
        let mixed = encode(Walk::Mixed, &query, 7);
        assert_eq!(mixed.len(), 76);
        assert_eq!(mixed[..4], 76_u32.to_ne_bytes());
        assert_eq!(mixed[4..6], 18_u16.to_ne_bytes());
        assert_eq!(mixed[19], 0b0100_1110);
        assert_eq!(mixed[68..72], u32::MAX.to_ne_bytes());

        let family = encode(Walk::Family(Family::Inet6), &query, 7);
        assert_eq!(family.len(), 72);
        assert_eq!(family[4..6], 20_u16.to_ne_bytes());
        assert_eq!(family[16..20], [10, 6, 0b0100_1110, 0]);
        assert_eq!(family[20..24], u32::MAX.to_ne_bytes());
    }
}
