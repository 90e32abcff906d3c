//! The other end of a connection within this host.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::model::{Endpoint, OwnerNote, Socket};

/// An end without its scope; an IPv4 address for a v4-mapped one, as one end may have the one and the other the
/// other.
type End = (IpAddr, u16);

/// The sockets of all connections that have come so far, by their two ends.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    others: FxHashMap<(End, End), Other>,
}

/// What is kept of a connection's end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Other {
    /// Its inode, by which its holders are found.
    Held(u64),
    /// It waits to be accepted: its listener is needed.
    Waiting(Box<Socket>),
}

impl Peers {
    /// A new attempt at the list: forgets what came.
    pub(crate) fn forget(&mut self) {
        self.others.clear();
    }

    /// Keeps the ends of a connection that some process holds, or will.
    pub(crate) fn learn(&mut self, socket: &Socket) {
        let waits = || OwnerNote::of(socket) == Some(OwnerNote::NotAccepted);
        let other = match socket.inode {
            _ if !socket.has_peer() => return,
            Some(inode) => Other::Held(inode),
            None if waits() => Other::Waiting(Box::new(socket.clone())),
            None => return,
        };
        self.others.insert((end(&socket.local), end(&socket.peer)), other);
    }

    /// The socket at the other end, if that is on this host and some process's.
    pub(crate) fn of(&self, socket: &Socket) -> Option<&Other> {
        self.others.get(&(end(&socket.peer), end(&socket.local)))
    }
}

fn end(endpoint: &Endpoint) -> End {
    (endpoint.addr.to_canonical(), endpoint.port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Family, TcpState};

    #[test]
    fn ends_of_two_families_are_joined() {
        let end = |addr: &str, port| Endpoint::new(addr.parse().unwrap(), port);
        let socket = |family, local, peer, inode| Socket {
            inode,
            ..Socket::new(family, TcpState::Established, local, peer)
        };
        let client = socket(Family::Inet, end("127.0.0.1", 5000), end("127.0.0.1", 80), Some(1));
        let (local, peer) = (end("::ffff:127.0.0.1", 80), end("::ffff:127.0.0.1", 5000));
        let server = socket(Family::Inet6, local, peer, Some(2));
        let mut peers = Peers::default();
        peers.learn(&client);
        assert_eq!((peers.of(&server), peers.of(&client)), (Some(&Other::Held(1)), None));
        peers.learn(&server);
        assert_eq!(peers.of(&client), Some(&Other::Held(2)));
        let waiting = Socket { inode: None, ..server.clone() };
        peers.learn(&waiting);
        assert_eq!(peers.of(&client), Some(&Other::Waiting(Box::new(waiting))));
        peers.forget();
        assert_eq!(peers.of(&server), None);
    }
}
