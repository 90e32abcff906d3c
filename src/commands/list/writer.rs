//! Writes the rows of a list.

use std::io;
use std::ops::ControlFlow;

use super::List;
use crate::layout::{Head, Listing, Pages, Style, listing};
use crate::model::{Consumer, Gap, Holder, Row, Source};
use crate::session::{Output, now};

/// Writes each row as it comes, up to the limit.
pub(super) struct Writer<'a> {
    taken_at: String,
    pub(super) layout: Box<dyn Listing>,
    pub(super) out: &'a mut Pages<Output>,
    limit: usize,
    left: usize,
    /// The rows that came when the limit was reached; they are counted if somebody reads the number.
    pub(super) more: u64,
    counts_more: bool,
    /// Whether a row was written.
    pub(super) has_rows: bool,
    error: Option<io::Error>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(list: &List, style: Style, out: &'a mut Pages<Output>) -> Self {
        Self {
            taken_at: now(),
            layout: listing(list.format, style, &list.columns),
            out,
            limit: list.limit.unwrap_or(usize::MAX),
            left: 0,
            more: 0,
            counts_more: list.is_read && list.limit.is_some(),
            has_rows: false,
            error: None,
        }
    }

    fn write(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.layout.row(self.out.buffer(), row)?;
        self.out.turn()
    }

    /// Writes the end of the layout, unless an earlier write failed.
    pub(super) fn end(self, gaps: &[Gap]) -> io::Result<()> {
        let Self { mut layout, out, error, .. } = self;
        error.map_or(Ok(()), Err)?;
        layout.tail(out.buffer(), gaps)?;
        out.flush()
    }
}

impl Consumer for Writer<'_> {
    /// Nothing: a list that needs holders is held, not written row by row.
    type Later = ();

    fn begin(&mut self, source: Source) {
        self.out.take_back();
        self.left = self.limit;
        self.more = 0;
        let head = Head { source, taken_at: &self.taken_at };
        self.error = self.layout.head(self.out.buffer(), &head).err();
    }

    fn can_begin_again(&self) -> bool {
        self.out.can_take_back()
    }

    fn take(&mut self, row: &Row<'_>) -> ControlFlow<()> {
        if self.left == 0 && self.counts_more {
            self.more += 1;
            return ControlFlow::Continue(());
        }
        if self.left == 0 || self.error.is_some() {
            return ControlFlow::Break(());
        }
        self.left -= 1;
        self.has_rows = true;
        self.error = self.write(row).err();
        if self.error.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn keep(&mut self, row: &Row<'_>) {
        let _ = self.take(row);
    }

    fn take_later(&mut self, (): (), _: &[Holder]) {}
}
