//! Finds sockets that a table of /proc lists twice.
//!
//! The kernel writes a table a page at a time and notes where it stopped. It goes on in the same bucket of its hash
//! table, where new sockets may have pushed others back. After the last bucket it has no place to go on from and counts
//! all sockets again from the start (`tcp_seek_last_pos` and `tcp_get_idx` of net/ipv4/tcp_ipv4.c): if the table has
//! grown by n sockets since the first page, the last n come again.
//!
//! So a repeat follows the first listing closely. Fingerprints of the last sockets are kept in a table of fixed size.

use std::hash::Hasher as _;
use std::net::IpAddr;

use rustc_hash::FxHasher;

use crate::model::{Endpoint, Socket};

/// A socket whose repeat follows 1,000 sockets later has been pushed out of its place in one of 100,000 cases.
const PLACES: usize = 1 << 13;
/// As many as the places have room for.
const LAST: usize = 4 * PLACES;

/// The sockets that came last.
#[derive(Default)]
pub(super) struct Recent {
    /// 16 bits of each fingerprint: four share a place, and a new one replaces the oldest. Nearly every socket is
    /// looked for only in these 64 KiB, which are small enough to stay in a processor's cache. Nothing is allocated for
    /// a table without sockets.
    places: Vec<[u16; 4]>,
    /// The whole fingerprints, in a ring.
    last: Vec<u64>,
    next: usize,
}

impl Recent {
    /// Records the socket; true if it was read before.
    pub(super) fn has_seen(&mut self, socket: &Socket) -> bool {
        // Listeners that share a port differ only by their inode; without one they cannot be told apart.
        if socket.inode.is_none() && socket.peer.port == 0 {
            return false;
        }
        if self.places.is_empty() {
            // Memory that the allocator gets zeroed from the kernel costs nothing until it is written.
            self.places = vec![[0; 4]; PLACES];
        }
        let fingerprint = fingerprint(socket);
        let (place, part) = place(fingerprint);
        let Some(parts) = self.places.get_mut(place) else { return false };
        if parts.contains(&part) && self.last.contains(&fingerprint) {
            return true;
        }
        let [newest, newer, older, _] = *parts;
        *parts = [part, newest, newer, older];
        match self.last.get_mut(self.next) {
            Some(oldest) => *oldest = fingerprint,
            None => self.last.push(fingerprint),
        }
        self.next = (self.next + 1) % LAST;
        false
    }
}

/// The place of a fingerprint, and the part of it that is kept there, which is never 0. Both are upper bits of a
/// product, which depend on all bits of its factors.
fn place(fingerprint: u64) -> (usize, u16) {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let product = fingerprint.wrapping_mul(SPREAD);
    let place = product >> (u64::BITS - PLACES.ilog2());
    let [_, _, high, low, ..] = product.to_be_bytes();
    (usize::try_from(place).unwrap_or(0), u16::from_be_bytes([high, low]) | 1)
}

/// The inode and the ports, or both ends of a socket without an inode.
fn fingerprint(socket: &Socket) -> u64 {
    let [local, peer] = [socket.local, socket.peer];
    match socket.inode {
        Some(inode) => inode << 32 | u64::from(local.port) << 16 | u64::from(peer.port),
        None => of_ends([local, peer]),
    }
}

/// Hashes whole words, in a third of the time that the derived hash takes.
fn of_ends(ends: [Endpoint; 2]) -> u64 {
    let mut hasher = FxHasher::default();
    for Endpoint { addr, port, .. } in ends {
        match addr {
            IpAddr::V4(addr) => hasher.write_u64(u64::from(addr.to_bits()) << 16 | u64::from(port)),
            IpAddr::V6(addr) => {
                hasher.write_u128(addr.to_bits());
                hasher.write_u16(port);
            }
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::model::{Endpoint, Family, TcpState};

    fn socket(inode: Option<u64>, local: u16, peer: u16) -> Socket {
        let end = |port| Endpoint::new(Ipv4Addr::LOCALHOST.into(), port);
        let peer = if peer == 0 { Endpoint::unspecified(Family::Inet) } else { end(peer) };
        Socket { inode, ..Socket::new(Family::Inet, TcpState::Established, end(local), peer) }
    }

    #[test]
    fn a_socket_is_known_by_its_inode_and_both_ends() {
        let mut recent = Recent::default();
        assert!(!recent.has_seen(&socket(Some(7), 80, 5000)));
        for other in [
            socket(Some(8), 80, 5000),
            socket(Some(7), 81, 5000),
            socket(Some(7), 80, 5001),
            socket(None, 80, 5000),
        ] {
            assert!(!recent.has_seen(&other), "{other:?}");
        }
        let later = Socket { state: TcpState::FinWait1, ..socket(Some(7), 80, 5000) };
        assert!(recent.has_seen(&later), "it has the same inode in its next state");
        assert!(recent.has_seen(&socket(None, 80, 5000)), "one without an inode is known by its ends");
    }

    #[test]
    fn listeners_that_share_a_port_are_all_kept() {
        let mut recent = Recent::default();
        for inode in [Some(1), Some(2), None, None] {
            assert!(!recent.has_seen(&socket(inode, 80, 0)), "{inode:?}");
        }
        assert!(recent.has_seen(&socket(Some(1), 80, 0)));
    }

    #[test]
    fn the_last_few_hundred_come_again() {
        let mut recent = Recent::default();
        for inode in 1..=100_000 {
            assert!(!recent.has_seen(&socket(Some(inode), 80, 5000)), "{inode}");
        }
        for inode in 99_500..=100_000 {
            assert!(recent.has_seen(&socket(Some(inode), 80, 5000)), "{inode}");
        }
    }
}
