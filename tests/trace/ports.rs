//! The local ports of connections that get no answer.

use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};

use super::harness::{Trace, bound_client, own_port};
use crate::support::namespace;
use crate::support::namespace::Namespace;

/// A connection that stands, and another that waits: the listener has no room for it.
struct Scene {
    _listener: Socket,
    _stands: Socket,
    waits: Socket,
}

fn scene(namespace: &Namespace, to: u16, waits: impl FnOnce() -> Socket + Send) -> Scene {
    let unbound = || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    namespace.inside(|| {
        let listener = bound_client(to);
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
    let (to, bound_port) = (own_port(), own_port());
    let filter = format!("dport = {to}");
    let trace = here.inside(|| Trace::by_tracepoints(&["--state", "syn-sent", &filter]));
    let Some(mut trace) = trace else { return };
    let bound = scene(&here, to, || bound_client(bound_port));
    let chosen = scene(&elsewhere, to, || Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket"));
    let chosen_port = chosen.waits.local_addr().ok().and_then(|addr| addr.as_socket());
    assert_ne!(chosen_port.as_ref().map(SocketAddr::port), Some(bound_port));
    let mut ports = Vec::new();
    for _ in 0..4 {
        ports.push(trace.next().expect("it goes on")["local_port"].as_u64());
    }
    // Each after the one that stands.
    assert_eq!((ports[1], ports[3]), (Some(bound_port.into()), None), "{ports:?}");
    drop((bound, chosen));
    trace.interrupt();
    assert_eq!(trace.status(), Some(0));
}
