//! Values that evidence is counted by and findings are told with.

use std::net::IpAddr;

/// An address, and a port where that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// IPv4 for a v4-mapped one.
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
    /// Since the host was started, or its network namespace made.
    pub total: u64,
    /// Within the interval, where there was one.
    pub lately: Option<u64>,
}

impl Counted {
    /// Whether it counts something that still goes on, as far as can be said.
    pub(super) fn matters(self) -> bool {
        self.lately.unwrap_or(self.total) > 0
    }

    /// Whether it is known to go on.
    pub(super) fn goes_on(self) -> bool {
        self.lately.is_some_and(|lately| lately > 0)
    }

    /// Whether it is known not to: an interval was watched, and nothing counted in it.
    pub(super) fn stands_still(self) -> bool {
        self.lately == Some(0)
    }

    /// What it counts besides what another one counts too.
    pub(super) fn beyond(self, other: Self) -> Self {
        let lately = self.lately.zip(other.lately).map(|(all, part)| all.saturating_sub(part));
        Self { total: self.total.saturating_sub(other.total), lately }
    }
}
