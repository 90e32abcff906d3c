//! `json`: one document; `ndjson`: one socket per line. Both are streamed: no socket is held.

mod formatter;
mod row;
mod ulp;
mod value;

use std::borrow::Cow;
use std::io;

use serde::Serialize;

use self::formatter::Lines as OneLine;
use self::row::RowKeys;
pub(crate) use self::value::{ToJson, member};
use super::{Head, Listing, Parts, Style};
use crate::fields::Field;
use crate::model::escape::push_lossless;
use crate::model::{Gap, Row};

/// The version of the keys. Keys are only ever added within it.
const SCHEMA: u32 = 1;

/// Appends a value on one line, with everything escaped that a terminal would interpret.
pub(crate) fn push_value(out: &mut Vec<u8>, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(out, OneLine)).map_err(io::Error::from)
}

/// Appends a comma, a key that needs no escaping, and its value.
pub(crate) fn push_member(out: &mut Vec<u8>, key: &str, value: &impl Serialize) -> io::Result<()> {
    super::columns::push_fmt(out, format_args!(",\"{key}\":"));
    push_value(out, value)
}

/// Appends what every document begins with, up to the key that holds its content.
pub(crate) fn push_document_head(out: &mut Vec<u8>, head: &Head<'_>) -> io::Result<()> {
    super::columns::push_fmt(out, format_args!("{{\"schema\":{SCHEMA},\"source\":"));
    push_value(out, &head.source.name())?;
    push_member(out, "taken_at", &head.taken_at)
}

/// Appends what every document ends with.
pub(crate) fn push_document_tail(out: &mut Vec<u8>, gaps: &[Gap]) -> io::Result<()> {
    let warnings: Vec<String> = gaps.iter().map(Gap::to_string).collect();
    push_member(out, "warnings", &warnings)?;
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// Text with bytes that are not UTF-8 shown as `\xNN`. JSON's escaping handles the rest.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(bytes.len());
    push_lossless(&mut shown, bytes);
    Cow::Owned(shown)
}

/// Appends a row with these parts; it builds the keys each time, so use it for few rows only.
pub(crate) fn push_row(out: &mut Vec<u8>, row: &Row<'_>, parts: Parts) {
    RowKeys::of(parts).push_row(out, row, None);
}

/// The keys of the chosen columns or, without any, of the parts.
fn keys(style: Style, columns: &[&'static Field]) -> RowKeys {
    if columns.is_empty() { RowKeys::of(style.parts) } else { RowKeys::of_fields(columns) }
}

/// One document with all sockets; one socket per line if it is the only document.
pub(super) struct Document {
    style: Style,
    keys: RowKeys,
    first: bool,
}

impl Document {
    pub(super) fn new(style: Style, columns: &[&'static Field]) -> Self {
        Self { style, keys: keys(style, columns), first: true }
    }

    /// Appends a line break, unless the document is one of several, each of which is one line.
    fn push_line_break(&self, out: &mut Vec<u8>) {
        if !self.style.repeated {
            out.push(b'\n');
        }
    }
}

impl Listing for Document {
    fn head(&mut self, out: &mut Vec<u8>, head: &Head<'_>) -> io::Result<()> {
        self.first = true;
        push_document_head(out, head)?;
        out.extend_from_slice(b",\"sockets\":[");
        Ok(())
    }

    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        if !self.first {
            out.push(b',');
        }
        self.push_line_break(out);
        self.first = false;
        self.keys.push_row(out, row, None);
        Ok(())
    }

    fn tail(&mut self, out: &mut Vec<u8>, gaps: &[Gap]) -> io::Result<()> {
        if !self.first {
            self.push_line_break(out);
        }
        out.push(b']');
        push_document_tail(out, gaps)
    }
}

/// One document a socket, a line each.
pub(super) struct Lines {
    style: Style,
    keys: RowKeys,
    taken_at: Option<String>,
}

impl Lines {
    pub(super) fn new(style: Style, columns: &[&'static Field]) -> Self {
        Self { style, keys: keys(style, columns), taken_at: None }
    }
}

impl Listing for Lines {
    fn head(&mut self, _out: &mut Vec<u8>, head: &Head<'_>) -> io::Result<()> {
        self.taken_at = self.style.repeated.then(|| head.taken_at.to_owned());
        Ok(())
    }

    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        self.keys.push_row(out, row, self.taken_at.as_deref());
        out.push(b'\n');
        Ok(())
    }

    fn tail(&mut self, _out: &mut Vec<u8>, _gaps: &[Gap]) -> io::Result<()> {
        Ok(())
    }
}
