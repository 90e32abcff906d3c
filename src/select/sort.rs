//! The order of a held list.

use std::cmp::Ordering::{self, Equal};
use std::net::IpAddr;

use super::key_word;
use crate::model::{Endpoint, Socket};

/// What to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// In the order of our formats.
    State,
    /// Address, then port; IPv4 first.
    Local,
    /// Address, then port; IPv4 first.
    Peer,
    /// Bytes not read; listeners come last.
    RecvQ,
    /// Bytes not acknowledged; listeners come last.
    SendQ,
    /// A listener's connections that wait to be accepted; what does not listen comes last.
    AcceptQueue,
    /// How many may wait; likewise.
    Backlog,
    /// The first holder's process number; sockets without a holder come last.
    Pid,
}

impl SortKey {
    /// The words of `--sort`.
    pub const WORDS: [(&'static str, Self); 8] = [
        ("state", Self::State),
        ("local", Self::Local),
        ("peer", Self::Peer),
        ("recv-q", Self::RecvQ),
        ("send-q", Self::SendQ),
        ("accept-queue", Self::AcceptQueue),
        ("backlog", Self::Backlog),
        ("pid", Self::Pid),
    ];
}

impl SortKey {
    /// Reads a word of `--sort`, or what stands over the column.
    pub fn parse(word: &str) -> Option<Self> {
        let word = key_word(word);
        Self::WORDS.into_iter().find(|(name, _)| *name == word).map(|(_, key)| key)
    }
}

/// Rising or falling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Small to large.
    Rising,
    /// Large to small.
    Falling,
}

/// One part of a sort order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortTerm {
    /// What is compared.
    pub key: SortKey,
    /// Which way.
    pub direction: Direction,
}

/// A socket and its first holder's process number, where that is sorted by.
type Keyed<'a> = (&'a Socket, Option<u32>);

impl SortTerm {
    /// The sockets in order by the terms, the first one first; equal sockets stay as they are. `pid` tells a socket's
    /// first holder.
    pub fn sort<'a>(
        terms: &[Self],
        sockets: Vec<&'a Socket>,
        pid: impl Fn(&Socket) -> Option<u32>,
    ) -> Vec<&'a Socket> {
        if terms.is_empty() {
            return sockets;
        }
        let by_pid = terms.iter().any(|term| term.key == SortKey::Pid);
        let key = |socket| (socket, if by_pid { pid(socket) } else { None });
        let mut keyed: Vec<Keyed<'a>> = sockets.into_iter().map(key).collect();
        keyed.sort_by(|a, b| {
            let mut orders = terms.iter().map(|term| term.compare(a, b));
            orders.find(|order| order.is_ne()).unwrap_or(Equal)
        });
        keyed.into_iter().map(|(socket, _)| socket).collect()
    }

    fn compare(self, (a, pid_of_a): &Keyed<'_>, (b, pid_of_b): &Keyed<'_>) -> Ordering {
        let numbers = |of: fn(&Socket) -> Option<u32>| self.compare_numbers(of(a), of(b));
        match self.key {
            SortKey::State => self.direct(state(a).cmp(&state(b))),
            SortKey::Local => self.direct(end(&a.local).cmp(&end(&b.local))),
            SortKey::Peer => self.direct(end(&a.peer).cmp(&end(&b.peer))),
            SortKey::RecvQ => numbers(|socket| socket.queues.unread()),
            SortKey::SendQ => numbers(|socket| socket.queues.unacknowledged()),
            SortKey::AcceptQueue => numbers(|socket| socket.queues.accept_queue()),
            SortKey::Backlog => numbers(|socket| socket.queues.backlog()),
            SortKey::Pid => self.compare_numbers(*pid_of_a, *pid_of_b),
        }
    }

    /// Whichever the direction, what has no such number comes last.
    fn compare_numbers(self, a: Option<u32>, b: Option<u32>) -> Ordering {
        a.is_none().cmp(&b.is_none()).then_with(|| self.direct(a.cmp(&b)))
    }

    fn direct(self, order: Ordering) -> Ordering {
        match self.direction {
            Direction::Rising => order,
            Direction::Falling => order.reverse(),
        }
    }
}

/// In the order of our formats, unknown ones behind them.
fn state(socket: &Socket) -> (usize, u8) {
    (socket.state.rank().unwrap_or(usize::MAX), socket.state.kernel())
}

/// IPv4 first, then by address, scope and port.
fn end(end: &Endpoint) -> (IpAddr, u32, u16) {
    (end.addr, end.scope_id, end.port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Family, Queues, TcpState};

    fn socket(state: TcpState, addr: &str, port: u16, recv_q: u32, inode: u64) -> Socket {
        let local = Endpoint::new(addr.parse().unwrap(), port);
        Socket {
            queues: Queues::Data { recv_q, send_q: 0 },
            inode: Some(inode),
            ..Socket::new(Family::Inet, state, local, Endpoint::unspecified(Family::Inet))
        }
    }

    fn order(terms: &[(SortKey, Direction)]) -> Vec<u64> {
        let mut listener = socket(TcpState::Listen, "10.0.0.10", 22, 0, 5);
        listener.queues = Queues::Accept { pending: 9, backlog: Some(128) };
        let sockets = [
            socket(TcpState::TimeWait, "10.0.0.9", 80, 5, 1),
            socket(TcpState::Listen, "10.0.0.10", 22, 0, 2),
            socket(TcpState::Established, "10.0.0.10", 9, 5, 3),
            socket(TcpState::Other(14), "::1", 80, 7, 4),
            listener,
        ];
        let terms: Vec<_> =
            terms.iter().map(|(key, direction)| SortTerm { key: *key, direction: *direction }).collect();
        let pid = |socket: &Socket| match socket.inode {
            Some(2) => Some(50),
            Some(4) => Some(7),
            _ => None,
        };
        SortTerm::sort(&terms, sockets.iter().collect(), pid)
            .into_iter()
            .map(|socket| socket.inode.unwrap())
            .collect()
    }

    #[test]
    fn each_key() {
        use Direction::{Falling, Rising};
        assert_eq!(order(&[(SortKey::State, Rising)]), [2, 5, 3, 1, 4]);
        assert_eq!(order(&[(SortKey::Local, Rising)]), [1, 3, 2, 5, 4], "by number, not by text");
        assert_eq!(order(&[(SortKey::RecvQ, Falling)]), [4, 1, 3, 2, 5], "equal ones stay in order");
        assert_eq!(order(&[(SortKey::RecvQ, Falling), (SortKey::Local, Rising)]), [4, 1, 3, 2, 5]);
        assert_eq!(order(&[(SortKey::SendQ, Rising)]), [1, 2, 3, 4, 5], "a listener has no bytes");
        assert_eq!(order(&[(SortKey::Pid, Rising)]), [4, 2, 1, 3, 5]);
        assert_eq!(order(&[(SortKey::AcceptQueue, Rising)]), [5, 1, 2, 3, 4]);
        assert_eq!(
            order(&[(SortKey::Backlog, Falling)]),
            [5, 1, 2, 3, 4],
            "what does not listen last all the same"
        );
        assert_eq!(order(&[(SortKey::Pid, Falling)]), [2, 4, 1, 3, 5], "without a process last all the same");
    }
}
