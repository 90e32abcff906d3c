//! Whether a socket fits, judged here.
//!
//! Some terms need what is looked up later (its processes, its cgroup's path): until then the answer may be open. A
//! socket is dropped as soon as it can't fit whatever is found.

use super::expr::{Device, End, Expr, NumberField, Term, TextField};
use super::glob::Glob;
use super::values;
use crate::model::cgroup::Cgroup;
use crate::model::{Holder, Needs, Process, Row, Socket};

/// What is left to judge of a socket.
enum Rest {
    /// Nothing: it fits, or not.
    Decided(bool),
    /// This.
    Open(Expr),
}

impl Expr {
    /// Whether the row fits; `None` while it is open.
    pub fn evaluate(&self, row: &Row<'_>, known: Needs) -> Option<bool> {
        self.decide(&|term| term.evaluate(row, known))
    }

    /// Whether the row can't be judged, since what is not known of its cgroup may decide it.
    pub fn is_undecided(&self, row: &Row<'_>, known: Needs) -> bool {
        let decided = |term: &Term| term.evaluate(row, known).or(term.is_for_the_kernel().then_some(true));
        row.cgroup.may_hide() && self.decide(&decided).is_none()
    }

    /// Whether a socket with these holders fits, if that is all that is open; `None` where it is not.
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

    /// What is left to judge of the row when so much is known; `None` where it can't fit.
    pub fn rest(&self, row: &Row<'_>, known: Needs) -> Option<Self> {
        match self.judge(row, known) {
            Rest::Decided(fits) => fits.then(Self::always),
            Rest::Open(rest) => Some(rest),
        }
    }

    fn judge(&self, row: &Row<'_>, known: Needs) -> Rest {
        match self {
            Self::Term(term) => {
                term.evaluate(row, known).map_or_else(|| Rest::Open(self.clone()), Rest::Decided)
            }
            Self::Not(inner) => match inner.judge(row, known) {
                Rest::Decided(fits) => Rest::Decided(!fits),
                Rest::Open(rest) => Rest::Open(rest.negated()),
            },
            Self::And(parts) => open_parts(parts, row, known, false)
                .map_or_else(Rest::Decided, |open| Rest::Open(Self::And(open))),
            Self::Or(parts) => open_parts(parts, row, known, true)
                .map_or_else(Rest::Decided, |open| Rest::Open(Self::Or(open))),
        }
    }
}

/// `and` is decided by a false, `or` by a true; else an open part leaves the whole open.
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

/// The parts that are open; the answer where none is, or one decides.
fn open_parts(parts: &[Expr], row: &Row<'_>, known: Needs, decides: bool) -> Result<Vec<Expr>, bool> {
    let mut open = Vec::new();
    for part in parts {
        match part.judge(row, known) {
            Rest::Decided(answer) if answer == decides => return Err(decides),
            Rest::Decided(_) => {}
            Rest::Open(rest) => open.push(rest),
        }
    }
    if open.is_empty() { Err(!decides) } else { Ok(open) }
}

impl Term {
    /// Of a term about holders, whether one of these fits it.
    fn fits_holders(&self, holders: &[Holder]) -> Option<bool> {
        match self {
            Self::Number { field: NumberField::Pid, compare, value } => {
                Some(holders.iter().any(|holder| compare.holds(holder.process.pid.into(), *value)))
            }
            Self::Text { field: TextField::Process, glob } => {
                Some(holders.iter().any(|holder| has_name(&holder.process, glob)))
            }
            _ => None,
        }
    }

    /// Of a term about the cgroup; `None` where what is not known of it may fit.
    fn fits_cgroup(&self, cgroup: Cgroup<'_>) -> Option<bool> {
        let (found, fits) = match self {
            Self::Text { field: TextField::Unit, glob } => {
                let unit = cgroup.unit();
                (unit.is_some(), unit.is_some_and(|unit| glob.matches_shown(unit.as_bytes())))
            }
            Self::Text { field: TextField::Container, glob } => {
                let id = cgroup.container();
                (id.is_some(), id.is_some_and(|id| glob.matches_id(&id)))
            }
            Self::Text { field: TextField::PodUid, glob } => {
                let uid = cgroup.pod_uid();
                (uid.is_some(), uid.is_some_and(|uid| glob.matches(uid.as_bytes())))
            }
            _ => return None,
        };
        (found || !cgroup.may_hide()).then_some(fits)
    }

    /// Whether it is for the kernel to decide where it can't be decided here.
    fn is_for_the_kernel(&self) -> bool {
        matches!(self, Self::Mark { .. } | Self::Autobound { .. })
    }

    fn evaluate(&self, row: &Row<'_>, known: Needs) -> Option<bool> {
        let socket = row.socket;
        match self {
            Self::State(set) => Some(set.contains(socket.state)),
            Self::Endpoint { end, matcher } => Some(either(*end, socket, |end| matcher.matches(end))),
            Self::Number { field: NumberField::Pid, .. } | Self::Text { field: TextField::Process, .. } => {
                known.contains(Needs::HOLDERS).then(|| self.fits_holders(row.holders))?
            }
            Self::Number { field: NumberField::Port(end), compare, value } => {
                Some(either(*end, socket, |end| compare.holds(end.port.into(), *value)))
            }
            Self::Number { field, compare, value } => {
                // What the kernel does not tell of a socket fits nothing.
                Some(field.of(socket).is_some_and(|number| compare.holds(number, *value)))
            }
            Self::Text { field: TextField::Timer, glob } => {
                Some(values::timer_fits(glob, socket.timer.as_ref()))
            }
            Self::Text { field: TextField::Unit | TextField::Container | TextField::PodUid, .. } => {
                known.contains(Needs::CGROUPS).then(|| self.fits_cgroup(row.cgroup))?
            }
            Self::Device(Device::Index(index)) => Some(socket.interface == *index),
            Self::Mark { value, mask } => socket.mark.map(|mark| mark & mask == *value),
            Self::Cgroup { id: Some(id), .. } => Some(socket.cgroup == Some(*id)),
            // Within the range only the kernel knows, which was asked for the whole term.
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

/// Whether a process has this name. One that is longer than the kernel keeps is its program's.
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

impl NumberField {
    fn of(self, socket: &Socket) -> Option<u64> {
        let info = socket.tcp_info();
        match self {
            Self::Uid => socket.uid.map(u64::from),
            Self::Inode => socket.inode,
            Self::RecvQ => socket.queues.unread().map(u64::from),
            Self::SendQ => socket.queues.unacknowledged().map(u64::from),
            Self::AcceptQueue => socket.queues.accept_queue().map(u64::from),
            Self::Backlog => socket.queues.backlog().map(u64::from),
            Self::Retrans => info?.total_retrans().map(u64::from),
            Self::RtoUs => info?.rto_us().map(u64::from).filter(|rto| *rto != 0),
            Self::RttUs => info?.measured_rtt_us().map(u64::from),
            Self::Port(_) | Self::Pid => None,
        }
    }
}
