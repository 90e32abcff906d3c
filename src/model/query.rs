//! What is asked for: of the kernel, and of the look-ups that follow.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::model::{Family, Needs, Socket, StateSet, TcpState};

/// A question to whichever source answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which families.
    pub families: Families,
    /// Which states.
    pub states: StateSet,
    /// What must be known of each socket.
    pub needs: Needs,
    /// Whether the families may come mixed.
    pub order: Order,
    /// What the kernel is to leave out.
    pub kernel_filter: Option<KernelFilter>,
    /// A term of the filter that /proc tells nothing about: then it is no substitute.
    pub netlink_only: Option<String>,
    /// What is shown, and /proc does not tell: then it is missing, and that is said.
    pub netlink_tells: Vec<&'static str>,
    /// Sockets that are bound and idle (CLOSED) were asked for by that state: where the source or the kernel does not
    /// list them, a gap says so.
    pub wants_idle: bool,
}

impl Query {
    /// What is always told of each socket, and no filter.
    pub fn new(families: Families, states: StateSet) -> Self {
        Self {
            families,
            states,
            needs: Needs::NOTHING,
            order: Order::Any,
            kernel_filter: None,
            netlink_only: None,
            netlink_tells: Vec::new(),
            wants_idle: false,
        }
    }

    /// The same, and this must be known besides.
    #[must_use]
    pub fn needing(&self, besides: Needs) -> Self {
        Self { needs: self.needs | besides, ..self.clone() }
    }

    /// The states to ask for, where these are shown: those of listeners and other ends too, if they must be known.
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
    /// What that says, in the filter's language.
    pub says: String,
    /// A term that nobody else can evaluate: without it the question can't be asked.
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

/// What is shown of what was asked for: more may be asked for than is shown, to know of it.
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
    /// As the kernel has them, in one walk where it can.
    Any,
    /// All of IPv4 first, as netstat and ss print them.
    Ipv4First,
}

/// Which source is to answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceChoice {
    /// netlink, and /proc where netlink can't be had.
    #[default]
    Auto,
    /// netlink or an error.
    Netlink,
    /// /proc or an error.
    Procfs,
}

/// What is to be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Every address where it is `None`. A v4-mapped address is the IPv4 address that it stands for.
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
    /// Another proc tree than this host's.
    pub proc_root: Option<PathBuf>,
}
