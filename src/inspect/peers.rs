//! The peer socket of a connection within this host.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::model::{Endpoint, OwnerNote, Socket};

/// Address and port without the scope. A v4-mapped address becomes IPv4: one socket of a connection may be AF_INET,
/// its peer AF_INET6.
type End = (IpAddr, u16);

/// The sockets of all connections read so far, by both addresses and ports.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    others: FxHashMap<(End, End), Other>,
}

/// How to find the holders of a peer socket.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Other {
    /// Its inode, by which its holders are found.
    Held(u64),
    /// It waits for accept(): its listener's holders are its holders.
    Waiting(Box<Socket>),
}

impl Peers {
    /// A new attempt at the list: forgets what came.
    pub(crate) fn forget(&mut self) {
        self.others.clear();
    }

    /// Remembers a connection that a process holds or can still accept.
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

    /// The peer socket, if it is on this host and a process holds or can still accept it.
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
