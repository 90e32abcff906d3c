//! Which end closed, and when: endings for which the kernel has no event, or a misleading one.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV6, TcpListener, TcpStream};
use std::time::Duration;

use super::harness::{
    LOCALHOST, Trace, await_end, bound_client, connected, listener, own_port, port, port_in, port_of, text,
    traced,
};
use crate::support::reflector::{FAR, NEAR, Reflector};
use crate::support::tracefs::Tracefs;
use crate::support::{namespace, or_skip};

/// A transition as its line has it.
#[derive(Debug)]
struct Told {
    time: String,
    port: u16,
    states: String,
    meaning: String,
}

/// Interrupts a trace of which nothing was read, when one of its lines is as wanted.
fn lines(mut trace: Trace, is_last: impl Fn(&Told) -> bool) -> Vec<Told> {
    let mut told = Vec::new();
    let mut is_over = false;
    while let Some(line) = trace.next() {
        told.push(Told {
            time: text(&line, "time"),
            port: port_in(&line),
            states: format!("{} {}", text(&line, "old"), text(&line, "new")),
            meaning: text(&line, "meaning"),
        });
        if !is_over && told.last().is_some_and(&is_last) {
            is_over = true;
            trace.interrupt();
        }
    }
    assert!(is_over, "it did not come: {told:#?} {}", trace.notes());
    assert_eq!(trace.status(), Some(0));
    told
}

fn place(told: &[Told], port: u16, states: &str) -> usize {
    let is_it = |line: &Told| line.port == port && line.states == states;
    told.iter().position(is_it).unwrap_or_else(|| panic!("{port} {states}: {told:#?}"))
}

fn meaning<'a>(told: &'a [Told], port: u16, states: &str) -> &'a str {
    &told[place(told, port, states)].meaning
}

#[test]
fn a_fin_wait2_lasts_until_the_peer_closes() {
    let Some(namespace) = namespace() else { return };
    let traced = traced(&namespace, LOCALHOST, |listener, trace| {
        let (client, server) = connected(listener, LOCALHOST);
        let ports = (port(&client), port_of(listener));
        drop(client);
        await_end(&server);
        // Long enough for the client's end to be an orphan, too short for anybody to have asked for it.
        std::thread::sleep(Duration::from_millis(2));
        drop(server);
        (ports, lines(trace, |line| line.states == "FIN_WAIT2 TIME_WAIT"))
    });
    let Some(((client, server), told)) = traced else { return };
    let (closed, waits) =
        (place(&told, server, "CLOSE_WAIT LAST_ACK"), place(&told, client, "FIN_WAIT2 TIME_WAIT"));
    assert!(closed < waits, "the peer's FIN comes first: {told:#?}");
    assert!(told.is_sorted_by(|one, next| one.time <= next.time), "{told:#?}");
}

#[test]
fn data_for_a_program_that_has_closed_is_answered_with_an_rst() {
    let Some(namespace) = namespace() else { return };
    let traced = traced(&namespace, LOCALHOST, |listener, trace| {
        let (client, mut server) = connected(listener, LOCALHOST);
        let ports = (port(&client), port_of(listener));
        drop(client);
        await_end(&server);
        // The orphan has been asked for by then.
        std::thread::sleep(Duration::from_millis(200));
        server.write_all(b"late").expect("it is half open");
        let told = lines(trace, |line| line.states == "FIN_WAIT2 CLOSED");
        drop(server);
        (ports, told)
    });
    let Some(((client, server), told)) = traced else { return };
    let meanings = [meaning(&told, client, "FIN_WAIT2 CLOSED"), meaning(&told, server, "CLOSE_WAIT CLOSED")];
    let Some(tracefs) = or_skip(Tracefs::mount()) else { return };
    let tells_the_rst = tracefs.read("events/tcp/tcp_send_reset/format").contains("reason");
    let cut = [
        if tells_the_rst { "aborted by this host, RST sent: data came" } else { "cut by an RST" },
        "RST received",
    ];
    assert!(meanings.iter().zip(cut).all(|(meaning, cut)| meaning.starts_with(cut)), "{told:#?}");
    assert!(told.is_sorted_by(|one, next| one.time <= next.time), "{told:#?}");
}

#[test]
fn a_fin_that_is_never_acknowledged_is_not_told_to_be() {
    let Some(namespace) = namespace() else { return };
    let Some(reflector) = or_skip(Reflector::start(&namespace)) else { return };
    namespace.sysctl("ipv4/tcp_orphan_retries", "1");
    let traced = traced(&namespace, NEAR, |listener, trace| {
        let (client, server) = connected(listener, FAR);
        drop(client);
        await_end(&server);
        // The acknowledgement of the client's FIN is in flight, or delayed no longer than this.
        std::thread::sleep(Duration::from_millis(100));
        reflector.hold();
        drop(server);
        (port_of(listener), lines(trace, |line| line.states == "LAST_ACK CLOSED"))
    });
    let Some((server, told)) = traced else { return };
    assert_eq!(meaning(&told, server, "LAST_ACK CLOSED"), "our FIN was never acknowledged: timed out");
}

#[test]
fn what_is_left_is_found_on_its_device() {
    let Some(namespace) = namespace() else { return };
    let made = namespace.ip("link add one type veth peer name two\nlink set one up\nlink set two up\n\
                             addr add fe80::7/64 dev one nodad");
    let Some(()) = or_skip(made) else { return };
    let traced = namespace.inside(|| {
        let device = std::fs::read_to_string("/proc/thread-self/net/if_inet6").expect("there is IPv6");
        let line = device.lines().find(|line| line.ends_with(" one") && line.contains("0007 "));
        let number = line.and_then(|line| line.split_whitespace().nth(1)).expect("it has the address");
        let number = u32::from_str_radix(number, 16).expect("a number");
        let address = SocketAddrV6::new("fe80::7".parse().expect("an address"), own_port(), 0, number);
        let listener = TcpListener::bind(address).expect("the port is free");
        let trace = Trace::by_tracepoints(&[&format!(":{}", address.port())])?;
        let client = TcpStream::connect(address).expect("it connects");
        let (server, _) = listener.accept().expect("it is accepted");
        let client_port = port(&client);
        drop(client);
        await_end(&server);
        drop(server);
        Some((client_port, lines(trace, |line| line.states.starts_with("FIN_WAIT2 "))))
    });
    let Some((client, told)) = traced else { return };
    assert!(meaning(&told, client, "FIN_WAIT2 TIME_WAIT").starts_with("FIN received"));
}

#[test]
fn a_time_wait_gives_way_to_a_new_connection() {
    let Some(namespace) = namespace() else { return };
    let client_port = own_port();
    let traced = traced(&namespace, LOCALHOST, |listener, mut trace| {
        let connect = || {
            let client = bound_client(client_port);
            client.connect(&listener.local_addr().expect("it is bound").into()).expect("it connects");
            (TcpStream::from(client), listener.accept().expect("it is accepted").0)
        };
        let (client, server) = connect();
        drop(server);
        await_end(&client);
        drop(client);
        trace.until(port_of(listener), "TIME_WAIT");
        let again = connect();
        let told = lines(trace, |line| line.states.starts_with("TIME_WAIT "));
        drop(again);
        (port_of(listener), told)
    });
    let Some((server, told)) = traced else { return };
    assert!(meaning(&told, server, "TIME_WAIT SYN_RECV").starts_with("a new SYN"));
}

#[test]
fn a_servers_first_transition_has_both_ends() {
    let Some(namespace) = namespace() else { return };
    let told = namespace.inside(|| {
        let (listener, client_port) = (listener(Ipv4Addr::UNSPECIFIED), own_port());
        let mut trace = Trace::by_tracepoints(&["--count", "1", &format!("dport = {client_port}")])?;
        let client = bound_client(client_port);
        client.connect(&SocketAddr::from((LOCALHOST, port_of(&listener))).into()).expect("it connects");
        trace.next()
    });
    let Some(line) = told else { return };
    assert_eq!((text(&line, "old"), text(&line, "new")), ("LISTEN".to_owned(), "SYN_RECV".to_owned()));
    assert_eq!(text(&line, "local_address"), "127.0.0.1", "{line}");
}
