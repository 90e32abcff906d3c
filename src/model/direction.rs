//! Who began a connection.

/// As far as this host's listeners tell it: a connection whose listener has gone is taken for one that went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A listener of this host has its local port.
    In,
    /// None has.
    Out,
    /// It listens.
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
