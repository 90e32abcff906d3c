//! Reads sockets over netlink or from /proc, and reports why if it had to fall back.

use std::ops::ControlFlow;

use super::question::any_mark_filter;
use crate::filter::bytecode::halves;
use crate::kernel::host;
use crate::kernel::procfs::{self, ProcfsError};
use crate::kernel::sock_diag::{self, NetlinkError};
use crate::model::{Access, Collected, Gap, Needs, Query, Sink, Socket, Source, SourceChoice, StateSet};

/// Why no source could be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CollectError {
    /// netlink failed.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
    /// /proc failed.
    #[error(transparent)]
    Procfs(#[from] ProcfsError),
    /// Both failed, one after the other.
    #[error("{netlink}; and {procfs}")]
    Both {
        /// The first attempt.
        netlink: NetlinkError,
        /// The second.
        procfs: ProcfsError,
    },
}

impl CollectError {
    /// What would help.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Netlink(NetlinkError::FilterRefused { .. }) | Self::Procfs(_) | Self::Both { .. } => None,
            Self::Netlink(_) => Some("--source procfs reads /proc/net/tcp and tcp6 instead"),
        }
    }
}

/// Reads the sockets that the query asks for into the sink.
pub(crate) fn collect(
    query: &Query,
    access: &Access,
    sink: &mut dyn Sink,
) -> Result<Collected, CollectError> {
    let procfs = access.source == SourceChoice::Procfs || access.proc_root.is_some();
    if procfs {
        return Ok(from_procfs(query, access, sink, Vec::new())?);
    }
    let halves = sock_diag::middle_port(query).map(halves);
    match sock_diag::dump(query, halves.as_ref(), &mut sock_diag::connect, sink) {
        Ok(mut gaps) => {
            gaps.extend(idle_unlisted(query));
            gaps.extend(marks_untold(query));
            Ok(Collected { source: Source::Netlink, gaps })
        }
        Err(error) if access.source == SourceChoice::Auto && error.means_unavailable() => {
            let gaps = vec![Gap::FellBack { reason: error.to_string() }];
            from_procfs(query, access, sink, gaps)
                .map_err(|procfs| CollectError::Both { netlink: error, procfs })
        }
        Err(error) => Err(error.into()),
    }
}

fn from_procfs(
    query: &Query,
    access: &Access,
    sink: &mut dyn Sink,
    mut gaps: Vec<Gap>,
) -> Result<Collected, ProcfsError> {
    if let Some(term) = &query.netlink_only {
        return Err(ProcfsError::NoData { term: term.clone() });
    }
    sink.begin(Source::Procfs);
    gaps.extend(missing_data(query));
    let root = access.proc_root.as_deref();
    gaps.extend(procfs::read(query, root, sink)?);
    Ok(Collected { source: Source::Procfs, gaps })
}

/// A kernel that does not know the state bit of bound sockets omits them silently.
fn idle_unlisted(query: &Query) -> Option<Gap> {
    let release = (query.wants_idle && !host::lists_idle()).then(host::release)?;
    (!release.is_empty()).then_some(Gap::IdleUnlisted { release })
}

/// The kernel leaves marks out without a word for who lacks CAP_NET_ADMIN, but refuses a filter about them: so it is asked
/// with one, for sockets in no state.
fn marks_untold(query: &Query) -> Option<Gap> {
    if !query.needs.contains(Needs::MARKS)
        || query.kernel_filter.as_ref().is_some_and(|kernel| kernel.kernel_only.is_some())
    {
        return None;
    }
    let kernel_filter = Some(any_mark_filter()?);
    let nothing = Query { kernel_filter, ..Query::new(query.families, StateSet::EMPTY) };
    let refused = sock_diag::dump(&nothing, None, &mut sock_diag::connect, &mut Nobody);
    matches!(refused, Err(NetlinkError::FilterRefused { .. })).then_some(Gap::MarksNotReported)
}

/// Takes no socket.
struct Nobody;

impl Sink for Nobody {
    fn begin(&mut self, _source: Source) {}

    fn row(&mut self, _socket: &Socket) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

fn missing_data(query: &Query) -> Option<Gap> {
    let mut what = query.only_netlink_has.clone();
    what.extend(query.wants_idle.then_some("sockets that are bound and idle (CLOSED)"));
    what.extend(query.needs.contains(Needs::TCP_INFO).then_some("connection numbers"));
    what.extend(query.needs.contains(Needs::MEMORY).then_some("buffer memory"));
    (!what.is_empty()).then(|| Gap::SourceLacks { what: what.join(", ") })
}
