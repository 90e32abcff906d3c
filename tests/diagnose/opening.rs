//! Listeners, and connections that are being opened.

use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use super::{Document, connecting, document, gist, listener, local, nothing, only, own_pid, soon, with_peer};
use crate::support::namespace;
use crate::support::peer::{OUR_V4, PEER_V4, Script};
use crate::support::run::tcpstates;

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

#[test]
fn drops_within_the_interval_are_critical() {
    let Some(namespace) = namespace() else { return };
    let listener = namespace.inside(|| listener(local(80), 0));
    let first = namespace.inside(|| TcpStream::connect(local(80)).expect("there is room for one"));
    let mut running = namespace.inside(|| {
        tcpstates(&["diagnose", "--json", "--interval", "0.5", "--syn-retries", "99"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be run")
    });
    // Whenever its interval is, some come in it.
    while running.try_wait().expect("it is our child").is_none() {
        drop(namespace.inside(|| connecting(local(80))));
        sleep(Duration::from_millis(10));
    }
    let output = running.wait_with_output().expect("it has ended");
    let document: Document = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(gist(&document), [("accept-queue", "critical")]);
    assert!(document.findings[0].number("listen_overflows_within_interval") > 0);
    assert!(document.interval_s.is_some_and(|interval| interval >= 0.5));
    drop((listener, first));
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
    assert_eq!((finding.number("half_open"), finding.number("room_for")), (20, 65));
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
    // However few they are: there is no place for more.
    let finding = soon(&namespace, &[], "syn-recv", "warning");
    assert!(finding.number("half_open") >= 4 && finding.number("room_for") == 5, "{:?}", finding.seen);
    assert!(finding.number("syncookies_sent") > 0, "{:?}", finding.seen);
    // Without them the rest is dropped.
    namespace.sysctl("ipv4/tcp_syncookies", "0");
    let finding = only(&namespace, &[], "syn-recv", "critical");
    assert_eq!(finding.seen["listener"], Value::from(address.to_string()));
    drop(listener);
    only(&namespace, &[], "syn-recv", "note");
    nothing(&namespace, &["--interval", "0.05"]);
}

#[test]
fn syns_that_found_no_place_are_not_put_down_to_accept() {
    let Some((namespace, peer)) = with_peer() else { return };
    let address = SocketAddr::from((OUR_V4, 80));
    namespace.sysctl("ipv4/tcp_syncookies", "0");
    let listener = namespace.inside(|| listener(address, 4));
    (6000..6012).for_each(|port| peer.open(port, address, Script::Silent));
    let finding = soon(&namespace, &[], "syn-recv", "critical");
    assert!(finding.number("dropped_as_full") > 0, "{:?}", finding.seen);
    drop(listener);
}

#[test]
fn drops_are_told_beside_a_lesser_queue() {
    let Some(namespace) = namespace() else { return };
    let connect = |port| namespace.inside(|| TcpStream::connect(local(port)).expect("there is room"));
    let filling = namespace.inside(|| listener(local(80), 3));
    let clients = [connect(80), connect(80), connect(80)];
    let full = namespace.inside(|| listener(local(81), 0));
    let waiting = connect(81);
    let running = namespace.inside(|| {
        tcpstates(&["diagnose", "--json", "--interval", "2", "--syn-retries", "99"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be run")
    });
    // It is full in the first half of the interval: when all is looked at, it is no more.
    for _ in 0..50 {
        drop(namespace.inside(|| connecting(local(81))));
        sleep(Duration::from_millis(20));
    }
    drop(waiting);
    full.set_nonblocking(true).expect("it listens");
    while full.accept().is_ok() {}
    let output = running.wait_with_output().expect("it runs");
    let document: Document = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(gist(&document), [("accept-queue", "critical"), ("accept-queue", "warning")]);
    assert!(document.findings[0].number("listen_overflows_within_interval") > 0);
    assert!(document.findings[1].summary.contains(":80 is filled"), "{}", document.findings[1].summary);
    drop((clients, filling));
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
    let twin = namespace.inside(|| listener(SocketAddr::from((Ipv6Addr::LOCALHOST, 84)), 1));
    let finding = only(&namespace, &[], "one-family", "note");
    assert!(finding.summary.contains("not on all IPv6 ones"), "{}", finding.summary);
    drop(twin);
    namespace.sysctl("ipv6/conf/all/disable_ipv6", "1");
    nothing(&namespace, &[]);
    namespace.sysctl("ipv6/conf/all/disable_ipv6", "0");
    drop(lone4);
    let lone6 = namespace.inside(|| listener(any6(85), 1));
    let finding = only(&namespace, &[], "one-family", "note");
    assert!(finding.summary.contains("on no IPv4 one"), "{}", finding.summary);
    // /proc does not show which [::] takes IPv4, so no finding is about them.
    let document = document(&namespace, &["--source", "procfs"]);
    assert_eq!(gist(&document), []);
    assert!(document.unseen.iter().any(|what| what.contains("one-family")), "{:?}", document.unseen);
    drop((held, lone6));
}
