//! Rows that need holders but no cgroups. Processes are scanned after the last socket; until then each socket is
//! reduced to the part that its consumer needs.

use std::num::NonZeroU64;
use std::ops::ControlFlow;

use super::enrichment::Enrichment;
use super::error::InspectError;
use super::question::Question;
use super::source::collect;
use crate::filter::Expr;
use crate::model::{Access, Collected, Consumer, Needs, Row, Sink, Socket, Source};

/// Has the consumer keep what it needs of each row, and gives it the holders.
pub(super) fn ask<C: Consumer>(
    question: &Question,
    access: &Access,
    enrichment: Enrichment,
    consumer: &mut C,
) -> Result<Collected, InspectError> {
    let wanted_of_each = enrichment.wanted(question.query.needs, access);
    let mut keep = Keep {
        question,
        enrichment,
        consumer,
        rests: Vec::new(),
        waiting: Vec::new(),
        unaccepted: Vec::new(),
    };
    let mut collected = collect(&question.query, access, &mut keep)?;
    let Keep { mut enrichment, consumer, rests, mut waiting, unaccepted, .. } = keep;
    for (at, socket) in unaccepted {
        if let Some(waiting) = waiting.get_mut(at) {
            waiting.owned_by = enrichment.owned_by(&socket).and_then(NonZeroU64::new);
        }
    }
    let inodes = waiting.iter().filter_map(|waiting| waiting.owned_by).map(NonZeroU64::get).collect();
    enrichment.find_holders(inodes, wanted_of_each, access, question.query.patience);
    for Waiting { owned_by, later, rest } in waiting {
        let holders = enrichment.holders_of(owned_by.map(NonZeroU64::get));
        let fits = rests.get(rest as usize).and_then(|rest| rest.fits_holders(holders));
        // A term still open is one that only the kernel can test; it did so.
        if fits != Some(false) {
            consumer.take_later(later, holders);
        }
    }
    collected.gaps.extend(enrichment.gaps());
    Ok(collected)
}

/// Reduces the sockets that may match.
struct Keep<'a, C: Consumer> {
    question: &'a Question,
    enrichment: Enrichment,
    consumer: &'a mut C,
    /// The distinct undecided parts of the filter; few, because only terms about holders are left.
    rests: Vec<Expr>,
    waiting: Vec<Waiting<C::Later>>,
    /// Sockets that take their listener's holders; the listener may be read later. At most the accept queues' length.
    unaccepted: Vec<(usize, Socket)>,
}

/// What is kept of a socket.
struct Waiting<L> {
    /// The inode by which its holders are found.
    owned_by: Option<NonZeroU64>,
    /// What the consumer needs of it.
    later: L,
    /// The undecided part of the filter: an index into `rests`.
    rest: u32,
}

impl<C: Consumer> Keep<'_, C> {
    fn rest(&mut self, rest: Expr) -> u32 {
        let at = self.rests.iter().position(|known| *known == rest).unwrap_or_else(|| {
            self.rests.push(rest);
            self.rests.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

impl<C: Consumer> Sink for Keep<'_, C> {
    fn begin(&mut self, source: Source) {
        self.enrichment.forget();
        self.consumer.begin(source);
        self.rests.clear();
        self.waiting.clear();
        self.unaccepted.clear();
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        self.enrichment.learn(socket);
        if !self.question.shown.contains(socket) {
            return ControlFlow::Continue(());
        }
        // The terms about the kernel's answer first: a socket that fails them needs no look-up.
        let Some(rest) = self.question.filter.expr.rest(&Row::bare(socket), Needs::NOTHING) else {
            return ControlFlow::Continue(());
        };
        let known = self.enrichment.known();
        self.enrichment.look_up(socket);
        let row = self.enrichment.row(socket);
        let Some(rest) = rest.rest(&row, known) else { return ControlFlow::Continue(()) };
        let later = self.consumer.keep(&row);
        let rest = self.rest(rest);
        if self.enrichment.is_held_by_listener(socket) {
            self.unaccepted.push((self.waiting.len(), socket.clone()));
        }
        let owned_by = socket.inode.and_then(NonZeroU64::new);
        self.waiting.push(Waiting { owned_by, later, rest });
        ControlFlow::Continue(())
    }
}
