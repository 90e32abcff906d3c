//! The state, the addresses and the queues: the fields that every source reports for every socket.

use super::value::{Kind, Read, Value};
use super::{Field, Part};
use crate::model::{Endpoint, Needs, Queues, Row, Socket};

/// Which end of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// This host's.
    Local,
    /// The other one.
    Peer,
}

impl End {
    /// This end of a socket.
    pub fn of(self, socket: &Socket) -> &Endpoint {
        match self {
            Self::Local => &socket.local,
            Self::Peer => &socket.peer,
        }
    }

    /// Its host name, if host names are shown.
    pub fn host<'a>(self, row: &Row<'a>) -> Option<&'a str> {
        match self {
            Self::Local => row.local_host,
            Self::Peer => row.peer_host,
        }
    }

    /// The service name of its port, if service names are shown.
    pub fn service<'a>(self, row: &Row<'a>) -> Option<&'a str> {
        match self {
            Self::Local => row.local_service,
            Self::Peer => row.peer_service,
        }
    }
}

/// Defaults for this file's entries: they need no look-up, and are in every row.
const ALWAYS: Field = Field {
    word: "",
    others: &[],
    json: "",
    help: "",
    kind: Kind::Text,
    needs: Needs::NOTHING,
    part: Part::Always,
    read: Read::Any(|_| Value::Unknown),
};

fn peer<'a>(row: &Row<'a>) -> Option<&'a Endpoint> {
    Some(&row.socket.peer).filter(|_| row.socket.has_peer())
}

/// The state.
pub const STATE: Field = Field {
    word: "state",
    others: &["st"],
    json: "state",
    help: "the state",
    kind: Kind::State,
    read: Read::Any(|row| Value::State(row.socket.state)),
    ..ALWAYS
};

/// The local port.
pub const LOCAL_PORT: Field = Field {
    word: "local_port",
    others: &["sport", "lport"],
    json: "local_port",
    help: "the local port",
    kind: Kind::Port(End::Local),
    read: Read::Number(|row| Some(row.socket.local.port.into())),
    ..ALWAYS
};

/// The peer's address and port.
pub const PEER: Field = Field {
    word: "peer",
    others: &["dst", "foreign", "remote"],
    help: "the peer's address and port; counted by the address",
    kind: Kind::Endpoint(End::Peer),
    part: Part::Chosen,
    read: Read::Any(|row| Value::Endpoint(&row.socket.peer)),
    ..ALWAYS
};

/// The user's number; a filter's user name is resolved to it.
pub const UID: Field = Field {
    word: "uid",
    json: "uid",
    help: "the user's number",
    kind: Kind::Number,
    read: Read::Number(|row| row.socket.uid.map(u64::from)),
    ..ALWAYS
};

pub(super) static ADDRESSES: &[Field] = &[
    Field {
        word: "protocol",
        others: &["proto", "netid"],
        json: "protocol",
        help: "tcp",
        kind: Kind::Word(&["tcp"], "tcp"),
        read: Read::Word(|_| Some("tcp")),
        ..ALWAYS
    },
    Field {
        word: "family",
        json: "family",
        help: "inet or inet6",
        kind: Kind::Word(&["inet", "inet6"], "inet or inet6"),
        read: Read::Word(|row| Some(row.socket.family.name())),
        ..ALWAYS
    },
    STATE,
    Field {
        word: "recv_q",
        others: &["recvq"],
        json: "recv_q",
        help: "bytes not read; - for a listener",
        kind: Kind::Bytes,
        read: Read::NumberOrAbsent(|row| row.socket.queues.unread().map(u64::from)),
        ..ALWAYS
    },
    Field {
        word: "send_q",
        others: &["sendq"],
        json: "send_q",
        help: "bytes not acknowledged; - for a listener",
        kind: Kind::Bytes,
        read: Read::NumberOrAbsent(|row| row.socket.queues.unacknowledged().map(u64::from)),
        ..ALWAYS
    },
    Field {
        word: "accept_queue",
        json: "accept_queue",
        help: "connections in a listener's accept queue",
        kind: Kind::Count,
        read: Read::NumberOrAbsent(|row| row.socket.queues.accept_queue().map(u64::from)),
        ..ALWAYS
    },
    Field {
        word: "backlog",
        json: "backlog",
        help: "the limit of a listener's accept queue",
        kind: Kind::Count,
        read: Read::Any(|row| match row.socket.queues {
            Queues::Accept { backlog: Some(backlog), .. } => Value::Number(backlog.into()),
            Queues::Accept { backlog: None, .. } => Value::Unknown,
            Queues::Data { .. } => Value::Absent,
        }),
        ..ALWAYS
    },
    Field {
        word: "local",
        others: &["src"],
        help: "the local address and port; counted by the address",
        kind: Kind::Endpoint(End::Local),
        part: Part::Chosen,
        read: Read::Any(|row| Value::Endpoint(&row.socket.local)),
        ..ALWAYS
    },
    Field {
        word: "local_address",
        others: &["local_addr", "laddr"],
        json: "local_address",
        help: "the local address",
        kind: Kind::Address(End::Local),
        read: Read::Address(|row| Some(row.socket.local.addr)),
        ..ALWAYS
    },
    LOCAL_PORT,
    PEER,
    Field {
        word: "peer_address",
        others: &["peer_addr", "raddr", "foreign_address", "remote_address"],
        json: "peer_address",
        help: "the peer's address",
        kind: Kind::Address(End::Peer),
        read: Read::Address(|row| peer(row).map(|peer| peer.addr)),
        ..ALWAYS
    },
    Field {
        word: "peer_port",
        others: &["dport", "rport", "foreign_port", "remote_port"],
        json: "peer_port",
        help: "the peer's port",
        kind: Kind::Port(End::Peer),
        read: Read::Number(|row| peer(row).map(|peer| peer.port.into())),
        ..ALWAYS
    },
    Field {
        word: "iface",
        others: &["dev"],
        json: "interface",
        help: "the device that the socket is bound to",
        kind: Kind::Device,
        needs: Needs::NETLINK,
        read: Read::Name(|row| row.interface),
        ..ALWAYS
    },
    UID,
    Field {
        word: "inode",
        others: &["ino"],
        json: "inode",
        help: "the socket's inode",
        kind: Kind::Number,
        read: Read::Number(|row| row.socket.inode),
        ..ALWAYS
    },
    Field {
        word: "cookie",
        others: &["sk"],
        json: "cookie",
        help: "the kernel's number for the socket",
        kind: Kind::Large,
        needs: Needs::NETLINK,
        read: Read::Number(|row| row.socket.cookie),
        ..ALWAYS
    },
];
