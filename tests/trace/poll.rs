//! By snapshots: states that last, and what the kernel's notices add.

use std::io::Read as _;
use std::net::TcpListener;
use std::time::Duration;

use socket2::SockRef;

use super::harness::{
    LOCALHOST, Seen, Trace, bound_client, connected, listener, own_port, port, port_of, start, started,
};
use crate::support::run::{command, finish, program_for_everybody, tcpstates};
use crate::support::{has, namespace};

/// The states that last, of those that a port was seen in.
fn lasting(states: &[String]) -> Vec<&str> {
    let passing = ["SYN_SENT", "SYN_RECV", "FIN_WAIT1", "LAST_ACK"];
    states.iter().map(String::as_str).filter(|state| !passing.contains(state)).collect()
}

/// A connection whose states last until the trace has seen them, closed first by the client.
fn lasting_scene(mut trace: Trace, listener: &TcpListener) -> ((u16, u16), Seen) {
    let listens = port_of(listener);
    // Sockets in the first snapshot are not transitions: this opens after it.
    let marker = super::harness::listener(LOCALHOST);
    trace.until(port_of(&marker), "LISTEN");
    let (client, server) = connected(listener, LOCALHOST);
    let client_port = port(&client);
    trace.until(client_port, "ESTABLISHED");
    trace.until(listens, "ESTABLISHED");
    drop(client);
    trace.until(client_port, "FIN_WAIT2");
    trace.until(listens, "CLOSE_WAIT");
    drop(server);
    trace.until(client_port, "TIME_WAIT");
    trace.until(listens, "CLOSED");
    drop(marker);
    ((client_port, listens), trace.end())
}

fn assert_lasting(((client, server), seen): &((u16, u16), Seen)) {
    let states = |port| lasting(&seen.states[port]);
    assert_eq!(states(client), ["CLOSED", "ESTABLISHED", "FIN_WAIT2", "TIME_WAIT"]);
    assert_eq!(states(server), ["CLOSED", "ESTABLISHED", "CLOSE_WAIT", "CLOSED"]);
}

#[test]
fn snapshots_show_what_lasts() {
    let Some(namespace) = namespace() else { return };
    let seen = namespace.inside(|| {
        let listener = listener(LOCALHOST);
        let trace = start(&["--by", "poll"]);
        assert!(trace.said.contains("snapshots of this network namespace are compared every 20 ms"));
        lasting_scene(trace, &listener)
    });
    assert_lasting(&seen);
}

#[test]
fn what_passes_between_two_snapshots_is_told_of() {
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let listener = listener(LOCALHOST);
        let mut trace = started(tcpstates(&["trace", "--ndjson", "--by", "poll", "--poll", "300"]));
        for _ in 0..5 {
            let (client, server) = connected(&listener, LOCALHOST);
            SockRef::from(&client).set_linger(Some(Duration::ZERO)).expect("it can be set");
            drop((client, server));
        }
        let told = "opened and closed between two snapshots";
        let is_told = |trace: &Trace| trace.meanings.iter().any(|(_, meaning)| meaning == told);
        while !is_told(&trace) {
            assert!(trace.read(), "it ended");
        }
        trace.end();
    });
}

#[test]
fn without_privilege_it_falls_back_and_says_so() {
    if !has("setpriv") {
        return;
    }
    let Some(namespace) = namespace() else { return };
    let (_folder, program) = program_for_everybody();
    let nobody = |args: &[&str]| {
        let mut nobody = command("setpriv");
        nobody.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&program);
        nobody.args(["trace", "--ndjson", "--poll", "20"]).args(args);
        nobody
    };
    let seen = namespace.inside(|| {
        let listener = listener(LOCALHOST);
        let trace = started(nobody(&[]));
        assert!(
            trace.said.starts_with("tcpstates: kernel tracepoints are unavailable, so snapshots")
                && trace.said.contains("root is needed"),
            "{}",
            trace.said
        );
        lasting_scene(trace, &listener)
    });
    assert_lasting(&seen);
    let told = finish(nobody(&["--by", "tracepoint"])).failed(1);
    assert!(told.starts_with("tcpstates: tracefs: ") && told.lines().count() == 1, "{told}");
}

#[test]
fn a_socket_that_is_merely_bound_has_no_transitions() {
    let Some(namespace) = namespace() else { return };
    let ((bound, listens), seen) = namespace.inside(|| {
        let mut trace = start(&["--by", "poll"]);
        let mut markers = Vec::new();
        let mut snapshot = |trace: &mut Trace| {
            let marker = listener(LOCALHOST);
            trace.until(port_of(&marker), "LISTEN");
            markers.push(marker);
        };
        let ports = (own_port(), own_port());
        let (bound, listens) = (bound_client(ports.0), bound_client(ports.1));
        snapshot(&mut trace);
        listens.listen(1).expect("it can listen");
        trace.until(ports.1, "LISTEN");
        drop((bound, listens));
        snapshot(&mut trace);
        (ports, trace.end())
    });
    assert!(!seen.states.contains_key(&bound), "{:?}", seen.states);
    assert_eq!(seen.states[&listens], ["CLOSED", "LISTEN", "CLOSED"]);
}

#[test]
fn sockets_beyond_the_limit_are_not_new() {
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let mut listeners: Vec<_> = (0..5).map(|_| listener(LOCALHOST)).collect();
        let mut trace = start(&["--by", "poll", "--max-sockets", "3"]);
        // A few snapshots, in each of which the others could be new; and some that have room for them.
        std::thread::sleep(Duration::from_millis(200));
        listeners.truncate(3);
        std::thread::sleep(Duration::from_millis(200));
        drop(listeners);
        // Three are remembered at least; a child that another test begins may hold their sockets a little longer.
        while trace.meanings.len() < 3 {
            assert!(trace.read(), "it ended: {:?}", trace.meanings);
        }
        trace.interrupt();
        while trace.read() {}
        assert!(trace.meanings.iter().all(|(states, _)| states == "LISTEN CLOSED"), "{:?}", trace.meanings);
        let mut told = String::new();
        trace.stderr.read_to_string(&mut told).expect("it can be read");
        assert!(told.starts_with("tcpstates: 2 sockets were forgotten for want of room\n"), "{told}");
        assert_eq!(trace.status(), Some(0));
    });
}
