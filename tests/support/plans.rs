//! The connections to the peer which the zoo is to hold, and how each gets into
//! its state.

use super::peer::{BYTES_SENT, Script};

/// How much is sent to the peer which does not acknowledge it.
pub(crate) const BYTES_UNACKNOWLEDGED: u32 = 77;

/// What is done to an established connection.
#[derive(Clone, Copy)]
pub(crate) enum Then {
    Leave,
    /// Sends [`BYTES_UNACKNOWLEDGED`].
    Send,
    Shutdown,
    /// Closes the descriptor: the connection is the kernel's own.
    Close,
    /// As [`Then::Close`], but only after the peer has acknowledged the FIN.
    ShutdownThenClose,
}

/// A connection of ours to the peer.
pub(crate) struct Plan {
    pub(crate) label: &'static str,
    pub(crate) state: &'static str,
    /// Its port, from the first of the family's on.
    pub(crate) port: u16,
    pub(crate) script: Script,
    pub(crate) then: Then,
    pub(crate) recv_q: u32,
    pub(crate) send_q: u32,
}

impl Plan {
    /// The state in which the connection waits for what is done to it.
    pub(crate) fn state_before(&self) -> &'static str {
        match self.script {
            Script::Silent => "SYN_SENT",
            Script::AcceptThenFin => "CLOSE_WAIT",
            _ => "ESTABLISHED",
        }
    }
}

/// The connections which there are for each family. A FIN or SYN counts as a
/// byte in a queue: the peer's until it is read, which it never is, and ours
/// until it is acknowledged.
pub(crate) const PLANS: [Plan; 13] = [
    Plan {
        label: "syn_sent",
        state: "SYN_SENT",
        port: 1,
        script: Script::Silent,
        then: Then::Leave,
        recv_q: 0,
        send_q: 1,
    },
    Plan {
        label: "established",
        state: "ESTABLISHED",
        port: 2,
        script: Script::Accept,
        then: Then::Leave,
        recv_q: 0,
        send_q: 0,
    },
    Plan {
        label: "established with unread data",
        state: "ESTABLISHED",
        port: 3,
        script: Script::SendData,
        then: Then::Leave,
        recv_q: BYTES_SENT,
        send_q: 0,
    },
    Plan {
        label: "established with unacknowledged data",
        state: "ESTABLISHED",
        port: 4,
        script: Script::NeverAck,
        then: Then::Send,
        recv_q: 0,
        send_q: BYTES_UNACKNOWLEDGED,
    },
    Plan {
        label: "fin_wait1",
        state: "FIN_WAIT1",
        port: 5,
        script: Script::AcceptIgnoreFin,
        then: Then::Shutdown,
        recv_q: 0,
        send_q: 1,
    },
    Plan {
        label: "orphaned fin_wait1",
        state: "FIN_WAIT1",
        port: 6,
        script: Script::AcceptIgnoreFin,
        then: Then::Close,
        recv_q: 0,
        send_q: 1,
    },
    Plan {
        label: "fin_wait2",
        state: "FIN_WAIT2",
        port: 7,
        script: Script::Accept,
        then: Then::Shutdown,
        recv_q: 0,
        send_q: 0,
    },
    Plan {
        label: "orphaned fin_wait2",
        state: "FIN_WAIT2",
        port: 8,
        script: Script::Accept,
        then: Then::ShutdownThenClose,
        recv_q: 0,
        send_q: 0,
    },
    Plan {
        label: "close_wait",
        state: "CLOSE_WAIT",
        port: 9,
        script: Script::AcceptThenFin,
        then: Then::Leave,
        recv_q: 1,
        send_q: 0,
    },
    Plan {
        label: "last_ack",
        state: "LAST_ACK",
        port: 10,
        script: Script::AcceptThenFin,
        then: Then::Shutdown,
        recv_q: 1,
        send_q: 1,
    },
    Plan {
        label: "orphaned last_ack",
        state: "LAST_ACK",
        port: 11,
        script: Script::AcceptThenFin,
        then: Then::Close,
        recv_q: 1,
        send_q: 1,
    },
    Plan {
        label: "closing",
        state: "CLOSING",
        port: 12,
        script: Script::SimultaneousFin,
        then: Then::Shutdown,
        recv_q: 1,
        send_q: 1,
    },
    Plan {
        label: "time_wait",
        state: "TIME_WAIT",
        port: 13,
        script: Script::OrderlyClose,
        then: Then::Close,
        recv_q: 0,
        send_q: 0,
    },
];

/// A connection of an IPv6 socket to the peer's IPv4 address.
pub(crate) const MAPPED_PLAN: Plan = Plan {
    label: "v4-mapped time_wait",
    state: "TIME_WAIT",
    port: 30,
    script: Script::OrderlyClose,
    then: Then::Close,
    recv_q: 0,
    send_q: 0,
};
