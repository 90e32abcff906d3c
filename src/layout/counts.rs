//! Counts by keys, the largest first.

use std::io;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq};

use super::columns::{push_addr, push_fmt};
use super::json::{push_document_head, push_document_tail, push_value};
use super::table::{Cell, push_cells};
use super::text::{capitalised, escaped};
use super::values::value_text;
use super::{CountFormat, Head, Parts, Style};
use crate::fields::{Value, typed_word};
use crate::model::{Gap, Needs};
use crate::tally::{Amount, Change, Changes, CountKey, GroupCounts, KeyValue};

/// How counts are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountStyle {
    /// Its layout.
    pub format: CountFormat,
    /// Whether the table and CSV have a heading.
    pub header: bool,
    /// The counts are repeated (`-c`): rows of NDJSON and CSV start with the time.
    pub repeated: bool,
    /// How many groups at most.
    pub limit: Option<usize>,
    /// Colours and styles.
    pub color: bool,
    /// The terminal's columns, if the table must fit into them.
    pub width: Option<u16>,
}

/// Appends the counts in this format.
pub fn write_counts(
    out: &mut Vec<u8>,
    style: CountStyle,
    head: &Head<'_>,
    counts: &GroupCounts,
    gaps: &[Gap],
) -> io::Result<()> {
    let numbers =
        |amount: &Amount| std::iter::once(amount.count).chain(amount.sums.iter().copied()).collect();
    let sums = counts.sums().iter().map(|field| format!("{}_sum", field.word));
    let grid = Grid {
        keys: counts.keys(),
        names: std::iter::once("count".to_owned()).chain(sums).collect(),
        rows: counts.sorted().into_iter().map(|(values, amount)| (values, numbers(amount))).collect(),
    };
    let total = counts.total();
    let totals: Vec<_> = grid.names.iter().skip(1).cloned().zip(total.sums.iter().copied()).collect();
    write_grid(out, style, head, "counts", grid, |out| {
        push_fmt(out, format_args!("{}", total.count));
        for (name, sum) in totals {
            push_fmt(out, format_args!(",\"{name}\":{sum}"));
        }
    })?;
    end_document(out, style, gaps)
}

/// Appends what changed between two snapshots.
pub fn write_changes(
    out: &mut Vec<u8>,
    style: CountStyle,
    head: &Head<'_>,
    changes: &Changes,
    gaps: &[Gap],
) -> io::Result<()> {
    let numbers = |change: Change| vec![change.opened, change.closed, change.changed];
    let rows = changes.sorted().into_iter().map(|(values, change)| (values, numbers(change))).collect();
    let names = ["opened", "closed", "changed"].map(str::to_owned).into();
    let grid = Grid { keys: changes.keys(), names, rows };
    write_grid(out, style, head, "changes", grid, |out| {
        let Change { opened, closed, changed } = changes.total();
        push_fmt(out, format_args!("{{\"opened\":{opened},\"closed\":{closed},\"changed\":{changed}}}"));
    })?;
    end_document(out, style, gaps)
}

/// Groups with their numbers: each row has one value per key and one number per name.
struct Grid<'a> {
    keys: &'a [CountKey],
    names: Vec<String>,
    rows: Vec<(&'a [KeyValue], Vec<u64>)>,
}

/// Appends the grid; a JSON document up to its total, which `push_total` appends.
fn write_grid(
    out: &mut Vec<u8>,
    style: CountStyle,
    head: &Head<'_>,
    list: &str,
    mut grid: Grid<'_>,
    push_total: impl FnOnce(&mut Vec<u8>),
) -> io::Result<()> {
    let limit = style.limit.unwrap_or(usize::MAX);
    let more = grid.rows.len().saturating_sub(limit);
    grid.rows.truncate(limit);
    match style.format {
        CountFormat::Json => {
            push_document_head(out, head)?;
            push_fmt(out, format_args!(",\"{list}\":"));
            push_value(out, &grid)?;
            out.extend_from_slice(b",\"total\":");
            push_total(out);
        }
        CountFormat::Ndjson => {
            for (values, numbers) in &grid.rows {
                let taken_at = style.repeated.then_some(head.taken_at);
                push_value(out, &Group { taken_at, keys: grid.keys, names: &grid.names, values, numbers })?;
                out.push(b'\n');
            }
        }
        CountFormat::Csv => write_csv(out, style, head, &grid),
        CountFormat::Table => write_table(out, style, &grid, more),
        CountFormat::Plain => write_plain(out, &grid),
    }
    Ok(())
}

fn end_document(out: &mut Vec<u8>, style: CountStyle, gaps: &[Gap]) -> io::Result<()> {
    if style.format == CountFormat::Json { push_document_tail(out, gaps) } else { Ok(()) }
}

fn write_plain(out: &mut Vec<u8>, grid: &Grid<'_>) {
    for (values, numbers) in &grid.rows {
        let texts = grid
            .keys
            .iter()
            .zip(*values)
            .map(|(key, value)| shown(*key, value))
            .chain(numbers.iter().map(u64::to_string));
        push_fmt(out, format_args!("{}\n", texts.collect::<Vec<_>>().join(" ")));
    }
}

/// A value as text; `-` if unknown.
fn shown(key: CountKey, value: &KeyValue) -> String {
    match value {
        KeyValue::Flag(flag) => flag.to_string(),
        KeyValue::Number(number) => value_text(key.field.kind, &Value::Number(*number)).unwrap_or_default(),
        KeyValue::Unknown => "-".to_owned(),
        KeyValue::State(_, name) => name.to_string(),
        KeyValue::Addr(addr) => addr.to_string(),
        KeyValue::Net(addr, len) => {
            let mut text = Vec::new();
            push_addr(&mut text, *addr);
            push_fmt(&mut text, format_args!("/{len}"));
            String::from_utf8_lossy(&text).into_owned()
        }
        KeyValue::Text(bytes) => escaped(bytes),
    }
}

fn write_csv(out: &mut Vec<u8>, style: CountStyle, head: &Head<'_>, grid: &Grid<'_>) {
    if style.header {
        if style.repeated {
            out.extend_from_slice(b"taken_at,");
        }
        let names = grid.keys.iter().map(|key| key.name());
        let names: Vec<_> = names.chain(grid.names.iter().cloned()).collect();
        push_fmt(out, format_args!("{}\n", names.join(",")));
    }
    for (values, numbers) in &grid.rows {
        if style.repeated {
            super::csv::push_time(out, head.taken_at);
        }
        for (key, value) in grid.keys.iter().zip(*values) {
            let text = data(*key, value);
            super::csv::push_field(out, &text);
            out.push(b',');
        }
        push_fmt(out, format_args!("{}\n", numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(",")));
    }
}

/// Appends a table. If the limit leaves groups out, the last line says how many.
fn write_table(out: &mut Vec<u8>, style: CountStyle, grid: &Grid<'_>, more: usize) {
    let keys = grid.keys.iter().map(|key| (title(*key), false));
    let names = grid.names.iter().map(|name| (capitalised(&typed_word(name)), true));
    let rows = grid.rows.iter().map(|(values, numbers)| {
        let texts = grid.keys.iter().zip(*values).map(|(key, value)| match value {
            KeyValue::State(_, name) => {
                name.parse().map_or_else(|_| Cell::plain(&**name), |state| Cell::state(&**name, state))
            }
            KeyValue::Unknown if key.field.needs.contains(Needs::HOLDERS) => Cell::dim("(no process)"),
            other => Cell::plain(shown(*key, other)),
        });
        texts.chain(numbers.iter().map(|number| Cell::count(*number))).collect()
    });
    let table = Style {
        header: style.header,
        color: style.color,
        width: style.width,
        ..Style::new(Parts::default())
    };
    push_cells(out, table, keys.chain(names).collect(), rows.collect());
    if more > 0 {
        push_fmt(out, format_args!("... {more} more\n"));
    }
}

/// `peer-net/24` → `Peer-net/24`.
fn title(key: CountKey) -> String {
    let len = key.net.map(|len| format!("/{len}")).unwrap_or_default();
    capitalised(&format!("{}{len}", typed_word(&key.name())))
}

/// A value for a program: numbers in their own unit; empty if unknown.
fn data(key: CountKey, value: &KeyValue) -> String {
    match value {
        KeyValue::Unknown => String::new(),
        KeyValue::Number(number) => number.to_string(),
        other => shown(key, other),
    }
}

impl Serialize for Grid<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for (values, numbers) in &self.rows {
            let group = Group { taken_at: None, keys: self.keys, names: &self.names, values, numbers };
            list.serialize_element(&group)?;
        }
        list.end()
    }
}

struct Group<'a> {
    taken_at: Option<&'a str>,
    keys: &'a [CountKey],
    names: &'a [String],
    values: &'a [KeyValue],
    numbers: &'a [u64],
}

impl Serialize for Group<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(taken_at) = self.taken_at {
            map.serialize_entry("taken_at", taken_at)?;
        }
        for (key, value) in self.keys.iter().zip(self.values) {
            map.serialize_key(&key.name())?;
            match value {
                KeyValue::Unknown => map.serialize_value(&())?,
                KeyValue::Flag(flag) => map.serialize_value(flag)?,
                KeyValue::Number(number) => map.serialize_value(number)?,
                KeyValue::Text(bytes) => map.serialize_value(&super::json::text(bytes))?,
                other => map.serialize_value(&shown(*key, other))?,
            }
        }
        for (name, number) in self.names.iter().zip(self.numbers) {
            map.serialize_entry(name, number)?;
        }
        map.end()
    }
}
