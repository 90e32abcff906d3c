//! Every kind of socket that may be on a port, made for real.

use std::fs;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use anyhow::ensure;
use rustix::net::netdevice::name_to_index;
use socket2::{Domain, Socket, Type};
use tcpstates::internals::kernel::host::lists_idle;

use super::asked::eventually;

/// What is on the port: one socket, in the state and on the address that its plan says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Listener,
    ListenerElsewhere,
    ListenerOnDevice,
    ListenerReusePort,
    Wildcard,
    DualStack,
    V6onlyWildcard,
    V6Listener,
    MappedListener,
    Bound,
    BoundWildcard,
    BoundDualStack,
    BoundV6,
    Established,
    EstablishedV6OfDualStack,
    EstablishedV6OfV6only,
    EstablishedMapped,
    Outgoing,
    FinWait2,
    CloseWait,
    TimeWait,
    TimeWaitV6OfDualStack,
    TimeWaitMapped,
}

/// Where it is bound, IPV6_V6ONLY, the client's way to it if there is one, and its state in the end.
type Plan = (&'static str, Option<bool>, Option<&'static str>, &'static str);

impl Kind {
    pub(super) const ALL: [Self; 23] = [
        Self::Listener,
        Self::ListenerElsewhere,
        Self::ListenerOnDevice,
        Self::ListenerReusePort,
        Self::Wildcard,
        Self::DualStack,
        Self::V6onlyWildcard,
        Self::V6Listener,
        Self::MappedListener,
        Self::Bound,
        Self::BoundWildcard,
        Self::BoundDualStack,
        Self::BoundV6,
        Self::Established,
        Self::EstablishedV6OfDualStack,
        Self::EstablishedV6OfV6only,
        Self::EstablishedMapped,
        Self::Outgoing,
        Self::FinWait2,
        Self::CloseWait,
        Self::TimeWait,
        Self::TimeWaitV6OfDualStack,
        Self::TimeWaitMapped,
    ];

    fn plan(self) -> Plan {
        const DUAL: Option<bool> = Some(false);
        const V6ONLY: Option<bool> = Some(true);
        match self {
            Self::Listener | Self::ListenerOnDevice | Self::ListenerReusePort => {
                ("127.0.0.1", None, None, "LISTEN")
            }
            Self::ListenerElsewhere => ("127.0.0.2", None, None, "LISTEN"),
            Self::Wildcard => ("0.0.0.0", None, None, "LISTEN"),
            Self::DualStack => ("::", DUAL, None, "LISTEN"),
            Self::V6onlyWildcard => ("::", V6ONLY, None, "LISTEN"),
            Self::V6Listener => ("::1", DUAL, None, "LISTEN"),
            Self::MappedListener => ("::ffff:127.0.0.1", DUAL, None, "LISTEN"),
            Self::Bound => ("127.0.0.1", None, None, "CLOSED"),
            Self::BoundWildcard => ("0.0.0.0", None, None, "CLOSED"),
            Self::BoundDualStack => ("::", DUAL, None, "CLOSED"),
            Self::BoundV6 => ("::1", DUAL, None, "CLOSED"),
            Self::Established => ("0.0.0.0", None, Some("127.0.0.1"), "ESTABLISHED"),
            Self::EstablishedV6OfDualStack => ("::", DUAL, Some("::1"), "ESTABLISHED"),
            Self::EstablishedV6OfV6only => ("::", V6ONLY, Some("::1"), "ESTABLISHED"),
            Self::EstablishedMapped => ("::", DUAL, Some("127.0.0.1"), "ESTABLISHED"),
            Self::Outgoing => ("127.0.0.4", None, None, "ESTABLISHED"),
            Self::FinWait2 => ("127.0.0.1", None, Some("127.0.0.1"), "FIN_WAIT2"),
            Self::CloseWait => ("127.0.0.1", None, Some("127.0.0.1"), "CLOSE_WAIT"),
            Self::TimeWait => ("127.0.0.1", None, Some("127.0.0.1"), "TIME_WAIT"),
            Self::TimeWaitV6OfDualStack => ("::", DUAL, Some("::1"), "TIME_WAIT"),
            Self::TimeWaitMapped => ("::", DUAL, Some("127.0.0.1"), "TIME_WAIT"),
        }
    }

    pub(super) fn state(self) -> &'static str {
        self.plan().3
    }

    /// Whether this kernel lists it: before Linux 6.8 none that is bound and idle.
    pub(super) fn is_listed(self) -> bool {
        self.state() != "CLOSED" || lists_idle()
    }

    /// The local address in the end, as the JSON has it.
    pub(super) fn address(self) -> String {
        let (bound, _, way, _) = self.plan();
        match way {
            Some(way) if bound == "::" && !way.contains(':') => format!("::ffff:{way}"),
            way => way.unwrap_or(bound).to_owned(),
        }
    }
}

fn at(addr: &str, port: u16) -> SocketAddr {
    SocketAddr::new(addr.parse::<IpAddr>().expect("it is an address"), port)
}

/// Nothing is left of a socket that is closed with this.
fn leaves_nothing(socket: &Socket) {
    socket.set_linger(Some(Duration::ZERO)).expect("it can be set");
}

/// One of the kind on the port, and what else it needs to be there; with SO_REUSEADDR or without.
pub(super) fn hold(kind: Kind, port: u16, reuse: bool) -> Vec<Socket> {
    let (bound, v6only, way, state) = kind.plan();
    let local = at(bound, port);
    let socket = Socket::new(Domain::for_address(local), Type::STREAM, None).expect("a socket can be had");
    socket.set_reuse_address(reuse).expect("it can be set");
    if let Some(v6only) = v6only {
        socket.set_only_v6(v6only).expect("it can be set");
    }
    if kind == Kind::ListenerReusePort {
        socket.set_reuse_port(true).expect("it can be set");
    }
    if kind == Kind::ListenerOnDevice {
        socket.bind_device(Some(b"lo")).expect("it can be bound to a device");
    }
    socket.bind(&local.into()).unwrap_or_else(|error| panic!("{kind:?} on {port}: {error}"));
    match (way, state) {
        (Some(way), _) => {
            let held = connection(&socket, at(way, port), state);
            drop(socket);
            await_no_listener(port);
            held
        }
        (None, "LISTEN") => {
            socket.listen(8).expect("it can listen");
            vec![socket]
        }
        (None, "ESTABLISHED") => outgoing(socket),
        _ => vec![socket],
    }
}

/// A connection to the listener, which is gone then; the listener's end is brought into the state.
fn connection(listener: &Socket, to: SocketAddr, state: &str) -> Vec<Socket> {
    listener.listen(8).expect("it can listen");
    let client = Socket::new(Domain::for_address(to), Type::STREAM, None).expect("a socket can be had");
    client.connect(&to.into()).expect("it can connect");
    let (server, _) = listener.accept().expect("it can accept");
    match state {
        "CLOSE_WAIT" => client.shutdown(std::net::Shutdown::Write).expect("it can be shut down"),
        "FIN_WAIT2" | "TIME_WAIT" => server.shutdown(std::net::Shutdown::Write).expect("it can be shut down"),
        _ => {}
    }
    if state == "TIME_WAIT" {
        drop(server);
        drop(client);
        await_state(to.port(), "06");
        return Vec::new();
    }
    await_state(
        to.port(),
        match state {
            "ESTABLISHED" => "01",
            "FIN_WAIT2" => "05",
            _ => "08",
        },
    );
    leaves_nothing(&client);
    leaves_nothing(&server);
    vec![server, client]
}

/// A connection from the socket to a listener elsewhere.
fn outgoing(socket: Socket) -> Vec<Socket> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket can be had");
    listener.bind(&at("127.0.0.1", 0).into()).expect("it can be bound");
    listener.listen(1).expect("it can listen");
    socket.connect(&listener.local_addr().expect("it has one")).expect("it can connect");
    leaves_nothing(&socket);
    let (server, _) = listener.accept().expect("it can accept");
    vec![socket, server, listener]
}

/// Whether a socket on the port is in the state, by the kernel's number.
fn is_there(port: u16, state: &str) -> bool {
    let fits = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        fields[1].ends_with(&format!(":{port:04X}")) && fields[3] == state
    };
    let shown = |file| fs::read_to_string(format!("/proc/thread-self/net/{file}")).expect("it can be read");
    ["tcp", "tcp6"].into_iter().any(|file| shown(file).lines().skip(1).any(fits))
}

fn await_state(port: u16, state: &str) {
    eventually(|| {
        ensure!(is_there(port, state), "no socket on {port} came to {state}");
        Ok(())
    });
}

fn await_no_listener(port: u16) {
    eventually(|| {
        ensure!(!is_there(port, "0A"), "a listener is left on {port}");
        Ok(())
    });
}

/// A listener on the link-local address of the device.
pub(super) fn link_local(device: &str, port: u16) -> Socket {
    let socket = Socket::new(Domain::IPV6, Type::STREAM, None).expect("a socket can be had");
    let scope = name_to_index(&socket, device).expect("the device is there");
    let addr = "fe80::1".parse().expect("it is an address");
    socket.bind(&SocketAddr::from(SocketAddrV6::new(addr, port, 0, scope)).into()).expect("it can be bound");
    socket.listen(1).expect("it can listen");
    socket
}
