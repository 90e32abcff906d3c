//! `tcpstates diagnose`: for each rule a scene of real sockets that has the trouble, and one that has not.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde::Deserialize;
use serde_json::{Map, Value};
use socket2::{Domain, Socket, Type};

use crate::support::namespace::Namespace;
use crate::support::peer::{OUR_V4, PEER_V4, Peer, Script};
use crate::support::run::{PROGRAM, command, finish, program_for_everybody, tcpstates};
use crate::support::{has, namespace, or_skip};

/// The document, with every key that it may have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: u32,
    source: String,
    taken_at: String,
    findings: Vec<Finding>,
    unseen: Vec<String>,
    rules: Vec<String>,
    sockets: u64,
    interval_s: Option<f64>,
    thresholds: BTreeMap<String, u64>,
    settings: BTreeMap<String, Option<String>>,
    warnings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    rule: String,
    severity: String,
    summary: String,
    seen: Map<String, Value>,
    why: String,
    advice: String,
    command: String,
    thresholds: BTreeMap<String, u64>,
}

impl Finding {
    #[track_caller]
    fn number(&self, key: &str) -> u64 {
        self.seen.get(key).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {key} in {:?}", self.seen))
    }

    /// Who has most of it.
    #[track_caller]
    fn first(&self, list: &str, key: &str) -> Value {
        let first = self.seen.get(list).and_then(|list| list.get(0)?.get(key));
        first.unwrap_or_else(|| panic!("no {key} of {list} in {:?}", self.seen)).clone()
    }
}

/// What is found inside, and whatever is: each finding is whole, and its command shows something.
#[track_caller]
fn document(namespace: &Namespace, args: &[&str]) -> Document {
    let finished = namespace.run(&[&["diagnose", "--json"], args].concat());
    // What /proc lacks is noted.
    let json = if args.contains(&"procfs") { finished.noted().0 } else { finished.done() };
    let document: Document = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!((document.schema, document.taken_at.len()), (1, 24));
    for finding in &document.findings {
        let parts = [&finding.summary, &finding.why, &finding.advice];
        assert!(parts.iter().all(|part| !part.is_empty() && !part.contains("  ")), "{}", finding.rule);
        for (flag, value) in &finding.thresholds {
            assert_eq!(document.thresholds.get(flag), Some(value), "{flag}");
        }
        let shown = shell(namespace, &finding.command);
        assert!(!shown.is_empty(), "{} shows nothing", finding.command);
    }
    document
}

/// A command as a person would type it.
#[track_caller]
fn shell(namespace: &Namespace, line: &str) -> String {
    let folder = Path::new(PROGRAM).parent().expect("it is in a folder").display();
    let mut sh = command("sh");
    sh.args(["-c", &format!("PATH={folder}:$PATH; {line}")]);
    namespace.inside(|| finish(sh)).done()
}

/// The rules that found something, and how bad it is.
fn gist(document: &Document) -> Vec<(&str, &str)> {
    document.findings.iter().map(|finding| (&*finding.rule, &*finding.severity)).collect()
}

/// The one finding that there is.
#[track_caller]
fn only(namespace: &Namespace, args: &[&str], rule: &str, severity: &str) -> Finding {
    let mut document = document(namespace, args);
    assert_eq!(gist(&document), [(rule, severity)]);
    document.findings.remove(0)
}

#[track_caller]
fn nothing(namespace: &Namespace, args: &[&str]) {
    assert_eq!(gist(&document(namespace, args)), []);
}

/// Asks again until there is something, for what takes the kernel a moment.
#[track_caller]
fn soon(namespace: &Namespace, args: &[&str], rule: &str, severity: &str) -> Finding {
    let deadline = Instant::now() + Duration::from_secs(10);
    while document(namespace, args).findings.is_empty() && Instant::now() < deadline {
        sleep(Duration::from_millis(50));
    }
    only(namespace, args, rule, severity)
}

fn listener(address: SocketAddr, backlog: i32) -> Socket {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket can be had");
    socket.set_reuse_address(true).expect("it is new");
    if address.is_ipv6() {
        socket.set_only_v6(true).expect("it is IPv6");
    }
    socket.bind(&address.into()).expect("the port is free");
    socket.listen(backlog).expect("it can listen");
    socket
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A client and what was accepted of it.
fn pair(listener: &Socket) -> (TcpStream, TcpStream) {
    let address = listener.local_addr().ok().and_then(|address| address.as_socket()).expect("it listens");
    let client = TcpStream::connect(address).expect("it listens");
    let (server, _) = listener.accept().expect("one has come");
    (client, server.into())
}

fn own_pid() -> Value {
    Value::from(std::process::id())
}

#[test]
fn a_quiet_host_has_nothing_and_one_line_says_what_was_checked() {
    let Some(namespace) = namespace() else { return };
    let held = namespace.inside(|| {
        let listener = listener(local(80), 16);
        let pairs = [pair(&listener), pair(&listener)];
        drop(pair(&listener));
        (listener, pairs)
    });
    let document = document(&namespace, &[]);
    assert_eq!(gist(&document), []);
    assert_eq!((document.source.as_str(), document.rules.len(), document.interval_s), ("netlink", 13, None));
    assert!(document.sockets >= 5, "{}", document.sockets);
    assert!(document.settings.contains_key("net.ipv4.tcp_fin_timeout"));
    assert_eq!(document.unseen.iter().filter(|what| what.contains("tcp_mem")).count(), 1, "said once");
    let text = namespace.run(&["diagnose"]).done();
    let first = text.lines().next().unwrap_or_default();
    assert!(first.starts_with("Nothing wrong: 13 rules over ") && first.len() <= 80, "{first}");
    drop(held);
}

#[test]
fn close_wait_that_a_program_holds() {
    let Some(namespace) = namespace() else { return };
    let (_listener, servers) = namespace.inside(|| {
        let listener = listener(local(80), 16);
        let mut servers = Vec::new();
        for number in 0..12 {
            let (mut client, server) = pair(&listener);
            if number < 2 {
                client.write_all(b"seven b").expect("there is room");
            }
            servers.push(server);
        }
        (listener, servers)
    });
    nothing(&namespace, &[]);
    let finding = only(&namespace, &["--close-wait-age", "0"], "close-wait", "warning");
    assert_eq!((finding.number("sockets"), finding.number("unread_bytes")), (12, 14));
    assert!(finding.number("age_at_least_ms") < 60_000);
    assert_eq!(finding.first("processes", "pid"), own_pid());
    assert_eq!(finding.first("peers", "address"), "127.0.0.1");
    only(&namespace, &["--close-wait-age", "0", "--close-wait-count", "13"], "close-wait", "note");
    only(&namespace, &["--close-wait-age", "0", "--close-wait-count", "1"], "close-wait", "critical");
    drop(servers);
    nothing(&namespace, &["--close-wait-age", "0"]);
}

#[test]
fn close_wait_that_nobody_has_accepted_is_the_listeners() {
    let Some(namespace) = namespace() else { return };
    let listener = namespace.inside(|| {
        let listener = listener(local(80), 64);
        (0..3).for_each(|_| drop(TcpStream::connect(local(80)).expect("there is room")));
        listener
    });
    let finding = only(&namespace, &["--close-wait-age", "0"], "close-wait", "note");
    assert_eq!((finding.number("sockets"), finding.number("not_accepted")), (3, 3));
    assert_eq!(finding.first("processes", "pid"), own_pid());
    drop(listener);
}

#[test]
fn an_accept_queue_that_fills() {
    let Some(namespace) = namespace() else { return };
    let listener = namespace.inside(|| listener(local(80), 3));
    let connect = || namespace.inside(|| TcpStream::connect(local(80)).expect("there is room"));
    let mut clients = vec![connect(), connect()];
    nothing(&namespace, &[]);
    clients.push(connect());
    let finding = only(&namespace, &[], "accept-queue", "warning");
    assert_eq!((finding.number("waiting"), finding.number("filled_percent")), (3, 75));
    nothing(&namespace, &["--queue-percent", "76"]);
    clients.push(connect());
    let finding = only(&namespace, &[], "accept-queue", "critical");
    assert_eq!((finding.number("backlog"), finding.number("listen_overflows")), (3, 0));
    assert_eq!(finding.first("processes", "pid"), own_pid());

    // One more finds no place.
    let late = namespace.inside(|| connecting(local(80)));
    let finding = only(&namespace, &["--syn-retries", "99"], "accept-queue", "critical");
    assert!(finding.number("listen_overflows") > 0);
    drop((late, clients));
    while listener.set_nonblocking(true).is_ok() && listener.accept().is_ok() {}
    let since = only(&namespace, &[], "accept-queue", "note");
    assert!(since.seen.get("listen_overflows_within_interval").is_some_and(Value::is_null));
    // Now there is none.
    nothing(&namespace, &["--interval", "0.05"]);
}

/// A socket that has begun to connect.
fn connecting(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket can be had");
    socket.set_nonblocking(true).expect("it is new");
    let begun = socket.connect(&address.into());
    assert_eq!(begun.expect_err("nobody answers").raw_os_error(), Some(libc::EINPROGRESS));
    socket
}

#[test]
fn drops_within_the_interval_are_critical() {
    let Some(namespace) = namespace() else { return };
    let listener = namespace.inside(|| listener(local(80), 0));
    let first = namespace.inside(|| TcpStream::connect(local(80)).expect("there is room for one"));
    let running = namespace.inside(|| {
        tcpstates(&["diagnose", "--json", "--interval", "1", "--syn-retries", "99"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be run")
    });
    sleep(Duration::from_millis(300));
    let late = namespace.inside(|| connecting(local(80)));
    drop((late, first));
    listener.accept().expect("one has come");
    let output = running.wait_with_output().expect("it ends");
    let document: Document = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(gist(&document), [("accept-queue", "critical")]);
    assert!(document.findings[0].number("listen_overflows_within_interval") > 0);
    assert!(document.interval_s.is_some_and(|interval| interval >= 1.0));
}

#[test]
fn half_open_connections_that_pile_up() {
    let Some((namespace, peer)) = with_peer() else { return };
    let address = SocketAddr::from((OUR_V4, 80));
    let listener = namespace.inside(|| listener(address, 64));
    peer.open(6000, address, Script::Silent);
    sleep(Duration::from_millis(50));
    nothing(&namespace, &[]);
    for port in 6001..6020 {
        peer.open(port, address, Script::Silent);
    }
    let finding = soon(&namespace, &[], "syn-recv", "warning");
    assert_eq!((finding.number("half_open"), finding.number("room_for")), (20, 64));
    assert_eq!(finding.first("source_nets", "net"), "10.99.0.0/24");
    assert_eq!(finding.number("syncookies_sent"), 0);
    nothing(&namespace, &["--syn-recv-count", "21"]);
    drop(listener);
}

#[test]
fn a_full_queue_of_half_open_connections_sends_cookies() {
    let Some((namespace, peer)) = with_peer() else { return };
    let address = SocketAddr::from((OUR_V4, 80));
    let listener = namespace.inside(|| listener(address, 4));
    for port in 6000..6012 {
        peer.open(port, address, Script::Silent);
    }
    let finding = soon(&namespace, &["--syn-recv-count", "4"], "syn-recv", "critical");
    assert!(finding.number("half_open") >= finding.number("room_for"));
    assert!(finding.number("syncookies_sent") > 0, "{:?}", finding.seen);
    only(&namespace, &[], "syn-recv", "note");
    nothing(&namespace, &["--interval", "0.05"]);
    drop(listener);
}

fn with_peer() -> Option<(Namespace, Peer)> {
    let namespace = namespace()?;
    let peer = or_skip(Peer::start(&namespace))?;
    Some((namespace, peer))
}

#[test]
fn syns_that_nobody_answers() {
    let Some((namespace, _peer)) = with_peer() else { return };
    let silent = SocketAddr::from((PEER_V4, Script::Silent.port()));
    let held = namespace.inside(|| [connecting(silent), connecting(silent)]);
    nothing(&namespace, &[]);
    let finding = soon(&namespace, &["--syn-retries", "1"], "syn-sent", "warning");
    assert_eq!(finding.number("sockets"), 2);
    assert_eq!(finding.first("peers", "address"), PEER_V4.to_string());
    assert_eq!(finding.first("peers", "port"), silent.port());
    assert_eq!(finding.first("processes", "pid"), own_pid());
    drop(held);
    nothing(&namespace, &["--syn-retries", "0"]);
}

/// Ten ports, one of them reserved and one listened on.
fn few_ports() -> Option<(Namespace, Socket)> {
    let namespace = namespace()?;
    namespace.sysctl("ipv4/ip_local_port_range", "40000 40009");
    namespace.sysctl("ipv4/ip_local_reserved_ports", "40009,50000-50010");
    namespace.sysctl("ipv4/tcp_tw_reuse", "0");
    let server = namespace.inside(|| listener(local(40003), 64));
    Some((namespace, server))
}

#[test]
fn local_ports_that_run_out() {
    let Some((namespace, server)) = few_ports() else { return };
    let connect = || namespace.inside(|| TcpStream::connect(local(40003)));
    let accept = || server.accept().expect("one has come");
    let mut held: Vec<_> = (0..6).map(|_| (connect().expect("there are ports"), accept())).collect();
    nothing(&namespace, &[]);
    held.push((connect().expect("there are ports"), accept()));
    let finding = only(&namespace, &[], "local-ports", "warning");
    assert_eq!((finding.number("taken"), finding.number("usable")), (7, 8));
    assert_eq!((finding.number("reserved"), finding.number("bound")), (1, 1));
    assert_eq!(finding.seen["destination"], "127.0.0.1:40003");
    held.push((connect().expect("there are ports"), accept()));
    let finding = only(&namespace, &[], "local-ports", "critical");
    assert_eq!(finding.number("connections"), 8);
    assert_eq!(finding.first("processes", "pid"), own_pid());
    // So says the kernel.
    let error = connect().expect_err("there is no port left");
    assert_eq!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL));
}

/// A connection that this end closes first.
fn leave_time_wait(namespace: &Namespace, listener: &Socket, address: SocketAddr) {
    let mut client = namespace.inside(|| TcpStream::connect(address).expect("it listens"));
    let (accepted, _) = listener.accept().expect("one has come");
    client.shutdown(std::net::Shutdown::Write).expect("it stands");
    drop(accepted);
    assert_eq!(client.read(&mut [0]).expect("the other end closes"), 0);
}

#[test]
fn ports_in_time_wait_are_taken_unless_they_are_used_again() {
    let Some((namespace, server)) = few_ports() else { return };
    let connect = || namespace.inside(|| TcpStream::connect(local(40003)));
    (0..8).for_each(|_| leave_time_wait(&namespace, &server, local(40003)));
    let finding = only(&namespace, &[], "local-ports", "critical");
    assert_eq!((finding.number("time_wait"), finding.number("connections")), (8, 0));
    assert!(finding.advice.contains("now 0"), "{}", finding.advice);
    connect().expect_err("there is no port left");
    // On loopback a second after.
    namespace.sysctl("ipv4/tcp_tw_reuse", "2");
    sleep(Duration::from_millis(1500));
    nothing(&namespace, &[]);
    connect().expect("a port is used again");
}

#[test]
fn time_wait_near_its_limit() {
    let Some(namespace) = namespace() else { return };
    let server = namespace.inside(|| listener(local(80), 64));
    let end_one = || leave_time_wait(&namespace, &server, local(80));
    namespace.sysctl("ipv4/tcp_max_tw_buckets", "10");
    (0..7).for_each(|_| end_one());
    nothing(&namespace, &[]);
    end_one();
    let finding = only(&namespace, &[], "time-wait", "warning");
    assert_eq!((finding.number("records"), finding.number("used_percent")), (8, 80));
    assert_eq!(finding.number("overflows"), 0);
    (0..4).for_each(|_| end_one());
    let finding = only(&namespace, &[], "time-wait", "warning");
    assert!(finding.number("records") <= 11 && finding.number("overflows") > 0, "{:?}", finding.seen);
    namespace.sysctl("ipv4/tcp_max_tw_buckets", "1000");
    only(&namespace, &[], "time-wait", "note");
    nothing(&namespace, &["--interval", "0.05"]);
}

#[test]
fn a_peer_that_does_not_read() {
    let Some((namespace, _peer)) = with_peer() else { return };
    let mut client = namespace
        .inside(|| TcpStream::connect((PEER_V4, Script::CloseWindow.port())).expect("the peer takes it"));
    client.write_all(b"first").expect("there is room");
    sleep(Duration::from_millis(50));
    client.write_all(b"and no more").expect("there is room");
    nothing(&namespace, &[]);
    let finding = soon(&namespace, &["--stall-age", "0"], "peer-not-reading", "warning");
    assert_eq!((finding.number("sockets"), finding.number("send_queues_bytes")), (1, 11));
    assert_eq!(finding.first("peers", "address"), PEER_V4.to_string());
    assert_eq!(finding.first("processes", "pid"), own_pid());
}

#[test]
fn a_program_that_does_not_read() {
    let Some(namespace) = namespace() else { return };
    let (_listener, mut client, mut server) = namespace.inside(|| {
        let listener = listener(local(80), 16);
        let (client, server) = pair(&listener);
        (listener, client, server)
    });
    client.write_all(b"unread").expect("there is room");
    nothing(&namespace, &[]);
    let finding = only(&namespace, &["--stall-age", "0"], "program-not-reading", "warning");
    assert_eq!((finding.number("sockets"), finding.number("unread_bytes")), (1, 6));
    assert_eq!(finding.first("processes", "pid"), own_pid());
    // Until nothing more goes: then the other end sees a peer that does not read.
    client.set_nonblocking(true).expect("it stands");
    while client.write(&[0; 4096]).is_ok() {}
    let deadline = Instant::now() + Duration::from_secs(10);
    let both = loop {
        let found = document(&namespace, &["--stall-age", "0"]);
        if found.findings.len() == 2 || Instant::now() > deadline {
            break found;
        }
    };
    assert_eq!(gist(&both), [("program-not-reading", "warning"), ("peer-not-reading", "warning")]);
    // Once it is read all is well.
    client.shutdown(std::net::Shutdown::Write).expect("it stands");
    server.read_to_end(&mut Vec::new()).expect("the other end has finished");
    drop((client, server));
    nothing(&namespace, &["--stall-age", "0"]);
}

#[test]
fn segments_that_are_sent_again() {
    let Some((namespace, _peer)) = with_peer() else { return };
    let connect = |script: Script| {
        let address = (PEER_V4, script.port());
        let mut client = namespace.inside(|| TcpStream::connect(address).expect("the peer takes it"));
        client.write_all(b"some bytes").expect("there is room");
        client
    };
    let few = ["--retrans-segments", "1"];
    let heard = connect(Script::Accept);
    sleep(Duration::from_millis(300));
    nothing(&namespace, &few);
    let unheard = connect(Script::NeverAck);
    let finding = soon(&namespace, &few, "retransmission", "warning");
    assert_eq!(finding.seen["peer"], PEER_V4.to_string());
    assert!(finding.number("segments_again") >= 1 && finding.number("sent_again_bytes") >= 10);
    nothing(&namespace, &[]);
    drop((heard, unheard));
}

#[test]
fn listeners_of_one_family() {
    let Some(namespace) = namespace() else { return };
    let any6 = |port| SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let any4 = |port| SocketAddr::from(([0, 0, 0, 0], port));
    let held = namespace.inside(|| {
        let dual = TcpListener::bind(any6(82)).expect("the port is free");
        (listener(any6(80), 1), listener(any4(80), 1), dual, listener(local(83), 1))
    });
    nothing(&namespace, &[]);
    let lone4 = namespace.inside(|| listener(any4(84), 1));
    let finding = only(&namespace, &[], "one-family", "note");
    assert!(finding.summary.contains("on no IPv6 one"), "{}", finding.summary);
    assert_eq!(finding.seen["ports"], Value::from(vec![84]));
    assert_eq!(finding.first("processes", "pid"), own_pid());
    drop(lone4);
    let lone6 = namespace.inside(|| listener(any6(85), 1));
    let finding = only(&namespace, &[], "one-family", "note");
    assert!(finding.summary.contains("on no IPv4 one"), "{}", finding.summary);
    // /proc does not tell which [::] takes IPv4: nothing is said of them.
    let document = document(&namespace, &["--source", "procfs"]);
    assert_eq!(gist(&document), []);
    assert!(document.unseen.iter().any(|what| what.contains("one-family")), "{:?}", document.unseen);
    drop((held, lone6));
}

/// Ended when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn descriptors_that_sockets_use_up() {
    let Some(namespace) = namespace() else { return };
    // Eight descriptors of one listener.
    let words = "exec sleep 60 3<&0 4<&0 5<&0 6<&0 7<&0 8<&0 9<&0";
    let child = namespace.inside(|| {
        let stdin = std::os::fd::OwnedFd::from(listener(local(80), 1));
        Running(command("sh").args(["-c", words]).stdin(stdin).spawn().expect("sh can be run"))
    });
    let pid = Pid::from_child(&child.0);
    let limit = |current| {
        let limit = Rlimit { current: Some(current), maximum: Some(4096) };
        prlimit(Some(pid), Resource::Nofile, limit).expect("it is our child");
    };
    let is_sleep =
        || std::fs::read(format!("/proc/{}/comm", child.0.id())).is_ok_and(|name| name == b"sleep\n");
    while !is_sleep() {
        sleep(Duration::from_millis(5));
    }
    // It may have inherited others.
    let open =
        std::fs::read_dir(format!("/proc/{}/fd", child.0.id())).expect("it is our child").count() as u64;
    limit(10 * open);
    nothing(&namespace, &[]);
    limit(open + 2);
    let finding = only(&namespace, &[], "descriptors", "warning");
    assert_eq!((finding.number("open"), finding.number("tcp_sockets")), (open, 8));
    assert_eq!(finding.first("processes", "pid"), Value::from(child.0.id()));
    nothing(&namespace, &["--limit-percent", "95"]);
    limit(open);
    only(&namespace, &[], "descriptors", "critical");
}

#[test]
fn what_others_hold_is_said_to_be_unseen() {
    let Some(namespace) = namespace() else { return };
    if !has("setpriv") {
        return;
    }
    let (_listener, _server) = namespace.inside(|| {
        let listener = listener(local(80), 16);
        let (client, server) = pair(&listener);
        drop(client);
        (listener, server)
    });
    let (_folder, program) = program_for_everybody();
    let mut setpriv = command("setpriv");
    setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    setpriv.args(["diagnose", "--json", "--close-wait-age", "0"]);
    let (json, stderr) = namespace.inside(|| finish(setpriv)).noted();
    let document: Document = serde_json::from_str(&json).unwrap();
    assert_eq!(gist(&document), [("close-wait", "note")]);
    assert!(document.findings[0].first("processes", "pid").is_null());
    let unseen = |part: &str| document.unseen.iter().any(|what| what.contains(part));
    assert!(unseen("permission denied") && unseen("of 2 sockets, no process"), "{:?}", document.unseen);
    assert_eq!(document.warnings.len(), 1, "{:?}", document.warnings);
    assert!(stderr.contains("permission denied"), "{stderr}");
}

#[test]
fn what_proc_does_not_tell_is_said() {
    let Some(namespace) = namespace() else { return };
    let (_listener, _pair) = namespace.inside(|| {
        let listener = listener(local(80), 16);
        let pair = pair(&listener);
        (listener, pair)
    });
    let document = document(&namespace, &["--source", "procfs"]);
    assert_eq!((gist(&document), document.source.as_str()), (vec![], "procfs"));
    for part in ["of 2 connections, no numbers", "of 1 listener, no limit", "/proc does not tell"] {
        assert!(document.unseen.iter().any(|what| what.contains(part)), "{part}: {:?}", document.unseen);
    }
}

#[test]
fn the_status_is_an_answer_where_that_is_asked_for() {
    let Some(namespace) = namespace() else { return };
    let (_listener, _server) = namespace.inside(|| {
        let listener = listener(local(80), 16);
        let (client, server) = pair(&listener);
        drop(client);
        (listener, server)
    });
    let status = |more: &[&str]| {
        let mut command = tcpstates(&[&["diagnose", "--close-wait-age", "0"], more].concat());
        namespace.inside(|| command.stdout(Stdio::null()).stderr(Stdio::null()).status()).unwrap().code()
    };
    assert_eq!(status(&[]), Some(0));
    assert_eq!(status(&["--fail-on", "warning"]), Some(0), "it is a note");
    let warning = ["--close-wait-count", "1", "--fail-on"];
    assert_eq!(status(&[&warning[..], &["warning"]].concat()), Some(1));
    assert_eq!(status(&[&warning[..], &["critical"]].concat()), Some(0));
    assert_eq!(status(&["--fail-on", "note"]), Some(2));
    // A reader that has left takes nothing from the answer.
    let mut command = tcpstates(
        &[&["diagnose", "--interval", "0.3", "--close-wait-age", "0"], &warning[..], &["warning"]].concat(),
    );
    let mut left = namespace.inside(|| command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()).unwrap();
    drop(left.stdout.take());
    assert_eq!(left.wait().unwrap().code(), Some(1));
}

#[test]
fn what_could_not_be_asked_ends_in_3() {
    let Some(namespace) = namespace() else { return };
    if !has("strace") {
        return;
    }
    let mut strace = command("strace");
    strace.args([
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=socket",
        "-e",
        "inject=socket:error=EPERM",
        PROGRAM,
    ]);
    strace.args(["diagnose", "--source", "netlink"]);
    let stderr = namespace.inside(|| finish(strace)).failed(3);
    assert!(stderr.contains("Operation not permitted"), "{stderr}");
}

#[test]
fn an_interrupt_ends_the_interval() {
    let Some(namespace) = namespace() else { return };
    let mut command = tcpstates(&["diagnose", "--interval", "600"]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = namespace.inside(|| command.spawn()).unwrap();
    let pid = Pid::from_child(&running);
    sleep(Duration::from_millis(300));
    kill_process(pid, Signal::INT).expect("it runs");
    let output = running.wait_with_output().unwrap();
    assert_eq!((output.status.signal(), output.stdout, output.stderr), (Some(libc::SIGINT), vec![], vec![]));
}

#[test]
fn each_threshold_has_its_flag_and_is_checked() {
    let help = finish(tcpstates(&["diagnose", "--help"])).quiet();
    for threshold in tcpstates::diagnose::Threshold::ALL {
        assert!(help.contains(&format!("--{} <", threshold.flag())), "{}", threshold.flag());
    }
    for bad in [
        &["--queue-percent", "101"][..],
        &["--limit-percent", "0"],
        &["--close-wait-count", "0"],
        &["--stall-age", "-1"],
        &["--interval", "0"],
        &["--format", "csv"],
        &["-4"],
        &["--proc-root", "/proc"],
        &["extra"],
    ] {
        let stderr = finish(tcpstates(&[&["diagnose"], bad].concat())).failed(2);
        assert!(stderr.starts_with("tcpstates: "), "{bad:?}: {stderr}");
    }
    finish(tcpstates(&["-a", "diagnose"])).failed(2);
}
