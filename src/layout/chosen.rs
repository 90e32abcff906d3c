//! Columns chosen and ordered by the user, for the table, the plain list and CSV.

use std::io;

use comfy_table::{Cell, Table as Grid};

use super::columns::push_fmt;
use super::grid::{BLOCK, coloured, fit, new_grid, number_cell, push_grid, title_cells};
use super::text::{capitalised, push_left, trim_end};
use super::values::text_of;
use super::{Format, Head, Listing, Style};
use crate::fields::{Field, Kind};
use crate::model::{Gap, Row};

/// How wide a column of this kind usually is.
fn usual_width(kind: Kind) -> usize {
    match kind {
        Kind::Endpoint(_) => 23,
        Kind::Address(_) => 15,
        Kind::Processes(_) | Kind::Timer => 20,
        Kind::State => 11,
        Kind::Bytes | Kind::Port(_) => 6,
        _ => 8,
    }
}

/// The chosen columns in one of three formats. The table holds its rows in blocks; the others stream.
pub(super) struct Chosen {
    format: Format,
    style: Style,
    columns: Vec<&'static Field>,
    grid: Grid,
    /// The number of rows in the grid.
    rows: usize,
}

impl Chosen {
    pub(super) fn new(format: Format, style: Style, columns: &[&'static Field]) -> Self {
        Self { format, style, columns: columns.to_vec(), grid: Grid::new(), rows: 0 }
    }

    fn push_plain(&self, out: &mut Vec<u8>, text: impl Fn(&'static Field) -> String) {
        let start = out.len();
        for column in &self.columns {
            push_left(out, &text(column), usual_width(column.kind).max(column.word.len()));
            out.push(b' ');
        }
        trim_end(out, start);
        out.push(b'\n');
    }
}

impl Listing for Chosen {
    fn head(&mut self, out: &mut Vec<u8>, _head: &Head<'_>) -> io::Result<()> {
        match self.format {
            Format::Csv if self.style.header => {
                let words: Vec<_> = self.columns.iter().map(|column| column.word).collect();
                push_fmt(out, format_args!("{}\n", words.join(",")));
            }
            Format::Plain if self.style.header => self.push_plain(out, |column| capitalised(&column.typed())),
            Format::Table => {
                self.grid = new_grid(self.style.color);
                self.rows = 0;
                if self.style.header {
                    let titles = self.columns.iter().map(|column| capitalised(&column.typed()));
                    self.grid.set_header(title_cells(titles));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        let or_dash = |column: &Field| text_of(column, row).unwrap_or_else(|| "-".to_owned());
        match self.format {
            Format::Csv => {
                for (index, column) in self.columns.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    super::csv::push_field(out, &text_of(column, row).unwrap_or_default());
                }
                out.push(b'\n');
            }
            Format::Table => {
                if self.rows >= BLOCK {
                    self.write_block(out);
                }
                self.rows += 1;
                let cells = self.columns.iter().map(|column| {
                    let text = or_dash(column);
                    match column.kind {
                        Kind::State => coloured(Cell::new(text), row.socket.state),
                        _ if column.is_number() => number_cell(text),
                        _ => Cell::new(text),
                    }
                });
                self.grid.add_row(cells);
            }
            _ => self.push_plain(out, or_dash),
        }
        Ok(())
    }

    fn tail(&mut self, out: &mut Vec<u8>, _gaps: &[Gap]) -> io::Result<()> {
        if self.format == Format::Table {
            self.write_block(out);
        }
        Ok(())
    }
}

impl Chosen {
    /// Appends the rows that the grid has, and begins another one.
    fn write_block(&mut self, out: &mut Vec<u8>) {
        self.rows = 0;
        let mut grid = std::mem::replace(&mut self.grid, new_grid(self.style.color));
        if let Some(width) = self.style.width.filter(|_| !self.style.wide) {
            fit(&mut grid, width);
        }
        push_grid(out, grid, &[]);
    }
}
