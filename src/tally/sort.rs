//! Sorts a held list.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use crate::fields::{Field, Value};
use crate::model::{Row, Socket, TcpState};

/// Rising or falling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortDirection {
    /// Small to large.
    Rising,
    /// Large to small.
    Falling,
}

/// One part of a sort order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortTerm {
    /// What is compared.
    pub field: &'static Field,
    /// Rising or falling.
    pub direction: SortDirection,
}

/// A socket's value to compare.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Number(u64),
    /// In the order of our formats; unknown states last.
    State(usize, u8),
    /// IPv4 first, then by address, scope and port.
    End(IpAddr, u32, u16),
    Text(Cow<'a, [u8]>),
}

impl SortTerm {
    /// Sorts sockets by the terms, the first term first. The sort is stable. `row` supplies a socket's look-ups.
    pub fn sort<'a, 'r>(
        terms: &[Self],
        sockets: Vec<&'a Socket>,
        row: impl Fn(&'a Socket) -> Row<'r>,
    ) -> Vec<&'a Socket> {
        match terms {
            [] => sockets,
            [term] => {
                by_keys(sockets, |socket| term.key(&row(socket)), |a, b| term.compare(a.as_ref(), b.as_ref()))
            }
            terms => by_keys(
                sockets,
                |socket| {
                    let row = row(socket);
                    terms.iter().map(|term| term.key(&row)).collect::<Box<[_]>>()
                },
                |a, b| {
                    let keys = terms.iter().zip(a.iter().zip(b.iter()));
                    let mut orders = keys.map(|(term, (a, b))| term.compare(a.as_ref(), b.as_ref()));
                    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
                },
            ),
        }
    }

    /// The value to compare; `None` if absent or unknown.
    fn key<'a>(self, row: &Row<'a>) -> Option<Key<'a>> {
        Some(match self.field.value(row) {
            Value::Absent | Value::Unknown => return None,
            Value::Flag(flag) => Key::Number(flag.into()),
            Value::Number(number) => Key::Number(number),
            Value::State(state) => by_state(state),
            Value::Address(addr) => Key::End(addr, 0, 0),
            Value::Endpoint(end) => Key::End(end.addr, end.scope_id, end.port),
            Value::User(None, uid) => Key::Number(uid.into()),
            other => Key::Text(other.into_text()),
        })
    }

    /// Unknown values come last in either direction.
    fn compare(self, a: Option<&Key<'_>>, b: Option<&Key<'_>>) -> Ordering {
        let order = a.cmp(&b);
        let order = if self.direction == SortDirection::Falling { order.reverse() } else { order };
        a.is_none().cmp(&b.is_none()).then(order)
    }
}

/// Sorts sockets by keys; each key is computed once.
fn by_keys<'a, K>(
    sockets: Vec<&'a Socket>,
    key: impl Fn(&'a Socket) -> K,
    compare: impl Fn(&K, &K) -> Ordering,
) -> Vec<&'a Socket> {
    let mut keyed: Vec<_> = sockets.into_iter().map(|socket| (key(socket), socket)).collect();
    keyed.sort_by(|(a, _), (b, _)| compare(a, b));
    keyed.into_iter().map(|(_, socket)| socket).collect()
}

fn by_state(state: TcpState) -> Key<'static> {
    Key::State(state.rank().unwrap_or(usize::MAX), state.kernel())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::fields::named;
    use crate::model::{Endpoint, Family, Holder, Process, Queues};

    fn socket(state: TcpState, addr: &str, port: u16, recv_q: u32, inode: u64) -> Socket {
        let local = Endpoint::new(addr.parse().unwrap(), port);
        Socket {
            queues: Queues::Data { recv_q, send_q: 0 },
            inode: Some(inode),
            ..Socket::new(Family::Inet, state, local, Endpoint::unspecified(Family::Inet))
        }
    }

    fn order(terms: &[(&str, SortDirection)]) -> Vec<u64> {
        let mut listener = socket(TcpState::Listen, "10.0.0.10", 22, 0, 5);
        listener.queues = Queues::Accept { pending: 9, backlog: Some(128) };
        let sockets = [
            socket(TcpState::TimeWait, "10.0.0.9", 80, 5, 1),
            socket(TcpState::Listen, "10.0.0.10", 22, 0, 2),
            socket(TcpState::Established, "10.0.0.10", 9, 5, 3),
            socket(TcpState::Other(14), "::1", 80, 7, 4),
            listener,
        ];
        let terms: Vec<_> = terms
            .iter()
            .map(|(word, direction)| SortTerm { field: named(word).unwrap(), direction: *direction })
            .collect();
        let held_by = |pid| [Holder { process: Arc::new(Process::new(pid, &b"x"[..])), fd: 3 }];
        let (early, late) = (held_by(7), held_by(50));
        let row = |socket| {
            let mut row = Row::bare(socket);
            row.holders = match socket.inode {
                Some(2) => &late,
                Some(4) => &early,
                _ => &[],
            };
            row
        };
        SortTerm::sort(&terms, sockets.iter().collect(), row)
            .into_iter()
            .map(|socket| socket.inode.unwrap())
            .collect()
    }

    #[test]
    fn each_key() {
        use SortDirection::{Falling, Rising};
        assert_eq!(order(&[("state", Rising)]), [2, 5, 3, 1, 4]);
        assert_eq!(order(&[("local", Rising)]), [1, 3, 2, 5, 4], "by number, not by text");
        assert_eq!(order(&[("recv_q", Falling)]), [4, 1, 3, 2, 5], "equal ones stay in order");
        assert_eq!(order(&[("recv_q", Falling), ("local", Rising)]), [4, 1, 3, 2, 5]);
        assert_eq!(order(&[("send_q", Rising)]), [1, 2, 3, 4, 5], "a listener has no bytes");
        assert_eq!(order(&[("pid", Rising)]), [4, 2, 1, 3, 5]);
        assert_eq!(order(&[("accept_queue", Rising)]), [5, 1, 2, 3, 4]);
        assert_eq!(order(&[("backlog", Falling)]), [5, 1, 2, 3, 4], "what does not listen last all the same");
        assert_eq!(order(&[("pid", Falling)]), [2, 4, 1, 3, 5], "without a process last all the same");
    }
}
