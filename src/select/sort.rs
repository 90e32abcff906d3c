//! The order of a held list.

use std::cmp::Ordering;
use std::net::IpAddr;

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
    /// The Recv-Q column.
    RecvQ,
    /// The Send-Q column.
    SendQ,
    /// The first holder's process number; sockets without a holder come last.
    Pid,
}

impl SortKey {
    /// The words of `--sort`.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("state", Self::State),
        ("local", Self::Local),
        ("peer", Self::Peer),
        ("recv-q", Self::RecvQ),
        ("send-q", Self::SendQ),
        ("pid", Self::Pid),
    ];
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

/// Sorts by the terms, the first one first; equal sockets stay in the kernel's order. `pid` tells the first holder.
pub fn sort(sockets: &mut [Socket], terms: &[SortTerm], pid: impl Fn(&Socket) -> Option<u32>) {
    sockets.sort_by(|a, b| {
        terms
            .iter()
            .map(|term| term.compare(a, b, &pid))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
}

impl SortTerm {
    fn compare(self, a: &Socket, b: &Socket, pid: &impl Fn(&Socket) -> Option<u32>) -> Ordering {
        let order = match self.key {
            SortKey::State => state_rank(a).cmp(&state_rank(b)),
            SortKey::Local => endpoint_key(&a.local).cmp(&endpoint_key(&b.local)),
            SortKey::Peer => endpoint_key(&a.peer).cmp(&endpoint_key(&b.peer)),
            SortKey::RecvQ => a.queues.recv_q().cmp(&b.queues.recv_q()),
            SortKey::SendQ => a.queues.send_q().cmp(&b.queues.send_q()),
            SortKey::Pid => return self.compare_pids(pid(a), pid(b)),
        };
        self.turned(order)
    }

    /// Whichever the direction, what has no process comes last.
    fn compare_pids(self, a: Option<u32>, b: Option<u32>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => self.turned(a.cmp(&b)),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }

    fn turned(self, order: Ordering) -> Ordering {
        match self.direction {
            Direction::Rising => order,
            Direction::Falling => order.reverse(),
        }
    }
}

fn state_rank(socket: &Socket) -> (usize, u8) {
    (socket.state.rank().unwrap_or(usize::MAX), socket.state.kernel())
}

fn endpoint_key(end: &Endpoint) -> (IpAddr, u32, u16) {
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
        let mut sockets = vec![
            socket(TcpState::TimeWait, "10.0.0.9", 80, 5, 1),
            socket(TcpState::Listen, "10.0.0.10", 22, 0, 2),
            socket(TcpState::Established, "10.0.0.10", 9, 5, 3),
            socket(TcpState::Other(14), "::1", 80, 7, 4),
        ];
        let terms: Vec<_> =
            terms.iter().map(|(key, direction)| SortTerm { key: *key, direction: *direction }).collect();
        let pid = |socket: &Socket| match socket.inode {
            Some(2) => Some(50),
            Some(4) => Some(7),
            _ => None,
        };
        sort(&mut sockets, &terms, pid);
        sockets.iter().map(|socket| socket.inode.unwrap()).collect()
    }

    #[test]
    fn each_key() {
        use Direction::{Falling, Rising};
        assert_eq!(order(&[(SortKey::State, Rising)]), [2, 3, 1, 4]);
        assert_eq!(order(&[(SortKey::Local, Rising)]), [1, 3, 2, 4], "by number, not by text");
        assert_eq!(order(&[(SortKey::RecvQ, Falling)]), [4, 1, 3, 2], "equal ones stay in order");
        assert_eq!(order(&[(SortKey::RecvQ, Falling), (SortKey::Local, Rising)]), [4, 1, 3, 2]);
        assert_eq!(order(&[(SortKey::Pid, Rising)]), [4, 2, 1, 3]);
        assert_eq!(order(&[(SortKey::Pid, Falling)]), [2, 4, 1, 3], "without a process last all the same");
    }
}
