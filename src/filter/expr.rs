//! A parsed filter.

use std::fmt;
use std::ops::Range;

use super::endpoint::EndpointMatch;
use super::glob::Glob;
use super::lexer::Compare;
use crate::fields::{self, Field, Kind};
use crate::model::{Needs, StateSet};

/// A condition on a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// One comparison.
    Term(Term),
    /// The opposite.
    Not(Box<Expr>),
    /// All hold; an empty one holds always.
    And(Vec<Expr>),
    /// One holds at least; an empty one never does.
    Or(Vec<Expr>),
}

/// A name that stands for a number. Its place in the filter is for the error if this host does not know the name.
#[derive(Clone, Debug)]
pub struct Name {
    /// As typed.
    pub text: String,
    /// Where, in bytes.
    pub span: Range<usize>,
}

impl Name {
    pub(super) fn new(text: &str, span: &Range<usize>) -> Self {
        Self { text: text.to_owned(), span: span.clone() }
    }
}

/// Names are equal wherever they stand in the filter.
impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Name {}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// The state is one of these.
    State(StateSet),
    /// An address, a prefix, a port.
    Endpoint {
        /// Which end.
        end: End,
        /// What it must be.
        matcher: EndpointMatch,
    },
    /// A host name, until it is resolved.
    Host {
        /// Which end.
        end: End,
        /// The name.
        name: Name,
        /// The port besides.
        port: Option<u16>,
    },
    /// A service's name, until it is looked up.
    Service {
        /// Which end's port.
        end: End,
        /// How it is compared.
        compare: Compare,
        /// The name.
        name: Name,
    },
    /// A user's name, until it is looked up.
    User {
        /// The name.
        name: Name,
    },
    /// A port.
    Port {
        /// Which end's.
        end: End,
        /// How it is compared.
        compare: Compare,
        /// With what.
        value: u16,
    },
    /// A number.
    Number {
        /// Which.
        field: &'static Field,
        /// How it is compared.
        compare: Compare,
        /// With what; a time in microseconds.
        value: u64,
    },
    /// A name.
    Text {
        /// Which.
        field: &'static Field,
        /// What it must look like.
        glob: Glob,
    },
    /// The device that the socket is bound to.
    Device(Device),
    /// The firewall mark, under a mask.
    Mark {
        /// What it must be; it has no bit outside the mask.
        value: u32,
        /// The bits that count.
        mask: u32,
    },
    /// The cgroup.
    Cgroup {
        /// Its path.
        path: Name,
        /// Its number, once it is looked up.
        id: Option<u64>,
    },
    /// The kernel chose the local port. Its flag also covers accepted connections, which have their listener's port:
    /// so, as in ss, the port must lie in the ephemeral range too. The kernel tests both, so that `not` gives the
    /// exact complement.
    Autobound {
        /// The first and last ephemeral port, once looked up.
        range: Option<(u16, u16)>,
    },
}

/// Which end of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// This host's.
    Local,
    /// The other's.
    Peer,
    /// Either of the two.
    Either,
}

impl From<fields::End> for End {
    fn from(end: fields::End) -> Self {
        match end {
            fields::End::Local => Self::Local,
            fields::End::Peer => Self::Peer,
        }
    }
}

/// A device by its name, or its index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// Until it is looked up.
    Name(Name),
    /// 0 is no device.
    Index(u32),
}

impl Term {
    /// What must be known to evaluate it.
    fn needs(&self) -> Needs {
        match self {
            // The user may type a program's full name, which the kernel truncates.
            Self::Text { field, .. } if matches!(field.kind, Kind::Processes(_)) => {
                field.needs | Needs::LONG_NAMES
            }
            Self::Number { field, .. } | Self::Text { field, .. } => field.needs,
            Self::Device(_) | Self::Mark { .. } | Self::Cgroup { .. } | Self::Autobound { .. } => {
                Needs::NETLINK
            }
            _ => Needs::NOTHING,
        }
    }

    /// Whether it asks for the unit, container or pod that the cgroup's path names.
    pub fn is_of_cgroup(&self) -> bool {
        matches!(self, Self::Text { field, .. } if field.needs.contains(Needs::UNITS))
    }
}

impl Expr {
    /// The condition that always holds.
    pub fn always() -> Self {
        Self::And(Vec::new())
    }

    /// The conditions that must all hold: the parts of the outermost `and`, or the expression itself.
    pub fn conjuncts(&self) -> &[Self] {
        match self {
            Self::And(parts) => parts,
            one => std::slice::from_ref(one),
        }
    }

    /// Whether it is the condition that always holds.
    pub fn is_always(&self) -> bool {
        matches!(self, Self::And(parts) if parts.is_empty())
    }

    /// Both hold.
    pub(super) fn and(self, other: Self) -> Self {
        match self {
            Self::And(mut parts) => {
                parts.push(other);
                if parts.len() == 1 { parts.remove(0) } else { Self::And(parts) }
            }
            one => Self::And(vec![one, other]),
        }
    }

    /// One of them holds.
    pub(super) fn or(self, other: Self) -> Self {
        match self {
            Self::Or(mut parts) => {
                parts.push(other);
                Self::Or(parts)
            }
            one => Self::Or(vec![one, other]),
        }
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Calls `visit` with every term.
    pub fn each_term<'a>(&'a self, visit: &mut dyn FnMut(&'a Term)) {
        match self {
            Self::Term(term) => visit(term),
            Self::Not(inner) => inner.each_term(visit),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.each_term(visit)),
        }
    }

    /// What must be known to evaluate it.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::NOTHING;
        self.each_term(&mut |term| needs |= term.needs());
        needs
    }

    /// Whether only sockets with a peer port can match, so that listeners and bound sockets cannot.
    pub fn wants_peer(&self) -> bool {
        self.conjuncts().iter().any(|part| match part {
            Self::Term(Term::Port { end: End::Peer, compare, value }) => !compare.holds(0, (*value).into()),
            Self::Term(Term::Endpoint { end: End::Peer, matcher }) => {
                matcher.parts().1.is_some_and(|port| port > 0)
            }
            _ => false,
        })
    }

    /// The first term that /proc cannot answer.
    pub fn needs_netlink(&self) -> Option<&Term> {
        let mut found = None;
        let lacking = |term: &Term| term.needs().has_any_of(Needs::NETLINK | Needs::TCP_INFO | Needs::MEMORY);
        self.each_term(&mut |term| found = found.or_else(|| lacking(term).then_some(term)));
        found
    }
}
