//! A heading and one socket a line (RFC 4180, with plain line breaks). Columns have the JSON's names; those of
//! `tcp_info` and `memory` begin with that name.

use std::io;

use super::columns::{End, push_addr, push_fmt, push_holders, push_state, push_text};
use super::text::push_number;
use super::values::value_text;
use super::{Head, Listing, Style};
use crate::fields::{self, Field, Kind, Read, Value};
use crate::model::{Congestion, Gap, Reading, Row};

pub(super) struct Csv {
    style: Style,
    fields: Vec<&'static Field>,
}

impl Csv {
    pub(super) fn new(style: Style) -> Self {
        Self { style, fields: fields::all().filter(|field| style.parts.contain(field.part)).collect() }
    }
}

impl Listing for Csv {
    fn head(&mut self, out: &mut Vec<u8>, _head: &Head<'_>) -> io::Result<()> {
        if self.style.header {
            let words: Vec<_> = self.fields.iter().map(|field| field.csv()).collect();
            push_fmt(out, format_args!("{}\n", words.join(",")));
        }
        Ok(())
    }

    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        for (at, field) in self.fields.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            push_value(out, field, row);
        }
        out.push(b'\n');
        Ok(())
    }

    fn tail(&mut self, _out: &mut Vec<u8>, _gaps: &[Gap]) -> io::Result<()> {
        Ok(())
    }
}

/// Appends a value for a program: numbers in the unit of JSON's key; nothing if absent or unknown.
fn push_value(out: &mut Vec<u8>, field: &Field, row: &Row<'_>) {
    let number = |out: &mut Vec<u8>, number: Option<u64>| {
        if let Some(number) = number {
            push_number(out, number);
        }
    };
    match field.read {
        Read::Number(read) | Read::NumberOrAbsent(read) => number(out, read(row)),
        Read::Info(at) => match row.socket.tcp_info().map(|info| info.reading(at)) {
            Some(Reading::Number(number)) => push_number(out, number),
            Some(Reading::Absent | Reading::Unknown) | None => {}
        },
        Read::Address(read) => {
            if let Some(addr) = read(row) {
                push_addr(out, addr);
            }
        }
        Read::Name(read) => {
            if let Some(name) = read(row) {
                push_quoted(out, |out| push_text(out, name.as_bytes()));
            }
        }
        Read::Word(read) => out.extend_from_slice(read(row).unwrap_or_default().as_bytes()),
        Read::Holders(_) => push_quoted(out, |out| push_holders(out, row, End::Local, true)),
        Read::PeerHolders(_) => push_quoted(out, |out| push_holders(out, row, End::Peer, true)),
        Read::Any(read) => push_any(out, field.kind, read(row)),
    }
}

fn push_any(out: &mut Vec<u8>, kind: Kind, value: Value<'_>) {
    match value {
        Value::Absent | Value::Unknown => {}
        Value::Number(number) => push_number(out, number),
        Value::State(state) => push_state(out, state, state.name()),
        Value::Address(addr) => push_addr(out, addr),
        Value::Word(word) => out.extend_from_slice(word.as_bytes()),
        Value::Text(text) => push_quoted(out, |out| push_text(out, &text)),
        // All option names share one column.
        Value::Options(info) => {
            for (at, name) in info.option_names().enumerate() {
                out.extend_from_slice(if at == 0 { b"" } else { b" " });
                out.extend_from_slice(name.as_bytes());
            }
        }
        Value::Flag(flag) => out.extend_from_slice(if flag { b"true" } else { b"false" }),
        Value::Ulp(ulp) => push_quoted(out, |out| push_text(out, ulp.name.as_bytes())),
        Value::Congestion(congestion) => push_congestion(out, congestion),
        Value::Md5Keys(keys) => {
            for (at, key) in keys.iter().enumerate() {
                out.extend_from_slice(if at == 0 { b"" } else { b" " });
                push_addr(out, key.address);
                push_fmt(out, format_args!("/{}", key.prefix_length));
            }
        }
        value => push_field(out, &value_text(kind, &value).unwrap_or_default()),
    }
}

/// Appends the congestion control's own numbers under JSON's keys: `bw_bytes_per_s:1250000 min_rtt_us:20001 …`.
fn push_congestion(out: &mut Vec<u8>, congestion: Congestion) {
    match congestion {
        Congestion::Vegas { enabled, rtt_count, rtt_us, min_rtt_us } => push_fmt(
            out,
            format_args!("enabled:{enabled} rtt_count:{rtt_count} rtt_us:{rtt_us} min_rtt_us:{min_rtt_us}"),
        ),
        Congestion::Dctcp { enabled, ce_state, alpha, ab_ecn, ab_tot } => push_fmt(
            out,
            format_args!(
                "enabled:{enabled} ce_state:{ce_state} alpha:{alpha} ab_ecn:{ab_ecn} ab_tot:{ab_tot}"
            ),
        ),
        Congestion::Bbr { bw_bytes_per_s, min_rtt_us, pacing_gain, cwnd_gain } => push_fmt(
            out,
            format_args!(
                "bw_bytes_per_s:{bw_bytes_per_s} min_rtt_us:{min_rtt_us} pacing_gain:{pacing_gain} \
                 cwnd_gain:{cwnd_gain}"
            ),
        ),
    }
}

/// Appends the text that `write` appends, in quotes if it needs them.
fn push_quoted(out: &mut Vec<u8>, push: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    push(out);
    let needs_quotes =
        out.get(start..).is_some_and(|text| text.iter().any(|byte| matches!(byte, b',' | b'"')));
    if needs_quotes {
        let text = String::from_utf8_lossy(&out.split_off(start)).into_owned();
        push_field(out, &text);
    }
}

/// The layout of repeated lists: each row starts with the time.
pub(super) struct Timed {
    style: Style,
    taken_at: String,
    inner: Box<dyn Listing>,
}

impl Timed {
    /// Adds the time before each row of this layout.
    pub(super) fn new(style: Style, inner: Box<dyn Listing>) -> Self {
        Self { style, taken_at: String::new(), inner }
    }
}

impl Listing for Timed {
    fn head(&mut self, out: &mut Vec<u8>, head: &Head<'_>) -> io::Result<()> {
        head.taken_at.clone_into(&mut self.taken_at);
        if self.style.header {
            out.extend_from_slice(b"taken_at,");
        }
        self.inner.head(out, head)
    }

    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        push_time(out, &self.taken_at);
        self.inner.row(out, row)
    }

    fn tail(&mut self, out: &mut Vec<u8>, gaps: &[Gap]) -> io::Result<()> {
        self.inner.tail(out, gaps)
    }
}

/// The time, and a comma.
pub(super) fn push_time(out: &mut Vec<u8>, taken_at: &str) {
    out.extend_from_slice(taken_at.as_bytes());
    out.push(b',');
}

/// Appends escaped text, in quotes if it needs them.
pub(crate) fn push_field(out: &mut Vec<u8>, text: &str) {
    if !text.contains([',', '"']) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}
