//! How it begins and ends, what bounds it, and what it refuses.

use std::io::{BufRead as _, Read as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{Pid, Signal, kill_process};
use socket2::SockRef;

use super::harness::{LOCALHOST, Trace, connected, listener, own_port, port_of, start, started};
use crate::support::namespace::own_mounts;
use crate::support::run::{finish, tcpstates};
use crate::support::{namespace, or_skip};

#[test]
fn tracefs_need_not_be_mounted_and_stays_unmounted() {
    let Some(namespace) = namespace() else { return };
    for mounted in [false, true] {
        let traced = namespace.inside(|| {
            or_skip(own_mounts())?;
            for place in ["/sys/kernel/tracing", "/sys/kernel/debug"] {
                while unmount(place, UnmountFlags::DETACH).is_ok() {}
            }
            if mounted {
                let done =
                    Command::new("mount").args(["-t", "tracefs", "none", "/sys/kernel/tracing"]).status();
                assert!(done.expect("mount can be run").success());
            }
            let port = own_port();
            let mut trace = Trace::by_tracepoints(&[&format!(":{port}")])?;
            let listener = TcpListener::bind((LOCALHOST, port)).expect("the port is free");
            trace.until(port, "LISTEN");
            let mounts = std::fs::read_to_string("/proc/thread-self/mounts").expect("they are listed");
            assert_eq!(mounts.contains(" tracefs "), mounted);
            drop(listener);
            trace.until(port, "CLOSED");
            Some((port, trace.end()))
        });
        let Some((port, seen)) = traced else { return };
        seen.assert_states(&[(port, "CLOSED LISTEN CLOSED")]);
    }
}

#[test]
fn an_interrupt_ends_it_with_the_summary() {
    let Some(namespace) = namespace() else { return };
    for signal in [Signal::INT, Signal::TERM] {
        namespace.inside(|| {
            let listener = listener(LOCALHOST);
            let filter = format!(":{}", port_of(&listener));
            let mut trace = started(tcpstates(&["trace", "-f", "plain", "--summary", &filter]));
            let (client, server) = connected(&listener, LOCALHOST);
            // What the kernel has recorded by then is counted too.
            kill_process(Pid::from_child(&trace.child), signal).expect("it can be signalled");
            let mut rest = String::new();
            trace.stdout.read_to_string(&mut rest).expect("it can be read");
            assert_eq!(trace.status(), Some(0));
            assert!(!rest.contains(" -> "), "no lines: {rest}");
            let row = |state: &str| {
                let row = rest.lines().find(|line| line.starts_with(state)).expect("the state has a row");
                row.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
            };
            // To SYN_SENT, SYN_RECV and ESTABLISHED.
            assert_eq!(row("CLOSED"), ["1", ".", "."], "{rest}");
            assert_eq!(row("LISTEN"), [".", "1", "."], "{rest}");
            assert_eq!(row("SYN_RECV"), [".", ".", "1"], "{rest}");
            assert!(rest.contains("Median"), "{rest}");
            // Whoever closes first leaves a TIME_WAIT, which must not keep the port.
            SockRef::from(&client).set_linger(Some(Duration::ZERO)).expect("it can be set");
            drop((client, server));
        });
    }
}

#[test]
fn it_ends_when_its_reader_leaves_though_nothing_happens() {
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let nothing = &["--poll", "3600000", ":1"];
        let by_snapshots = start(&[&["--by", "poll"], &nothing[..]].concat());
        for trace in [Some(by_snapshots), Trace::by_tracepoints(nothing)].into_iter().flatten() {
            assert_eq!(trace.status_unread(), Some(0));
        }
    });
}

#[test]
fn limits_end_it() {
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let mut timed = tcpstates(&["trace", "--by", "poll", "--duration", "0.1", "--no-header"]);
        timed.stdout(Stdio::piped());
        let (stdout, _) = finish(timed).noted();
        assert_eq!(stdout, "");
        let mut trace = start(&["--by", "poll", "--count", "2"]);
        let listeners: Vec<_> = (0..4).map(|_| listener(LOCALHOST)).collect();
        while trace.read() {}
        assert_eq!(trace.meanings.len(), 2);
        assert_eq!(trace.status(), Some(0));
        drop(listeners);
    });
}

#[test]
fn under_load_every_transition_is_seen_or_counted_as_lost() {
    const CONNECTIONS: usize = 3000;
    /// Of both ends, up to TIME_WAIT.
    const TRANSITIONS: usize = 10;
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let listener = listener(LOCALHOST);
        let filter = format!(":{}", port_of(&listener));
        let Some(trace) = Trace::by_tracepoints(&["--max-sockets", "100", &filter]) else { return };
        let Trace { mut child, stdout, mut stderr, .. } = trace;
        let reader = std::thread::spawn(move || stdout.lines().map_while(Result::ok).collect::<Vec<_>>());
        for _ in 0..CONNECTIONS {
            let (client, server) = connected(&listener, LOCALHOST);
            drop(client);
            drop(server);
        }
        kill_process(Pid::from_child(&child), Signal::INT).expect("it can be signalled");
        let lines = reader.join().expect("it reads");
        let mut told = String::new();
        stderr.read_to_string(&mut told).expect("it can be read");
        assert_eq!(child.wait().expect("it has ended").code(), Some(0), "{told}");
        assert!(told.contains("sockets were forgotten for want of room\nhint: --max-sockets N"), "{told}");
        // A port may be taken again for a new connection, which ends the TIME_WAIT that has it.
        let up_to_time_wait = lines.iter().filter(|line| !line.contains("\"old\":\"TIME_WAIT\"")).count();
        let is_whole = up_to_time_wait == CONNECTIONS * TRANSITIONS;
        assert!(is_whole || told.contains("kernel events were lost"), "{up_to_time_wait} {told}");
        let unknown = lines.iter().filter(|line| line.contains("\"new\":null")).count();
        assert!(unknown == 0 || told.contains("were lost"), "{unknown} ends were not found: {told}");
    });
}

#[test]
fn what_can_not_be_asked_is_refused() {
    for (args, message) in [
        (
            &["rtt > 5"][..],
            "filter: 'rtt > 5000us' cannot be used with trace\nhint: a filter of trace may have addresses, ports and states",
        ),
        (
            &[":80", "and", "uid", "=", "5"],
            "filter: 'uid = 5' cannot be used with trace\nhint: a filter of trace may have addresses, ports and states",
        ),
        (
            &["port", "=", "7702", "and", "autobound"],
            "filter: 'autobound' cannot be used with trace\nhint: a filter of trace may have addresses, ports and states",
        ),
        (&["--json"], "'--json' is not an option of tcpstates trace\nhint: did you mean '--ndjson'?"),
        (&["--summary", "-f", "csv"], "--summary is not available as CSV\nhint: --ndjson has"),
        (
            &["--connections", "--state", "close-wait"],
            "--connections: its lines are of whole connections, and no state's",
        ),
        (
            &["--proc-root", "/x"],
            "'--proc-root' is not an option of tcpstates trace: it asks this host, and no other proc tree\nhint: see tcpstates trace --help",
        ),
        (
            &["--source", "procfs"],
            "'--source' is not an option of tcpstates trace: it asks this host's kernel, and --by chooses how\nhint: see tcpstates trace --help",
        ),
        (&["-p"], "'-p' is not an option of tcpstates trace\nhint: see tcpstates trace --help"),
    ] {
        let told = finish(tcpstates(&[&["trace"], args].concat())).failed(2);
        assert_eq!(told, format!("tcpstates: {message}\n"), "{args:?}");
    }
}
