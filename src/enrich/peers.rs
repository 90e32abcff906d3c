//! The other end of a connection within this host.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::model::{Endpoint, Socket};

/// An end without its scope; an IPv4 address for a v4-mapped one, as one end may have the one and the other the
/// other.
type End = (IpAddr, u16);

/// The sockets of all connections that have come so far, by their two ends.
#[derive(Debug, Default)]
pub struct Peers {
    inodes: FxHashMap<(End, End), u64>,
}

impl Peers {
    /// A new attempt at the list: forgets what came.
    pub fn forget(&mut self) {
        self.inodes.clear();
    }

    /// Keeps the ends of a connection that some process holds.
    pub fn learn(&mut self, socket: &Socket) {
        if let (Some(inode), false) = (socket.inode, socket.peer.is_unspecified()) {
            self.inodes.insert((end(&socket.local), end(&socket.peer)), inode);
        }
    }

    /// The inode of the socket at the other end, if that is on this host and held.
    pub fn of(&self, socket: &Socket) -> Option<u64> {
        self.inodes.get(&(end(&socket.peer), end(&socket.local))).copied()
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
        assert_eq!((peers.of(&server), peers.of(&client)), (Some(1), None));
        peers.learn(&server);
        assert_eq!(peers.of(&client), Some(2));
        peers.forget();
        assert_eq!(peers.of(&server), None);
    }
}
