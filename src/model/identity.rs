//! What a socket is recognised by when it is seen again.

use super::{Endpoint, Family, Socket};

/// Both ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ends {
    /// The address family.
    pub family: Family,
    /// This end.
    pub local: Endpoint,
    /// The other one.
    pub peer: Endpoint,
}

impl Ends {
    /// The ends of a socket.
    pub fn of(socket: &Socket) -> Self {
        Self { family: socket.family, local: socket.local, peer: socket.peer }
    }

    /// The same ends as the peer sees them.
    #[must_use]
    pub fn swapped(self) -> Self {
        Self { local: self.peer, peer: self.local, ..self }
    }
}

/// What a socket is recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The kernel's number for the socket.
    Cookie(u64),
    /// If the source has no cookies.
    Ends(Ends),
}

impl Identity {
    /// The socket's identity.
    pub fn of(socket: &Socket) -> Self {
        socket.cookie.map_or_else(|| Self::Ends(Ends::of(socket)), Self::Cookie)
    }
}
