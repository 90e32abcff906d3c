//! Columns chosen and ordered by the user, for the plain list and CSV. Rows are written as they come.

use std::io;

use super::columns::push_fmt;
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

/// The chosen columns in one of the two formats.
pub(super) struct Chosen {
    format: Format,
    style: Style,
    columns: Vec<&'static Field>,
}

impl Chosen {
    pub(super) fn new(format: Format, style: Style, columns: &[&'static Field]) -> Self {
        Self { format, style, columns: columns.to_vec() }
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
            _ => self.push_plain(out, or_dash),
        }
        Ok(())
    }

    fn tail(&mut self, _out: &mut Vec<u8>, _gaps: &[Gap]) -> io::Result<()> {
        Ok(())
    }
}
