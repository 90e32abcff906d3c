//! The decoder agrees with netlink-packet-sock-diag's parser on recorded dumps, and on a live one.

use std::fs;
use std::net::IpAddr;

use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::inet::{InetResponse, Timer as OracleTimer, nlas::Nla};
use tcpstates::internals::kernel::sock_diag::decode::Decoder;
use tcpstates::internals::kernel::sock_diag::{connect, request};
use tcpstates::internals::model::{Families, Needs, Query};
use tcpstates::internals::model::{Family, Socket, StateSet, TcpState, Timer};

use crate::support::dumps::{messages, recording};
use crate::support::namespace::Namespace;
use crate::support::zoo;

const FAMILIES: [(Family, &str); 2] = [(Family::Inet, "inet"), (Family::Inet6, "inet6")];

/// The datagrams of one family's dump, with all that can be asked for.
fn record(namespace: &Namespace, family: Family) -> Vec<u8> {
    let query =
        Query { needs: Needs::TCP_INFO | Needs::MEMORY, ..Query::new(Families::Only(family), StateSet::ALL) };
    namespace.inside(|| {
        let mut source = connect().expect("there is netlink");
        source.send(&request::encode(request::walks(&query, None)[0], &query, 1)).expect("it can be asked");
        let mut whole = Vec::new();
        loop {
            let datagram = source.receive().expect("it answers");
            whole.extend_from_slice(datagram.bytes);
            // NLMSG_DONE
            if datagram.bytes.get(4..6) == Some(&3_u16.to_ne_bytes()) {
                return whole;
            }
        }
    })
}

fn parsed(message: &[u8]) -> InetResponse {
    let message = NetlinkMessage::<SockDiagMessage>::deserialize(message).expect("the oracle reads it");
    match message.payload {
        NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => *response,
        other => panic!("no socket: {other:?}"),
    }
}

fn assert_agree(socket: &Socket, oracle: &InetResponse) {
    let header = &oracle.header;
    let family = if socket.family == Family::Inet { 2 } else { 10 };
    assert_eq!((header.family, header.state), (family, socket.state.kernel()));
    let id = &header.socket_id;
    let ends: [(IpAddr, u16); 2] =
        [(id.source_address, id.source_port), (id.destination_address, id.destination_port)];
    assert_eq!(ends, [(socket.local.addr, socket.local.port), (socket.peer.addr, socket.peer.port)]);
    assert_eq!(id.interface_id, socket.interface);
    assert_eq!(u64::from_le_bytes(id.cookie), socket.cookie.expect("the kernel tells it"));
    assert_eq!((header.recv_queue, header.send_queue), (socket.queues.recv_q(), socket.queues.send_q()));
    assert_eq!(u64::from(header.inode), socket.inode.unwrap_or(0));
    assert_eq!(header.uid, socket.uid.unwrap_or(0));
    // The oracle drops some of a timer's numbers; what it keeps must be the same.
    let ms = |expires_ms: u32| std::time::Duration::from_millis(expires_ms.into());
    let timer = socket.timer.map(|timer| match timer {
        Timer::Retransmit { expires_ms, retransmits } => {
            OracleTimer::Retransmit(ms(expires_ms), u8::try_from(retransmits).expect("it came as a byte"))
        }
        Timer::KeepAlive { expires_ms, .. } => OracleTimer::KeepAlive(ms(expires_ms)),
        Timer::TimeWait { .. } => OracleTimer::TimeWait,
        Timer::Probe0 { expires_ms, .. } => OracleTimer::Probe(ms(expires_ms)),
        other => panic!("a timer that the oracle does not know: {other:?}"),
    });
    assert_eq!(header.timer, timer);
    oracle.nlas.iter().for_each(|attribute| assert_attribute(socket, attribute));
}

fn assert_attribute(socket: &Socket, attribute: &Nla) {
    match attribute {
        Nla::Congestion(name) => {
            let algorithm = socket.tcp_info().and_then(|info| info.algorithm).expect("it came");
            assert_eq!(algorithm.as_bytes(), name.as_bytes());
        }
        Nla::Shutdown(bits) => {
            let shutdown = socket.shutdown.expect("it came");
            assert_eq!(*bits, u8::from(shutdown.receive) | u8::from(shutdown.send) << 1);
        }
        Nla::Mark(mark) => assert_eq!(socket.mark, Some(*mark)),
        Nla::SkV6Only(v6only) => assert_eq!(socket.v6only, Some(*v6only)),
        Nla::TcpInfo(bytes) => {
            let info = socket.tcp_info().expect("it came");
            let at = |offset: usize| u32::from_ne_bytes(bytes[offset..offset + 4].try_into().unwrap());
            // A listener has none of these, whatever the fields contain.
            let connected = |offset| Some(at(offset)).filter(|_| socket.state != TcpState::Listen);
            assert_eq!((info.rto_us(), info.rtt_us()), (connected(8), connected(68)));
            assert_eq!((info.snd_cwnd(), info.total_retrans()), (Some(at(80)), connected(100)));
        }
        _ => {}
    }
}

fn assert_dump_agrees(bytes: &[u8]) -> usize {
    let messages = messages(bytes);
    let mut decoder = Decoder::new();
    for message in &messages {
        let socket = decoder.decode(&message[16..]).expect("the decoder reads it");
        assert_agree(socket, &parsed(message));
    }
    messages.len()
}

#[test]
fn on_recorded_dumps() {
    for (_, name) in FAMILIES {
        let bytes = fs::read(recording(name)).expect("the recording is there");
        assert!(assert_dump_agrees(&bytes) >= 20);
    }
}

#[test]
fn on_a_live_dump() {
    let Some(zoo) = zoo() else { return };
    let count: usize =
        FAMILIES.iter().map(|(family, _)| assert_dump_agrees(&record(zoo.namespace(), *family))).sum();
    assert_eq!(count, zoo.specimens().len());
}

/// A recorded dump cut at every length, and with every byte damaged: an error or a socket, never a panic.
#[test]
fn damaged_recordings_are_read_or_refused() {
    for (_, name) in FAMILIES {
        let bytes = fs::read(recording(name)).expect("the recording is there");
        let mut decoder = Decoder::new();
        for message in messages(&bytes) {
            for len in 0..message.len() {
                let _ = decoder.decode(&message[16..len.max(16)]);
            }
            let mut damaged = message[16..].to_vec();
            for at in 0..damaged.len() {
                for byte in [0, 0xff, damaged[at].wrapping_add(1)] {
                    let before = std::mem::replace(&mut damaged[at], byte);
                    let _ = decoder.decode(&damaged);
                    damaged[at] = before;
                }
            }
        }
    }
}

/// Makes the recordings: `cargo test oracle::record_dumps -- --ignored`.
#[test]
#[ignore = "it makes what others read"]
fn record_dumps() {
    let Some(zoo) = zoo() else { return };
    for (family, name) in FAMILIES {
        fs::create_dir_all(recording(name).parent().expect("it is in a folder"))
            .expect("a folder can be made");
        fs::write(recording(name), record(zoo.namespace(), family)).expect("it can be written");
    }
}
