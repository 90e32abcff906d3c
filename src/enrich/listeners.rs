//! Which listener a connection belongs to that no program has accepted yet. The kernel tells neither a user nor an
//! inode of a half-open one, and no inode of one that waits to be accepted.

use crate::model::{Endpoint, Family, Socket, TcpState};

/// The listeners that have come so far. The kernel brings them before the connections of their family.
#[derive(Debug, Default)]
pub struct Listeners {
    seen: Vec<Listener>,
}

/// What matters of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listener {
    family: Family,
    local: Endpoint,
    /// How many connections wait.
    pending: u32,
    /// Its user.
    pub uid: Option<u32>,
    /// Its inode.
    pub inode: Option<u64>,
}

impl Listeners {
    /// A new attempt at the list: forgets what came.
    pub fn forget(&mut self) {
        self.seen.clear();
    }

    /// Keeps what matters of a listener.
    pub fn learn(&mut self, socket: &Socket) {
        if socket.state == TcpState::Listen {
            self.seen.push(Listener {
                family: socket.family,
                local: socket.local,
                pending: socket.queues.recv_q(),
                uid: socket.uid,
                inode: socket.inode,
            });
        }
    }

    /// The inodes of all.
    pub fn inodes(&self) -> impl Iterator<Item = u64> {
        self.seen.iter().filter_map(|listener| listener.inode)
    }

    /// The listener that a connection came to: the one on its very address, else one on all. Of several on the same
    /// (SO_REUSEPORT), one for which connections wait.
    pub fn of(&self, socket: &Socket) -> Option<&Listener> {
        let addr = socket.local.addr.to_canonical();
        // At a dual-stack listener an IPv4 connection is an IPv6 socket too.
        self.seen
            .iter()
            .filter(|listener| listener.local.port == socket.local.port && listener.family == socket.family)
            .filter(|listener| {
                listener.local.addr.is_unspecified() || listener.local.addr.to_canonical() == addr
            })
            .max_by_key(|listener| (!listener.local.addr.is_unspecified(), listener.pending > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Queues;

    fn socket(family: Family, state: TcpState, addr: &str, port: u16, uid: u32, pending: u32) -> Socket {
        let local = Endpoint::new(addr.parse().unwrap(), port);
        Socket {
            uid: Some(uid),
            queues: Queues::of(state, pending, 0, None),
            ..Socket::new(family, state, local, Endpoint::unspecified(family))
        }
    }

    #[test]
    fn the_listener_on_the_very_address_comes_first() {
        let mut listeners = Listeners::default();
        for (family, addr, port, uid, pending) in [
            (Family::Inet, "0.0.0.0", 80, 1, 9),
            (Family::Inet, "10.0.0.1", 80, 2, 0),
            (Family::Inet, "10.0.0.9", 80, 9, 5),
            (Family::Inet6, "::", 81, 3, 0),
            (Family::Inet6, "::", 81, 4, 1),
        ] {
            listeners.learn(&socket(family, TcpState::Listen, addr, port, uid, pending));
        }
        listeners.learn(&socket(Family::Inet, TcpState::Established, "10.0.0.2", 82, 5, 0));
        let uid = |family, addr, port| {
            listeners
                .of(&socket(family, TcpState::SynRecv, addr, port, 0, 0))
                .and_then(|listener| listener.uid)
        };
        assert_eq!(uid(Family::Inet, "10.0.0.1", 80), Some(2));
        assert_eq!(uid(Family::Inet, "10.0.0.2", 80), Some(1));
        assert_eq!(uid(Family::Inet6, "::ffff:10.0.0.2", 81), Some(4), "the one for which connections wait");
        assert_eq!(uid(Family::Inet, "10.0.0.2", 81), None);
        assert_eq!(uid(Family::Inet, "10.0.0.2", 82), None);
    }
}
