//! Counts by state: always eleven lines, with zero counts too.

use std::io;

use serde::Serialize;
use serde::ser::SerializeMap;

use super::columns::push_fmt;
use super::csv::push_time;
use super::json::{push_document_head, push_document_tail, push_member};
use super::{CountFormat, Head, text};
use crate::model::Gap;
use crate::tally::StateCounts;

/// How a summary is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its layout.
    pub format: CountFormat,
    /// Whether CSV has a heading.
    pub header: bool,
    /// The summary is repeated (`-c`): rows of CSV start with the time.
    pub repeated: bool,
}

/// Appends the counts in this format.
pub fn write_summary(
    out: &mut Vec<u8>,
    summary: Summary,
    head: &Head<'_>,
    counts: &StateCounts,
    gaps: &[Gap],
) -> io::Result<()> {
    match summary.format {
        CountFormat::Json | CountFormat::Ndjson => return write_json(out, head, counts, gaps),
        CountFormat::Csv => {
            if summary.header {
                out.extend_from_slice(if summary.repeated { b"taken_at," } else { b"" });
                out.extend_from_slice(b"state,count\n");
            }
            for (state, count) in counts.each() {
                if summary.repeated {
                    push_time(out, head.taken_at);
                }
                push_fmt(out, format_args!("{state},{count}\n"));
            }
        }
        CountFormat::Table => write_aligned(out, counts),
        CountFormat::Plain => {
            counts.each().for_each(|(state, count)| push_fmt(out, format_args!("{state} {count}\n")));
        }
    }
    Ok(())
}

/// For people: names on the left, numbers on the right.
fn write_aligned(out: &mut Vec<u8>, counts: &StateCounts) {
    let digits = counts.total().to_string().len();
    for (state, count) in counts.each() {
        text::push_left(out, &state.to_string(), 12);
        text::push_number_right(out, count, digits);
        out.push(b'\n');
    }
    text::push_left(out, "total", 12);
    text::push_number_right(out, counts.total(), digits);
    out.push(b'\n');
}

struct States<'a>(&'a StateCounts);

impl Serialize for States<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (state, count) in self.0.each() {
            map.serialize_entry(&state.to_string(), &count)?;
        }
        map.end()
    }
}

fn write_json(out: &mut Vec<u8>, head: &Head<'_>, counts: &StateCounts, gaps: &[Gap]) -> io::Result<()> {
    push_document_head(out, head)?;
    push_member(out, "states", &States(counts))?;
    push_fmt(out, format_args!(",\"total\":{}", counts.total()));
    push_document_tail(out, gaps)
}
