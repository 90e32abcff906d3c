//! A socket together with what was looked up for it.

use super::cgroup::Cgroup;
use super::{Direction, Holder, OwnerNote, Socket};

/// What a renderer gets: the socket, and the names that the plan asked for. What was not asked for, or has no name,
/// is empty.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Row<'a> {
    /// The socket as the kernel told it.
    pub socket: &'a Socket,
    /// Every descriptor that refers to it.
    pub holders: &'a [Holder],
    /// Why it has none.
    pub owner_note: Option<OwnerNote>,
    /// Every descriptor that refers to the other end, if that is on this host.
    pub peer_holders: &'a [Holder],
    /// Whether the other end waits to be accepted: then these are its listener's.
    pub peer_waits: bool,
    /// The name of its user.
    pub user: Option<&'a str>,
    /// The device of its scope or binding; the index's digits where it is gone.
    pub interface: Option<&'a str>,
    /// Its cgroup.
    pub cgroup: Cgroup<'a>,
    /// The host name of the local address.
    pub local_host: Option<&'a str>,
    /// The host name of the peer's address.
    pub peer_host: Option<&'a str>,
    /// The service name of the local port.
    pub local_service: Option<&'a str>,
    /// The service name of the peer's port.
    pub peer_service: Option<&'a str>,
    /// The uid of the listener of a half-open connection, which /proc shows as its own.
    pub listener_uid: Option<u32>,
    /// Who began it.
    pub direction: Option<Direction>,
}

impl<'a> Row<'a> {
    /// A row with nothing looked up.
    pub fn bare(socket: &'a Socket) -> Self {
        Self {
            socket,
            holders: &[],
            peer_holders: &[],
            peer_waits: false,
            owner_note: None,
            user: None,
            interface: None,
            cgroup: Cgroup::default(),
            local_host: None,
            peer_host: None,
            local_service: None,
            peer_service: None,
            listener_uid: None,
            direction: None,
        }
    }
}
