//! A set of states as the kernel's request carries it: one bit for each of the kernel's numbers.

use std::ops::{BitOr, Sub};

use super::TcpState;

/// Which states are wanted. Bit n stands for the kernel's state n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateSet(u32);

impl StateSet {
    /// No state at all.
    pub const EMPTY: Self = Self(0);
    /// Every state, those of later kernels too.
    pub const ALL: Self = Self(u32::MAX);

    /// Just the kernel's own number of this state.
    pub fn exactly(state: TcpState) -> Self {
        Self(1_u32.checked_shl(state.kernel().into()).unwrap_or(0))
    }

    /// All the numbers that count as this state: CLOSED takes in the bound sockets, SYN_RECV both of its numbers.
    pub fn of(state: TcpState) -> Self {
        match state {
            TcpState::Close => Self::exactly(TcpState::Close) | Self::exactly(TcpState::BoundInactive),
            TcpState::SynRecv | TcpState::NewSynRecv => {
                Self::exactly(TcpState::SynRecv) | Self::exactly(TcpState::NewSynRecv)
            }
            other => Self::exactly(other),
        }
    }

    /// All but LISTEN and the kernel's number 7 (ss's `connected`); bound sockets are in it, by a number of their own.
    pub fn connected() -> Self {
        Self::ALL - Self::exactly(TcpState::Close) - Self::exactly(TcpState::Listen)
    }

    /// LISTEN and CLOSED: sockets without a peer. The kernel has a table of its own for each of the two.
    pub fn unconnected() -> Self {
        Self::of(TcpState::Listen) | Self::of(TcpState::Close)
    }

    /// The words of ss for groups of states.
    pub const GROUPS: [&'static str; 5] = ["all", "connected", "synchronized", "bucket", "big"];

    /// The group that ss knows by this word; `of` returns the numbers that count as a state.
    pub fn group(word: &str, of: fn(TcpState) -> Self) -> Option<Self> {
        // States that the kernel keeps as small records.
        let bucket = of(TcpState::SynRecv) | of(TcpState::TimeWait);
        let set = match word.to_ascii_lowercase().as_str() {
            "all" => Self::ALL,
            "connected" => Self::connected(),
            "synchronized" => Self::connected() - of(TcpState::SynSent),
            "bucket" => bucket,
            "big" => Self::ALL - bucket,
            _ => return None,
        };
        Some(set)
    }

    /// Whether a socket that was reported in this state is wanted. The kernel has a number of its own for bound
    /// sockets, but reports them as CLOSED.
    pub fn contains(self, state: TcpState) -> bool {
        let asked = match state {
            TcpState::Close => Self::of(TcpState::Close),
            TcpState::SynRecv => Self::of(TcpState::SynRecv),
            other => Self::exactly(other),
        };
        // A number beyond the mask's width is wanted only if all states are.
        if asked.is_empty() { self == Self::ALL } else { self.0 & asked.0 != 0 }
    }

    /// Whether sockets that are bound and idle were requested explicitly, not as part of all sockets: netstat and ss
    /// before Linux 6.8 silently leave them out of all sockets.
    pub fn names_idle(self) -> bool {
        self.contains(TcpState::BoundInactive) && (self - Self::unconnected()).is_empty()
    }

    /// Whether nothing is wanted.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether just one of the kernel's states is wanted.
    pub fn is_single(self) -> bool {
        self.0.is_power_of_two()
    }

    /// The mask of the kernel's request.
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl BitOr for StateSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Sub for StateSet {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits 0 to 13: the states that there are today.
    const TODAY: u32 = 0x3fff;

    #[test]
    fn groups_are_those_of_ss() {
        let bits = |word| StateSet::group(word, StateSet::exactly).map(|set| set.bits() & TODAY);
        assert_eq!(bits("all"), Some(0x3fff));
        assert_eq!(bits("Connected"), Some(0x3fff & !(1 << 7) & !(1 << 10)));
        assert_eq!(bits("synchronized"), Some(0x3fff & !(1 << 7) & !(1 << 10) & !(1 << 2)));
        assert_eq!(bits("bucket"), Some(1 << 3 | 1 << 6));
        assert_eq!(bits("big"), Some(0x3fff & !(1 << 3 | 1 << 6)));
        assert_eq!(bits("listen"), None);
        // Ours take both numbers of half-open connections.
        let own = |word| StateSet::group(word, StateSet::of).map(|set| set.bits() & TODAY);
        assert_eq!(own("bucket"), Some(1 << 3 | 1 << 12 | 1 << 6));
        assert_eq!(own("big"), Some(0x3fff & !(1 << 3 | 1 << 12 | 1 << 6)));
    }

    #[test]
    fn closed_takes_in_bound_sockets() {
        assert_eq!(StateSet::of(TcpState::Close).bits(), 1 << 7 | 1 << 13);
        assert!(StateSet::exactly(TcpState::BoundInactive).contains(TcpState::Close));
        assert!(!StateSet::of(TcpState::Listen).contains(TcpState::Close));
    }

    #[test]
    fn unknown_numbers_are_kept_when_all_is_asked() {
        assert!(StateSet::ALL.contains(TcpState::Other(14)));
        assert!(StateSet::ALL.contains(TcpState::Other(250)));
        assert!(!StateSet::of(TcpState::Listen).contains(TcpState::Other(250)));
    }
}
