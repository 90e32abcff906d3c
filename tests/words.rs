//! Every word that a format prints of a socket, as a filter: it fits that socket.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;
use tcpstates::internals::fields::{self, Field, named};
use tcpstates::internals::filter::{Dialect, Filter, Names};
use tcpstates::internals::layout::{Format, Head, Parts, Style, listing};
use tcpstates::internals::model::{
    Details, Endpoint, Family, Holder, Needs, Process, Queues, Row, Socket, Source, TcpInfo, TcpState, Timer,
};
use tcpstates::internals::tally::CountKey;

/// The devices, users and services that the rows have.
struct TheirNames;

impl Names for TheirNames {
    fn host(&mut self, name: &str) -> Vec<IpAddr> {
        if name == "localhost" { vec!["127.0.0.1".parse().unwrap()] } else { Vec::new() }
    }
    fn service(&mut self, name: &str) -> Option<u16> {
        (name == "http-alt").then_some(8080)
    }
    fn user(&mut self, name: &str) -> Option<u32> {
        (name == "alice").then_some(1000)
    }
    fn device(&mut self, name: &str) -> Option<u32> {
        (name == "eth0").then_some(7)
    }
    fn ephemeral_ports(&mut self) -> (u16, u16) {
        (32768, 60999)
    }
    fn cgroup(&mut self, _: &str) -> Result<Option<u64>, String> {
        Ok(None)
    }
}

fn fits(text: &str, dialect: Dialect, row: &Row<'_>) -> bool {
    let filter = Filter::parse(text, dialect).and_then(|filter| filter.resolve(&mut TheirNames));
    let filter = filter.unwrap_or_else(|bad| panic!("{}", bad.report()));
    let known = Needs::HOLDERS;
    filter.states.is_none_or(|states| states.contains(row.socket.state))
        && filter.expr.evaluate(row, known) == Some(true)
}

fn socket(state: TcpState, local: &str, peer: &str) -> Socket {
    let end = |text: &str| match text.rsplit_once(' ') {
        Some((addr, port)) => Endpoint::new(addr.parse().unwrap(), port.parse().unwrap()),
        None => Endpoint::new(text.parse().unwrap(), 0),
    };
    let (local, peer) = (end(local), end(peer));
    let family = if local.addr.is_ipv4() { Family::Inet } else { Family::Inet6 };
    let mut info = [0; 248];
    info[0] = state.kernel();
    for (at, micros) in [(8, 204_000_u32), (68, 21_512), (76, 10), (80, 10)] {
        info[at..at + 4].copy_from_slice(&micros.to_ne_bytes());
    }
    Socket {
        queues: Queues::of(state, 5, 1448, Some(128)),
        uid: Some(1000),
        inode: Some(4242),
        mark: Some(0x10),
        details: Some(Box::new(Details { tcp_info: Some(TcpInfo::from_bytes(&info)), ..Details::default() })),
        ..Socket::new(family, state, local, peer)
    }
}

/// Each state with each timer, and an address of each kind.
fn sockets() -> Vec<Socket> {
    let ends = [
        ("127.0.0.1 8080", "127.0.0.1 50000"),
        ("::1 631", "::1 50000"),
        ("fe80::1 21700", "fe80::2 50000"),
        ("2001:db8:1111:2222:3333:4444:5555:6666 443", "2001:db8::7 50000"),
        ("::ffff:10.0.0.1 443", "::ffff:203.0.113.9 40000"),
        ("0.0.0.0 22", "0.0.0.0"),
        (":: 3000", "::"),
        ("10.0.0.1 68", "0.0.0.0"),
    ];
    let states = (1..=14).map(TcpState::from_kernel);
    let timers = (0..=7).map(|kind| Timer::from_kernel(kind, 61_500, 2, 2));
    let mut sockets: Vec<_> = states.map(|state| socket(state, ends[0].0, ends[0].1)).collect();
    sockets
        .extend(timers.map(|timer| Socket { timer, ..socket(TcpState::Established, ends[1].0, ends[1].1) }));
    for v6only in [true, false] {
        sockets.extend(ends.map(|(local, peer)| {
            let socket = socket(TcpState::Listen, local, peer);
            let is_scoped = local.starts_with("fe80") || local.starts_with("10.");
            let interface = if is_scoped { 7 } else { 0 };
            let scoped = |end: Endpoint| end.scoped(interface);
            Socket {
                interface,
                v6only: (socket.family == Family::Inet6).then_some(v6only),
                local: scoped(socket.local),
                peer: scoped(socket.peer),
                ..socket
            }
        }));
    }
    sockets
}

fn with_row(socket: &Socket, check: impl FnOnce(&Row<'_>)) {
    let named = Process::new(100, &b"nginx"[..]);
    let hostile = Process::new(101, &b"ev)il \x1b[31m\n\xff"[..]);
    let holders = [(named, 6), (hostile, 7)].map(|(process, fd)| Holder { process: Arc::new(process), fd });
    let interface = (socket.interface == 7).then_some("eth0");
    let mut row = Row::bare(socket);
    (row.holders, row.interface) = (&holders, interface);
    check(&row);
}

fn printed(format: Format, parts: Parts, columns: &[&'static Field], header: bool, row: &Row<'_>) -> String {
    let style = Style { header, wide: true, oneline: true, ..Style::new(parts) };
    let mut layout = listing(format, style, columns);
    let mut out = Vec::new();
    layout.head(&mut out, &Head { source: Source::Netlink, taken_at: "" }).unwrap();
    layout.row(&mut out, row).unwrap();
    layout.tail(&mut out, &[]).unwrap();
    String::from_utf8(out).unwrap()
}

/// Which words of a line are the state, the local and the peer's end.
fn places(format: Format) -> [usize; 3] {
    match format {
        Format::Plain | Format::Netstat => [5, 3, 4],
        Format::Ss => [0, 3, 4],
        // The table leaves out columns without a value: these three are asked for.
        Format::Table => [0, 1, 2],
        Format::Json | Format::Ndjson | Format::Csv => unreachable!("they have no lines of words"),
    }
}

#[test]
fn states_and_ends_of_every_layout_are_read_back() {
    for socket in &sockets() {
        with_row(socket, |row| {
            for format in [Format::Plain, Format::Table, Format::Netstat, Format::Ss] {
                let columns = ["state", "local", "peer"].map(|word| named(word).unwrap());
                let columns = if format == Format::Table { &columns[..] } else { &[] };
                let line = printed(format, Parts::default(), columns, false, row);
                let words: Vec<_> = line.split_whitespace().collect();
                let [state, local, peer] = places(format).map(|at| words[at]);
                assert!(fits(&format!("state {state}"), Dialect::Own, row), "{format:?}: {line}");
                // netstat's ::1:631 is an address for ss.
                let dialect = if format == Format::Ss { Dialect::Ss } else { Dialect::Own };
                for filter in [local.to_owned(), format!("src {local}"), format!("dst {peer}")] {
                    assert!(fits(&filter, dialect, row), "{format:?}, {filter}: {line}");
                    assert!(!fits(&format!("not ({filter})"), dialect, row), "{format:?}, {filter}: {line}");
                }
            }
        });
    }
}

#[test]
fn names_of_hosts_and_services_are_read_back() {
    let socket = socket(TcpState::Established, "127.0.0.1 8080", "127.0.0.1 50000");
    let mut row = Row::bare(&socket);
    (row.local_host, row.local_service) = (Some("localhost"), Some("http-alt"));
    for format in [Format::Plain, Format::Table, Format::Netstat, Format::Ss] {
        let line = printed(format, Parts { hosts: true, ..Parts::default() }, &[], false, &row);
        let local = line.split_whitespace().nth(3).unwrap();
        assert_eq!(local, "localhost:http-alt", "{format:?}");
        assert!(fits(local, Dialect::Own, &row) && fits(&format!("src {local}"), Dialect::Own, &row));
    }
}

#[test]
fn timers_of_every_layout_are_read_back() {
    let parts = Parts { timers: true, ..Parts::default() };
    for socket in &sockets() {
        with_row(socket, |row| {
            let mut words = Vec::new();
            for format in [Format::Plain, Format::Netstat] {
                let line = printed(format, parts, &[], false, row);
                words.extend(line.split_whitespace().nth(6).map(str::to_owned));
            }
            let line = printed(Format::Ss, parts, &[], false, row);
            let of_ss = line.split_once("timer:(").and_then(|(_, timer)| timer.split(',').next());
            words.push(of_ss.unwrap_or("off").to_owned());
            let json: Value = serde_json::from_str(&printed(Format::Ndjson, parts, &[], false, row)).unwrap();
            words.push(json["timer"]["kind"].as_str().unwrap_or("off").to_owned());
            let csv = printed(Format::Csv, parts, &[], false, row);
            let of_csv = csv.trim_end().rsplit(',').nth(3).filter(|word| !word.is_empty());
            words.push(of_csv.unwrap_or("none").to_owned());
            let column = printed(Format::Plain, parts, &[named("timer").unwrap()], false, row);
            words.extend(column.split_whitespace().next().map(str::to_owned));
            for word in words {
                assert!(fits(&format!("timer = {word}"), Dialect::Own, row), "{word}: {:?}", socket.timer);
                assert!(!fits(&format!("timer != {word}"), Dialect::Own, row), "{word}: {:?}", socket.timer);
            }
        });
    }
}

#[test]
fn what_json_has_is_read_back() {
    let parts = Parts { timers: true, extended: true, processes: true, tcp_info: true, ..Parts::default() };
    for socket in &sockets() {
        with_row(socket, |row| {
            let json: Value = serde_json::from_str(&printed(Format::Ndjson, parts, &[], false, row)).unwrap();
            for key in [
                "state",
                "local_address",
                "local_port",
                "peer_address",
                "peer_port",
                "interface",
                "uid",
                "inode",
                "mark",
                "recv_q",
                "send_q",
                "accept_queue",
                "backlog",
            ] {
                let value = &json[key];
                if value.is_null() {
                    continue;
                }
                let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                // States take no operator.
                let equals = if key == "state" { "" } else { "= " };
                assert!(fits(&format!("{key} {equals}{word}"), Dialect::Own, row), "{key}: {json}");
            }
            for holder in json["processes"].as_array().unwrap() {
                let filter =
                    format!("process = '{}' and pid = {}", holder["name"].as_str().unwrap(), holder["pid"]);
                assert!(fits(&filter, Dialect::Own, row), "{filter}");
            }
        });
    }
}

#[test]
fn holders_users_and_times_are_read_back() {
    let socket = socket(TcpState::Established, "127.0.0.1 8080", "127.0.0.1 50000");
    with_row(&socket, |row| {
        for (column, word) in [
            ("process", "process"),
            ("program", "program"),
            ("pid", "pid"),
            ("user", "user"),
            ("uid", "uid"),
            ("mark", "mark"),
            ("rtt", "rtt"),
            ("rto", "rto"),
            ("recv_q", "Recv-Q"),
            ("send_q", "Send-Q"),
        ] {
            let csv = printed(Format::Csv, Parts::default(), &[named(column).unwrap()], false, row);
            let text = csv.trim_end().trim_matches('"').replace("\"\"", "\"");
            let several = ["process", "program", "pid"].contains(&column);
            for value in text.split(',').take(if several { usize::MAX } else { 1 }) {
                let filter = format!("{word} = '{value}'");
                assert!(fits(&filter, Dialect::Own, row), "{filter}");
            }
        }
        let users = printed(Format::Ss, Parts { processes: true, ..Parts::default() }, &[], false, row);
        let name = users.split("(\"").last().and_then(|rest| rest.split('"').next()).unwrap();
        assert!(fits(&format!("process = {name}"), Dialect::Own, row), "{users}");
    });
}

#[test]
fn headings_are_words_of_the_options() {
    let socket = socket(TcpState::Established, "127.0.0.1 8080", "127.0.0.1 50000");
    let all: Vec<_> = fields::all().collect();
    for format in [Format::Csv, Format::Plain] {
        let text = printed(format, Parts::default(), &all, true, &Row::bare(&socket));
        let heading = text.lines().next().unwrap();
        let words = heading.split([',', ' ']).filter(|word| !word.is_empty());
        assert_eq!(words.map(|word| named(word).unwrap()).collect::<Vec<_>>(), all);
    }
    for word in
        ["Recv-Q", "accept_queue", "Local Address", "Foreign Address", "tcp_info_rtt_us", "tcp_info.rtt_us"]
    {
        assert!(named(word).is_some(), "{word}");
    }
    assert_eq!(CountKey::parse("peer_net/24"), CountKey::parse("Peer-net/24"));
}
