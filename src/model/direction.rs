//! Which side opened a connection.

/// Derived from this host's listeners: a connection whose listener no longer exists counts as outgoing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Incoming: a listener of this host has the connection's local port.
    In,
    /// Outgoing: no listener has the local port.
    Out,
    /// A listener.
    Listen,
}

impl Direction {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::Listen => "listen",
        }
    }
}
