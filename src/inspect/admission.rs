//! Judges each socket as the source delivers it, and passes on those that match.

use std::ops::ControlFlow;

use super::doubts::Doubts;
use super::enrichment::Enrichment;
use super::question::Question;
use crate::model::{Consumer, Sink, Socket, Source};

/// Gives a consumer each matching row at once; all look-ups for a row can be made before the next row comes.
pub(super) struct Admission<'a, C> {
    question: &'a Question,
    /// Whether the filter has terms that need a look-up.
    is_open: bool,
    pub(super) enrichment: Enrichment,
    pub(super) doubts: Doubts,
    consumer: &'a mut C,
}

impl<'a, C: Consumer> Admission<'a, C> {
    pub(super) fn new(question: &'a Question, enrichment: Enrichment, consumer: &'a mut C) -> Self {
        let is_open = !question.is_decided_by_socket();
        Self { question, is_open, enrichment, doubts: Doubts::default(), consumer }
    }
}

impl<C: Consumer> Sink for Admission<'_, C> {
    fn begin(&mut self, source: Source) {
        self.enrichment.forget();
        self.doubts = Doubts::default();
        self.consumer.begin(source);
    }

    fn can_begin_again(&self) -> bool {
        self.consumer.can_begin_again()
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        let Question { filter, query, .. } = self.question;
        self.enrichment.learn(socket);
        if !self.question.may_fit(socket) {
            return ControlFlow::Continue(());
        }
        let known = self.enrichment.known();
        self.enrichment.look_up(socket);
        let row = self.enrichment.row(socket);
        if self.is_open && !self.doubts.admits(filter, &row, known) {
            return ControlFlow::Continue(());
        }
        self.consumer.take(&row)?;
        self.doubts.note(&row, query.needs);
        ControlFlow::Continue(())
    }
}
