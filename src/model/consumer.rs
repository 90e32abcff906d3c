//! Who takes the rows that fit a question.

use std::ops::ControlFlow;

use super::{Holder, Row, Source};

/// Takes the rows that fit, as they come.
///
/// Holders are looked for when all sockets have come. Where a row's holders matter, the consumer keeps what it needs of
/// it until then, as a [`Later`](Consumer::Later).
pub trait Consumer: Send {
    /// What is kept of a row whose holders are not known yet.
    type Later: Send;

    /// The first attempt begins, or another one: what came before is forgotten.
    fn begin(&mut self, source: Source);

    /// Whether what came can be forgotten yet. Not so once some of it has been written.
    fn can_begin_again(&self) -> bool {
        true
    }

    /// A row of which all is known. `Break` ends the answer.
    fn take(&mut self, row: &Row<'_>) -> ControlFlow<()>;

    /// Keeps what matters of a row whose holders are not known yet.
    fn keep(&mut self, row: &Row<'_>) -> Self::Later;

    /// The holders of a row that was kept.
    fn take_later(&mut self, later: Self::Later, holders: &[Holder]);
}
