//! Each kind of opening and closing, and the states of both ends.

use std::net::{Ipv6Addr, Shutdown, SocketAddr};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

use super::harness::{LOCALHOST, Trace, await_end, bound_client, connected, own_port, port, port_of, traced};
use crate::support::peer::{OUR_V4, PEER_V4, Peer, Script};
use crate::support::reflector::{FAR, NEAR, Reflector};
use crate::support::{namespace, or_skip};

const OPENED: &str = "CLOSED SYN_SENT ESTABLISHED";
const ACCEPTED: &str = "LISTEN SYN_RECV ESTABLISHED";

#[test]
fn the_client_closes_first() {
    let Some(namespace) = namespace() else { return };
    for address in [LOCALHOST, Ipv6Addr::LOCALHOST.into()] {
        let traced = traced(&namespace, address, |listener, mut trace| {
            let (client, server) = connected(listener, address);
            let ports = (port(&client), port_of(listener));
            drop(client);
            await_end(&server);
            drop(server);
            trace.until(ports.0, "TIME_WAIT");
            (ports, trace.end())
        });
        let Some(((client, server), seen)) = traced else { return };
        seen.assert_states(&[
            (client, &format!("{OPENED} FIN_WAIT1 FIN_WAIT2 TIME_WAIT")),
            (server, &format!("{ACCEPTED} CLOSE_WAIT LAST_ACK CLOSED")),
        ]);
        seen.assert_meaning("ESTABLISHED FIN_WAIT1", "closed here first");
        seen.assert_meaning("LISTEN SYN_RECV", "Linux creates the socket now: at the handshake's last ACK");
        seen.assert_meaning("LAST_ACK CLOSED", "our FIN is acknowledged");
    }
}

/// RFC 9293 would go straight to TIME_WAIT.
#[test]
fn a_fin_with_the_ack_of_ours_passes_fin_wait2() {
    let Some(namespace) = namespace() else { return };
    let Some(_peer) = or_skip(Peer::start(&namespace)) else { return };
    let own = own_port();
    let seen = namespace.inside(|| {
        let mut trace = Trace::by_tracepoints(&[&format!(":{own}")])?;
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        client.bind(&SocketAddr::from((OUR_V4, own)).into()).expect("the port is free");
        let peer = SocketAddr::from((PEER_V4, Script::OrderlyClose.port()));
        client.connect(&peer.into()).expect("it connects");
        drop(client);
        trace.until(own, "TIME_WAIT");
        Some(trace.end())
    });
    let Some(seen) = seen else { return };
    seen.assert_states(&[(own, &format!("{OPENED} FIN_WAIT1 FIN_WAIT2 TIME_WAIT"))]);
}

#[test]
fn an_orphan_is_watched_until_its_peer_closes() {
    let Some(namespace) = namespace() else { return };
    let traced = traced(&namespace, LOCALHOST, |listener, mut trace| {
        let (client, server) = connected(listener, LOCALHOST);
        let ports = (port(&client), port_of(listener));
        drop(client);
        trace.until(ports.0, "FIN_WAIT2");
        trace.until(ports.1, "CLOSE_WAIT");
        // What the kernel calls CLOSE meanwhile is none: nothing more may be seen before the peer closes.
        std::thread::sleep(Duration::from_millis(100));
        drop(server);
        trace.until(ports.1, "CLOSED");
        trace.until(ports.0, "TIME_WAIT");
        (ports, trace.end())
    });
    let Some(((client, server), seen)) = traced else { return };
    seen.assert_states(&[
        (client, &format!("{OPENED} FIN_WAIT1 FIN_WAIT2 TIME_WAIT")),
        (server, &format!("{ACCEPTED} CLOSE_WAIT LAST_ACK CLOSED")),
    ]);
}

#[test]
fn the_server_closes_first() {
    let Some(namespace) = namespace() else { return };
    let traced = traced(&namespace, LOCALHOST, |listener, mut trace| {
        let (client, server) = connected(listener, LOCALHOST);
        let ports = (port(&client), port_of(listener));
        drop(server);
        await_end(&client);
        drop(client);
        trace.until(ports.1, "TIME_WAIT");
        (ports, trace.end())
    });
    let Some(((client, server), seen)) = traced else { return };
    seen.assert_states(&[
        (client, &format!("{OPENED} CLOSE_WAIT LAST_ACK CLOSED")),
        (server, &format!("{ACCEPTED} FIN_WAIT1 FIN_WAIT2 TIME_WAIT")),
    ]);
}

#[test]
fn both_close_at_once() {
    let Some(namespace) = namespace() else { return };
    let Some(reflector) = or_skip(Reflector::start(&namespace)) else { return };
    let traced = traced(&namespace, NEAR, |listener, mut trace| {
        let (client, server) = connected(listener, FAR);
        let ports = (port(&client), port_of(listener));
        trace.until(ports.1, "ESTABLISHED");
        reflector.hold();
        for end in [&client, &server] {
            end.shutdown(Shutdown::Write).expect("it is connected");
        }
        trace.until(ports.0, "FIN_WAIT1");
        trace.until(ports.1, "FIN_WAIT1");
        reflector.release();
        trace.until(ports.0, "TIME_WAIT");
        trace.until(ports.1, "TIME_WAIT");
        (ports, trace.end())
    });
    let Some(((client, server), seen)) = traced else { return };
    seen.assert_states(&[
        (client, &format!("{OPENED} FIN_WAIT1 CLOSING TIME_WAIT")),
        (server, &format!("{ACCEPTED} FIN_WAIT1 CLOSING TIME_WAIT")),
    ]);
    seen.assert_meaning("FIN_WAIT1 CLOSING", "FIN received before ours is acknowledged");
}

#[test]
fn a_connection_is_reset() {
    let Some(namespace) = namespace() else { return };
    let traced = traced(&namespace, LOCALHOST, |listener, mut trace| {
        let (client, server) = connected(listener, LOCALHOST);
        let ports = (port(&client), port_of(listener));
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).expect("it can be set");
        drop(client);
        trace.until(ports.1, "CLOSED");
        drop(server);
        (ports, trace.end())
    });
    let Some(((client, server), seen)) = traced else { return };
    seen.assert_states(&[(client, &format!("{OPENED} CLOSED")), (server, &format!("{ACCEPTED} CLOSED"))]);
    seen.assert_meaning("ESTABLISHED CLOSED", "aborted by this host");
    seen.assert_meaning("ESTABLISHED CLOSED", "RST received");
}

#[test]
fn a_connection_is_refused() {
    let Some(namespace) = namespace() else { return };
    let (nobody_listens, client_port) = (own_port(), own_port());
    let seen = namespace.inside(|| {
        let mut trace = Trace::by_tracepoints(&[&format!(":{nobody_listens}")])?;
        let client = bound_client(client_port);
        assert!(client.connect(&SocketAddr::from((LOCALHOST, nobody_listens)).into()).is_err());
        trace.until(client_port, "CLOSED");
        Some(trace.end())
    });
    let Some(seen) = seen else { return };
    seen.assert_states(&[(client_port, "CLOSED SYN_SENT CLOSED")]);
    seen.assert_meaning("SYN_SENT CLOSED", "RST received: the connection was refused");
}

#[test]
fn a_connection_gets_no_answer() {
    let Some(namespace) = namespace() else { return };
    let Some(reflector) = or_skip(Reflector::start(&namespace)) else { return };
    namespace.sysctl("ipv4/tcp_syn_retries", "1");
    reflector.hold();
    let traced = namespace.inside(|| {
        let to = SocketAddr::from((FAR, own_port()));
        let mut trace = Trace::by_tracepoints(&[&format!(":{}", to.port())])?;
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        client.set_nonblocking(true).expect("it can be set");
        let _ = client.connect(&to.into());
        let port = client.local_addr().expect("it has one").as_socket().expect("of IP").port();
        // The port is printed long before the next transition, although the event has none.
        trace.until(port, "SYN_SENT");
        trace.until(port, "CLOSED");
        Some((port, trace.end()))
    });
    let Some((client_port, seen)) = traced else { return };
    seen.assert_states(&[(client_port, "CLOSED SYN_SENT CLOSED")]);
    seen.assert_meaning("SYN_SENT CLOSED", "no answer to any SYN: timed out");
}
