//! For a terminal: aligned, styled, fitted to the width. The table holds a block of rows to find their widths; a long
//! list has several blocks, each aligned by itself.
//!
//! Columns without a value in a block are left out. A row that is too long takes several lines, and no other row does;
//! on a narrow screen each column of a row has a line.

mod column;
mod details;
mod fit;
mod lines;

use std::io;

pub(super) use self::column::Cell;
use self::column::{Column, MAIN, Presence, columns};
use self::fit::{NARROW, Plan, Wish, fits, plan};
use super::grid::{BLOCK, new_grid, push_grid, title_cells};
use super::text;
use super::{Head, Listing, Style};
use crate::fields::Field;
use crate::model::{Gap, Row};

pub(super) struct Table {
    style: Style,
    columns: Vec<Column>,
    /// So many of the first columns are never below a row.
    together: usize,
    /// The rows of this block.
    rows: Vec<Entry>,
    /// The places of the columns under the last heading; `None` before the first.
    headed: Option<Vec<usize>>,
}

/// A row's texts.
struct Entry {
    cells: Vec<Cell>,
    /// What stands below it.
    details: Vec<String>,
}

/// Appends a table of cells that are not made from rows, fitted to the width. A title comes with whether its column has
/// numbers.
pub(super) fn push_cells(out: &mut Vec<u8>, style: Style, titles: Vec<(String, bool)>, rows: Vec<Vec<Cell>>) {
    let columns: Vec<_> =
        titles.into_iter().map(|(title, is_number)| Column::given(title, is_number)).collect();
    let together = columns.len();
    let rows = rows.into_iter().map(|cells| Entry { cells, details: Vec::new() }).collect();
    Table { style, columns, together, rows, headed: None }.write_block(out);
}

/// Which columns a block shows, and how.
struct Arrangement {
    /// The places of the columns beside each other.
    beside: Vec<usize>,
    /// The places of those that follow below each row, as words.
    below: Vec<usize>,
    plan: Plan,
    /// About how many lines it takes.
    lines: usize,
}

impl Table {
    /// The table with the chosen columns; the usual ones where none are.
    pub(super) fn new(style: Style, chosen: &[&'static Field]) -> Self {
        let together = if chosen.is_empty() { MAIN } else { 1 } + usize::from(style.marks);
        Self { style, columns: columns(&style, chosen), together, rows: Vec::new(), headed: None }
    }

    /// The width to keep to.
    fn room(&self) -> Option<usize> {
        self.style.width.filter(|_| !self.style.wide).map(usize::from)
    }

    /// The arrangement of this block that takes the fewest lines.
    fn arrangement(&self) -> Arrangement {
        let has_value =
            |at: usize| self.rows.iter().any(|row| row.cells.get(at).is_some_and(|cell| !cell.is_empty));
        let is_shown =
            |(at, column): &(usize, &Column)| column.presence == Presence::Always || has_value(*at);
        let shown: Vec<_> = self.columns.iter().enumerate().filter(is_shown).map(|(at, _)| at).collect();
        let with = |spare: Option<u8>| -> Vec<usize> {
            let is_wanted = |at: &usize| match self.columns.get(*at).map(|column| column.presence) {
                Some(Presence::Spare(rank)) => Some(rank) == spare,
                _ => true,
            };
            shown.iter().copied().filter(is_wanted).collect()
        };
        let without = with(None);
        let plain = self.fewest_lines(&without);
        for rank in [0, 1] {
            let columns = with(Some(rank));
            let arrangement = self.beside(&columns, columns.len());
            let fits = arrangement.lines <= plain.lines && arrangement.plan != Plan::Stacked;
            if fits && columns.len() > without.len() {
                return arrangement;
            }
        }
        plain
    }

    /// Moves as many of the last columns below the rows as saves lines.
    fn fewest_lines(&self, shown: &[usize]) -> Arrangement {
        let mut best = self.beside(shown, shown.len());
        let least = shown.iter().filter(|at| **at < self.together).count();
        for beside in (least.max(1)..shown.len()).rev() {
            let is_stacked = best.plan == Plan::Stacked && self.room().is_some_and(|room| room < NARROW);
            if best.lines <= self.rows.len() || is_stacked {
                break;
            }
            let other = self.beside(shown, beside);
            if other.lines < best.lines {
                best = other;
            }
        }
        best
    }

    /// So many of these columns beside each other, the others below.
    fn beside(&self, shown: &[usize], count: usize) -> Arrangement {
        let (beside, below) = shown.split_at(count.min(shown.len()));
        let columns = beside.iter().filter_map(|at| self.columns.get(*at));
        // The grid has no column of width 0.
        let title = |column: &Column| if self.style.header { text::width(&column.title).max(1) } else { 1 };
        let wishes: Vec<_> =
            columns.map(|column| Wish { title: title(column), is_flexible: column.is_flexible() }).collect();
        let rows: Vec<Vec<usize>> =
            self.rows.iter().map(|row| row.these(beside).map(Cell::width).collect()).collect();
        let plan = plan(&wishes, &rows, self.room());
        let lines_below = if below.is_empty() { 0 } else { rows.len() };
        let lines = match plan {
            Plan::Beside(_) => rows.len() + plan.long_rows(&rows) + lines_below,
            Plan::Stacked => rows.len() * shown.len(),
        };
        Arrangement { beside: beside.to_vec(), below: below.to_vec(), plan, lines }
    }

    /// Appends the rows of the block, and forgets them.
    fn write_block(&mut self, out: &mut Vec<u8>) {
        let Arrangement { beside, below, plan, .. } = self.arrangement();
        match plan {
            Plan::Beside(widths) => self.write_beside(out, beside, &below, &widths),
            Plan::Stacked => self.write_stacked(out, &beside),
        }
        self.rows.clear();
    }

    fn write_beside(&mut self, out: &mut Vec<u8>, shown: Vec<usize>, below: &[usize], widths: &[usize]) {
        let room = self.room().unwrap_or(usize::MAX);
        let mut grid = new_grid(self.style.color);
        if self.style.header && self.headed.as_ref() != Some(&shown) {
            let titles = shown.iter().filter_map(|at| Some(self.columns.get(*at)?.title.as_str()));
            grid.add_row(title_cells(titles));
        }
        for row in &self.rows {
            let cells: Vec<_> = row.these(&shown).collect();
            let is_long = !fits(&cells.iter().map(|cell| cell.width()).collect::<Vec<_>>(), widths);
            if !is_long {
                grid.add_row(cells.iter().map(|cell| cell.in_grid()));
            }
            let words: Vec<_> = self.words(row, below).chain(row.details.iter().cloned()).collect();
            if is_long || !words.is_empty() {
                push_grid(out, std::mem::replace(&mut grid, new_grid(self.style.color)), widths);
            }
            if is_long {
                lines::push_row(out, &cells, widths, room, self.style.color);
            }
            lines::push_wrapped(out, words.into_iter(), room);
        }
        push_grid(out, grid, widths);
        self.headed = Some(shown);
    }

    /// `title:text` for each of these columns in which the row has a value.
    fn words<'a>(&'a self, row: &'a Entry, below: &'a [usize]) -> impl Iterator<Item = String> + 'a {
        let cells = below.iter().filter_map(|at| Some((self.columns.get(*at)?, row.cells.get(*at)?)));
        let known = cells.filter(|(_, cell)| !cell.is_empty);
        known.map(|(column, cell)| format!("{}:{}", column.title.to_ascii_lowercase(), cell.text))
    }

    fn write_stacked(&mut self, out: &mut Vec<u8>, shown: &[usize]) {
        let room = self.room().unwrap_or(usize::MAX);
        let columns: Vec<_> = shown.iter().filter_map(|at| self.columns.get(*at)).collect();
        for row in &self.rows {
            let cells: Vec<_> = row.these(shown).collect();
            lines::push_stacked(out, &columns, &cells, room, self.style.color);
            lines::push_wrapped(out, row.details.iter().cloned(), room);
        }
        self.headed = Some(Vec::new());
    }
}

impl Listing for Table {
    fn head(&mut self, _out: &mut Vec<u8>, _head: &Head<'_>) -> io::Result<()> {
        self.rows.clear();
        self.headed = None;
        Ok(())
    }

    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        if self.rows.len() >= BLOCK {
            self.write_block(out);
        }
        let cells = self.columns.iter().map(|column| column.cell(row)).collect();
        self.rows.push(Entry { cells, details: details::details(row, self.style.parts, self.style.wide) });
        Ok(())
    }

    fn tail(&mut self, out: &mut Vec<u8>, _gaps: &[Gap]) -> io::Result<()> {
        if self.headed.is_none() || !self.rows.is_empty() {
            self.write_block(out);
        }
        Ok(())
    }
}

impl Entry {
    /// The cells at these places.
    fn these<'a>(&'a self, places: &'a [usize]) -> impl Iterator<Item = &'a Cell> {
        places.iter().filter_map(|at| self.cells.get(*at))
    }
}

#[cfg(test)]
mod tests;
