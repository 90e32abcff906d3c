//! Counts where the holders matter, and no cgroup does: they are looked for when all sockets are known. Until then just what is needed of a
//! socket is kept, 16 bytes beside what many have in common.

use std::num::NonZeroU64;
use std::ops::ControlFlow;

use super::failure::Failure;
use super::gather::{known, scan, wanted};
use super::read;
use crate::filter::{Expr, Filter, Known};
use crate::inspect::Enrichment;
use crate::model::{Access, Gap, Needs, OwnerNote, Query, Row, Shown, Sink, Socket, Source};
use crate::select::Counter;

/// Counts what fits the filter.
pub(super) fn put_off(
    counter: &mut dyn Counter,
    query: &Query,
    shown: Shown,
    filter: &Filter,
    needs: Needs,
    access: &Access,
    enrichment: Enrichment,
) -> Result<(Source, Vec<Gap>), Failure> {
    let wanted_of_each = wanted(&enrichment, needs, access);
    let mut sink = PutOff {
        shown,
        filter,
        enrichment,
        counter,
        rests: Vec::new(),
        waiting: Vec::new(),
        unaccepted: Vec::new(),
    };
    let snapshot = read(query, access, &mut sink)?;
    let PutOff { mut enrichment, counter, rests, mut waiting, unaccepted, .. } = sink;
    for (at, socket) in unaccepted {
        if let Some(waiting) = waiting.get_mut(at) {
            waiting.owned_by = enrichment.owned_by(&socket).and_then(NonZeroU64::new);
        }
    }
    let inodes = waiting.iter().filter_map(|waiting| waiting.owned_by).map(NonZeroU64::get).collect();
    enrichment.processes = scan(inodes, wanted_of_each, access);
    for Waiting { owned_by, number, rest } in waiting {
        let holders = enrichment.holders_of(owned_by.map(NonZeroU64::get));
        let fits = rests.get(rest as usize).and_then(|rest| rest.fits_holders(holders));
        // What is still open was for the kernel to decide.
        if fits != Some(false) {
            counter.count_put_off(number, holders);
        }
    }
    let mut gaps = snapshot.gaps;
    gaps.extend(enrichment.gaps());
    Ok((snapshot.source, gaps))
}

struct PutOff<'a> {
    shown: Shown,
    filter: &'a Filter,
    enrichment: Enrichment,
    counter: &'a mut dyn Counter,
    /// What may be left of the filter; few, since all but what is about holders is decided.
    rests: Vec<Expr>,
    waiting: Vec<Waiting>,
    /// Those whose holders are their listener's, which may come after them. No more than accept queues hold.
    unaccepted: Vec<(usize, Socket)>,
}

/// What is kept of a socket.
struct Waiting {
    /// The inode by which its holders are found.
    owned_by: Option<NonZeroU64>,
    /// The counter's number for it.
    number: u32,
    /// What is left of the filter.
    rest: u32,
}

impl PutOff<'_> {
    fn rest(&mut self, rest: Expr) -> u32 {
        let at = self.rests.iter().position(|known| *known == rest).unwrap_or_else(|| {
            self.rests.push(rest);
            self.rests.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

impl Sink for PutOff<'_> {
    fn begin(&mut self, _source: Source) {
        self.enrichment.forget();
        self.counter.reset();
        self.rests.clear();
        self.waiting.clear();
        self.unaccepted.clear();
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        self.enrichment.learn(socket);
        if !self.shown.contains(socket) {
            return ControlFlow::Continue(());
        }
        // What the kernel's answer alone tells is judged first: nothing is looked up for what can't fit.
        let Some(rest) = self.filter.expr.rest(&Row::bare(socket), Known::SOCKET) else {
            return ControlFlow::Continue(());
        };
        let known = known(&self.enrichment);
        let owned_by = socket.inode.and_then(NonZeroU64::new);
        let row = self.enrichment.describe(socket);
        let Some(rest) = rest.rest(&row, known) else { return ControlFlow::Continue(()) };
        let number = self.counter.put_off(&row);
        let rest = self.rest(rest);
        if OwnerNote::of(socket) == Some(OwnerNote::NotAccepted) {
            self.unaccepted.push((self.waiting.len(), socket.clone()));
        }
        self.waiting.push(Waiting { owned_by, number, rest });
        ControlFlow::Continue(())
    }
}
