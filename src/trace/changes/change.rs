//! A transition, as it is told.

use std::borrow::Cow;

use crate::kernel::clock::Wall;
use crate::kernel::ring::{Comm, Ends, Nanos};
use crate::model::{Endpoint, Family, Socket, TcpState, Transition};

/// How long the kernel's notice of a destroyed socket and the transition that ends its connection wait for each other.
pub(crate) const NOTICE_WAIT: Nanos = 300_000_000;

/// What is told by a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Told<'a> {
    /// A transition, and its wall-clock time.
    Change(&'a Change, Wall),
    /// A connection's socket is destroyed.
    Gone {
        /// Its number.
        connection: u64,
        /// What had passed through it; `None` where the socket has forgotten that.
        bytes: Option<Bytes>,
    },
}

/// What passed through a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// From here; those sent again count once.
    pub sent: u64,
    /// From the peer.
    pub received: u64,
}

impl Bytes {
    /// From the last numbers of a socket.
    pub(in crate::trace) fn of(socket: &Socket) -> Option<Self> {
        // SO_LINGER with 0 cuts a connection and forgets what it has counted: none ever stood without a segment.
        let info = socket.tcp_info().filter(|info| info.segs_out() != Some(0))?;
        let sent = info.bytes_sent()?.saturating_sub(info.bytes_retrans()?);
        Some(Self { sent, received: info.bytes_received()? })
    }
}

/// A socket went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// When, by `CLOCK_MONOTONIC` of the initial time namespace.
    pub at: Nanos,
    /// Which connection of those that were seen: the same number for each of its transitions.
    pub connection: u64,
    /// Of the socket.
    pub family: Family,
    /// This end; its port is 0 where it could not be found out.
    pub local: Endpoint,
    /// The other end.
    pub peer: Endpoint,
    /// The state before.
    pub old: TcpState,
    /// The state after; `None` where nobody here can tell.
    pub new: Option<TcpState>,
    /// The time that it spent in the state before, where both ends of it were seen.
    pub in_old: Option<Nanos>,
    /// Who was on the processor.
    pub on_cpu: Option<OnCpu>,
    /// What it means.
    pub meaning: Meaning,
}

/// The process that was on the processor when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnCpu {
    /// Its number; `None` if this program runs in another PID namespace than the initial one, where numbers differ.
    pub pid: Option<u32>,
    /// Its name; empty if unknown.
    pub name: Comm,
    /// It was just interrupted, by a segment or a timer: what happened is nobody's doing.
    pub in_interrupt: bool,
}

/// What a transition means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    /// The state machine's way.
    Way(&'static Transition),
    /// As that, into a TIME_WAIT that ends after so long.
    TimeWait(&'static Transition, Nanos),
    /// As that: the kernel has made a server's socket, which it does late.
    ServerSocket(&'static Transition),
    /// The state machine has no such way.
    Unlisted,
    /// There were steps between that nobody saw.
    StepsMissed,
    /// It closed, and nobody saw why.
    WhyUnseen,
    /// It opened and closed between two snapshots; the kernel told that it was there.
    BetweenSnapshots,
    /// connect() failed: no local port was free.
    NoPort,
    /// An RST ended an orphaned FIN_WAIT2. Whether it came or was sent is not told by this kernel.
    ResetUnseen,
    /// The connection is gone, or the kernel gave it to TIME_WAIT or to an orphaned FIN_WAIT2 in another network
    /// namespace, which can't be asked.
    HandedOver,
}

impl Meaning {
    /// The way through the state machine, if it is one.
    pub fn way(&self) -> Option<&'static Transition> {
        match self {
            Self::Way(way) | Self::ServerSocket(way) | Self::TimeWait(way, _) => Some(way),
            _ => None,
        }
    }

    /// In words; marked where RFC 9293 has no such transition.
    pub fn text(&self) -> Cow<'static, str> {
        match self {
            Self::Way(way) if way.section.is_none() => format!("not in RFC 9293: {}", way.meaning).into(),
            Self::Way(way) => way.meaning.into(),
            Self::TimeWait(way, left) => {
                format!("{}; ends in {} s", way.meaning, (left + 500_000_000) / 1_000_000_000).into()
            }
            Self::ServerSocket(_) => {
                "Linux creates the socket now: at the handshake's last ACK (with TCP Fast Open: at the SYN)"
                    .into()
            }
            Self::Unlisted => "not in RFC 9293: no such transition".into(),
            Self::WhyUnseen => "why it closed was not seen".into(),
            Self::BetweenSnapshots => "opened and closed between two snapshots".into(),
            Self::StepsMissed => "steps between the two snapshots were not seen".into(),
            Self::NoPort => "connect() failed: no local port was free for this peer".into(),
            Self::ResetUnseen => {
                "cut by an RST: the peer's, or one from here, since data came (this kernel does not tell which)"
                    .into()
            }
            Self::HandedOver => {
                "unknown: gone, or TIME_WAIT or an orphan in a namespace that can't be asked".into()
            }
        }
    }
}

impl Change {
    pub(in crate::trace) fn ends(&self) -> Ends {
        Ends { family: self.family, local: self.local, peer: self.peer }
    }

    /// The socket as far as it is known, for a filter.
    pub fn socket(&self) -> Socket {
        Socket::new(self.family, self.new.unwrap_or(TcpState::Close), self.local, self.peer)
    }
}
