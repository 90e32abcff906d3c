//! The order of a held list.

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

/// Puts sockets in order by keys that are made once for each: bytes that compare as the sockets do.
#[derive(Clone, Debug)]
pub struct Sorter<'a> {
    terms: &'a [SortTerm],
    keys: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    len: u16,
    number: u32,
}

impl<'a> Sorter<'a> {
    /// By the terms, the first one first.
    pub fn new(terms: &'a [SortTerm]) -> Self {
        Self { terms, keys: Vec::new(), entries: Vec::new() }
    }

    /// Takes the socket with this number. `pid` tells its first holder, if that matters.
    pub fn add(&mut self, number: u32, socket: &Socket, pid: impl Fn() -> Option<u32>) {
        let start = self.keys.len();
        for term in self.terms {
            term.push_key(&mut self.keys, socket, &pid);
        }
        let len = u16::try_from(self.keys.len() - start).unwrap_or(u16::MAX);
        self.entries.push(Entry { start, len, number });
    }

    /// The numbers in order; equal sockets stay as they were taken.
    pub fn order(mut self) -> Vec<u32> {
        let key = |entry: &Entry| self.keys.get(entry.start..entry.start + usize::from(entry.len));
        self.entries.sort_by(|a, b| key(a).cmp(&key(b)));
        self.entries.iter().map(|entry| entry.number).collect()
    }
}

impl SortTerm {
    fn push_key(self, keys: &mut Vec<u8>, socket: &Socket, pid: &impl Fn() -> Option<u32>) {
        let queues = socket.queues;
        let number = match self.key {
            SortKey::RecvQ => Some(queues.unread()),
            SortKey::SendQ => Some(queues.unacknowledged()),
            SortKey::AcceptQueue => Some(queues.accept_queue()),
            SortKey::Backlog => Some(queues.backlog()),
            SortKey::Pid => Some(pid()),
            SortKey::State | SortKey::Local | SortKey::Peer => None,
        };
        // Whichever the direction, what has no such number comes last.
        keys.extend(number.map(|number| u8::from(number.is_none())));
        let start = keys.len();
        match self.key {
            SortKey::State => {
                let rank = socket.state.rank().and_then(|rank| u8::try_from(rank).ok());
                keys.extend([rank.unwrap_or(u8::MAX), socket.state.kernel()]);
            }
            SortKey::Local => push_endpoint(keys, &socket.local),
            SortKey::Peer => push_endpoint(keys, &socket.peer),
            SortKey::RecvQ | SortKey::SendQ | SortKey::AcceptQueue | SortKey::Backlog | SortKey::Pid => {
                keys.extend(number.flatten().unwrap_or(0).to_be_bytes());
            }
        }
        if self.direction == Direction::Falling {
            keys.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
        }
    }
}

/// IPv4 first, then by address, scope and port.
fn push_endpoint(keys: &mut Vec<u8>, end: &Endpoint) {
    match end.addr {
        IpAddr::V4(addr) => {
            keys.push(4);
            keys.extend(addr.octets());
        }
        IpAddr::V6(addr) => {
            keys.push(6);
            keys.extend(addr.octets());
        }
    }
    keys.extend(end.scope_id.to_be_bytes());
    keys.extend(end.port.to_be_bytes());
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
        let mut sorter = Sorter::new(&terms);
        for (number, socket) in (0..).zip(&sockets) {
            sorter.add(number, socket, || pid(socket));
        }
        sorter.order().into_iter().map(|number| sockets[number as usize].inode.unwrap()).collect()
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
