//! What must be known of each socket.

use std::ops::{BitOr, BitOrAssign, Sub};

/// The data to fetch for each socket beyond the kernel's basic reply. No other data is requested or looked up. Some
/// needs include others: [`UNITS`](Self::UNITS) are read from cgroup paths, so they include [`CGROUPS`](Self::CGROUPS).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Needs(u32);

impl Needs {
    /// Nothing.
    pub const NOTHING: Self = Self(0);
    /// The connection's numbers: `tcp_info`, and the congestion control's name and own numbers.
    pub const TCP_INFO: Self = Self(1);
    /// The memory of the buffers.
    pub const MEMORY: Self = Self(1 << 1);
    /// A value that netlink always brings and that /proc lacks.
    pub const NETLINK: Self = Self(1 << 2);
    /// The socket's holders.
    pub const HOLDERS: Self = Self(1 << 3);
    /// The holders' user numbers and command lines.
    pub const COMMANDS: Self = Self(1 << 4 | Self::HOLDERS.0);
    /// The names of the holders' users.
    pub const HOLDER_USERS: Self = Self(1 << 5 | Self::COMMANDS.0);
    /// The names of the holders' programs that are longer than the kernel keeps.
    pub const LONG_NAMES: Self = Self(1 << 6 | Self::HOLDERS.0);
    /// A holder's name is the first word of its command line, as in netstat, instead of the kernel's name for it.
    pub const FIRST_WORDS: Self = Self(1 << 7);
    /// For a connection that waits to be accepted, the holders of its listener.
    pub const LISTENER_HOLDERS: Self = Self(1 << 8);
    /// For a half-open connection, its listener's user, as /proc shows it.
    pub const LISTENER_USERS: Self = Self(1 << 9);
    /// The holders of the other end of a connection within this host.
    pub const PEERS: Self = Self(1 << 10 | Self::HOLDERS.0);
    /// The names of the sockets' users.
    pub const USERS: Self = Self(1 << 11);
    /// The names of users, of sockets and of holders.
    pub const USER_NAMES: Self = Self(Self::USERS.0 | 1 << 5);
    /// The names of services.
    pub const SERVICES: Self = Self(1 << 12);
    /// The names of hosts.
    pub const HOSTS: Self = Self(1 << 13);
    /// The paths of cgroups.
    pub const CGROUPS: Self = Self(1 << 14);
    /// The units, containers and pods that cgroup paths name.
    pub const UNITS: Self = Self(1 << 15 | Self::CGROUPS.0);

    /// Whether a connection came in or went out: which ports this host's listeners have.
    pub const DIRECTION: Self = Self(1 << 16);
    /// Why a socket has no holder.
    pub const NOTES: Self = Self(1 << 17 | Self::HOLDERS.0);
    /// The firewall mark, which the kernel reports only to CAP_NET_ADMIN.
    pub const MARKS: Self = Self(1 << 18 | Self::NETLINK.0);
    /// Data that is known only after a socket was read: a filter term about it must wait.
    pub const JOINED: Self = Self(Self::HOLDERS.0 | Self::CGROUPS.0 | Self::DIRECTION.0);

    /// Whether this set includes all of `other`.
    #[inline]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether this set includes at least one of `other`.
    pub const fn has_any_of(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// This set, or nothing if the condition is false.
    #[must_use]
    pub const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::NOTHING }
    }

    /// Both sets together: `|`, for constants.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOr for Needs {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

impl BitOrAssign for Needs {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.and(other);
    }
}

impl Sub for Needs {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_something_holds_it() {
        assert!(Needs::UNITS.contains(Needs::CGROUPS) && !Needs::CGROUPS.contains(Needs::UNITS));
        assert!(Needs::HOLDER_USERS.contains(Needs::COMMANDS) && Needs::PEERS.contains(Needs::HOLDERS));
        assert!(Needs::NOTHING.contains(Needs::NOTHING) && !Needs::NOTHING.has_any_of(Needs::MEMORY));
        let some = Needs::USERS | Needs::MEMORY;
        assert_eq!((some - Needs::USERS, some.when(false)), (Needs::MEMORY, Needs::NOTHING));
    }
}
