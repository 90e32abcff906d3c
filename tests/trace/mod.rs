//! `trace`: every transition of real connections, at the kernel's tracepoints and by snapshots.

mod closing;
mod names;
mod poll;
mod ports;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use socket2::{Domain, SockRef, Socket, Type};

use crate::support::namespace::{Namespace, own_mounts};
use crate::support::reflector::{FAR, NEAR, Reflector};
use crate::support::run::{await_end_of, finish, tcpstates};
use crate::support::{namespace, or_skip};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SEEN_EVERYWHERE: &str = "tcpstates: the transitions of all network namespaces are seen";

/// A trace at work.
struct Trace {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    /// What it said first.
    said: String,
    /// The states that each port came into, and the one before the first.
    seen: BTreeMap<u16, Vec<String>>,
    /// Meanings, beside the states that they are of.
    meanings: Vec<(String, String)>,
}

/// Runs it in this thread's namespace; it is at work when it has said where it sees transitions. It sees those of the
/// whole machine: where there are too many, some are lost, and the test must not wait for them for ever.
fn start(args: &[&str]) -> Trace {
    // Of an option that stands twice the last counts.
    started(tcpstates(&[&["trace", "--ndjson", "--poll", "20", "--duration", "60"], args].concat()))
}

fn started(mut command: Command) -> Trace {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let stdout = BufReader::new(child.stdout.take().expect("it was piped"));
    let mut stderr = BufReader::new(child.stderr.take().expect("it was piped"));
    let mut said = String::new();
    stderr.read_line(&mut said).expect("it says where it sees them");
    Trace { child, stdout, stderr, said, seen: BTreeMap::new(), meanings: Vec::new() }
}

impl Trace {
    /// One of the privileged kind, or the note that it can't be had.
    fn by_tracepoints(args: &[&str]) -> Option<Self> {
        let trace = start(&[&["--by", "tracepoint"], args].concat());
        if trace.said.trim_end() == SEEN_EVERYWHERE {
            return Some(trace);
        }
        or_skip(Err(trace.said))
    }

    fn read(&mut self) -> bool {
        let mut line = String::new();
        if self.stdout.read_line(&mut line).expect("it can be read") == 0 {
            return false;
        }
        let change: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let text = |key: &str| change[key].as_str().unwrap_or_else(|| panic!("{key}: {line}")).to_owned();
        let port = change["local_port"].as_u64().unwrap_or_else(|| panic!("no port: {line}"));
        let states = self.seen.entry(port.try_into().expect("a port")).or_insert_with(|| vec![text("old")]);
        assert_eq!(states.last(), Some(&text("old")), "{line}");
        states.push(text("new"));
        self.meanings.push((format!("{} {}", text("old"), text("new")), text("meaning")));
        true
    }

    /// Reads on until a socket with this port has come into this state.
    fn until(&mut self, port: u16, state: &str) {
        let is_there = |seen: &BTreeMap<u16, Vec<String>>| {
            seen.get(&port).and_then(|states| states.last()).is_some_and(|last| last == state)
        };
        while !is_there(&self.seen) {
            assert!(self.read(), "it ended before {port} came to {state}: {:?}", self.seen);
        }
    }

    /// Interrupts it, and reads the rest.
    fn end(mut self) -> Seen {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it can be signalled");
        while self.read() {}
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).expect("it can be read");
        assert_eq!(self.child.wait().expect("it has ended").code(), Some(0), "{stderr}");
        // It sees the whole machine: what a kernel did not tell of others' sockets is none of the test's.
        let is_of_others = |line: &&str| line.starts_with("tcpstates: at least ");
        assert_eq!(stderr.lines().find(|line| !is_of_others(line)), None);
        Seen { states: self.seen, meanings: self.meanings }
    }
}

/// What a trace has seen.
struct Seen {
    states: BTreeMap<u16, Vec<String>>,
    meanings: Vec<(String, String)>,
}

impl Seen {
    #[track_caller]
    fn assert_states(&self, expected: &[(u16, &str)]) {
        let seen: Vec<_> = self.states.iter().map(|(port, states)| (*port, states.join(" "))).collect();
        let mut expected: Vec<_> =
            expected.iter().map(|(port, states)| (*port, (*states).to_owned())).collect();
        expected.sort_unstable();
        assert_eq!(seen, expected);
    }

    #[track_caller]
    fn assert_meaning(&self, transition: &str, meaning: &str) {
        let is_it = |(states, says): &(String, String)| states == transition && says.starts_with(meaning);
        assert!(self.meanings.iter().any(is_it), "{transition} {meaning}: {:?}", self.meanings);
    }
}

/// The ends of a connection to the listener's address, or where that is reflected to.
fn connected(listener: &TcpListener, to: IpAddr) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect((to, port_of(listener))).expect("it connects");
    (client, listener.accept().expect("it is accepted").0)
}

fn port_of(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("it is bound").port()
}

fn port(stream: &TcpStream) -> u16 {
    stream.local_addr().expect("it is connected").port()
}

/// Waits for the other end's FIN.
fn await_end(mut stream: &TcpStream) {
    assert_eq!(stream.read(&mut [0]).expect("it can be read"), 0);
}

const OPENED: &str = "CLOSED SYN_SENT ESTABLISHED";
const ACCEPTED: &str = "LISTEN SYN_RECV ESTABLISHED";

/// In a namespace: a listener at an address, and a trace of its port at work. The listener's own port shows the
/// accepted end, since the listener was there before.
fn traced(
    namespace: &Namespace,
    address: IpAddr,
    port: u16,
    scene: impl FnOnce(&TcpListener, Trace) -> Seen + Send,
) -> Option<Seen> {
    namespace.inside(|| {
        let listener = TcpListener::bind((address, port)).expect("the port is free");
        let trace = Trace::by_tracepoints(&[&format!(":{port}")])?;
        Some(scene(&listener, trace))
    })
}

#[test]
fn the_client_closes_first() {
    let Some(namespace) = namespace() else { return };
    for (address, listens) in [(LOCALHOST, 4101), (IpAddr::V6(Ipv6Addr::LOCALHOST), 4102)] {
        let mut client_port = 0;
        let seen = traced(&namespace, address, listens, |listener, mut trace| {
            let (client, server) = connected(listener, address);
            client_port = port(&client);
            drop(client);
            await_end(&server);
            drop(server);
            trace.until(client_port, "TIME_WAIT");
            trace.end()
        });
        let Some(seen) = seen else { return };
        seen.assert_states(&[
            (client_port, &format!("{OPENED} FIN_WAIT1 FIN_WAIT2 TIME_WAIT")),
            (listens, &format!("{ACCEPTED} CLOSE_WAIT LAST_ACK CLOSED")),
        ]);
        seen.assert_meaning("ESTABLISHED FIN_WAIT1", "closed here first");
        seen.assert_meaning("LAST_ACK CLOSED", "our FIN is acknowledged");
    }
}

#[test]
fn an_orphan_is_watched_until_its_peer_closes() {
    let Some(namespace) = namespace() else { return };
    let _busy = Busy::all();
    let (listens, mut client_port) = (4103, 0);
    let seen = traced(&namespace, LOCALHOST, listens, |listener, mut trace| {
        let (client, server) = connected(listener, LOCALHOST);
        client_port = port(&client);
        drop(client);
        trace.until(client_port, "FIN_WAIT2");
        trace.until(listens, "CLOSE_WAIT");
        // What the kernel calls CLOSE meanwhile is none: nothing more may be seen before the peer closes.
        std::thread::sleep(Duration::from_millis(100));
        drop(server);
        trace.until(listens, "CLOSED");
        trace.until(client_port, "TIME_WAIT");
        trace.end()
    });
    let Some(seen) = seen else { return };
    seen.assert_states(&[
        (client_port, &format!("{OPENED} FIN_WAIT1 FIN_WAIT2 TIME_WAIT")),
        (listens, &format!("{ACCEPTED} CLOSE_WAIT LAST_ACK CLOSED")),
    ]);
}

#[test]
fn the_server_closes_first() {
    let Some(namespace) = namespace() else { return };
    let (listens, mut client_port) = (4104, 0);
    let seen = traced(&namespace, LOCALHOST, listens, |listener, mut trace| {
        let (client, server) = connected(listener, LOCALHOST);
        client_port = port(&client);
        drop(server);
        await_end(&client);
        drop(client);
        trace.until(listens, "TIME_WAIT");
        trace.end()
    });
    let Some(seen) = seen else { return };
    seen.assert_states(&[
        (client_port, &format!("{OPENED} CLOSE_WAIT LAST_ACK CLOSED")),
        (listens, &format!("{ACCEPTED} FIN_WAIT1 FIN_WAIT2 TIME_WAIT")),
    ]);
}

#[test]
fn both_close_at_once() {
    let Some(namespace) = namespace() else { return };
    let Some(reflector) = or_skip(Reflector::start(&namespace)) else { return };
    let (listens, mut client_port) = (4105, 0);
    let seen = traced(&namespace, NEAR.into(), listens, |listener, mut trace| {
        let (client, server) = connected(listener, FAR.into());
        client_port = port(&client);
        trace.until(listens, "ESTABLISHED");
        reflector.hold();
        for end in [&client, &server] {
            end.shutdown(Shutdown::Write).expect("it is connected");
        }
        trace.until(client_port, "FIN_WAIT1");
        trace.until(listens, "FIN_WAIT1");
        reflector.release();
        trace.until(client_port, "TIME_WAIT");
        trace.until(listens, "TIME_WAIT");
        trace.end()
    });
    let Some(seen) = seen else { return };
    seen.assert_states(&[
        (client_port, &format!("{OPENED} FIN_WAIT1 CLOSING TIME_WAIT")),
        (listens, &format!("{ACCEPTED} FIN_WAIT1 CLOSING TIME_WAIT")),
    ]);
    seen.assert_meaning("FIN_WAIT1 CLOSING", "FIN received before ours is acknowledged");
}

#[test]
fn a_connection_is_reset() {
    let Some(namespace) = namespace() else { return };
    let (listens, mut client_port) = (4106, 0);
    let seen = traced(&namespace, LOCALHOST, listens, |listener, mut trace| {
        let (client, server) = connected(listener, LOCALHOST);
        client_port = port(&client);
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).expect("it can be set");
        drop(client);
        trace.until(listens, "CLOSED");
        drop(server);
        trace.end()
    });
    let Some(seen) = seen else { return };
    seen.assert_states(&[
        (client_port, &format!("{OPENED} CLOSED")),
        (listens, &format!("{ACCEPTED} CLOSED")),
    ]);
    seen.assert_meaning("ESTABLISHED CLOSED", "cut from here");
    seen.assert_meaning("ESTABLISHED CLOSED", "RST received");
}

/// A client that is bound, so that its port is known though it never connects.
fn bound_client(address: Ipv4Addr, port: u16) -> Socket {
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    client.bind(&SocketAddr::from((address, port)).into()).expect("the port is free");
    client
}

#[test]
fn a_connection_is_refused() {
    let Some(namespace) = namespace() else { return };
    let seen = namespace.inside(|| {
        let mut trace = Trace::by_tracepoints(&[":4107"])?;
        let client = bound_client(Ipv4Addr::LOCALHOST, 4207);
        let refused = client.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, 4107)).into());
        assert!(refused.is_err(), "nobody listens there");
        trace.until(4207, "CLOSED");
        Some(trace.end())
    });
    let Some(seen) = seen else { return };
    seen.assert_states(&[(4207, "CLOSED SYN_SENT CLOSED")]);
    seen.assert_meaning("SYN_SENT CLOSED", "RST received: the connection was refused");
}

/// Keeps every processor busy until it is dropped. A kernel was seen to lose what an idle one's timers do, for `perf
/// record` too and without a word: that is not what is tested.
struct Busy(Arc<AtomicBool>);

impl Busy {
    fn all() -> Self {
        let goes_on = Arc::new(AtomicBool::new(true));
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            let goes_on = goes_on.clone();
            std::thread::spawn(move || {
                while goes_on.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self(goes_on)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[test]
fn a_connection_gets_no_answer() {
    let Some(namespace) = namespace() else { return };
    let _busy = Busy::all();
    let Some(reflector) = or_skip(Reflector::start(&namespace)) else { return };
    namespace.sysctl("ipv4/tcp_syn_retries", "1");
    reflector.hold();
    let mut client_port = 0;
    let seen = namespace.inside(|| {
        let mut trace = Trace::by_tracepoints(&[":4108"])?;
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        client.set_nonblocking(true).expect("it can be set");
        let _ = client.connect(&SocketAddr::from((FAR, 4108)).into());
        client_port = client.local_addr().expect("it has one").as_socket().expect("of IP").port();
        // The port is told long before the next transition, though the event has none.
        trace.until(client_port, "SYN_SENT");
        trace.until(client_port, "CLOSED");
        Some(trace.end())
    });
    let Some(seen) = seen else { return };
    seen.assert_states(&[(client_port, "CLOSED SYN_SENT CLOSED")]);
    seen.assert_meaning("SYN_SENT CLOSED", "no answer to any SYN: timed out");
}

#[test]
fn tracefs_need_not_be_mounted_and_stays_unmounted() {
    let Some(namespace) = namespace() else { return };
    for mounted in [false, true] {
        let seen = namespace.inside(|| {
            or_skip(own_mounts())?;
            for place in ["/sys/kernel/tracing", "/sys/kernel/debug"] {
                while rustix::mount::unmount(place, rustix::mount::UnmountFlags::DETACH).is_ok() {}
            }
            if mounted {
                let done =
                    Command::new("mount").args(["-t", "tracefs", "none", "/sys/kernel/tracing"]).status();
                assert!(done.expect("mount can be run").success());
            }
            let mut trace = Trace::by_tracepoints(&[":4111"])?;
            let listener = TcpListener::bind((LOCALHOST, 4111)).expect("the port is free");
            trace.until(4111, "LISTEN");
            let mounts = std::fs::read_to_string("/proc/thread-self/mounts").expect("they are listed");
            assert_eq!(mounts.contains(" tracefs "), mounted);
            drop(listener);
            trace.until(4111, "CLOSED");
            Some(trace.end())
        });
        let Some(seen) = seen else { return };
        seen.assert_states(&[(4111, "CLOSED LISTEN CLOSED")]);
    }
}

/// How it ended; it must end soon.
#[track_caller]
fn status_of(mut child: Child) -> Option<i32> {
    await_end_of(&mut child);
    child.wait().expect("it has ended").code()
}

#[test]
fn an_interrupt_ends_it_with_the_summary() {
    let Some(namespace) = namespace() else { return };
    for signal in [Signal::INT, Signal::TERM] {
        namespace.inside(|| {
            let listener = TcpListener::bind((LOCALHOST, 4112)).expect("the port is free");
            let mut trace = started(tcpstates(&["trace", "-f", "plain", "--summary", ":4112"]));
            let (client, server) = connected(&listener, LOCALHOST);
            let mut line = String::new();
            while !line.contains("SYN_RECV    -> ESTABLISHED") {
                line.clear();
                assert_ne!(trace.stdout.read_line(&mut line).expect("it can be read"), 0);
            }
            kill_process(Pid::from_child(&trace.child), signal).expect("it can be signalled");
            let mut rest = String::new();
            trace.stdout.read_to_string(&mut rest).expect("it can be read");
            assert_eq!(status_of(trace.child), Some(0));
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
            drop(trace.stdout);
            assert_eq!(status_of(trace.child), Some(0));
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
        let listeners: Vec<_> =
            (4113..4117).map(|port| TcpListener::bind((LOCALHOST, port)).expect("it is free")).collect();
        while trace.read() {}
        assert_eq!(trace.meanings.len(), 2);
        assert_eq!(status_of(trace.child), Some(0));
        drop(listeners);
    });
}

#[test]
fn connections_are_told_whole() {
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let listener = TcpListener::bind((LOCALHOST, 4118)).expect("the port is free");
        let mut trace = start(&["--by", "tracepoint", "--connections", ":4118"]);
        if trace.said.trim_end() != SEEN_EVERYWHERE {
            or_skip::<()>(Err(trace.said));
            return;
        }
        let (mut client, mut server) = connected(&listener, LOCALHOST);
        let client_port = port(&client);
        std::io::Write::write_all(&mut client, b"hallo").expect("it is connected");
        server.read_exact(&mut [0; 5]).expect("they come");
        drop(client);
        await_end(&server);
        drop(server);
        let mut ends = BTreeMap::new();
        while ends.len() < 2 {
            let mut line = String::new();
            trace.stdout.read_line(&mut line).expect("it can be read");
            let end: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            ends.insert(end["local_port"].as_u64().expect("a port"), end);
        }
        let (client, server) = (&ends[&client_port.into()], &ends[&4118]);
        let gist = |end: &serde_json::Value| {
            ["closed_first", "ended", "bytes_sent", "bytes_received"]
                .map(|key| end[key].to_string())
                .join(" ")
        };
        // The server's FIN counts as a byte if it came before the kernel had given the socket up.
        let gist_of_client = gist(client);
        assert!(gist_of_client.starts_with("\"local\" \"orderly\" 5 "), "{gist_of_client}");
        assert!(client["bytes_received"].as_u64() <= Some(1), "{gist_of_client}");
        assert_eq!(gist(server), "\"peer\" \"orderly\" 0 5");
        let states = |end: &serde_json::Value| {
            let states = end["states"].as_array().expect("a list").iter();
            states
                .map(|state| state["state"].as_str().expect("a name").to_owned())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(states(client), "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT");
        assert_eq!(states(server), "SYN_RECV ESTABLISHED CLOSE_WAIT LAST_ACK");
        kill_process(Pid::from_child(&trace.child), Signal::INT).expect("it can be signalled");
        assert_eq!(status_of(trace.child), Some(0));
    });
}

#[test]
fn connections_that_were_forgotten_are_counted() {
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let listener = TcpListener::bind((LOCALHOST, 4130)).expect("the port is free");
        let limit = ["--by", "tracepoint", "--connections", "--max-sockets", "4", ":4130"];
        let mut trace = start(&limit);
        if trace.said.trim_end() != SEEN_EVERYWHERE {
            or_skip::<()>(Err(trace.said));
            return;
        }
        let connections: Vec<_> = (0..5).map(|_| connected(&listener, LOCALHOST)).collect();
        drop(connections);
        kill_process(Pid::from_child(&trace.child), Signal::INT).expect("it can be signalled");
        let mut told = String::new();
        trace.stderr.read_to_string(&mut told).expect("it can be read");
        assert!(
            told.contains(" connections were forgotten for want of room\nhint: --max-sockets N"),
            "{told}"
        );
        assert_eq!(status_of(trace.child), Some(0));
    });
}

#[test]
fn under_load_every_transition_is_seen_or_counted_as_lost() {
    const CONNECTIONS: usize = 3000;
    /// Of both ends, up to TIME_WAIT.
    const TRANSITIONS: usize = 10;
    let Some(namespace) = namespace() else { return };
    namespace.inside(|| {
        let listener = TcpListener::bind((LOCALHOST, 4119)).expect("the port is free");
        let trace = start(&["--by", "tracepoint", "--max-sockets", "100", ":4119"]);
        if trace.said.trim_end() != SEEN_EVERYWHERE {
            or_skip::<()>(Err(trace.said));
            return;
        }
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
        let is_whole = lines.len() == CONNECTIONS * TRANSITIONS;
        assert!(is_whole || told.contains("of the kernel's records were lost"), "{} {told}", lines.len());
        let unknown = lines.iter().filter(|line| line.contains("\"new\":null")).count();
        assert!(unknown == 0 || told.contains("were lost"), "{unknown} ends were not found: {told}");
    });
}

#[test]
fn what_can_not_be_asked_is_refused() {
    for (args, message) in [
        (
            &["rtt > 5"][..],
            "filter: no transition tells what 'rtt > 5000us' asks\nhint: addresses, ports and states can stand in it",
        ),
        (
            &[":80", "and", "uid", "=", "5"],
            "filter: no transition tells what 'uid = 5' asks\nhint: addresses, ports and states can stand in it",
        ),
        (
            &["port", "=", "7702", "and", "autobound"],
            "filter: no transition tells what 'autobound' asks\nhint: addresses, ports and states can stand in it",
        ),
        (&["--json"], "trace: there is no json layout of it\nhint: --ndjson prints one document a line"),
        (&["--summary", "-f", "csv"], "--summary: CSV has no place for it\nhint: --ndjson has"),
        (
            &["--connections", "--state", "close-wait"],
            "--connections: its lines are of whole connections, and no state's",
        ),
        (&["--proc-root", "/x"], "--proc-root: trace asks this host, and no other proc tree"),
        (&["--source", "procfs"], "--source: trace asks this host's kernel; --by chooses how"),
        (&["-p"], "--processes: trace has no such option\nhint: see tcpstates trace --help"),
    ] {
        let told = finish(tcpstates(&[&["trace"], args].concat())).failed(2);
        assert_eq!(told, format!("tcpstates: {message}\n"), "{args:?}");
    }
}
