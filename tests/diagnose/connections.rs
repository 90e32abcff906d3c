//! Established connections.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{document, gist, listener, local, nothing, only, own_pid, pair, shell, soon, with_peer};
use crate::support::namespace;
use crate::support::peer::{PEER_V4, Script};

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
    // A listener's Send-Q is its limit.
    let _listener = namespace.inside(|| listener(local(80), 16));
    let shown = shell(&namespace, &finding.command);
    assert!(shown.contains("ESTABLISHED") && !shown.contains("LISTEN"), "{shown}");
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
fn a_program_that_reads_nothing_of_what_keeps_coming() {
    let Some(namespace) = namespace() else { return };
    let (_listener, mut client, mut server) = namespace.inside(|| {
        let listener = listener(local(80), 16);
        let (client, server) = pair(&listener);
        (listener, client, server)
    });
    client.write_all(b"first").expect("there is room");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let trickle = std::thread::spawn(move || {
        while stopped.recv_timeout(Duration::from_millis(50)).is_err() {
            client.write_all(b"x").expect("there is room");
        }
        client
    });
    nothing(&namespace, &["--stall-age", "1"]);
    let finding =
        only(&namespace, &["--stall-age", "1", "--interval", "1"], "program-not-reading", "warning");
    assert_eq!((finding.number("sockets"), finding.number("oldest_ms")), (1, 1000));
    // A slow reader is none that does not read.
    let reader = std::thread::spawn(move || {
        while server.read_exact(&mut [0]).is_ok() {
            sleep(Duration::from_millis(50));
        }
    });
    nothing(&namespace, &["--stall-age", "1", "--interval", "1"]);
    stop.send(()).expect("it trickles");
    drop(trickle.join().expect("it ends"));
    reader.join().expect("it ends");
}

#[test]
fn a_program_that_does_not_accept_does_not_read() {
    let Some(namespace) = namespace() else { return };
    let listener = namespace.inside(|| listener(local(80), 16));
    let mut client = namespace.inside(|| TcpStream::connect(local(80)).expect("there is room"));
    client.write_all(b"unread").expect("there is room");
    nothing(&namespace, &[]);
    let finding = only(&namespace, &["--stall-age", "0"], "program-not-reading", "warning");
    assert_eq!((finding.number("not_accepted"), finding.number("unread_bytes")), (1, 6));
    assert_eq!(finding.first("processes", "pid"), own_pid());
    drop(listener);
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
