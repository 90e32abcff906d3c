//! A list: streamed where its layout, order and columns allow it, held where they need all of it.

use std::io;
use std::ops::ControlFlow;

use rustc_hash::FxHashSet;

use super::cgroups::{Doubts, suffice};
use super::failure::Failure;
use super::gather::{Gathered, enrichment, gather, known};
use super::repeat::Output;
use super::{Session, now, read, write};
use crate::cli::List;
use crate::filter::Known;
use crate::inspect::Enrichment;
use crate::model::{Access, Gap, Row, Sink, Socket, Source};
use crate::render::{Guard, Head, Listing, Pages, listing};
use crate::select::SortTerm;

/// Lists once.
pub(super) fn list(
    list: &List,
    access: &Access,
    out: &mut Pages<Output>,
    session: &mut Session,
) -> Result<(), Failure> {
    out.guard(Guard::of(list.format, list.style.color));
    let enrichment = enrichment(list.needs, access);
    let gaps = if must_hold(list) || !suffice(&enrichment, list.needs, access) {
        held(list, access, enrichment, out, session)?
    } else {
        streamed(list, access, enrichment, out)?
    };
    session.tell(&gaps);
    Ok(())
}

/// Whether the first row can't be written before the last has come. Processes and host names are looked up for the
/// sockets that came, so these must be known; and nothing is written where the filter turns out to have no answer.
fn must_hold(list: &List) -> bool {
    let List { sort, needs, filter, .. } = list;
    !sort.is_empty()
        || needs.processes.is_some()
        || needs.hosts.is_some()
        || filter.expr.evidence().cgroup_paths
}

fn streamed(
    list: &List,
    access: &Access,
    enrichment: Enrichment,
    out: &mut Pages<Output>,
) -> Result<Vec<Gap>, Failure> {
    let mut stream = Stream {
        list,
        taken_at: now(),
        layout: listing(list.format, list.style, &list.columns),
        enrichment,
        doubts: Doubts::default(),
        out,
        left: list.limit.unwrap_or(u64::MAX),
        error: None,
    };
    let snapshot = read(&list.query, access, &mut stream)?;
    let Stream { mut layout, enrichment, doubts, error, .. } = stream;
    if let Some(error) = error {
        write(Err(error))?;
    }
    let mut gaps = snapshot.gaps;
    gaps.extend(doubts.gaps(&enrichment));
    write(end(layout.as_mut(), out, &gaps))?;
    Ok(gaps)
}

fn end(layout: &mut dyn Listing, out: &mut Pages<Output>, gaps: &[Gap]) -> io::Result<()> {
    layout.tail(out.buffer(), gaps)?;
    out.flush()
}

/// Writes each socket as it comes.
struct Stream<'a> {
    list: &'a List,
    taken_at: String,
    layout: Box<dyn Listing>,
    enrichment: Enrichment,
    doubts: Doubts,
    out: &'a mut Pages<Output>,
    left: u64,
    error: Option<io::Error>,
}

impl Stream<'_> {
    /// Whether more are wanted.
    fn take(&mut self, socket: &Socket) -> io::Result<ControlFlow<()>> {
        self.enrichment.learn(socket);
        // What the kernel's answer alone tells is judged first: nothing is looked up for what is not shown.
        let is_shown = self.list.shown.contains(socket);
        if !is_shown || !self.list.filter.admits(&Row::bare(socket), Known::SOCKET) {
            return Ok(ControlFlow::Continue(()));
        }
        if self.left == 0 {
            return Ok(ControlFlow::Break(()));
        }
        let row = self.enrichment.describe(socket);
        self.doubts.note(&row, self.list.needs);
        self.left -= 1;
        self.layout.row(self.out.buffer(), &row)?;
        self.out.turn()?;
        Ok(ControlFlow::Continue(()))
    }
}

impl Sink for Stream<'_> {
    fn begin(&mut self, source: Source) {
        self.out.take_back();
        self.enrichment.forget();
        self.doubts = Doubts::default();
        self.left = self.list.limit.unwrap_or(u64::MAX);
        let head = Head { source, taken_at: &self.taken_at };
        self.error = self.layout.head(self.out.buffer(), &head).err();
    }

    fn can_begin_again(&self) -> bool {
        self.out.can_take_back()
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        if self.error.is_some() {
            return ControlFlow::Break(());
        }
        self.take(socket).unwrap_or_else(|error| {
            self.error = Some(error);
            ControlFlow::Break(())
        })
    }
}

fn held(
    list: &List,
    access: &Access,
    enrichment: Enrichment,
    out: &mut Pages<Output>,
    session: &Session,
) -> Result<Vec<Gap>, Failure> {
    let taken_at = now();
    // Without an order the first ones are the ones, unless some of them are to be dropped yet, or what comes behind them
    // is their other ends.
    let evidence = list.filter.expr.evidence();
    let is_decided =
        list.sort.is_empty() && !evidence.processes && !evidence.cgroup_paths && !list.needs.peers;
    let enough = list.limit.filter(|_| is_decided);
    let gathered = gather(&list.query, list.shown, &list.filter, list.needs, access, enrichment, enough)?;
    let Gathered { source, sockets, mut enrichment, mut gaps } = gathered;
    let mut doubts = Doubts::default();
    let sockets = order(list, &sockets, &mut enrichment, &mut doubts);
    doubts.decide(&list.filter, &enrichment, &gaps)?;
    if let Some(timeout) = list.needs.hosts {
        let addrs: FxHashSet<_> =
            sockets.iter().flat_map(|socket| [socket.local.addr, socket.peer.addr]).collect();
        let hosts = session.hosts.resolve(addrs, timeout, || out.inner().has_ended());
        gaps.extend(hosts.gap());
        enrichment.hosts = Some(hosts);
    }

    let mut layout = listing(list.format, list.style, &list.columns);
    write(layout.head(out.buffer(), &Head { source, taken_at: &taken_at }))?;
    for socket in sockets {
        let row = enrichment.describe(socket);
        doubts.note(&row, list.needs);
        write(layout.row(out.buffer(), &row))?;
        write(out.turn())?;
    }
    gaps.extend(doubts.gaps(&enrichment));
    write(end(layout.as_mut(), out, &gaps))?;
    Ok(gaps)
}

/// The sockets that fit now that all is known, in order, and no more than are wanted.
fn order<'a>(
    list: &List,
    sockets: &'a [Socket],
    enrichment: &mut Enrichment,
    doubts: &mut Doubts,
) -> Vec<&'a Socket> {
    let known = known(enrichment);
    let is_open = known != Known::SOCKET && !list.filter.expr.is_always();
    let mut fit: Vec<_> = sockets.iter().collect();
    fit.retain(|socket| !is_open || doubts.admits(&list.filter, &enrichment.describe(socket), known));
    let mut fit = SortTerm::sort(&list.sort, fit, |socket| enrichment.first_pid(socket));
    fit.truncate(list.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)));
    fit
}
