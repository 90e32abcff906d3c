//! The prefix and port that a socket's local or peer address must match.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::{Endpoint, v4_mask, v6_mask};

/// A prefix, a port, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointMatch {
    net: Option<Net>,
    port: Option<u16>,
}

/// An address, its bits after the prefix zero, and the prefix length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Net {
    V4 { addr: u32, len: u8 },
    V6 { addr: u128, len: u8 },
}

impl EndpointMatch {
    /// This prefix and this port, as far as they are given.
    pub(super) fn new(net: Option<Net>, port: Option<u16>) -> Self {
        Self { net, port }
    }

    /// This address, and this port if one is given.
    pub fn exactly(addr: IpAddr, port: Option<u16>) -> Self {
        let net = match addr {
            IpAddr::V4(addr) => Net::V4 { addr: addr.into(), len: 32 },
            IpAddr::V6(addr) => Net::V6 { addr: addr.into(), len: 128 },
        };
        Self { net: Some(net), port }
    }

    /// Whether this end of a socket fits. An IPv4 address fits v4-mapped ones too.
    pub fn matches(&self, end: &Endpoint) -> bool {
        self.port.is_none_or(|port| port == end.port) && self.net.is_none_or(|net| net.contains(end.addr))
    }

    /// The prefix and the port.
    pub(super) fn parts(&self) -> (Option<Net>, Option<u16>) {
        (self.net, self.port)
    }
}

impl fmt::Display for EndpointMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.net {
            None => f.write_str("*")?,
            Some(Net::V4 { addr, len }) => write!(f, "{}/{len}", Ipv4Addr::from(addr))?,
            Some(Net::V6 { addr, len }) => write!(f, "[{}]/{len}", Ipv6Addr::from(addr))?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Net {
    /// Every address of an IPv6 socket, v4-mapped ones too.
    pub(super) const ALL_V6: Self = Self::V6 { addr: 0, len: 0 };

    /// The address, if the prefix covers a single address.
    pub(super) fn only(self) -> Option<IpAddr> {
        match self {
            Self::V4 { addr, len: 32 } => Some(Ipv4Addr::from(addr).into()),
            Self::V6 { addr, len: 128 } => Some(Ipv6Addr::from(addr).into()),
            _ => None,
        }
    }

    fn contains(self, other: IpAddr) -> bool {
        match (self, other) {
            (Self::V4 { addr, len }, other) => match other.to_canonical() {
                IpAddr::V4(other) => u32::from(other) & v4_mask(len) == addr,
                IpAddr::V6(_) => false,
            },
            (Self::V6 { addr, len }, IpAddr::V6(other)) => u128::from(other) & v6_mask(len) == addr,
            (Self::V6 { .. }, IpAddr::V4(_)) => false,
        }
    }
}
