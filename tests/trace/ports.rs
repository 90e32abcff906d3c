//! The local ports of connections that get no answer.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::harness::{Trace, bound_client, own_port};
use crate::support::namespace;
use crate::support::namespace::Namespace;

/// An established connection, and another that waits because the accept queue is full.
struct Scene {
    _listener: Socket,
    _stands: Socket,
    waits: Socket,
}

fn unbound() -> Socket {
    Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket")
}

fn scene(namespace: &Namespace, to: u16, waits: impl FnOnce() -> Socket + Send) -> Scene {
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
    let chosen = scene(&elsewhere, to, unbound);
    let chosen_port = chosen.waits.local_addr().ok().and_then(|addr| addr.as_socket());
    assert_ne!(chosen_port.as_ref().map(SocketAddr::port), Some(bound_port));
    let mut ports = Vec::new();
    for _ in 0..4 {
        ports.push(trace.next().expect("it goes on")["local_port"].as_u64());
    }
    // Each after the established one.
    assert_eq!((ports[1], ports[3]), (Some(bound_port.into()), None), "{ports:?}");
    drop((bound, chosen));
    trace.interrupt();
    assert_eq!(trace.status(), Some(0));
}

#[test]
fn each_of_some_that_begin_at_once_has_its_port() {
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let Some(mut trace) = Trace::by_tracepoints(&["--state", "syn-sent"]) else { return };
        let targets = [(); 5].map(|()| own_port());
        let scenes = targets.map(|to| {
            std::thread::sleep(Duration::from_millis(3));
            scene(&namespace, to, unbound)
        });
        let mut told = BTreeMap::new();
        let mut stands = BTreeSet::new();
        while told.len() < targets.len() {
            let change = trace.next().expect("it goes on");
            // Each after the established one.
            let peer = change["peer_port"].as_u64().and_then(|port| port.try_into().ok());
            let to = targets.iter().find(|to| peer == Some(**to)).copied();
            if let Some(to) = to
                && !stands.insert(to)
            {
                told.insert(to, change["local_port"].as_u64());
            }
        }
        let chosen = |scene: &Scene| scene.waits.local_addr().ok().and_then(|addr| addr.as_socket());
        for (to, scene) in targets.iter().zip(&scenes) {
            assert_eq!(told[to], chosen(scene).map(|addr| addr.port().into()), "{told:?}");
        }
        drop(scenes);
        trace.interrupt();
        assert_eq!(trace.status(), Some(0));
    });
}
