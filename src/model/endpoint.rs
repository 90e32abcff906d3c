//! One end of a connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address family of a socket. A v4-mapped connection of a dual-stack socket is `Inet6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `AF_INET`
    Inet,
    /// `AF_INET6`
    Inet6,
}

impl Family {
    /// The name in JSON and CSV.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Inet6 => "inet6",
        }
    }
}

/// An address, a port, and for a link-local address the interface on which it has meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// As the socket has it: a v4-mapped address stays an IPv6 address.
    pub addr: IpAddr,
    /// In host order; 0 where there is none.
    pub port: u16,
    /// The interface's index for a link-local address, else 0.
    pub scope_id: u32,
}

impl Endpoint {
    /// An endpoint on no particular interface.
    pub const fn new(addr: IpAddr, port: u16) -> Self {
        Self { addr, port, scope_id: 0 }
    }

    /// The wildcard address and no port, as the peer of a socket that has none.
    pub const fn unspecified(family: Family) -> Self {
        match family {
            Family::Inet => Self::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            Family::Inet6 => Self::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0),
        }
    }

    /// Neither an address nor a port.
    pub fn is_unspecified(&self) -> bool {
        self.port == 0 && self.addr.is_unspecified()
    }

    /// Gives a link-local address its interface; any other address means the same on all of them.
    #[must_use]
    pub fn scoped(mut self, interface: u32) -> Self {
        if let IpAddr::V6(addr) = self.addr
            && addr.is_unicast_link_local()
        {
            self.scope_id = interface;
        }
        self
    }
}

/// The mask of the first `len` bits of an IPv4 address.
pub fn v4_mask(len: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(len.min(32))).unwrap_or(0)
}

/// The mask of the first `len` bits of an IPv6 address.
pub fn v6_mask(len: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(len.min(128))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_link_local_addresses_get_a_scope() {
        let scope = |text: &str| Endpoint::new(text.parse().unwrap(), 1).scoped(7).scope_id;
        assert_eq!(scope("fe80::1"), 7);
        assert_eq!(scope("fd00::1"), 0);
        assert_eq!(scope("169.254.1.1"), 0);
    }
}
