//! The program over one real socket in each state, from both sources, compared with what the zoo holds.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use tcpstates::internals::kernel::host::lists_idle;

use crate::support::document::{Document, Entry, Summary};
use crate::support::peer::DEVICE;
use crate::support::zoo;
use crate::support::zoo::{Family, Specimen, Zoo, listed_states};

/// One socket in one line: what the zoo knows of it.
fn expected(specimen: &Specimen, source: &str) -> String {
    let family = match specimen.family {
        Family::V4 => "inet",
        Family::V6 => "inet6",
    };
    let Specimen { state, recv_q, send_q, .. } = specimen;
    let backlog = if source == "procfs" { "null".to_owned() } else { send_q.to_string() };
    let queues = if *state == "LISTEN" {
        format!("pending {recv_q} backlog {backlog}")
    } else {
        format!("{recv_q} {send_q}")
    };
    let scoped = matches!(specimen.local, SocketAddr::V6(local) if local.scope_id() != 0);
    let interface = if scoped && source == "netlink" { DEVICE } else { "-" };
    let end = |end: SocketAddr| (end.ip(), end.port());
    line(family, state, &queues, Some(end(specimen.local)), specimen.peer.map(end), interface, specimen.inode)
}

fn shown(socket: &Entry) -> String {
    let queues = match (socket.recv_q, socket.send_q, socket.accept_queue, socket.backlog) {
        (Some(recv_q), Some(send_q), None, None) => format!("{recv_q} {send_q}"),
        (None, None, Some(pending), Some(backlog)) => {
            let backlog = backlog.map_or_else(|| "null".to_owned(), |backlog| backlog.to_string());
            format!("pending {pending} backlog {backlog}")
        }
        other => panic!("queues of two kinds: {other:?}"),
    };
    let local = Some((socket.local_address, socket.local_port));
    let peer = socket.peer_address.zip(socket.peer_port);
    let interface = socket.interface.as_deref().unwrap_or("-");
    line(&socket.family, &socket.state, &queues, local, peer, interface, socket.inode)
}

fn line(
    family: &str,
    state: &str,
    queues: &str,
    local: Option<(IpAddr, u16)>,
    peer: Option<(IpAddr, u16)>,
    interface: &str,
    inode: Option<u64>,
) -> String {
    format!("{family} {state} {queues} {local:?} {peer:?} {interface} {inode:?}")
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<_> = lines.collect();
    lines.sort();
    lines
}

fn document(zoo: &Zoo, args: &[&str]) -> String {
    zoo.namespace().tcpstates(&[&["--json"], args].concat())
}

/// Whether /proc has such sockets.
fn is_in(source: &str, specimen: &Specimen) -> bool {
    source == "netlink" || specimen.state != "CLOSED"
}

#[test]
fn every_socket_is_listed_as_it_is() {
    let Some(zoo) = zoo() else { return };
    for source in ["netlink", "procfs"] {
        let text = document(&zoo, &["-a", "--source", source]);
        let document = Document::of(&text);
        assert_eq!(document.source, source);
        let listed = sorted(document.sockets.iter().map(shown));
        let held = zoo.specimens().iter().filter(|specimen| is_in(source, specimen));
        assert_eq!(listed, sorted(held.map(|specimen| expected(specimen, source))), "by {source}");
    }
}

#[test]
fn each_family_alone() {
    let Some(zoo) = zoo() else { return };
    for source in ["netlink", "procfs"] {
        for (option, family) in [("-4", Family::V4), ("-6", Family::V6)] {
            let text = document(&zoo, &[option, "--source", source]);
            let document = Document::of(&text);
            let held = zoo.specimens().iter().filter(|s| s.family == family && is_in(source, s));
            let held = sorted(held.map(|specimen| expected(specimen, source)));
            assert_eq!(sorted(document.sockets.iter().map(shown)), held, "{option} by {source}");
        }
    }
}

#[test]
fn the_summary_counts_every_state() {
    let Some(zoo) = zoo() else { return };
    for source in ["netlink", "procfs"] {
        let held =
            |state: &str| zoo.specimens().iter().filter(|s| s.state == state && is_in(source, s)).count();
        // Whatever -a and -l say.
        for more in [&[][..], &["-a"], &["-l"], &["-natpoeim"]] {
            let args = [&["--summary", "--source", source], more].concat();
            let text = zoo.namespace().tcpstates(&args);
            let lines: Vec<_> = text.lines().collect();
            assert_eq!(lines.len(), 11, "{args:?}");
            for line in lines {
                let (state, count) = line.split_once(' ').unwrap();
                assert_eq!(count, held(state).to_string(), "{state} by {args:?}");
            }
        }
        let text = zoo.namespace().tcpstates(&["-s", "--json", "--source", source]);
        let summary: Summary = serde_json::from_str(&text).unwrap();
        let all: BTreeMap<_, _> =
            summary.states.keys().map(|state| (state.clone(), held(state) as u64)).collect();
        assert_eq!(summary.states, all);
        assert_eq!(summary.total, all.values().sum::<u64>());
    }
}

/// The states of a plain list, without repeats.
fn states_listed(zoo: &Zoo, args: &[&str]) -> Vec<String> {
    let text = zoo.namespace().run(&[&["-nH"], args].concat()).done();
    let mut states: Vec<_> =
        text.lines().map(|line| line.split_whitespace().nth(5).unwrap().to_owned()).collect();
    states.sort();
    states.dedup();
    states
}

#[test]
fn the_usual_states_and_the_chosen_ones() {
    let Some(zoo) = zoo() else { return };
    // As they are listed here, by name.
    let mut all: Vec<_> = listed_states().collect();
    all.sort_unstable();
    let without =
        |left: &[&str]| all.iter().copied().filter(|state| !left.contains(state)).collect::<Vec<_>>();
    let closed: Vec<_> = listed_states().filter(|state| *state == "CLOSED").collect();
    for (args, expected) in [
        (&["-a"][..], all.clone()),
        (&[], without(&["LISTEN", "CLOSED"])),
        (&["-l"], vec!["LISTEN"]),
        (&["-al"], all.clone()),
        (&["state", "fin-wait-1", "state", "LISTENING"], vec!["FIN_WAIT1", "LISTEN"]),
        (&["-l", "state", "closed"], closed.clone()),
        (&["exclude", "Time_Wait"], without(&["TIME_WAIT"])),
        (&["state", "bucket"], vec!["SYN_RECV", "TIME_WAIT"]),
        (&["state", "synchronized", "exclude", "ESTAB"], without(&["LISTEN", "SYN_SENT", "ESTABLISHED"])),
    ] {
        assert_eq!(states_listed(&zoo, args), expected, "{args:?}");
    }
    // A filter without a state covers every state.
    assert_eq!(states_listed(&zoo, &[":8020"]), closed);
    assert_eq!(states_listed(&zoo, &["-l", ":8100"]), ["LISTEN"]);
    assert_eq!(states_listed(&zoo, &["10.99.0.1:8100"]), ["LISTEN", "SYN_RECV"]);
}

/// /proc does not have them, and a kernel before Linux 6.8 does not list them.
#[test]
fn that_idle_sockets_are_not_listed_is_said_where_they_are_asked_for() {
    let Some(zoo) = zoo() else { return };
    let notes =
        |source: &str, args: &[&str]| zoo.namespace().run(&[args, &["--source", source]].concat()).stderr;
    for (source, missing) in [("netlink", !lists_idle()), ("procfs", true)] {
        for closed in [
            &["-n", "state", "closed"][..],
            &["-np", "state", "closed"],
            &["-s", "state", "closed"],
            &["explain", "closed"],
        ] {
            let notes = notes(source, closed);
            let said = notes.contains("sockets that are bound and idle (CLOSED)");
            assert_eq!(said, missing, "{source}, {closed:?}: {notes}");
        }
        for other in [&["-na"][..], &["-nl"], &["-s"], &["-naf", "ss"], &["-nlf", "ss"]] {
            assert_eq!(notes(source, other), "", "{source}, {other:?}");
        }
    }
}

#[test]
fn endpoints_are_found_at_either_end() {
    let Some(zoo) = zoo() else { return };
    let count = |args: &[&str]| zoo.namespace().tcpstates(&[&["-nH"], args].concat()).lines().count();
    let held = |fits: &dyn Fn(&SocketAddr) -> bool| {
        zoo.specimens().iter().filter(|s| fits(&s.local) || s.peer.as_ref().is_some_and(fits)).count()
    };
    for source in ["netlink", "procfs"] {
        let by = |filter: &str| count(&["--source", source, filter]);
        let mapped =
            |end: &SocketAddr| matches!(end.ip().to_canonical(), IpAddr::V4(ip) if ip.octets()[0] == 10);
        let bound = |end: &SocketAddr| source == "procfs" && end.port() % 1000 == 20;
        assert_eq!(by("10.0.0.0/8"), held(&|end| mapped(end) && !bound(end)));
        assert_eq!(by(":8102"), held(&|end| end.port() == 8102));
        assert_eq!(by("[::1]:9102"), held(&|end| end.port() == 9102 && end.ip().is_loopback()));
        assert_eq!(by("fe80::/10"), held(&|end| end.to_string().starts_with("[fe80")));
    }
}

#[test]
fn ownerless_sockets_say_why() {
    let Some(zoo) = zoo() else { return };
    let text = document(&zoo, &["-ap"]);
    let document = Document::of(&text);
    let pid = std::process::id();
    for socket in &document.sockets {
        let processes = socket.processes.as_ref().expect("they were asked for");
        let note = socket.owner_note.clone().expect("it was asked for");
        if socket.inode.is_some() {
            assert!(processes.iter().any(|holder| holder.pid == pid), "{socket:?}");
            assert_eq!(note, None, "{socket:?}");
            continue;
        }
        // One that waits to be accepted is credited to its listener's process.
        assert_eq!(
            processes.iter().any(|holder| holder.pid == pid),
            socket.state == "ESTABLISHED",
            "{socket:?}"
        );
        let why = match &*socket.state {
            "TIME_WAIT" => "belongs to the kernel: time-wait",
            "SYN_RECV" => "belongs to the kernel: half-open",
            "ESTABLISHED" => "waits in its listener's accept queue",
            "FIN_WAIT1" | "FIN_WAIT2" | "LAST_ACK" => "closed by its program",
            other => panic!("no reason for {other} without an owner"),
        };
        assert_eq!(note.as_deref(), Some(why), "{socket:?}");
    }
}

#[test]
fn one_that_waits_is_shown_with_its_listeners_process() {
    let Some(zoo) = zoo() else { return };
    let pid = std::process::id();
    for format in ["plain", "table"] {
        let text = zoo.namespace().tcpstates(&["-npH", "-W", "-f", format, "10.99.0.1:8101"]);
        let credited = text.lines().filter(|line| line.contains(&format!("({pid}/"))).count();
        assert_eq!((credited, text.lines().count()), (2, 3), "two wait, one listens: {text}");
    }
    // With any other option the same sockets match and have the same holder.
    let pid = pid.to_string();
    for filter in ["dport = 7101", "dport = 7101 state established", "dst 10.99.0.2:7101"] {
        let text = zoo.namespace().tcpstates(&["-npHW", "-4", filter]);
        assert!(text.lines().count() == 1 && text.contains(&format!("({pid}/")), "{filter}: {text}");
    }
    let by_pid = ["-n", "--json", "pid", "=", &pid];
    let sockets = |args: &[&str]| {
        let document: serde_json::Value = serde_json::from_str(&zoo.namespace().tcpstates(args)).unwrap();
        document["sockets"].as_array().map(Vec::len)
    };
    assert_eq!(sockets(&by_pid), sockets(&[&["-p"], &by_pid[..]].concat()));
    // The other programs' layouts know of no such thing.
    let text = zoo.namespace().tcpstates(&["-ntpH", "-f", "ss", "dport", "=", ":7101"]);
    assert!(!text.contains("users:"), "{text}");
}

#[test]
fn both_ends_of_a_connection_within_the_host_are_joined() {
    let Some(zoo) = zoo() else { return };
    let pid = std::process::id();
    // One family and one port are shown; the other end is neither.
    for (family, port) in [("-4", "8202"), ("-6", "9202")] {
        let json =
            zoo.namespace().tcpstates(&["--json", "--peer-process", family, &format!("sport = {port}")]);
        let document = Document::of(&json);
        let [socket] = document.sockets.as_slice() else { panic!("{json}") };
        let other_end = socket.peer_port.expect("it is connected");
        let peers = socket.peer_processes.as_ref().expect("they were asked for");
        assert_eq!((peers.len(), peers[0].pid), (1, pid), "{other_end}: {json}");
    }
    let json = zoo.namespace().tcpstates(&["--json", "--peer-process", "state", "close-wait"]);
    let document = Document::of(&json);
    // Their other end is the scripted peer, which is no process.
    assert!(document.sockets.iter().all(|socket| socket.peer_processes.as_ref().is_some_and(Vec::is_empty)));
    let plain = zoo.namespace().tcpstates(&["-nH", "--columns", "local-port,peer-process", "dport = 8102"]);
    let words: Vec<_> = plain.split_whitespace().collect();
    assert!(words[0] == "8202" && words[1].starts_with(&format!("{pid}/")), "{plain}");
    let stderr = zoo.namespace().run(&["--peer-process", "autobound"]).failed(2);
    assert!(stderr.contains("--peer-process needs what it would leave out"), "{stderr}");
}

#[test]
fn users_are_unknown_where_the_kernel_does_not_know() {
    let Some(zoo) = zoo() else { return };
    for source in ["netlink", "procfs"] {
        let text = document(&zoo, &["-a", "--source", source]);
        let document = Document::of(&text);
        for socket in &document.sockets {
            // The zoo is root's, so a uid of 0 without an inode may mean root or nobody.
            let expected = (socket.inode.is_some() || socket.state == "LISTEN").then_some(0);
            assert_eq!(socket.uid, expected, "{socket:?} by {source}");
            assert_eq!(socket.cookie.is_some(), source == "netlink");
        }
    }
}

#[test]
fn timers_and_numbers_come_when_they_are_asked_for() {
    let Some(zoo) = zoo() else { return };
    let text = document(&zoo, &["-aoime"]);
    let document = Document::of(&text);
    for socket in &document.sockets {
        let [timer, info, memory] =
            ["timer", "tcp_info", "memory"].map(|key| socket.rest.get(key).expect("it was asked for"));
        match &*socket.state {
            "TIME_WAIT" => {
                assert_eq!(timer["kind"], "timewait");
                assert!((1..=60_000).contains(&timer["expires_ms"].as_u64().unwrap()), "{timer}");
                assert!(info.is_null());
            }
            "SYN_SENT" | "FIN_WAIT1" => assert_eq!(timer["kind"], "retransmit"),
            "ESTABLISHED" => {
                assert!(info["snd_mss"].as_u64().is_some_and(|mss| mss > 0));
                assert!(info["congestion_control"].is_string());
                assert!(memory["rcvbuf"].as_u64().is_some_and(|bytes| bytes > 0));
            }
            _ => {}
        }
        assert!(
            ["user", "cgroup", "mark"].iter().all(|key| socket.rest.contains_key(*key)),
            "asked for by -e"
        );
    }
    // A listener's queue and its limit come in the fields of segments, and are none.
    let listeners = zoo.namespace().tcpstates(&["-naiH", "state", "listen"]);
    assert!(listeners.contains(" snd_cwnd:"), "{listeners}");
    assert!(!listeners.contains("acked:") && !listeners.contains("ca_state"), "{listeners}");
}

#[test]
fn names_of_ports_and_users() {
    let Some(zoo) = zoo() else { return };
    let user = || zoo.namespace().tcpstates(&["-ateH", "--names", "state", "listen"]);
    assert!(user().lines().all(|line| line.split_whitespace().nth(6) == Some("root")), "{}", user());
    let numeric = zoo.namespace().tcpstates(&["-nateH", "state", "listen"]);
    assert!(numeric.lines().all(|line| line.split_whitespace().nth(6) == Some("0")), "{numeric}");
    let json = document(&zoo, &["-ne", "state", "listen"]);
    assert!(json.contains(r#""user":"root""#), "numbers are there besides: {json}");

    let services = std::fs::read_to_string("/etc/services").unwrap_or_default();
    if services.lines().any(|line| line.starts_with("https") && line.contains("443/tcp")) {
        let _listener =
            zoo.namespace().inside(|| std::net::TcpListener::bind("127.0.0.1:443").expect("it can listen"));
        assert!(zoo.namespace().tcpstates(&["-tlH", "--names", ":443"]).contains("127.0.0.1:https "));
        assert!(zoo.namespace().tcpstates(&["-tlH", ":443"]).contains("127.0.0.1:443 "));
    }
}

#[test]
fn the_sort_order_and_the_limit() {
    let Some(zoo) = zoo() else { return };
    let states = zoo.namespace().tcpstates(&["-anH", "--sort", "-state,local"]);
    let listed: Vec<_> = states.lines().map(|line| line.split_whitespace().nth(5).unwrap()).collect();
    assert_eq!(listed.first().copied(), listed_states().last());
    assert_eq!(listed.last(), Some(&"LISTEN"));
    assert_eq!(listed.len(), zoo.specimens().len());

    for format in ["plain", "ndjson"] {
        let all = zoo.namespace().tcpstates(&["-anH", "-f", format]);
        let three = zoo.namespace().tcpstates(&["-anH", "-f", format, "--limit", "3"]);
        assert_eq!(three.lines().collect::<Vec<_>>(), all.lines().take(3).collect::<Vec<_>>());
        let last = zoo.namespace().tcpstates(&["-anH", "-f", format, "--limit", "1", "--sort", "-recv-q"]);
        assert!(last.contains("123"), "{last}");
        assert_eq!(zoo.namespace().tcpstates(&["-anH", "-f", format, "--limit", "0"]), "");
    }
    // Two walks, one limit.
    assert_eq!(zoo.namespace().tcpstates(&["-anH", "-f", "netstat", "--limit", "1"]).lines().count(), 1);
}
