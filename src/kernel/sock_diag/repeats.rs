//! Finds sockets that a dump lists twice.
//!
//! The dump pauses between two datagrams and continues in the same bucket of the kernel's table. Sockets that entered
//! the bucket meanwhile push others back, and the kernel sends those again: a repeat is near the start of a datagram,
//! and was near the end of the datagram before. Also, a bound socket that connects meanwhile is listed from both
//! tables; of two parallel walks, the other one may list it first. Memory stays flat: a window of cookies, the cookies
//! of the bound sockets and, with two walks, the cookies that one walk listed while the other was reading the bound
//! sockets.

use rustc_hash::FxHashSet;

use crate::model::{Socket, TcpState};

const WINDOW: usize = 64;

/// The cookie that identifies a socket. No kernel assigns the cookie 0; without a cookie, a repeat cannot be
/// distinguished from another socket.
fn cookie(socket: &Socket) -> Option<u64> {
    socket.cookie.filter(|cookie| *cookie != 0)
}

/// The sockets that a walk has read last.
#[derive(Debug)]
pub(super) struct Window {
    /// The last cookies of the datagrams before this one.
    before: [u64; WINDOW],
    /// The last cookies of this datagram, as a ring.
    current: [u64; WINDOW],
    /// How many cookies of this datagram have been read.
    count: usize,
}

impl Window {
    pub(super) fn new() -> Self {
        Self { before: [0; WINDOW], current: [0; WINDOW], count: 0 }
    }

    /// Begins the next datagram.
    pub(super) fn next_datagram(&mut self) {
        if self.count >= WINDOW {
            self.before = self.current;
            // The oldest cookie first, because it is the first to be dropped.
            self.before.rotate_left(self.count % WINDOW);
        } else {
            // A short datagram replaces only as many cookies as it has itself.
            self.before.rotate_left(self.count);
            self.before[WINDOW - self.count..].copy_from_slice(&self.current[..self.count]);
        }
        self.count = 0;
    }

    /// Records the socket; true if it was read before.
    pub(super) fn has_seen(&mut self, socket: &Socket) -> bool {
        let Some(cookie) = cookie(socket) else { return false };
        if self.count < WINDOW && self.before.contains(&cookie) {
            return true;
        }
        self.current[self.count % WINDOW] = cookie;
        self.count += 1;
        false
    }
}

/// The bound sockets that any walk has read.
#[derive(Debug)]
pub(super) struct Bound {
    cookies: FxHashSet<u64>,
    /// Other sockets, read while bound sockets may still come. The walk that lists the bound sockets lists them before
    /// all connections.
    connected: Option<Connected>,
}

/// The cookies of part of a large table: only the numbers themselves, sorted when one is looked up.
#[derive(Debug, Default)]
struct Connected {
    cookies: Vec<u64>,
    in_order: bool,
}

impl Connected {
    fn insert(&mut self, cookie: u64) {
        self.cookies.push(cookie);
        self.in_order = false;
    }

    fn contains(&mut self, cookie: u64) -> bool {
        if !self.in_order {
            self.cookies.sort_unstable();
            self.in_order = true;
        }
        self.cookies.binary_search(&cookie).is_ok()
    }
}

impl Bound {
    /// With `may_come_later`, another walk may list a connection before this socket is listed as a bound one.
    pub(super) fn new(may_come_later: bool) -> Self {
        Self { cookies: FxHashSet::default(), connected: may_come_later.then(Connected::default) }
    }

    /// No more bound sockets will come.
    pub(super) fn is_complete(&mut self) {
        self.connected = None;
    }

    /// Records the socket; true if a bound socket with its cookie was read before, or if it is bound and was read as a
    /// connection.
    pub(super) fn has_seen(&mut self, socket: &Socket) -> bool {
        let Some(cookie) = cookie(socket) else { return false };
        if socket.state == TcpState::Close {
            let connected = self.connected.as_mut().is_some_and(|connected| connected.contains(cookie));
            return !self.cookies.insert(cookie) || connected;
        }
        if let Some(connected) = &mut self.connected {
            connected.insert(cookie);
        }
        !self.cookies.is_empty() && self.cookies.contains(&cookie)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, Family};

    fn socket(cookie: u64, state: TcpState) -> Socket {
        let nowhere = Endpoint::unspecified(Family::Inet);
        Socket { cookie: Some(cookie), ..Socket::new(Family::Inet, state, nowhere, nowhere) }
    }

    fn seen(repeats: &mut Window, cookie: u64) -> bool {
        repeats.has_seen(&socket(cookie, TcpState::Established))
    }

    #[test]
    fn the_end_of_the_datagram_before_is_remembered() {
        let mut repeats = Window::new();
        for cookie in 1..=300 {
            assert!(!seen(&mut repeats, cookie));
        }
        repeats.next_datagram();
        assert!(seen(&mut repeats, 300));
        assert!(seen(&mut repeats, 237));
        assert!(!seen(&mut repeats, 236), "outside of the window");
        assert!(!seen(&mut repeats, 301));
    }

    #[test]
    fn a_short_datagram_pushes_out_the_oldest() {
        let mut repeats = Window::new();
        for cookie in 1..=300 {
            assert!(!seen(&mut repeats, cookie));
        }
        repeats.next_datagram();
        for cookie in 301..=310 {
            assert!(!seen(&mut repeats, cookie));
        }
        repeats.next_datagram();
        assert!(seen(&mut repeats, 247) && seen(&mut repeats, 310) && seen(&mut repeats, 260));
        assert!(!seen(&mut repeats, 246));
    }

    #[test]
    fn short_datagrams_add_up() {
        let mut repeats = Window::new();
        for cookie in 1..=100 {
            assert!(!seen(&mut repeats, cookie));
            repeats.next_datagram();
        }
        assert!(seen(&mut repeats, 100));
        assert!(seen(&mut repeats, 37));
        assert!(!seen(&mut repeats, 36));
    }

    #[test]
    fn a_bound_socket_that_connected_is_found_however_late() {
        let mut bound = Bound::new(false);
        assert!(!bound.has_seen(&socket(5, TcpState::Close)));
        for cookie in 100..10_000 {
            assert!(!bound.has_seen(&socket(cookie, TcpState::Established)));
        }
        assert!(bound.has_seen(&socket(5, TcpState::Established)));
    }

    #[test]
    fn one_that_came_connected_is_not_told_as_bound() {
        let mut bound = Bound::new(true);
        assert!(!bound.has_seen(&socket(5, TcpState::Established)));
        assert!(!bound.has_seen(&socket(6, TcpState::Close)));
        assert!(bound.has_seen(&socket(5, TcpState::Close)));
        bound.is_complete();
        assert!(bound.has_seen(&socket(6, TcpState::Established)));
        assert!(bound.connected.is_none(), "nothing more is kept");
    }

    #[test]
    fn sockets_without_a_cookie_are_all_kept() {
        let mut repeats = Window::new();
        let nameless = Socket { cookie: None, ..socket(1, TcpState::Established) };
        assert!(!repeats.has_seen(&nameless));
        repeats.next_datagram();
        assert!(!repeats.has_seen(&nameless));
    }
}
