//! The kernel's own tables of the TCP sockets: their rows, and waiting for what
//! they are to show.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::zoo::{Family, Specimen};

/// How long a socket may take to get into its state.
const PATIENCE: Duration = Duration::from_secs(5);

/// Waits until the connection is in `state`.
pub(crate) fn await_state(label: &str, local: SocketAddr, peer: SocketAddr, state: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let row = rows(Family::of(local)).into_iter().find(|row| row.connects(local, peer));
        if row.as_ref().is_some_and(|row| row.state == state) {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{label} ({local} to {peer}) did not get to {state}, but to {row:?}"
        );
        sleep(Duration::from_millis(1));
    }
}

/// Waits until the tables hold the specimens and nothing else.
pub(crate) fn await_all(specimens: &[Specimen]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = [rows(Family::V4), rows(Family::V6)].concat();
        let expected = |row: &Row| specimens.iter().any(|specimen| row.shows(specimen));
        let strangers: Vec<_> = found.iter().filter(|row| !expected(row)).collect();
        let there =
            |specimen: &Specimen| specimen.state == "CLOSED" || found.iter().any(|row| row.shows(specimen));
        let missing: Vec<_> = specimens.iter().filter(|s| !there(s)).collect();
        if strangers.is_empty() && missing.is_empty() {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "not as they should be: {missing:#?}\nnot expected: {strangers:#?}"
        );
        sleep(Duration::from_millis(1));
    }
}

/// One row of the kernel's tables.
#[derive(Debug, Clone)]
struct Row {
    family: Family,
    state: &'static str,
    local: SocketAddr,
    peer: SocketAddr,
    recv_q: u32,
    send_q: u32,
    /// 0 for none.
    inode: u64,
}

impl Row {
    fn parse(family: Family, line: &str) -> Option<Self> {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let (send_q, recv_q) = fields.get(4)?.split_once(':')?;
        Some(Self {
            family,
            state: state_of_code(fields.get(3)?)?,
            local: parse_address(fields.get(1)?)?,
            peer: parse_address(fields.get(2)?)?,
            recv_q: u32::from_str_radix(recv_q, 16).ok()?,
            send_q: u32::from_str_radix(send_q, 16).ok()?,
            inode: fields.get(9)?.parse().ok()?,
        })
    }

    /// Whether this is the row of `specimen`, as far as the tables tell: they
    /// have no scopes, and no backlogs.
    fn shows(&self, specimen: &Specimen) -> bool {
        let bare = |address: SocketAddr| (address.ip(), address.port());
        let peer_matches = match specimen.peer {
            Some(peer) => bare(self.peer) == bare(peer),
            None => self.peer.ip().is_unspecified() && self.peer.port() == 0,
        };
        let listens = specimen.state == "LISTEN";
        peer_matches
            && bare(self.local) == bare(specimen.local)
            && self.family == specimen.family
            && self.state == specimen.state
            && self.inode == specimen.inode.unwrap_or(0)
            && self.recv_q == specimen.recv_q
            && self.send_q == if listens { 0 } else { specimen.send_q }
    }

    /// Whether this is the row of the connection.
    fn connects(&self, local: SocketAddr, peer: SocketAddr) -> bool {
        let bare = |address: SocketAddr| (address.ip(), address.port());
        bare(self.local) == bare(local) && bare(self.peer) == bare(peer)
    }
}

/// The family's TCP sockets in the calling thread's namespace.
fn rows(family: Family) -> Vec<Row> {
    // Not `/proc/net`, which is the main thread's.
    let path = match family {
        Family::V4 => "/proc/thread-self/net/tcp",
        Family::V6 => "/proc/thread-self/net/tcp6",
    };
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
    let parse = |line| Row::parse(family, line).unwrap_or_else(|| panic!("cannot parse {path}: {line}"));
    text.lines().skip(1).map(parse).collect()
}

fn state_of_code(code: &str) -> Option<&'static str> {
    const STATES: [&str; 11] = [
        "ESTABLISHED",
        "SYN_SENT",
        "SYN_RECV",
        "FIN_WAIT1",
        "FIN_WAIT2",
        "TIME_WAIT",
        "CLOSED",
        "CLOSE_WAIT",
        "LAST_ACK",
        "LISTEN",
        "CLOSING",
    ];
    let code = usize::from_str_radix(code, 16).ok()?;
    STATES.get(code.checked_sub(1)?).copied()
}

/// An address as in `0100007F:1F90`: words in the machine's byte order.
fn parse_address(field: &str) -> Option<SocketAddr> {
    let (ip, port) = field.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let octets: Vec<u8> = (0..ip.len())
        .step_by(8)
        .map(|at| u32::from_str_radix(ip.get(at..at + 8)?, 16).ok())
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .flat_map(u32::to_ne_bytes)
        .collect();
    let v4 = <[u8; 4]>::try_from(octets.as_slice()).map(IpAddr::from);
    let ip = v4.or_else(|_| <[u8; 16]>::try_from(octets.as_slice()).map(IpAddr::from));
    Some(SocketAddr::new(ip.ok()?, port))
}
