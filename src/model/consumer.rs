//! Receives the rows that match a question.

use std::ops::ControlFlow;

use super::{Holder, Row, Source};

/// Takes the matching rows as they arrive.
///
/// Processes are scanned for holders after all sockets have arrived. If a row's holders matter, the consumer keeps what
/// it needs of the row until then, as a [`Later`](Consumer::Later).
pub trait Consumer: Send {
    /// What is kept of a row whose holders are not known yet.
    type Later: Send;

    /// Begins the first attempt, or another one: rows of an earlier attempt are dropped.
    fn begin(&mut self, source: Source);

    /// Whether earlier rows can still be dropped; false once some of them have been written.
    fn can_begin_again(&self) -> bool {
        true
    }

    /// Takes a row whose look-ups are complete. `Break` ends the answer.
    fn take(&mut self, row: &Row<'_>) -> ControlFlow<()>;

    /// Keeps what matters of a row whose holders are not known yet.
    fn keep(&mut self, row: &Row<'_>) -> Self::Later;

    /// Takes the holders of a row that was kept.
    fn take_later(&mut self, later: Self::Later, holders: &[Holder]);
}
