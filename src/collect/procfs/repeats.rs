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

/// 256 KiB: a processor's cache has them. A socket whose repeat follows 1,000 sockets later has been pushed out in one of
/// 100,000 cases.
const PLACES: usize = 1 << 13;

/// The sockets that came last.
#[derive(Default)]
pub(super) struct Recent {
    /// Four fingerprints share a place; the oldest leaves. Nothing is allocated for a table without sockets.
    places: Vec<[u64; 4]>,
}

impl Recent {
    /// Notes the socket; true if it has come before.
    pub(super) fn has_seen(&mut self, socket: &Socket) -> bool {
        // Listeners that share a port differ only by their inode; without one they cannot be told apart.
        if socket.inode.is_none() && socket.peer.port == 0 {
            return false;
        }
        let fingerprint = fingerprint(socket);
        let place = place(fingerprint);
        if self.places.is_empty() {
            // Memory that the allocator gets zeroed from the kernel costs nothing until it is written.
            self.places = vec![[0; 4]; PLACES];
        }
        let Some(there) = self.places.get_mut(place) else { return false };
        let [newest, newer, older, oldest] = *there;
        if [newest, newer, older, oldest].contains(&fingerprint) {
            return true;
        }
        *there = [fingerprint, newest, newer, older];
        false
    }
}

/// The upper bits of a product depend on all bits of its factors.
fn place(fingerprint: u64) -> usize {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    usize::try_from(fingerprint.wrapping_mul(SPREAD) >> (u64::BITS - PLACES.ilog2())).unwrap_or(0)
}

/// The inode and the ports, or both ends of a socket without an inode.
fn fingerprint(socket: &Socket) -> u64 {
    let [local, peer] = [socket.local, socket.peer];
    match socket.inode {
        Some(inode) => inode << 32 | u64::from(local.port) << 16 | u64::from(peer.port),
        None => of_ends([local, peer]),
    }
}

/// Of whole words: a third of what the derived hash takes.
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
