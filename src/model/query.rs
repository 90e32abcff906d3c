//! The question to the kernel and to the look-ups that follow.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::{Family, Needs, Socket, StateSet, TcpState};

/// A question to the source, netlink or /proc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which families.
    pub families: Families,
    /// Which states.
    pub states: StateSet,
    /// The data to fetch for each socket.
    pub needs: Needs,
    /// Whether the families may come mixed.
    pub order: Order,
    /// A filter for the kernel to evaluate.
    pub kernel_filter: Option<KernelFilter>,
    /// A filter term that /proc cannot answer; if set, do not fall back to /proc.
    pub netlink_only: Option<String>,
    /// Shown data that /proc lacks; reported as a gap after a fall-back.
    pub only_netlink_has: Vec<&'static str>,
    /// Whether sockets that are bound and idle (CLOSED) were requested by that state: if the source or the kernel does
    /// not list them, a gap says so.
    pub wants_idle: bool,
    /// How long to search for the processes that hold the sockets, if they are only shown where that is quick.
    pub patience: Option<Duration>,
}

impl Query {
    /// A query without needs and without a filter.
    pub fn new(families: Families, states: StateSet) -> Self {
        Self {
            families,
            states,
            needs: Needs::NOTHING,
            order: Order::Any,
            kernel_filter: None,
            netlink_only: None,
            only_netlink_has: Vec::new(),
            wants_idle: false,
            patience: None,
        }
    }

    /// The same query with further needs.
    #[must_use]
    pub fn needing(&self, besides: Needs) -> Self {
        Self { needs: self.needs | besides, ..self.clone() }
    }

    /// The states to request if these are shown: also those of listeners and of other ends, if they are needed.
    pub fn widened(&self, shown: StateSet) -> StateSet {
        let by_listener = self.needs.has_any_of(Needs::LISTENER_HOLDERS | Needs::LISTENER_USERS);
        let listeners = if by_listener { StateSet::of(TcpState::Listen) } else { StateSet::EMPTY };
        let others = if self.needs.contains(Needs::PEERS) { StateSet::connected() } else { StateSet::EMPTY };
        shown | listeners | others
    }
}

/// A filter for the kernel to evaluate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelFilter {
    /// Its program (`INET_DIAG_REQ_BYTECODE`).
    pub bytecode: Vec<u8>,
    /// The program in the filter's language.
    pub says: String,
    /// A term that only the kernel can evaluate: if the kernel does not, the query fails.
    pub kernel_only: Option<String>,
}

/// The families that are wanted; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// IPv4 and IPv6.
    Both,
    /// Just one.
    Only(Family),
}

impl Families {
    /// The wanted ones, IPv4 first.
    pub fn each(self) -> &'static [Family] {
        match self {
            Self::Both => &[Family::Inet, Family::Inet6],
            Self::Only(Family::Inet) => &[Family::Inet],
            Self::Only(Family::Inet6) => &[Family::Inet6],
        }
    }
}

/// Which of the requested sockets are shown: more may be requested, to look up data about those that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visible {
    /// These families.
    pub families: Families,
    /// These states.
    pub states: StateSet,
}

impl Visible {
    /// Whether a socket is among them.
    pub fn contains(self, socket: &Socket) -> bool {
        self.states.contains(socket.state) && self.families.each().contains(&socket.family)
    }
}

/// The order of the families in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// In the kernel's order, in one walk if possible.
    Any,
    /// All of IPv4 first, as netstat and ss print them.
    Ipv4First,
}

/// Which source is to answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceChoice {
    /// netlink, or /proc if netlink is unavailable.
    #[default]
    Auto,
    /// netlink or an error.
    Netlink,
    /// /proc or an error.
    Procfs,
}

/// The address and port to bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `None` means every address. A v4-mapped address means its IPv4 address.
    pub addr: Option<IpAddr>,
    /// The device on which a link-local address has meaning.
    pub device: Option<String>,
    /// The port.
    pub port: u16,
}

/// Where to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Which source.
    pub source: SourceChoice,
    /// A proc tree to read instead of this host's.
    pub proc_root: Option<PathBuf>,
}
