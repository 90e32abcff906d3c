//! Answers a question: streams rows to a consumer if all look-ups can be made at once, else holds or reduces them.

use super::admission::Admission;
use super::enrichment::Enrichment;
use super::error::InspectError;
use super::held::Held;
use super::later;
use super::question::Question;
use super::source::collect;
use crate::model::{Access, Collected, Consumer, Families, Needs, Query, StateSet, TcpState};

/// A question to a host, with the look-ups that it needs.
#[derive(Debug)]
pub(crate) struct Inquiry<'a> {
    question: &'a Question,
    access: &'a Access,
    enrichment: Enrichment,
}

impl<'a> Inquiry<'a> {
    pub(crate) fn new(question: &'a Question, access: &'a Access) -> Self {
        Self { question, access, enrichment: Enrichment::new(question.query.needs, access) }
    }

    /// Whether the sockets must be held until all have come and their holders are known: without these, neither their
    /// cgroups, the holders of their other ends, nor why they have no holder are known.
    pub(crate) fn must_hold(&self) -> bool {
        let needs = self.question.query.needs;
        needs.contains(Needs::PEERS)
            || needs.contains(Needs::NOTES)
            || !self.enrichment.cgroups_suffice(needs, self.access)
    }

    /// Gives the consumer every matching row. Holds as little as possible: nothing if the kernel's answer suffices,
    /// the consumer's excerpt if holders are needed, whole sockets if cgroups or peers need holders.
    pub(crate) fn ask<C: Consumer>(mut self, consumer: &mut C) -> Result<Collected, InspectError> {
        self.find_listeners()?;
        let needs = self.question.query.needs;
        let by_holder = needs.contains(Needs::HOLDERS);
        if self.must_hold() || by_holder && needs.contains(Needs::CGROUPS) {
            let held = self.gather(None)?;
            Ok(held.give(held.sockets.iter().map(|socket| held.row(socket)), consumer))
        } else if by_holder {
            later::ask(self.question, self.access, self.enrichment, consumer)
        } else {
            self.stream(consumer)
        }
    }

    /// Holds the sockets that fit, `enough` at most.
    pub(crate) fn hold(mut self, enough: Option<usize>) -> Result<Held, InspectError> {
        self.find_listeners()?;
        self.gather(enough)
    }

    /// Reads all listeners first, if the direction of connections is asked for.
    fn find_listeners(&mut self) -> Result<(), InspectError> {
        if let Some(listeners) = &mut self.enrichment.all_listeners {
            let query = Query::new(Families::Both, StateSet::of(TcpState::Listen));
            collect(&query, self.access, listeners)?;
        }
        Ok(())
    }

    fn gather(self, enough: Option<usize>) -> Result<Held, InspectError> {
        Held::gather(self.question, self.access, self.enrichment, enough)
    }

    fn stream<C: Consumer>(self, consumer: &mut C) -> Result<Collected, InspectError> {
        let Self { question, access, enrichment } = self;
        let mut admission = Admission::new(question, enrichment, consumer);
        let mut collected = collect(&question.query, access, &mut admission)?;
        let Admission { enrichment, doubts, .. } = admission;
        doubts.decide(&question.filter, &enrichment, &collected.gaps)?;
        collected.gaps.extend(doubts.gaps(&enrichment));
        Ok(collected)
    }
}
