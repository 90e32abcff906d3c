//! `tcpstates diagnose`: for each rule a scene of real sockets that has the trouble, and one that has not.

mod answers;
mod connections;
mod limits;
mod opening;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value};
use socket2::{Domain, Socket, Type};

use crate::support::namespace::Namespace;
use crate::support::peer::Peer;
use crate::support::run::{PROGRAM, command, finish};
use crate::support::{namespace, or_skip};

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

/// A client and its accepted end.
fn pair(listener: &Socket) -> (TcpStream, TcpStream) {
    let address = listener.local_addr().ok().and_then(|address| address.as_socket()).expect("it listens");
    let client = TcpStream::connect(address).expect("it listens");
    let (server, _) = listener.accept().expect("one has come");
    (client, server.into())
}

fn own_pid() -> Value {
    Value::from(std::process::id())
}

/// A socket that has begun to connect.
fn connecting(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket can be had");
    socket.set_nonblocking(true).expect("it is new");
    let begun = socket.connect(&address.into());
    assert_eq!(begun.expect_err("nobody answers").raw_os_error(), Some(libc::EINPROGRESS));
    socket
}

fn with_peer() -> Option<(Namespace, Peer)> {
    let namespace = namespace()?;
    let peer = or_skip(Peer::start(&namespace))?;
    Some((namespace, peer))
}
