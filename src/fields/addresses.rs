//! The state, the ends and the queues: what every source tells of every socket.

use super::value::{Kind, Read, Value};
use super::{Field, Part};
use crate::model::{Endpoint, Needs, Row, Socket};

/// Which end of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// This host's.
    Local,
    /// The other one.
    Peer,
}

impl End {
    /// It, of this socket.
    pub fn of(self, socket: &Socket) -> &Endpoint {
        match self {
            Self::Local => &socket.local,
            Self::Peer => &socket.peer,
        }
    }

    /// The name of its host, where that is to be shown.
    pub fn host<'a>(self, row: &Row<'a>) -> Option<&'a str> {
        match self {
            Self::Local => row.local_host,
            Self::Peer => row.peer_host,
        }
    }

    /// The name of its port, where that is to be shown.
    pub fn service<'a>(self, row: &Row<'a>) -> Option<&'a str> {
        match self {
            Self::Local => row.local_service,
            Self::Peer => row.peer_service,
        }
    }
}

/// An entry that needs no look-up and is in every row.
const fn always(
    word: &'static str,
    others: &'static [&'static str],
    json: &'static str,
    kind: Kind,
    help: &'static str,
    read: for<'a> fn(&Row<'a>) -> Value<'a>,
) -> Field {
    Field { word, others, json, help, kind, needs: Needs::NOTHING, part: Part::Always, read: Read::Row(read) }
}

fn peer<'a>(row: &Row<'a>) -> Option<&'a Endpoint> {
    Some(&row.socket.peer).filter(|_| row.socket.has_peer())
}

/// The user's number: a user's name becomes that.
pub const UID: Field =
    always("uid", &[], "uid", Kind::Number, "the user's number", |row| Value::number(row.socket.uid));

/// The state.
pub const STATE: Field =
    always("state", &["st"], "state", Kind::State, "the state", |row| Value::State(row.socket.state));

/// The local port.
pub const LOCAL_PORT: Field = always(
    "local_port",
    &["sport", "lport"],
    "local_port",
    Kind::Port(End::Local),
    "the local port",
    |row| Value::Number(row.socket.local.port.into()),
);

/// The peer's address and port.
pub const PEER: Field = Field {
    part: Part::Chosen,
    ..always(
        "peer",
        &["dst", "foreign", "remote"],
        "",
        Kind::Endpoint(End::Peer),
        "the peer's address and port; counted by the address",
        |row| Value::Endpoint(&row.socket.peer),
    )
};

pub(super) static ADDRESSES: &[Field] = &[
    always("protocol", &["proto", "netid"], "protocol", Kind::Text, "tcp", |_| Value::Word("tcp")),
    always("family", &[], "family", Kind::Text, "inet or inet6", |row| Value::Word(row.socket.family.name())),
    STATE,
    always("recv_q", &["recvq"], "recv_q", Kind::Bytes, "bytes not read; - for a listener", |row| {
        Value::number_of_some(row.socket.queues.unread())
    }),
    always("send_q", &["sendq"], "send_q", Kind::Bytes, "bytes not acknowledged; - for a listener", |row| {
        Value::number_of_some(row.socket.queues.unacknowledged())
    }),
    always(
        "accept_queue",
        &[],
        "accept_queue",
        Kind::Count,
        "a listener's connections that wait to be accepted",
        |row| Value::number_of_some(row.socket.queues.accept_queue()),
    ),
    always("backlog", &[], "backlog", Kind::Count, "how many connections may wait at a listener", |row| {
        match row.socket.queues.accept_queue() {
            Some(_) => Value::number(row.socket.queues.backlog()),
            None => Value::Absent,
        }
    }),
    Field {
        part: Part::Chosen,
        ..always(
            "local",
            &["src"],
            "",
            Kind::Endpoint(End::Local),
            "the local address and port; counted by the address",
            |row| Value::Endpoint(&row.socket.local),
        )
    },
    always(
        "local_address",
        &["local_addr", "laddr"],
        "local_address",
        Kind::Address(End::Local),
        "the local address",
        |row| Value::Address(row.socket.local.addr),
    ),
    LOCAL_PORT,
    PEER,
    always(
        "peer_address",
        &["peer_addr", "raddr", "foreign_address", "remote_address"],
        "peer_address",
        Kind::Address(End::Peer),
        "the peer's address",
        |row| peer(row).map_or(Value::Unknown, |peer| Value::Address(peer.addr)),
    ),
    always(
        "peer_port",
        &["dport", "rport", "foreign_port", "remote_port"],
        "peer_port",
        Kind::Port(End::Peer),
        "the peer's port",
        |row| Value::number(peer(row).map(|peer| peer.port)),
    ),
    Field {
        needs: Needs::NETLINK,
        ..always(
            "iface",
            &["dev"],
            "interface",
            Kind::Device,
            "the device that the socket is bound to",
            |row| Value::text(row.interface),
        )
    },
    UID,
    always("inode", &["ino"], "inode", Kind::Number, "the socket's inode", |row| {
        Value::number(row.socket.inode)
    }),
    Field {
        needs: Needs::NETLINK,
        ..always("cookie", &["sk"], "cookie", Kind::Large, "the kernel's number for the socket", |row| {
            Value::number(row.socket.cookie)
        })
    },
];
