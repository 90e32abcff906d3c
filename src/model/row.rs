//! A socket together with its look-ups.

use super::cgroup::Cgroup;
use super::{Direction, Holder, OwnerNote, Socket};

/// The input of a renderer: the socket and the requested names. A name that was not requested, or does not exist, is
/// empty.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Row<'a> {
    /// The socket as the kernel reported it.
    pub socket: &'a Socket,
    /// Every descriptor that refers to the socket.
    pub holders: &'a [Holder],
    /// Why the socket has no holder.
    pub owner_note: Option<OwnerNote>,
    /// Every descriptor that refers to the other end, if that is on this host.
    pub peer_holders: &'a [Holder],
    /// Whether the other end waits to be accepted: `peer_holders` are then its listener's.
    pub peer_waits: bool,
    /// The name of its user.
    pub user: Option<&'a str>,
    /// The device of the socket's scope or binding; the index's digits if the device no longer exists.
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
    /// The uid of a half-open connection's listener, which /proc shows as the connection's own.
    pub listener_uid: Option<u32>,
    /// Which side opened the connection.
    pub direction: Option<Direction>,
    /// What has happened to the socket since the list before, if lists are compared.
    pub change: Option<RowChange>,
}

/// What has happened to a socket between two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowChange {
    /// The list before did not have it.
    New,
    /// Its state or its queues were others.
    Changed,
    /// Only the list before has it.
    Gone,
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
            change: None,
        }
    }
}
