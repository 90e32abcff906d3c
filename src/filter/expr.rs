//! What a filter says, once it is read.

use std::net::IpAddr;

use super::endpoint::EndpointMatch;
use super::glob::Glob;
use super::lexer::Compare;
use crate::model::StateSet;

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
        name: String,
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
        name: String,
    },
    /// A user's name, until it is looked up.
    User {
        /// The name.
        name: String,
    },
    /// A number.
    Number {
        /// Which.
        field: NumberField,
        /// How it is compared.
        compare: Compare,
        /// With what.
        value: u64,
    },
    /// A name.
    Text {
        /// Which.
        field: TextField,
        /// What it must look like.
        glob: Glob,
    },
    /// The device that the socket is bound to.
    Device(Device),
    /// The firewall mark, under a mask.
    Mark {
        /// What it must be.
        value: u32,
        /// The bits that count.
        mask: u32,
    },
    /// The cgroup.
    Cgroup {
        /// As typed.
        path: String,
        /// Its number, once it is looked up.
        id: Option<u64>,
    },
    /// The kernel chose the local port. It tells so of accepted connections too, which have their listener's: so, as
    /// for ss, the port must be one that the kernel would choose.
    Autobound {
        /// The first and last of these, once they are looked up.
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
    /// Any of the two.
    Either,
}

/// A device by its name, or its index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// Until it is looked up.
    Name(String),
    /// 0 is no device.
    Index(u32),
}

/// Numbers that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called what they are")]
pub enum NumberField {
    Port(End),
    Pid,
    Uid,
    Inode,
    RecvQ,
    SendQ,
    Retrans,
    RtoUs,
    RttUs,
}

/// Names that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called what they are")]
pub enum TextField {
    Process,
    Timer,
    Unit,
    Container,
}

/// What must be known of a socket besides what every source tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Its holders.
    pub processes: bool,
    /// The path of its cgroup.
    pub cgroup_paths: bool,
    /// The connection's numbers.
    pub tcp_info: bool,
}

impl Expr {
    /// The condition that always holds.
    pub fn always() -> Self {
        Self::And(Vec::new())
    }

    /// What must all hold: the parts of the outermost `and`, or the one condition that it is.
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

    /// What its terms must know.
    pub fn evidence(&self) -> Evidence {
        let mut needed = Evidence::default();
        self.each_term(&mut |term| match term {
            Term::Number { field: NumberField::Pid, .. } | Term::Text { field: TextField::Process, .. } => {
                needed.processes = true;
            }
            Term::Text { field: TextField::Unit | TextField::Container, .. } => needed.cgroup_paths = true,
            Term::Number {
                field: NumberField::Retrans | NumberField::RtoUs | NumberField::RttUs, ..
            } => {
                needed.tcp_info = true;
            }
            _ => {}
        });
        needed
    }

    /// The first term that /proc can't tell anything about.
    pub fn needs_netlink(&self) -> Option<&Term> {
        let mut found = None;
        self.each_term(&mut |term| {
            let lacks = match term {
                Term::Device(_)
                | Term::Mark { .. }
                | Term::Cgroup { .. }
                | Term::Autobound { .. }
                | Term::Text { field: TextField::Unit | TextField::Container, .. } => true,
                Term::Number { field, .. } => {
                    matches!(field, NumberField::Retrans | NumberField::RtoUs | NumberField::RttUs)
                }
                _ => false,
            };
            if lacks && found.is_none() {
                found = Some(term);
            }
        });
        found
    }
}

/// Looks up the names in a filter.
pub trait Names {
    /// The addresses of a host.
    fn host(&mut self, name: &str) -> Vec<IpAddr>;
    /// The port of a service.
    fn service(&mut self, name: &str) -> Option<u16>;
    /// The number of a user.
    fn user(&mut self, name: &str) -> Option<u32>;
    /// The index of a device.
    fn device(&mut self, name: &str) -> Option<u32>;
    /// The first and last of the ports that the kernel chooses from.
    fn ephemeral_ports(&mut self) -> (u16, u16);
    /// The number of a cgroup.
    fn cgroup(&mut self, path: &str) -> Option<u64>;
}

/// A name in a filter that names nothing here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("filter: there is no {kind} '{name}'")]
pub struct UnknownName {
    /// What it should be.
    pub kind: &'static str,
    /// As typed.
    pub name: String,
}

impl Expr {
    /// Puts numbers in place of the names of hosts, devices and cgroups.
    pub fn resolve(self, names: &mut dyn Names) -> Result<Self, UnknownName> {
        let all = |parts: Vec<Self>, names: &mut dyn Names| {
            parts.into_iter().map(|part| part.resolve(names)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match self {
            Self::Term(term) => term.resolve(names)?,
            Self::Not(inner) => inner.resolve(names)?.negated(),
            Self::And(parts) => Self::And(all(parts, names)?),
            Self::Or(parts) => Self::Or(all(parts, names)?),
        })
    }
}

impl Term {
    fn resolve(self, names: &mut dyn Names) -> Result<Expr, UnknownName> {
        let unknown = |kind, name: &str| UnknownName { kind, name: name.to_owned() };
        Ok(Expr::Term(match self {
            Self::Host { end, name, port } => {
                let addrs = names.host(&name);
                if addrs.is_empty() {
                    return Err(unknown("host", &name));
                }
                let term =
                    |addr| Expr::Term(Self::Endpoint { end, matcher: EndpointMatch::exactly(addr, port) });
                return Ok(Expr::Or(addrs.into_iter().map(term).collect()));
            }
            Self::Service { end, compare, name } => {
                let value = names.service(&name).ok_or_else(|| unknown("service", &name))?.into();
                Self::Number { field: NumberField::Port(end), compare, value }
            }
            Self::User { name } => {
                let value = names.user(&name).ok_or_else(|| unknown("user", &name))?.into();
                Self::Number { field: NumberField::Uid, compare: Compare::Equal, value }
            }
            Self::Device(Device::Name(name)) => {
                Self::Device(Device::Index(names.device(&name).ok_or_else(|| unknown("device", &name))?))
            }
            Self::Autobound { range: None } => Self::Autobound { range: Some(names.ephemeral_ports()) },
            Self::Cgroup { path, id: None } => {
                let id = names.cgroup(&path).ok_or_else(|| unknown("cgroup", &path))?;
                Self::Cgroup { path, id: Some(id) }
            }
            other => other,
        }))
    }
}
