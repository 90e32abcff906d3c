//! A process that holds both ends of connections over the loopback device, and makes time-wait sockets when told so.

use std::io::{BufRead as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};

/// Listeners of a process, each on a port of its own.
const LISTENERS: u16 = 4;
/// The ports that connections come from: those that a kernel chooses from where nobody has told it others.
const PORTS: std::ops::RangeInclusive<u16> = 32768..=60999;

/// `INDEX CONNECTIONS`, then a line `N` for each N time-wait sockets that are wanted; an empty line follows what is
/// done.
pub(crate) fn work(words: &[&str]) {
    let [index, connections] = words else { panic!("worker INDEX CONNECTIONS") };
    let index: u8 = index.parse().expect("a small number");
    let connections: u64 = connections.parse().expect("a number");
    let listeners: Vec<_> = (0..LISTENERS).map(|number| listen(index, number)).collect();
    let _held: Vec<_> = (0..connections).map(|number| connection(index, &listeners, number)).collect();
    println!();
    for line in std::io::stdin().lock().lines() {
        let count: u64 = line.ok().and_then(|line| line.parse().ok()).expect("a number");
        for number in 0..count {
            let listener = &listeners[usize::try_from(number).unwrap_or(0) % listeners.len()];
            let client =
                TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it connects");
            let (server, _) = listener.accept().expect("it is accepted");
            // Whoever closes first has the time-wait socket.
            drop(client);
            drop(server);
        }
        println!();
    }
    std::io::stdout().flush().expect("somebody listens");
}

/// Every fifth process has IPv6 connections.
fn is_v6(index: u8) -> bool {
    index % 5 == 4
}

fn listen(index: u8, number: u16) -> TcpListener {
    let port = 5000 + u16::from(index) * LISTENERS + number;
    let addr = if is_v6(index) {
        SocketAddr::from((Ipv6Addr::LOCALHOST, port))
    } else {
        SocketAddr::from((Ipv4Addr::new(127, 1, index, 1), port))
    };
    TcpListener::bind(addr).expect("it can listen")
}

/// Both ends.
fn connection(index: u8, listeners: &[TcpListener], number: u64) -> (Socket, TcpStream) {
    let listener = &listeners[usize::try_from(number).unwrap_or(0) % listeners.len()];
    // Spread over all of them, however few connections there are.
    let ports = u64::from(PORTS.end() - PORTS.start());
    let port = PORTS.start() + u16::try_from(number * 7919 % ports).unwrap_or(0);
    let host = u8::try_from(1 + number / 500).unwrap_or(u8::MAX);
    let (domain, from) = if is_v6(index) {
        (Domain::IPV6, SocketAddr::from((Ipv6Addr::LOCALHOST, port)))
    } else {
        (Domain::IPV4, SocketAddr::from((Ipv4Addr::new(127, 2, index, host), port)))
    };
    let client = Socket::new(domain, Type::STREAM, None).expect("there are descriptors left");
    // Several processes connect from the same IPv6 address.
    client.set_reuse_address(true).expect("it can be set");
    client.bind(&from.into()).expect("it can be bound");
    client.connect(&listener.local_addr().expect("it is bound").into()).expect("it connects");
    let (server, _) = listener.accept().expect("it is accepted");
    (client, server)
}
