//! The state zoo: a network namespace with one real socket of the kernel's held
//! in each of the TCP states, for a listing of sockets to be compared with.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use tcpstates::internals::kernel::host::lists_idle;

use super::keeper;
use super::namespace::Namespace;
use super::peer::Peer;

/// A namespace and the sockets in it, which stay in their states until it is
/// dropped, or for about 50 seconds where the kernel lets go of them by itself
/// (TIME_WAIT, and FIN_WAIT2 without a descriptor).
pub(crate) struct Zoo {
    specimens: Vec<Specimen>,
    // Dropped in this order: the peer's end resets the connections, so that
    // closing them leaves no socket that would keep the namespace.
    _peer: Peer,
    _held: Vec<OwnedFd>,
    namespace: Namespace,
}

/// The address family a socket was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(crate) fn of(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(_) => Self::V4,
            SocketAddr::V6(_) => Self::V6,
        }
    }
}

/// All states, as they are shown.
pub(crate) const STATES: [&str; 11] = [
    "LISTEN",
    "SYN_SENT",
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "CLOSE_WAIT",
    "LAST_ACK",
    "CLOSING",
    "TIME_WAIT",
    "CLOSED",
];

/// The states in which this kernel lists sockets: before Linux 6.8 none that is bound and idle.
pub(crate) fn listed_states() -> impl Iterator<Item = &'static str> {
    STATES.into_iter().filter(|state| *state != "CLOSED" || lists_idle())
}

/// One socket, as a listing is to show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Specimen {
    /// What is special about it.
    pub(crate) label: &'static str,
    /// LISTEN, SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT1, FIN_WAIT2,
    /// CLOSE_WAIT, LAST_ACK, CLOSING, TIME_WAIT or CLOSED (bound, no more).
    pub(crate) state: &'static str,
    /// The socket's: V6 for one with v4-mapped addresses.
    pub(crate) family: Family,
    pub(crate) local: SocketAddr,
    /// None for LISTEN and CLOSED.
    pub(crate) peer: Option<SocketAddr>,
    /// None where no descriptor is left, or none is there yet.
    pub(crate) inode: Option<u64>,
    /// The bytes not yet read; for LISTEN the connections not yet accepted.
    pub(crate) recv_q: u32,
    /// The bytes not yet acknowledged; for LISTEN the backlog.
    pub(crate) send_q: u32,
}

impl Zoo {
    /// Builds the zoo. The error says why there can be none here, for a test
    /// to say why it was skipped.
    ///
    /// # Panics
    ///
    /// Where a socket does not get into its state, which it names.
    pub(crate) fn new() -> Result<Self, String> {
        let namespace = Namespace::new()?;
        prepare(&namespace);
        let peer = Peer::start(&namespace)?;
        let (mut specimens, held) = namespace.inside(|| keeper::collect(&peer));
        specimens.retain(|specimen| specimen.state != "CLOSED" || lists_idle());
        Ok(Self { specimens, _peer: peer, _held: held, namespace })
    }

    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// All the TCP sockets in the namespace that this kernel lists.
    pub(crate) fn specimens(&self) -> &[Specimen] {
        &self.specimens
    }
}

/// Has the kernel wait long before it gives up on a silent peer, and have the
/// other settings the zoo counts on, whatever the machine's are.
fn prepare(namespace: &Namespace) {
    for (name, value) in [
        ("ipv4/tcp_syn_retries", "12"),
        ("ipv4/tcp_synack_retries", "12"),
        ("ipv4/tcp_orphan_retries", "12"),
        ("ipv4/tcp_retries2", "15"),
        // At most what TIME_WAIT takes: with more, the kernel would keep an
        // orphan in FIN_WAIT2 as a full socket for the rest of the time.
        ("ipv4/tcp_fin_timeout", "60"),
        ("ipv4/tcp_abort_on_overflow", "0"),
        ("ipv6/bindv6only", "0"),
    ] {
        namespace.sysctl(name, value);
    }
}
