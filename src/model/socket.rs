//! A TCP socket.

use super::{Endpoint, Family, Memory, Queues, TcpInfo, TcpState, Timer};

/// One socket as the kernel reports it. Values that the kernel does not know are `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Socket {
    /// `Inet6` for a v4-mapped connection too.
    pub family: Family,
    /// As reported: the kernel reports half-open sockets as `SynRecv`, bound ones as `Close`.
    pub state: TcpState,
    /// This host's end.
    pub local: Endpoint,
    /// The other end; unspecified if there is none.
    pub peer: Endpoint,
    /// Bytes, or connections that wait to be accepted.
    pub queues: Queues,
    /// The running timer.
    pub timer: Option<Timer>,
    /// The user who created it. Unknown for time-wait and, over netlink, half-open sockets.
    pub uid: Option<u32>,
    /// The socket's inode; a socket without one is in no process's descriptor table.
    pub inode: Option<u64>,
    /// The index of the device it is bound to, else 0. The cookie and this index identify a socket in an exact look-up.
    pub interface: u32,
    /// The kernel's number for this socket, never used again until it restarts; unknown from /proc.
    pub cookie: Option<u64>,
    /// Whether an IPv6 socket takes IPv6 only; unknown for IPv4 and from /proc.
    pub v6only: Option<bool>,
    /// Which directions were shut down.
    pub shutdown: Option<Shutdown>,
    /// The number of its cgroup.
    pub cgroup: Option<u64>,
    /// The firewall mark, which the kernel reports only to CAP_NET_ADMIN.
    pub mark: Option<u32>,
    /// Data that only some listings request, kept apart so that a plain socket stays small.
    pub details: Option<Box<Details>>,
}

/// The bulky parts of a socket.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// The connection's numbers.
    pub tcp_info: Option<TcpInfo>,
    /// Its buffers' memory.
    pub memory: Option<Memory>,
}

/// The directions that a socket has shut down (`RCV_SHUTDOWN`, `SEND_SHUTDOWN`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown {
    /// Nothing more can be received.
    pub receive: bool,
    /// Nothing more can be sent.
    pub send: bool,
}

/// The user, if the kernel knows it. If not, the kernel reports 0: always for time-wait sockets; for a socket without
/// an inode, 0 may mean root or no user.
pub fn known_uid(state: TcpState, uid: u32, inode: u64) -> Option<u32> {
    match state {
        TcpState::TimeWait => None,
        TcpState::Listen => Some(uid),
        _ if uid == 0 && inode == 0 => None,
        _ => Some(uid),
    }
}

impl Socket {
    /// A socket with nothing known but its addresses and state.
    pub fn new(family: Family, state: TcpState, local: Endpoint, peer: Endpoint) -> Self {
        let queues = Queues::of(state, 0, 0, None);
        Self {
            family,
            state,
            local,
            peer,
            queues,
            timer: None,
            uid: None,
            inode: None,
            interface: 0,
            cookie: None,
            v6only: None,
            shutdown: None,
            cgroup: None,
            mark: None,
            details: None,
        }
    }

    /// Whether there is another end. A socket whose connect() failed still has that address, but no port.
    pub fn has_peer(&self) -> bool {
        self.peer.port != 0
    }

    /// The connection's numbers, if they were asked for and the kernel has them.
    pub fn tcp_info(&self) -> Option<&TcpInfo> {
        self.details.as_deref()?.tcp_info.as_ref()
    }

    /// The buffers' memory, if it was asked for and the kernel has it.
    pub fn memory(&self) -> Option<&Memory> {
        self.details.as_deref()?.memory.as_ref()
    }
}
