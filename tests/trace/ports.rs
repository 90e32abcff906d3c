//! The local ports of connections that get no answer.

use std::io::BufRead as _;
use std::net::{Ipv4Addr, SocketAddr};

use rustix::process::{Pid, Signal, kill_process};
use socket2::{Domain, Socket, Type};

use super::{SEEN_EVERYWHERE, bound_client, start, status_of};
use crate::support::namespace::Namespace;
use crate::support::{namespace, or_skip};

/// A connection that stands, and another that waits: the listener has no room for it.
struct Scene {
    _listener: Socket,
    _stands: Socket,
    waits: Socket,
}

fn scene(namespace: &Namespace, waits: fn() -> Socket) -> Scene {
    let unbound = || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    namespace.inside(|| {
        let listener = bound_client(Ipv4Addr::LOCALHOST, 4135);
        listener.listen(0).expect("it can listen");
        let (stands, to) = (unbound(), listener.local_addr().expect("it is bound"));
        stands.connect(&to).expect("there is room for one");
        let waits = waits();
        waits.set_nonblocking(true).expect("it can be set");
        let _ = waits.connect(&to);
        Scene { _listener: listener, _stands: stands, waits }
    })
}

#[test]
fn a_socket_of_another_namespace_has_not_the_port_of_one_here() {
    let (Some(here), Some(elsewhere)) = (namespace(), namespace()) else { return };
    let mut trace = here.inside(|| start(&["--by", "tracepoint", "--state", "syn-sent", "dport = 4135"]));
    if trace.said.trim_end() != SEEN_EVERYWHERE {
        or_skip::<()>(Err(trace.said));
        return;
    }
    let bound = scene(&here, || bound_client(Ipv4Addr::LOCALHOST, 4136));
    let chosen = scene(&elsewhere, || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket"));
    let chosen_port = chosen.waits.local_addr().ok().and_then(|addr| addr.as_socket());
    assert_ne!(chosen_port.as_ref().map(SocketAddr::port), Some(4136));
    let mut ports = Vec::new();
    for _ in 0..4 {
        let mut line = String::new();
        assert_ne!(trace.stdout.read_line(&mut line).expect("it can be read"), 0, "it ended");
        let change: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        ports.push(change["local_port"].as_u64());
    }
    // Each after the one that stands.
    assert_eq!((ports[1], ports[3]), (Some(4136), None), "{ports:?}");
    drop((bound, chosen));
    kill_process(Pid::from_child(&trace.child), Signal::INT).expect("it can be signalled");
    assert_eq!(status_of(trace.child), Some(0));
}
