//! What `explain` says of Linux, measured on the kernel that runs the tests.

use std::io::{ErrorKind, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, TcpKeepalive, Type};

use crate::support::namespace::Namespace;
use crate::support::peer::{OUR_V4, PEER_V4, Peer, Script};
use crate::support::{namespace, or_skip};

/// The states of the sockets that the filter finds.
fn states(namespace: &Namespace, filter: &str) -> Vec<String> {
    let text = namespace.tcpstates(&["-anH", "--columns", "state", filter]);
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// How long it took until the sockets that the filter finds were in these states; it must come soon.
#[track_caller]
fn await_states(namespace: &Namespace, filter: &str, expected: &[&str]) -> Duration {
    let begun = Instant::now();
    loop {
        let there = states(namespace, filter);
        if there == expected {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{filter}: {there:?}, not {expected:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A counter of /proc/net/netstat.
fn counter(namespace: &Namespace, name: &str) -> u64 {
    let text = namespace.inside(|| std::fs::read_to_string("/proc/thread-self/net/netstat"));
    let text = text.expect("it can be read");
    let lines: Vec<Vec<_>> = text.lines().map(|line| line.split(' ').collect()).collect();
    for pair in lines.chunks_exact(2) {
        if let Some(at) = pair[0].iter().position(|word| *word == name) {
            return pair[1][at].parse().expect("a number");
        }
    }
    panic!("this kernel does not count {name}");
}

/// A client that is bound to this port of ours, and not connected yet.
fn client(namespace: &Namespace, ours: Ipv4Addr, port: u16) -> Socket {
    namespace.inside(|| {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        client.set_reuse_address(true).expect("it can be set");
        client.bind(&SocketAddr::from((ours, port)).into()).expect("the port is free");
        client
    })
}

fn connect(client: &Socket, to: (Ipv4Addr, u16)) -> std::io::Result<()> {
    client.connect(&SocketAddr::from(to).into())
}

/// Writes until the kernel takes no more.
fn fill(mut stream: &TcpStream) {
    stream.set_nonblocking(true).expect("it can be set");
    while let Ok(1..) = stream.write(&[7; 4096]) {}
}

#[test]
fn a_closed_window_keeps_an_orphan_for_a_while_and_a_held_socket_for_good() {
    let Some(namespace) = namespace() else { return };
    let longest = namespace.inside(|| std::fs::write("/proc/sys/net/ipv4/tcp_rto_max_ms", "1000"));
    if let Err(error) = longest {
        return crate::support::skip(&format!("it would take minutes without tcp_rto_max_ms: {error}"));
    }
    let (held, orphan, servers) = namespace.inside(|| {
        let listener = TcpListener::bind("127.0.0.1:4100").expect("it can listen");
        let client = || TcpStream::connect("127.0.0.1:4100").expect("it connects");
        let [held, orphan] = [client(), client()];
        let servers = [(); 2].map(|()| listener.accept().expect("it is accepted").0);
        (held, orphan, servers)
    });
    fill(&held);
    fill(&orphan);
    let local = orphan.local_addr().expect("it is connected").port();
    drop(orphan);
    let of_orphan = format!("sport = :{local}");
    await_states(&namespace, &of_orphan, &["FIN_WAIT1"]);
    // The peer's kernel answers every probe.
    let lasted = await_states(&namespace, &of_orphan, &[]);
    assert!(lasted > Duration::from_secs(1), "{lasted:?}");
    assert_eq!(counter(&namespace, "TCPAbortOnTimeout"), 1);
    let of_held = format!("sport = :{}", held.local_addr().expect("it is connected").port());
    assert_eq!(states(&namespace, &of_held), ["ESTABLISHED"]);
    drop(servers);
}

#[test]
fn keepalive_ends_a_close_wait_and_leaves_its_descriptor_open() {
    let Some(namespace) = namespace() else { return };
    let Some(_peer) = or_skip(Peer::start(&namespace)) else { return };
    let client = client(&namespace, OUR_V4, 4200);
    let second = Duration::from_secs(1);
    let keepalive = TcpKeepalive::new().with_time(second).with_interval(second).with_retries(1);
    client.set_tcp_keepalive(&keepalive).expect("it can be set");
    // It closes, and says nothing more.
    connect(&client, (PEER_V4, Script::AcceptThenFin.port())).expect("it connects");
    await_states(&namespace, "sport = :4200 and not state closed", &["CLOSE_WAIT"]);
    await_states(&namespace, "sport = :4200 and not state closed", &[]);
    let error = client.take_error().expect("the descriptor is open");
    assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::TimedOut));
}

#[test]
fn the_backlog_bounds_half_open_connections_too() {
    let Some(namespace) = namespace() else { return };
    let Some(peer) = or_skip(Peer::start(&namespace)) else { return };
    namespace.sysctl("ipv4/tcp_syncookies", "0");
    let listener = client(&namespace, OUR_V4, 4300);
    listener.listen(5).expect("it can listen");
    for port in 7300..7320 {
        peer.open(port, (OUR_V4, 4300).into(), Script::Silent);
    }
    let begun = Instant::now();
    let half_open = || states(&namespace, "state syn-recv").len() as u64;
    while half_open() + counter(&namespace, "TCPReqQFullDrop") < 20 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{} are half-open", half_open());
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!((5..=6).contains(&half_open()), "{} are half-open", half_open());
}

#[test]
fn linux_gives_up_a_syn_where_a_host_is_said_to_be_unreachable() {
    let Some(namespace) = namespace() else { return };
    let made = namespace.ip("link add one type veth peer name two\nlink set one up\nlink set two up\n\
                             addr add 10.1.1.1/24 dev one");
    let Some(()) = or_skip(made) else { return };
    // No host has 10.1.1.2: the kernel reports that to itself by an ICMP error of code 1.
    namespace.sysctl("ipv4/neigh/one/mcast_solicit", "1");
    namespace.sysctl("ipv4/neigh/one/retrans_time_ms", "50");
    let client = client(&namespace, Ipv4Addr::new(10, 1, 1, 1), 4400);
    let begun = Instant::now();
    let error = connect(&client, (Ipv4Addr::new(10, 1, 1, 2), 80)).expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::HostUnreachable);
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "SYNs without an answer take longer: {:?}",
        begun.elapsed()
    );
}

#[test]
fn an_rst_ends_a_time_wait_unless_a_setting_forbids_it() {
    for (rfc1337, left) in [("0", &[][..]), ("1", &["TIME_WAIT"])] {
        let Some(namespace) = namespace() else { return };
        let Some(peer) = or_skip(Peer::start(&namespace)) else { return };
        namespace.sysctl("ipv4/tcp_rfc1337", rfc1337);
        let waits = client(&namespace, OUR_V4, 4500);
        connect(&waits, (PEER_V4, Script::OrderlyClose.port())).expect("it connects");
        let stands = client(&namespace, OUR_V4, 4501);
        connect(&stands, (PEER_V4, Script::Accept.port())).expect("it connects");
        drop(waits);
        await_states(&namespace, "sport = :4500", &["TIME_WAIT"]);
        // It resets both at its end.
        drop(peer);
        await_states(&namespace, "sport = :4501 and not state closed", &[]);
        await_states(&namespace, "sport = :4500", left);
    }
}

#[test]
fn only_a_port_that_was_bound_outlasts_a_failed_connect() {
    let Some(namespace) = namespace() else { return };
    let refused = |socket: &Socket| {
        let error = namespace.inside(|| connect(socket, (Ipv4Addr::LOCALHOST, 4600)));
        assert_eq!(error.expect_err("nobody listens").kind(), ErrorKind::ConnectionRefused);
    };
    let unbound = namespace.inside(|| Socket::new(Domain::IPV4, Type::STREAM, None)).expect("a socket");
    refused(&unbound);
    assert_eq!(states(&namespace, "sport > :0"), [""; 0]);
    let bound = client(&namespace, Ipv4Addr::LOCALHOST, 4601);
    refused(&bound);
    if !namespace.inside(tcpstates::internals::kernel::host::lists_idle) {
        return crate::support::skip("this kernel does not list sockets that are bound and idle");
    }
    let text = namespace.tcpstates(&["-an", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let [socket] = &document["sockets"].as_array().expect("a list")[..] else { panic!("not one: {text}") };
    assert_eq!((socket["state"].as_str(), socket["local_port"].as_u64()), (Some("CLOSED"), Some(4601)));
    assert!(socket["peer_address"].is_null() && socket["peer_port"].is_null(), "it has no peer: {socket}");
    let csv = namespace.tcpstates(&["-an", "-f", "csv", "-H"]);
    assert!(csv.contains(",127.0.0.1,4601,,,"), "{csv}");
}
