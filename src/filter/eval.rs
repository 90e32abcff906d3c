//! Evaluates a filter in this process.
//!
//! Some terms need facts that are looked up later (a socket's processes, its cgroup's path): until then the answer may
//! be open. A socket is dropped as soon as no look-up can make it match.

use super::expr::{Device, End, Expr, Term};
use super::glob::Glob;
use super::values;
use crate::fields::{Field, Kind, OfHolder, Read, Value};
use crate::model::{Holder, Needs, Process, Row, Socket};

/// What is left to judge of a socket.
enum Judged {
    /// Nothing: it fits, or not.
    Decided(bool),
    /// The part that later look-ups decide.
    Open(Expr),
}

impl Expr {
    /// Whether the row fits; `None` while it is open.
    pub fn evaluate(&self, row: &Row<'_>, known: Needs) -> Option<bool> {
        self.decide(&|term| term.evaluate(row, known))
    }

    /// Whether the answer depends on an unknown part of the row's cgroup.
    pub fn is_undecided(&self, row: &Row<'_>, known: Needs) -> bool {
        let decided = |term: &Term| term.evaluate(row, known).or(term.is_for_the_kernel().then_some(true));
        row.cgroup.may_hide() && self.decide(&decided).is_none()
    }

    /// Whether a socket with these holders fits; `None` if other terms are open too.
    pub fn fits_holders(&self, holders: &[Holder]) -> Option<bool> {
        self.decide(&|term| term.fits_holders(holders))
    }

    fn decide(&self, judge: &impl Fn(&Term) -> Option<bool>) -> Option<bool> {
        match self {
            Self::Term(term) => judge(term),
            Self::Not(inner) => inner.decide(judge).map(|fits| !fits),
            Self::And(parts) => all(parts.iter().map(|part| part.decide(judge)), false),
            Self::Or(parts) => all(parts.iter().map(|part| part.decide(judge)), true),
        }
    }

    /// The part of the filter that stays open with these facts `known`; `None` if the row cannot fit.
    pub fn rest(&self, row: &Row<'_>, known: Needs) -> Option<Self> {
        match self.judge(row, known) {
            Judged::Decided(fits) => fits.then(Self::always),
            Judged::Open(rest) => Some(rest),
        }
    }

    fn judge(&self, row: &Row<'_>, known: Needs) -> Judged {
        match self {
            Self::Term(term) => {
                term.evaluate(row, known).map_or_else(|| Judged::Open(self.clone()), Judged::Decided)
            }
            Self::Not(inner) => match inner.judge(row, known) {
                Judged::Decided(fits) => Judged::Decided(!fits),
                Judged::Open(rest) => Judged::Open(rest.negated()),
            },
            Self::And(parts) => open_parts(parts, row, known, false)
                .map_or_else(Judged::Decided, |open| Judged::Open(Self::And(open))),
            Self::Or(parts) => open_parts(parts, row, known, true)
                .map_or_else(Judged::Decided, |open| Judged::Open(Self::Or(open))),
        }
    }
}

/// One false part decides `and`, one true part decides `or`; otherwise an open part leaves the whole open.
fn all(parts: impl Iterator<Item = Option<bool>>, decides: bool) -> Option<bool> {
    let mut result = Some(!decides);
    for part in parts {
        match part {
            Some(answer) if answer == decides => return Some(decides),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}

/// The open parts; as `Err` the answer, if no part is open or one part decides.
fn open_parts(parts: &[Expr], row: &Row<'_>, known: Needs, decides: bool) -> Result<Vec<Expr>, bool> {
    let mut open = Vec::new();
    for part in parts {
        match part.judge(row, known) {
            Judged::Decided(answer) if answer == decides => return Err(decides),
            Judged::Decided(_) => {}
            Judged::Open(rest) => open.push(rest),
        }
    }
    if open.is_empty() { Err(!decides) } else { Ok(open) }
}

impl Term {
    /// Whether one of these holders fits; `None` if the term is not about holders.
    fn fits_holders(&self, holders: &[Holder]) -> Option<bool> {
        match self.field()?.read {
            Read::Holders(read) => Some(self.fits_one_of(holders, read)),
            _ => None,
        }
    }

    /// The field that it compares.
    fn field(&self) -> Option<&'static Field> {
        match self {
            Self::Number { field, .. } | Self::Text { field, .. } => Some(field),
            _ => None,
        }
    }

    fn fits_one_of(&self, holders: &[Holder], read: OfHolder) -> bool {
        holders.iter().any(|holder| match self {
            Self::Text { field, glob } if matches!(field.kind, Kind::Processes(_)) => {
                has_name(&holder.process, glob)
            }
            _ => self.fits_value(&read(holder)),
        })
    }

    /// Whether a field's value fits. An unknown value never fits.
    fn fits_value(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Number { field, compare, value: wanted } => {
                let factor = if let Kind::Time(micros) = field.kind { micros.into() } else { 1 };
                value.as_number().is_some_and(|number| compare.holds(number.saturating_mul(factor), *wanted))
            }
            Self::Text { field, glob } => values::text_fits(glob, field.kind, value),
            _ => false,
        }
    }

    /// Whether a field fits; `None` before its look-up, and if an unknown part of the cgroup might fit.
    fn fits_field(&self, field: &Field, row: &Row<'_>, known: Needs) -> Option<bool> {
        match field.read {
            Read::Holders(read) => {
                known.contains(Needs::HOLDERS).then(|| self.fits_one_of(row.holders, read))
            }
            Read::PeerHolders(read) => {
                known.contains(Needs::PEERS).then(|| self.fits_one_of(row.peer_holders, read))
            }
            of_row => {
                let joined = [Needs::CGROUPS, Needs::DIRECTION, Needs::NOTES];
                if joined.iter().any(|joined| field.needs.contains(*joined) && !known.contains(*joined)) {
                    return None;
                }
                let value = of_row.of_row(row)?;
                let of_cgroup = field.needs.contains(Needs::CGROUPS);
                let may_hide = of_cgroup && matches!(value, Value::Unknown) && row.cgroup.may_hide();
                if may_hide { None } else { Some(self.fits_value(&value)) }
            }
        }
    }

    /// Whether the kernel has tested the term if this process cannot.
    fn is_for_the_kernel(&self) -> bool {
        matches!(self, Self::Mark { .. } | Self::Autobound { .. })
    }

    fn evaluate(&self, row: &Row<'_>, known: Needs) -> Option<bool> {
        let socket = row.socket;
        match self {
            Self::State(set) => Some(set.contains(socket.state)),
            Self::Endpoint { end, matcher } => Some(either(*end, socket, |end| matcher.matches(end))),
            Self::Port { end, compare, value } => {
                Some(either(*end, socket, |end| compare.holds(end.port.into(), (*value).into())))
            }
            Self::Text { field, glob } if field.kind == Kind::Timer => {
                Some(values::timer_fits(glob, socket.timer.as_ref()))
            }
            Self::Number { field, .. } | Self::Text { field, .. } => self.fits_field(field, row, known),
            Self::Device(Device::Index(index)) => Some(socket.interface == *index),
            Self::Mark { value, mask } => socket.mark.map(|mark| mark & mask == *value),
            Self::Cgroup { id: Some(id), .. } => Some(socket.cgroup == Some(*id)),
            // Within the range only the kernel knows whether it chose the port; it has tested the whole term.
            Self::Autobound { range: Some((first, last)) } => {
                if (*first..=*last).contains(&socket.local.port) { None } else { Some(false) }
            }
            Self::Autobound { range: None }
            | Self::Host { .. }
            | Self::Service { .. }
            | Self::User { .. }
            | Self::Device(Device::Name(_))
            | Self::Cgroup { id: None, .. } => None,
        }
    }
}

/// Whether a process has this name. The kernel truncates names, so the program's full name is compared too.
fn has_name(process: &Process, glob: &Glob) -> bool {
    glob.matches_shown(&process.name) || process.long_names.iter().any(|name| glob.matches_shown(name))
}

fn either(end: End, socket: &Socket, fits: impl Fn(&crate::model::Endpoint) -> bool) -> bool {
    match end {
        End::Local => fits(&socket.local),
        End::Peer => fits(&socket.peer),
        End::Either => fits(&socket.local) || fits(&socket.peer),
    }
}
