//! Which listener a half-open connection belongs to: netlink tells no user for it, and netstat prints its listener's.

use crate::model::{Endpoint, Family, Socket, TcpState};

/// The listeners that have come so far. The kernel brings them before the connections of their family.
#[derive(Debug, Default)]
pub struct Listeners {
    seen: Vec<Listener>,
}

#[derive(Debug)]
struct Listener {
    family: Family,
    local: Endpoint,
    uid: u32,
}

impl Listeners {
    /// A new attempt at the list: forgets what came.
    pub fn forget(&mut self) {
        self.seen.clear();
    }

    /// Keeps what matters of a listener.
    pub fn learn(&mut self, socket: &Socket) {
        if let (TcpState::Listen, Some(uid)) = (socket.state, socket.uid) {
            self.seen.push(Listener { family: socket.family, local: socket.local, uid });
        }
    }

    /// The user of the listener that a half-open connection came to: the one on its very address, else one on all.
    pub fn uid(&self, socket: &Socket) -> Option<u32> {
        if socket.state.shown() != TcpState::SynRecv || socket.uid.is_some() {
            return None;
        }
        let addr = socket.local.addr.to_canonical();
        // At a dual-stack listener an IPv4 handshake is an IPv6 socket too.
        let on_port = self
            .seen
            .iter()
            .filter(|listener| listener.local.port == socket.local.port && listener.family == socket.family);
        on_port
            .clone()
            .find(|listener| listener.local.addr.to_canonical() == addr)
            .or_else(|| on_port.clone().find(|listener| listener.local.addr.is_unspecified()))
            .map(|listener| listener.uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(family: Family, state: TcpState, addr: &str, port: u16, uid: Option<u32>) -> Socket {
        let local = Endpoint::new(addr.parse().unwrap(), port);
        Socket { uid, ..Socket::new(family, state, local, Endpoint::unspecified(family)) }
    }

    #[test]
    fn the_listener_on_the_very_address_comes_first() {
        let mut listeners = Listeners::default();
        listeners.learn(&socket(Family::Inet, TcpState::Listen, "0.0.0.0", 80, Some(1)));
        listeners.learn(&socket(Family::Inet, TcpState::Listen, "10.0.0.1", 80, Some(2)));
        listeners.learn(&socket(Family::Inet6, TcpState::Listen, "::", 81, Some(3)));
        let uid = |family, addr, port| listeners.uid(&socket(family, TcpState::SynRecv, addr, port, None));
        assert_eq!(uid(Family::Inet, "10.0.0.1", 80), Some(2));
        assert_eq!(uid(Family::Inet, "10.0.0.2", 80), Some(1));
        assert_eq!(uid(Family::Inet6, "::ffff:10.0.0.2", 81), Some(3));
        assert_eq!(uid(Family::Inet, "10.0.0.2", 82), None);
        assert_eq!(listeners.uid(&socket(Family::Inet, TcpState::TimeWait, "10.0.0.1", 80, None)), None);
    }
}
