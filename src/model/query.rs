//! What is asked for: of the kernel, and of the look-ups that follow.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::{Family, ListenerUse, ProcessName, Socket, StateSet, TcpState};

/// A question to whichever source answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which families.
    pub families: Families,
    /// Which states.
    pub states: StateSet,
    /// What beside the fixed part of each socket.
    pub attributes: Attributes,
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
    /// Just the fixed part of each socket, and no filter.
    pub fn new(families: Families, states: StateSet) -> Self {
        Self {
            families,
            states,
            attributes: Attributes::default(),
            order: Order::Any,
            kernel_filter: None,
            netlink_only: None,
            netlink_tells: Vec::new(),
            wants_idle: false,
        }
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
pub struct Shown {
    /// These families.
    pub families: Families,
    /// These states.
    pub states: StateSet,
}

impl Shown {
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

/// The parts of a socket that must be asked for, and that make the kernel's answer longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// `tcp_info`, the congestion control's name and its own numbers.
    pub tcp_info: bool,
    /// The buffers' memory.
    pub memory: bool,
}

/// The look-ups that the chosen columns and sort keys need; nothing else is looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Who holds each socket, and under which name.
    pub processes: Option<ProcessName>,
    /// The other ends of connections within this host.
    pub peers: bool,
    /// Users and command lines of the holders.
    pub process_details: bool,
    /// The names of the holders' users, too.
    pub process_users: bool,
    /// The names of the holders' programs that are longer than the kernel keeps.
    pub process_names: bool,
    /// User names.
    pub users: bool,
    /// Service names.
    pub services: bool,
    /// Host names, and how long to wait for them.
    pub hosts: Option<Duration>,
    /// cgroup paths.
    pub cgroups: bool,
    /// The units, containers and pods that they name.
    pub units: bool,
    /// The listeners of connections that are not accepted yet.
    pub listeners: Option<ListenerUse>,
}

impl Needs {
    /// Who holds each socket; for connections that are not accepted yet, who holds their listener.
    pub fn holders() -> Self {
        Self { processes: Some(ProcessName::Comm), listeners: Some(ListenerUse::Holders), ..Self::default() }
    }

    /// The states to ask for, where these are shown: those of listeners and other ends too, if they must be known.
    pub fn widened(self, states: StateSet) -> StateSet {
        let listeners =
            if self.listeners.is_some() { StateSet::of(TcpState::Listen) } else { StateSet::EMPTY };
        let others = if self.peers { StateSet::connected() } else { StateSet::EMPTY };
        states | listeners | others
    }
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
