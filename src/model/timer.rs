//! The timer that a socket waits on.

/// The running timer, with the remaining time in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timer {
    /// Unacknowledged data, or a SYN-ACK, will be retransmitted.
    Retransmit {
        /// Milliseconds until then.
        expires_ms: u32,
        /// How often it has been retransmitted.
        retransmits: u32,
    },
    /// The idle connection will be probed.
    KeepAlive {
        /// Milliseconds until then.
        expires_ms: u32,
        /// Probes that were not answered.
        probes: u32,
    },
    /// The record of the closed connection will be removed.
    TimeWait {
        /// Milliseconds until then.
        expires_ms: u32,
    },
    /// The peer's closed window will be probed.
    Probe0 {
        /// Milliseconds until then.
        expires_ms: u32,
        /// Probes that were not answered.
        probes: u32,
    },
    /// An acknowledgement is delayed.
    DelayedAck {
        /// Milliseconds until it is sent.
        expires_ms: u32,
    },
    /// A number that this program does not know.
    Other {
        /// The kernel's number.
        kind: u8,
        /// Milliseconds until it fires.
        expires_ms: u32,
        /// The counter that came with it.
        count: u32,
    },
}

impl Timer {
    /// From the kernel's number (the `idiag_timer` of a reply, the `tr` column of /proc/net/tcp); `None` for 0.
    ///
    /// /proc has a column for each of the two counters; netlink has one column, for the counter that the timer uses.
    pub fn from_kernel(kind: u8, expires_ms: u32, retransmits: u32, probes: u32) -> Option<Self> {
        Some(match kind {
            0 => return None,
            1 => Self::Retransmit { expires_ms, retransmits },
            2 => Self::KeepAlive { expires_ms, probes },
            3 => Self::TimeWait { expires_ms },
            4 => Self::Probe0 { expires_ms, probes },
            5 => Self::DelayedAck { expires_ms },
            kind => Self::Other { kind, expires_ms, count: retransmits.max(probes) },
        })
    }

    /// Our own name, in JSON and CSV.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Retransmit { .. } => "retransmit",
            Self::KeepAlive { .. } => "keepalive",
            Self::TimeWait { .. } => "timewait",
            Self::Probe0 { .. } => "probe0",
            Self::DelayedAck { .. } => "delayed_ack",
            Self::Other { .. } => "unknown",
        }
    }

    /// Every word that a format (ours, ss's, netstat's) prints for the timer, in lower case and without `_`.
    pub fn words(timer: Option<&Self>) -> &'static [&'static str] {
        match timer {
            None => &["off", "none", "-"],
            Some(Self::Retransmit { .. }) => &["retransmit", "on"],
            Some(Self::KeepAlive { .. }) => &["keepalive"],
            Some(Self::TimeWait { .. }) => &["timewait"],
            Some(Self::Probe0 { .. }) => &["probe0", "persist", "probe"],
            // netstat has no name for it.
            Some(Self::DelayedAck { .. }) => &["delayedack", "delack", "unkn-5"],
            Some(Self::Other { .. }) => &["unknown"],
        }
    }

    /// Milliseconds until it fires.
    pub fn expires_ms(&self) -> u32 {
        match *self {
            Self::Retransmit { expires_ms, .. }
            | Self::KeepAlive { expires_ms, .. }
            | Self::TimeWait { expires_ms }
            | Self::Probe0 { expires_ms, .. }
            | Self::DelayedAck { expires_ms }
            | Self::Other { expires_ms, .. } => expires_ms,
        }
    }

    /// How often the timer's segment was retransmitted.
    pub fn retransmits(&self) -> u32 {
        match *self {
            Self::Retransmit { retransmits, .. } => retransmits,
            Self::Other { count, .. } => count,
            _ => 0,
        }
    }

    /// How many of its probes were not answered.
    pub fn probes(&self) -> u32 {
        match *self {
            Self::KeepAlive { probes, .. } | Self::Probe0 { probes, .. } => probes,
            _ => 0,
        }
    }
}
