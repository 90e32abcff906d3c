//! Replaces names by numbers.

use std::net::IpAddr;

use super::FilterError;
use super::endpoint::EndpointMatch;
use super::expr::{Device, Expr, Name, Term};
use super::lexer::Compare;
use super::typed::digits;
use crate::fields;

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
    /// The number of a cgroup; the error says why cgroups cannot be looked up.
    fn cgroup(&mut self, path: &str) -> Result<Option<u64>, String>;
}

impl Expr {
    /// Puts numbers in place of the names of hosts, devices and cgroups.
    pub(super) fn resolve(self, names: &mut dyn Names) -> Result<Self, FilterError> {
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
    fn resolve(self, names: &mut dyn Names) -> Result<Expr, FilterError> {
        let unknown = |kind, name: &Name| FilterError::UnknownName {
            span: name.span.clone(),
            kind,
            word: name.text.clone(),
        };
        Ok(Expr::Term(match self {
            Self::Host { end, name, port } => {
                let addrs = names.host(&name.text);
                if addrs.is_empty() {
                    return Err(unknown("host", &name));
                }
                let term =
                    |addr| Expr::Term(Self::Endpoint { end, matcher: EndpointMatch::exactly(addr, port) });
                return Ok(Expr::Or(addrs.into_iter().map(term).collect()));
            }
            Self::Service { end, compare, name } => {
                let value = names.service(&name.text).ok_or_else(|| unknown("service", &name))?;
                Self::Port { end, compare, value }
            }
            Self::User { name } => {
                // A user without a name is printed by number.
                let user = names.user(&name.text).or_else(|| digits(&name.text));
                let value = user.ok_or_else(|| unknown("user", &name))?.into();
                Self::Number { field: &fields::UID, compare: Compare::Equal, value }
            }
            Self::Device(Device::Name(name)) => {
                Self::Device(Device::Index(names.device(&name.text).ok_or_else(|| unknown("device", &name))?))
            }
            Self::Autobound { range: None } => Self::Autobound { range: Some(names.ephemeral_ports()) },
            Self::Cgroup { path, id: None } => {
                // A removed cgroup is printed by number.
                let typed = digits(&path.text);
                let id = match names.cgroup(&path.text) {
                    Err(why) if typed.is_none() => {
                        return Err(FilterError::NoEvidence { span: path.span.clone(), why });
                    }
                    known => known.ok().flatten().or(typed),
                };
                let id = id.ok_or_else(|| unknown("cgroup", &path))?;
                Self::Cgroup { path, id: Some(id) }
            }
            other => other,
        }))
    }
}
