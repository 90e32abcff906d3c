//! Finds the listener of a connection that no program has accepted yet. The kernel reports neither user nor inode for
//! a half-open connection, and no inode for a connection in the accept queue.

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use crate::model::{Direction, Endpoint, Family, Sink, Socket, Source, TcpState};

/// The listeners read so far. A single dump delivers a family's listeners before its connections; of two parallel
/// dumps, one may deliver connections first.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    by_port: FxHashMap<(Family, u16), Vec<Listener>>,
}

/// For the direction of connections: all listeners, read before any socket is judged.
impl Sink for Listeners {
    fn begin(&mut self, _source: Source) {
        self.forget();
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        self.learn(socket);
        ControlFlow::Continue(())
    }
}

/// The part of a listener that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listener {
    local: Endpoint,
    /// The device that it is bound to, or 0.
    interface: u32,
    /// Connections in its accept queue.
    pending: u32,
    /// Its user.
    pub uid: Option<u32>,
    /// Its inode.
    pub inode: Option<u64>,
}

impl Listeners {
    /// A new attempt at the list: forgets what came.
    pub(crate) fn forget(&mut self) {
        self.by_port.clear();
    }

    /// Keeps what matters of a listener.
    pub(crate) fn learn(&mut self, socket: &Socket) {
        if socket.state == TcpState::Listen {
            self.by_port.entry((socket.family, socket.local.port)).or_default().push(Listener {
                local: socket.local,
                interface: socket.interface,
                pending: socket.queues.recv_q(),
                uid: socket.uid,
                inode: socket.inode,
            });
        }
    }

    /// The listeners that may have received a connection. The kernel prefers a listener bound to the connection's
    /// device, then one bound to its exact address; equal listeners share connections (SO_REUSEPORT).
    fn candidates(&self, socket: &Socket) -> Vec<&Listener> {
        let addr = socket.local.addr.to_canonical();
        // An IPv4 connection to a dual-stack listener is an AF_INET6 socket too.
        let on_port = self.by_port.get(&(socket.family, socket.local.port)).map_or(&[][..], Vec::as_slice);
        let rank = |listener: &Listener| {
            let fits_device = listener.interface == 0 || listener.interface == socket.interface;
            let very_address = listener.local.addr.to_canonical() == addr;
            let fits = fits_device && (very_address || listener.local.addr.is_unspecified());
            fits.then_some((listener.interface != 0, very_address))
        };
        let best = on_port.iter().filter_map(rank).max();
        on_port.iter().filter(|listener| best.is_some() && rank(listener) == best).collect()
    }

    /// Any listener that may have received a connection: those that share a port belong to one user.
    pub(crate) fn of(&self, socket: &Socket) -> Option<&Listener> {
        self.candidates(socket).first().copied()
    }

    /// Which side opened a connection; `None` for a socket that is neither listening nor connected.
    pub(crate) fn direction(&self, socket: &Socket) -> Option<Direction> {
        match socket.state.shown() {
            TcpState::Listen => Some(Direction::Listen),
            TcpState::Close => None,
            TcpState::SynSent => Some(Direction::Out),
            _ if self.of(socket).is_some() => Some(Direction::In),
            _ => Some(Direction::Out),
        }
    }

    /// The listener in whose accept queue a connection waits; `None` if several candidates have a non-empty queue.
    pub(crate) fn of_waiting(&self, socket: &Socket) -> Option<&Listener> {
        let candidates = self.candidates(socket);
        let mut waiting = candidates.iter().filter(|listener| listener.pending > 0);
        match (waiting.next(), waiting.next()) {
            (Some(only), None) => Some(only),
            // The program may have emptied the queue since the listener was read.
            (None, _) if candidates.len() == 1 => candidates.first().copied(),
            _ => None,
        }
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
            (Family::Inet6, "::", 83, 5, 1),
            (Family::Inet6, "::", 83, 6, 1),
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
        let waits = |addr, port| {
            let socket = socket(Family::Inet6, TcpState::Established, addr, port, 0, 0);
            listeners.of_waiting(&socket).and_then(|listener| listener.uid)
        };
        assert_eq!(waits("::ffff:10.0.0.2", 81), Some(4), "the one for which connections wait");
        assert_eq!(waits("2001:db8::1", 83), None, "two have some that wait");
        assert_eq!(uid(Family::Inet, "10.0.0.2", 81), None);
        assert_eq!(uid(Family::Inet, "10.0.0.2", 82), None);
    }

    #[test]
    fn a_listener_bound_to_the_device_comes_before_one_that_is_not() {
        let mut listeners = Listeners::default();
        let listener = |uid, interface| Socket {
            interface,
            ..socket(Family::Inet, TcpState::Listen, "0.0.0.0", 80, uid, 1)
        };
        for (uid, interface) in [(1, 0), (2, 1), (3, 2)] {
            listeners.learn(&listener(uid, interface));
        }
        let of = |interface| {
            let waiting = socket(Family::Inet, TcpState::Established, "10.0.0.1", 80, 0, 0);
            listeners.of_waiting(&Socket { interface, ..waiting }).and_then(|listener| listener.uid)
        };
        assert_eq!((of(0), of(1), of(2), of(3)), (Some(1), Some(2), Some(3), Some(1)));
    }
}
