//! Counts by keys, the largest first.

use std::io;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq};

use super::columns::{push_addr, push_fmt};
use super::json::{push_document_head, push_document_tail, push_value};
use super::text::{self, escaped, push_left, push_number, push_number_right, trim_end};
use super::{Format, Head};
use crate::model::Gap;
use crate::select::{CountKey, GroupCounts, Value};

/// How counts are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountStyle {
    /// `Table`, `Plain`, `Json`, `Ndjson` or `Csv`.
    pub format: Format,
    /// Whether the table and CSV have a heading.
    pub header: bool,
    /// How many groups at most.
    pub limit: Option<u64>,
}

/// Appends the counts in this format.
pub fn write_counts(
    out: &mut Vec<u8>,
    style: CountStyle,
    head: &Head<'_>,
    counts: &GroupCounts,
    gaps: &[Gap],
) -> io::Result<()> {
    let limit = style.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut groups = counts.sorted();
    groups.truncate(limit);
    let keys = counts.keys();
    match style.format {
        Format::Json => {
            push_document_head(out, head)?;
            out.extend_from_slice(b",\"counts\":");
            push_value(out, &Groups { keys, groups: &groups })?;
            push_fmt(out, format_args!(",\"total\":{}", counts.total()));
            push_document_tail(out, gaps)?;
        }
        Format::Ndjson => {
            for group in &groups {
                push_value(out, &Group { keys, group })?;
                out.push(b'\n');
            }
        }
        Format::Csv => write_csv(out, style.header, keys, &groups),
        Format::Table => write_table(out, style.header, keys, &groups),
        Format::Plain | Format::Netstat | Format::Ss => {
            for (values, count) in &groups {
                for value in *values {
                    push_fmt(out, format_args!("{} ", shown(value)));
                }
                push_number(out, *count);
                out.push(b'\n');
            }
        }
    }
    Ok(())
}

type Counted<'a> = (&'a [Value], u64);

/// A value as text; `-` where nothing is known.
fn shown(value: &Value) -> String {
    match value {
        Value::Unknown => "-".to_owned(),
        Value::State(_, name) => name.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Addr(addr) => addr.to_string(),
        Value::Net(addr, len) => {
            let mut text = Vec::new();
            push_addr(&mut text, *addr);
            push_fmt(&mut text, format_args!("/{len}"));
            String::from_utf8_lossy(&text).into_owned()
        }
        Value::Text(bytes) => escaped(bytes),
    }
}

fn write_csv(out: &mut Vec<u8>, header: bool, keys: &[CountKey], groups: &[Counted<'_>]) {
    if header {
        for key in keys {
            push_fmt(out, format_args!("{},", json_name(*key)));
        }
        out.extend_from_slice(b"count\n");
    }
    for (values, count) in groups {
        for value in *values {
            let text = if *value == Value::Unknown { String::new() } else { shown(value) };
            super::csv::push_field(out, &text);
            out.push(b',');
        }
        push_number(out, *count);
        out.push(b'\n');
    }
}

fn write_table(out: &mut Vec<u8>, header: bool, keys: &[CountKey], groups: &[Counted<'_>]) {
    const COUNT: &str = "Count";
    let titles: Vec<String> = keys.iter().map(|key| title(*key)).collect();
    let rows: Vec<Vec<String>> =
        groups.iter().map(|(values, _)| values.iter().map(shown).collect()).collect();
    let width = |column: usize| {
        let texts = rows.iter().chain([&titles]).filter_map(|row| row.get(column));
        texts.map(|text| text::width(text)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..keys.len()).map(width).collect();
    let digits = groups.iter().map(|(_, count)| count.to_string().len()).max().unwrap_or(1).max(COUNT.len());
    let push_texts = |out: &mut Vec<u8>, texts: &[String]| {
        for (text, width) in texts.iter().zip(&widths) {
            push_left(out, text, width + 2);
        }
    };
    if header {
        let start = out.len();
        push_texts(out, &titles);
        out.resize(out.len() + digits.saturating_sub(COUNT.len()), b' ');
        out.extend_from_slice(COUNT.as_bytes());
        trim_end(out, start);
        out.push(b'\n');
    }
    for (row, (_, count)) in rows.iter().zip(groups) {
        push_texts(out, row);
        push_number_right(out, *count, digits);
        out.push(b'\n');
    }
}

/// `peer-net/24` → `Peer-net/24`.
fn title(key: CountKey) -> String {
    let name = match key {
        CountKey::PeerNet(len) => format!("{}/{len}", key.name()),
        _ => key.name().to_owned(),
    };
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn json_name(key: CountKey) -> String {
    key.name().replace('-', "_")
}

struct Groups<'a> {
    keys: &'a [CountKey],
    groups: &'a [Counted<'a>],
}

impl Serialize for Groups<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for group in self.groups {
            list.serialize_element(&Group { keys: self.keys, group })?;
        }
        list.end()
    }
}

struct Group<'a> {
    keys: &'a [CountKey],
    group: &'a Counted<'a>,
}

impl Serialize for Group<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (values, count) = self.group;
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.keys.iter().zip(*values) {
            map.serialize_key(&json_name(*key))?;
            match value {
                Value::Unknown => map.serialize_value(&())?,
                Value::Number(number) => map.serialize_value(number)?,
                Value::Text(bytes) => map.serialize_value(&super::json::records::text(bytes))?,
                other => map.serialize_value(&shown(other))?,
            }
        }
        map.serialize_entry("count", count)?;
        map.end()
    }
}
