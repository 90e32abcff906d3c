//! How a socket's address relates to the address to bind, as the kernel compares them
//! (`inet_rcv_saddr_equal` and `inet_bind_conflict`, net/ipv4/inet_connection_sock.c).

use std::net::{IpAddr, SocketAddr};

use super::Try;
use crate::model::{Family, Socket, TcpState};

/// How a socket's address relates to the address that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overlap {
    /// The same address.
    Same,
    /// 0.0.0.0: every IPv4 address.
    Wildcard,
    /// `::` with IPv4: every IPv6 and every IPv4 address.
    DualStack,
    /// `::` for IPv6 only: every IPv6 address.
    V6only,
    /// `::`, where it is unknown whether IPv4 is included.
    DualStackOrV6only,
    /// A single address, where the wildcard address was tried.
    Within,
    /// Another address.
    OtherAddress,
    /// An address of the other family.
    OtherFamily,
    /// The address of an IPv6 connection whose socket may take IPv4 too.
    Ipv6Connection,
    /// The sockets are bound to different devices.
    OtherInterface,
    /// A half-open connection: it has no port of its own yet, and ends with its listener.
    HalfOpen,
}

impl Overlap {
    /// The word in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Same => "same_address",
            Self::Wildcard => "wildcard",
            Self::DualStack => "dual_stack_wildcard",
            Self::V6only => "v6only_wildcard",
            Self::DualStackOrV6only => "ipv6_wildcard",
            Self::Within => "within_wildcard",
            Self::OtherAddress => "another_address",
            Self::OtherFamily => "another_family",
            Self::Ipv6Connection => "ipv6_connection",
            Self::OtherInterface => "another_interface",
            Self::HalfOpen => "half_open",
        }
    }
}

/// How a socket on the port relates to the address that was tried, and whether they overlap, as far as is known.
pub(super) fn overlap(tried: &Try, socket: &Socket) -> (Overlap, Option<bool>) {
    // A half-open connection is not a socket yet, and is not in the table of bound ports.
    if socket.state.shown() == TcpState::SynRecv && socket.inode.is_none() {
        return (Overlap::HalfOpen, Some(false));
    }
    let device = if let SocketAddr::V6(at) = tried.at { at.scope_id() } else { 0 };
    if device != 0 && socket.interface != 0 && device != socket.interface {
        return (Overlap::OtherInterface, Some(false));
    }
    let (wanted, own) = (tried.at.ip(), socket.local.addr.to_canonical());
    match (wanted, own) {
        (IpAddr::V4(_), IpAddr::V6(own)) if own.is_unspecified() => match socket.v6only {
            Some(true) => (Overlap::V6only, Some(false)),
            Some(false) => (Overlap::DualStack, Some(true)),
            None => (Overlap::DualStackOrV6only, None),
        },
        // The kernel keeps no IPv4 address for an IPv6 connection, and lets it block 0.0.0.0 unless its socket was for
        // IPv6 only. It reports that option only for sockets without a connection.
        (IpAddr::V4(wanted), IpAddr::V6(_)) if wanted.is_unspecified() && is_connected(socket) => {
            (Overlap::Ipv6Connection, None)
        }
        // A socket on `::` that is not for IPv6 only takes every IPv4 address too.
        (IpAddr::V6(wanted), IpAddr::V4(own)) if wanted.is_unspecified() && !tried.v6only => {
            (if own.is_unspecified() { Overlap::Wildcard } else { Overlap::Within }, Some(true))
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => {
            (Overlap::OtherFamily, Some(false))
        }
        (IpAddr::V4(_), IpAddr::V4(own)) if own.is_unspecified() => (Overlap::Wildcard, Some(true)),
        (IpAddr::V6(_), IpAddr::V6(own)) if own.is_unspecified() => (ipv6_wildcard(socket), Some(true)),
        _ if own == wanted => (Overlap::Same, Some(true)),
        _ if wanted.is_unspecified() => (Overlap::Within, Some(true)),
        _ => (Overlap::OtherAddress, Some(false)),
    }
}

fn ipv6_wildcard(socket: &Socket) -> Overlap {
    match socket.v6only {
        Some(true) => Overlap::V6only,
        Some(false) => Overlap::DualStack,
        None => Overlap::DualStackOrV6only,
    }
}

fn is_connected(socket: &Socket) -> bool {
    socket.family == Family::Inet6 && !matches!(socket.state.shown(), TcpState::Listen | TcpState::Close)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bind::Verdict;
    use crate::model::Endpoint;

    fn socket(family: Family, state: TcpState, addr: &str, interface: u32, v6only: Option<bool>) -> Socket {
        let local = Endpoint::new(addr.parse().unwrap(), 80);
        Socket { interface, v6only, ..Socket::new(family, state, local, Endpoint::unspecified(family)) }
    }

    #[track_caller]
    fn check(at: &str, socket: &Socket, expected: (Overlap, Option<bool>)) {
        let tried = Try::made_up(at, Verdict::InUse, Verdict::InUse);
        assert_eq!(overlap(&tried, socket), expected, "{at} beside {:?}", socket.local);
    }

    #[test]
    fn addresses_are_compared_as_the_kernel_does() {
        use Overlap::{
            DualStack, DualStackOrV6only, OtherAddress, OtherFamily, Same, V6only, Wildcard, Within,
        };
        let listen = |family, addr, v6only| socket(family, TcpState::Listen, addr, 0, v6only);
        let v4 = |addr| listen(Family::Inet, addr, None);
        let v6 = |addr, v6only| listen(Family::Inet6, addr, v6only);
        let (any4, one4, any6, one6) = ("0.0.0.0:80", "10.0.0.1:80", "[::]:80", "[fd00::1]:80");
        for (socket, expected) in [
            (v4("0.0.0.0"), [(Wildcard, 1), (Wildcard, 1), (OtherFamily, 0), (OtherFamily, 0)]),
            (v4("10.0.0.1"), [(Within, 1), (Same, 1), (OtherFamily, 0), (OtherFamily, 0)]),
            (v4("10.0.0.2"), [(Within, 1), (OtherAddress, 0), (OtherFamily, 0), (OtherFamily, 0)]),
            (v6("::", Some(true)), [(V6only, 0), (V6only, 0), (V6only, 1), (V6only, 1)]),
            (v6("::", Some(false)), [(DualStack, 1), (DualStack, 1), (DualStack, 1), (DualStack, 1)]),
            (
                v6("::", None),
                [
                    (DualStackOrV6only, 2),
                    (DualStackOrV6only, 2),
                    (DualStackOrV6only, 1),
                    (DualStackOrV6only, 1),
                ],
            ),
            (v6("fd00::1", Some(true)), [(OtherFamily, 0), (OtherFamily, 0), (Within, 1), (Same, 1)]),
            (v6("fd00::2", Some(true)), [(OtherFamily, 0), (OtherFamily, 0), (Within, 1), (OtherAddress, 0)]),
            (
                v6("::ffff:10.0.0.1", Some(false)),
                [(Within, 1), (Same, 1), (OtherFamily, 0), (OtherFamily, 0)],
            ),
        ] {
            for (at, (place, overlaps)) in [any4, one4, any6, one6].into_iter().zip(expected) {
                check(at, &socket, (place, [Some(false), Some(true), None][overlaps]));
            }
        }
    }

    #[test]
    fn an_ipv6_connection_may_stand_in_the_way_of_every_ipv4_address() {
        let connection = socket(Family::Inet6, TcpState::TimeWait, "fd00::1", 0, None);
        check("0.0.0.0:80", &connection, (Overlap::Ipv6Connection, None));
        check("10.0.0.1:80", &connection, (Overlap::OtherFamily, Some(false)));
    }

    #[test]
    fn a_dual_stack_socket_on_every_address_takes_every_ipv4_address() {
        let at = Try { v6only: false, ..Try::made_up("[::]:80", Verdict::InUse, Verdict::InUse) };
        let one = Try { v6only: false, ..Try::made_up("[fd00::1]:80", Verdict::InUse, Verdict::InUse) };
        let listen = |family, addr, v6only| socket(family, TcpState::Listen, addr, 0, v6only);
        for (socket, expected) in [
            (listen(Family::Inet, "0.0.0.0", None), Overlap::Wildcard),
            (listen(Family::Inet, "10.0.0.1", None), Overlap::Within),
            (listen(Family::Inet6, "::ffff:10.0.0.1", Some(false)), Overlap::Within),
        ] {
            assert_eq!(overlap(&at, &socket), (expected, Some(true)), "{:?}", socket.local);
            // A single IPv6 address includes no IPv4 address.
            assert_eq!(overlap(&one, &socket), (Overlap::OtherFamily, Some(false)), "{:?}", socket.local);
        }
    }

    #[test]
    fn devices_part_sockets_if_both_have_one() {
        for (interface, expected) in [
            (0, (Overlap::Same, Some(true))),
            (2, (Overlap::Same, Some(true))),
            (3, (Overlap::OtherInterface, Some(false))),
        ] {
            let socket = socket(Family::Inet6, TcpState::Listen, "fe80::1", interface, Some(true));
            check("[fe80::1%2]:80", &socket, expected);
        }
        let bound = socket(Family::Inet, TcpState::Listen, "0.0.0.0", 3, None);
        check("0.0.0.0:80", &bound, (Overlap::Wildcard, Some(true)));
    }

    #[test]
    fn a_half_open_connection_is_not_bound() {
        let mut half_open = socket(Family::Inet, TcpState::SynRecv, "10.0.0.1", 0, None);
        check("10.0.0.1:80", &half_open, (Overlap::HalfOpen, Some(false)));
        // Simultaneous open: this is a socket of its own.
        half_open.inode = Some(7);
        check("10.0.0.1:80", &half_open, (Overlap::Same, Some(true)));
    }
}
