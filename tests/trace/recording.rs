//! The kernel's ring: every recorded event is read, lost events are counted, and no instance is left over.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;

use super::harness::{LOCALHOST, Trace, connected, listener, port_of, started};
use crate::support::run::{PROGRAM, command, finish, tcpstates};
use crate::support::tracefs::{Recorded, Recording, Tracefs};
use crate::support::{has, namespace, or_skip};

/// Ports, old and new state, and how many transitions are like that.
type Transitions = BTreeMap<(Option<u64>, Option<u64>, String, String), u32>;

fn add(transitions: &mut Transitions, local: u64, peer: u64, (old, new): (&str, &str)) {
    let port = |port| Some(port).filter(|port| *port != 0);
    let (local, peer) = match (old, new) {
        // The kernel chooses the port of a client after this event; the trace finds it later.
        ("CLOSED", "SYN_SENT") => (None, port(peer)),
        // Before Linux 6.14 it sets the peer of a server's new socket after this one.
        ("LISTEN", "SYN_RECV") => (port(local), None),
        _ => (port(local), port(peer)),
    };
    *transitions.entry((local, peer, old.to_owned(), new.to_owned())).or_default() += 1;
}

/// As a trace shows them: what the kernel closes in FIN_WAIT2 here is a TIME_WAIT.
fn recorded(recording: &[Recorded]) -> Transitions {
    let mut transitions = Transitions::new();
    for Recorded { local_port, peer_port, old, new } in recording {
        let name = |state: &str| if state == "CLOSE" { "CLOSED".to_owned() } else { state.to_owned() };
        let new = if (old.as_str(), new.as_str()) == ("FIN_WAIT2", "CLOSE") { "TIME_WAIT" } else { new };
        add(&mut transitions, (*local_port).into(), (*peer_port).into(), (&name(old), &name(new)));
    }
    transitions
}

/// The rest of a trace, without the ends of TIME_WAITs, which the kernel does not record.
fn traced(trace: &mut Trace) -> Transitions {
    let mut transitions = Transitions::new();
    while let Some(line) = trace.next() {
        let (old, new) = (line["old"].as_str().expect("a state"), line["new"].as_str().unwrap_or("unknown"));
        let port = |key: &str| line[key].as_u64().unwrap_or(0);
        if old != "TIME_WAIT" {
            add(&mut transitions, port("local_port"), port("peer_port"), (old, new));
        }
    }
    transitions
}

/// Connections one after the other; the client closes first.
fn connect_and_close(listener: &TcpListener, count: usize) {
    for _ in 0..count {
        let (client, server) = connected(listener, LOCALHOST);
        client.shutdown(Shutdown::Write).expect("it is connected");
        read_to_end(&server);
        drop(server);
        read_to_end(&client);
    }
}

fn read_to_end(mut stream: &TcpStream) {
    assert_eq!(stream.read(&mut [0]).expect("it can be read"), 0);
}

/// Waits until the kernel has closed so many servers' sockets: then all is recorded.
fn await_closed(recording: &Recording<'_>, count: usize) -> Vec<Recorded> {
    let begun = Instant::now();
    loop {
        let transitions = recording.transitions();
        if transitions.iter().filter(|one| one.old == "LAST_ACK").count() == count {
            return transitions;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "the last ACK did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn transitions_on_an_idle_processor_are_all_seen() {
    const CONNECTIONS: usize = 60;
    if !has("tc") {
        return;
    }
    let Some(namespace) = namespace() else { return };
    let Some(tracefs) = or_skip(Tracefs::mount()) else { return };
    namespace.inside(|| {
        // A wire so slow that both ends wait for each segment, and the processor idles when it comes.
        for words in
            ["ip link set lo mtu 1500", "tc qdisc add dev lo root tbf rate 200kbit burst 120 limit 100000"]
        {
            let mut words = words.split(' ');
            let mut program = command(words.next().expect("a program"));
            program.args(words);
            finish(program).quiet();
        }
        let listener = listener(LOCALHOST);
        let port = port_of(&listener);
        let recording = Recording::start(&tracefs, &format!("sport == {port} || dport == {port}"));
        let Some(mut trace) = Trace::by_tracepoints(&[&format!(":{port}")]) else { return };
        connect_and_close(&listener, CONNECTIONS);
        let expected = recorded(&await_closed(&recording, CONNECTIONS));
        trace.interrupt();
        assert_eq!(traced(&mut trace), expected);
        assert_eq!(trace.notes(), "");
        assert_eq!(trace.status(), Some(0));
    });
}

#[test]
fn what_a_full_ring_loses_is_counted() {
    const CONNECTIONS: usize = 200;
    let Some(namespace) = namespace() else { return };
    let Some(tracefs) = or_skip(Tracefs::mount()) else { return };
    namespace.inside(|| {
        let listener = listener(LOCALHOST);
        let port = port_of(&listener);
        let Some(mut trace) = Trace::by_tracepoints(&[&format!(":{port}")]) else { return };
        let instance = trace.instance();
        // Other programs cause these events too.
        for event in ["task", "sched", "tcp", "sock/inet_sk_error_report"] {
            tracefs.write(&format!("{instance}/events/{event}/enable"), "0");
        }
        let filter = tracefs.read(&format!("{instance}/events/sock/inet_sock_set_state/filter"));
        assert_eq!(
            filter.trim(),
            format!("(sport == {port} || dport == {port} || sport == 0 || dport == 0)")
        );
        tracefs.write(
            &format!("{instance}/events/sock/inet_sock_set_state/filter"),
            &format!("sport == {port} || dport == {port}"),
        );
        trace.signal(Signal::STOP);
        tracefs.write(&format!("{instance}/buffer_size_kb"), "4");
        let recording = Recording::start(&tracefs, &format!("sport == {port} || dport == {port}"));
        connect_and_close(&listener, CONNECTIONS);
        let expected: u32 = recorded(&await_closed(&recording, CONNECTIONS)).values().sum();
        trace.signal(Signal::CONT);
        trace.interrupt();
        let seen: u32 = traced(&mut trace).values().sum();
        let notes = trace.notes();
        let lost = notes
            .split_once("tcpstates: ")
            .and_then(|(_, note)| note.split_once(" kernel events were lost")?.0.parse::<u32>().ok());
        assert!(seen > 0 && lost.is_some_and(|lost| lost > 0), "{seen} {notes}");
        assert_eq!(seen + lost.unwrap_or(0), expected, "{notes}");
        assert_eq!(trace.status(), Some(0));
    });
}

#[test]
fn a_signal_that_can_be_caught_leaves_nothing_behind() {
    let Some(namespace) = namespace() else { return };
    let Some(tracefs) = or_skip(Tracefs::mount()) else { return };
    namespace.inside(|| {
        for signal in
            [Signal::HUP, Signal::QUIT, Signal::USR1, Signal::ALARM, Signal::ABORT, Signal::SYS, Signal::PROF]
        {
            let Some(trace) = Trace::by_tracepoints(&[":1"]) else { return };
            let instance = trace.instance();
            trace.signal(signal);
            assert_eq!(trace.status(), Some(0), "{signal:?}");
            assert!(!tracefs.path(&instance).exists(), "{signal:?}: the instance stays behind");
        }
    });
}

#[test]
fn traces_that_start_at_once_leave_each_other_alone() {
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let Some(probe) = Trace::by_tracepoints(&[":1"]) else { return };
        probe.interrupt();
        assert_eq!(probe.status(), Some(0));
        for _ in 0..8 {
            let start = || {
                let args = ["trace", "--by", "tracepoint", "--duration", "0.1", "--no-header", ":1"];
                let mut trace = tcpstates(&args);
                trace.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started")
            };
            let traces: Vec<_> = (0..8).map(|_| start()).collect();
            for trace in traces {
                let output = trace.wait_with_output().expect("it ends");
                let notes = String::from_utf8_lossy(&output.stderr);
                assert_eq!(notes, "tcpstates: the transitions of all network namespaces are seen\n");
            }
        }
    });
}

#[test]
fn times_are_the_wall_clocks_in_a_time_namespace() {
    if !has("unshare") {
        return;
    }
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        for by in ["tracepoint", "poll"] {
            let mut apart = command("unshare");
            apart.args(["-T", "--monotonic", "100000", PROGRAM, "trace", "--ndjson", "--by", by]);
            let listener = listener(LOCALHOST);
            apart.args(["--poll", "20", "--count", "1", &format!(":{}", port_of(&listener))]);
            let mut trace = started(apart);
            let is_at_work =
                ["transitions of all", "snapshots of"].iter().any(|words| trace.said.contains(words));
            let Some(()) = or_skip(if is_at_work { Ok(()) } else { Err(trace.said.clone()) }) else { return };
            let before = Timestamp::now();
            drop(listener);
            let line = trace.next().expect("it goes on");
            let time: Timestamp = line["time"].as_str().expect("a time").parse().expect("by RFC 3339");
            // The clocks are compared within some microseconds.
            let early = SignedDuration::from_millis(10);
            assert!(before - early <= time && time <= Timestamp::now() + early, "{by}: {before} {line}");
            assert_eq!(trace.status(), Some(0));
        }
    });
}

#[test]
fn a_trace_that_is_killed_records_no_more_and_the_next_one_removes_its_instance() {
    let Some(namespace) = namespace() else { return };
    let Some(tracefs) = or_skip(Tracefs::mount()) else { return };
    namespace.inside(|| {
        let Some(mut killed) = Trace::by_tracepoints(&[":1"]) else { return };
        let instance = killed.instance();
        assert_eq!(tracefs.read(&format!("{instance}/tracing_on")), "1\n");
        killed.child.kill().expect("it can be killed");
        killed.child.wait().expect("it has ended");
        assert_eq!(tracefs.read(&format!("{instance}/tracing_on")), "0\n");
        let Some(next) = Trace::by_tracepoints(&[":1"]) else { return };
        assert!(!tracefs.path(&instance).exists(), "the stale instance is there");
        assert!(tracefs.path(&next.instance()).exists(), "a trace has no instance");
        // Another one beside it has its own.
        let Some(beside) = Trace::by_tracepoints(&[":1"]) else { return };
        assert!(tracefs.path(&next.instance()).exists() && tracefs.path(&beside.instance()).exists());
        for trace in [next, beside] {
            let instance = trace.instance();
            trace.interrupt();
            assert_eq!(trace.status(), Some(0));
            assert!(!tracefs.path(&instance).exists(), "the instance stays behind");
        }
    });
}
