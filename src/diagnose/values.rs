//! Values that evidence is grouped by and that findings contain.

use std::net::IpAddr;

/// An address, and a port if it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// The address; a v4-mapped address as IPv4.
    pub addr: IpAddr,
    /// The port.
    pub port: Option<u16>,
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.addr, self.port) {
            (addr, None) => write!(f, "{addr}"),
            (IpAddr::V4(addr), Some(port)) => write!(f, "{addr}:{port}"),
            (IpAddr::V6(addr), Some(port)) => write!(f, "[{addr}]:{port}"),
        }
    }
}

/// A prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Net {
    /// Its first address.
    pub addr: IpAddr,
    /// Its length.
    pub len: u8,
}

impl std::fmt::Display for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.addr, self.len)
    }
}

/// A counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Since boot, or since the network namespace was created.
    pub total: u64,
    /// Within the interval, if there was one.
    pub lately: Option<u64>,
}

impl Counted {
    /// Whether the counter rose within the interval; without an interval, whether it is above 0.
    pub(super) fn matters(self) -> bool {
        self.lately.unwrap_or(self.total) > 0
    }

    /// Whether the counter is known to rise: an interval was watched, and it rose.
    pub(super) fn goes_on(self) -> bool {
        self.lately.is_some_and(|lately| lately > 0)
    }

    /// Whether the counter is known to stand still: an interval was watched, and it did not rise.
    pub(super) fn stands_still(self) -> bool {
        self.lately == Some(0)
    }

    /// This count without the part that `other` counts too.
    pub(super) fn beyond(self, other: Self) -> Self {
        let lately = self.lately.zip(other.lately).map(|(all, part)| all.saturating_sub(part));
        Self { total: self.total.saturating_sub(other.total), lately }
    }
}
