//! The summary of a trace.

use std::io;

use serde::Serialize;

use super::{TraceFormat, TraceLines};
use crate::layout::columns::push_fmt;
use crate::layout::json::push_value;
use crate::layout::text::span_us;
use crate::model::TcpState;
use crate::trace::{Missed, Tally};

impl TraceLines {
    /// Appends the summary.
    pub(crate) fn summary(&self, out: &mut Vec<u8>, tally: &Tally, missed: Missed) -> io::Result<()> {
        match self.style.format {
            TraceFormat::Csv => Ok(()),
            TraceFormat::Ndjson => {
                push_value(out, &Summary { summary: SummaryRecord::of(tally, missed) })?;
                out.push(b'\n');
                Ok(())
            }
            TraceFormat::Plain | TraceFormat::Table => {
                push_matrix(out, tally);
                push_spans(out, tally);
                Ok(())
            }
        }
    }
}

/// The eleven, and what is none of them.
fn states() -> impl Iterator<Item = Option<TcpState>> + Clone {
    TcpState::SHOWN.into_iter().map(Some).chain([None])
}

fn name(state: Option<TcpState>) -> &'static str {
    state.and_then(TcpState::name).unwrap_or("unknown")
}

/// Old states at the side, new ones above; only those that occur.
fn push_matrix(out: &mut Vec<u8>, tally: &Tally) {
    let columns: Vec<_> = states()
        .filter(|new| states().any(|old| tally.transitions(old, *new) > 0))
        .map(|new| {
            let heads = head(new);
            let digits = states().map(|old| tally.transitions(old, new).to_string().len()).max().unwrap_or(1);
            (new, heads, digits.max(heads.0.len()).max(heads.1.len()))
        })
        .collect();
    push_fmt(out, format_args!("\n{:11}", "To"));
    for (_, (above, _), width) in &columns {
        push_fmt(out, format_args!(" {above:>width$}"));
    }
    push_fmt(out, format_args!("\n{:11}", "From"));
    for (_, (_, below), width) in &columns {
        push_fmt(out, format_args!(" {below:>width$}"));
    }
    out.push(b'\n');
    for old in states().filter(|old| states().any(|new| tally.transitions(*old, new) > 0)) {
        push_fmt(out, format_args!("{:11}", name(old)));
        for (new, _, width) in &columns {
            match tally.transitions(old, *new) {
                0 => push_fmt(out, format_args!(" {:>width$}", ".")),
                count => push_fmt(out, format_args!(" {count:>width$}")),
            }
        }
        out.push(b'\n');
    }
}

/// A state's name in two lines, which keeps the matrix within a terminal.
fn head(state: Option<TcpState>) -> (&'static str, &'static str) {
    let name = name(state);
    match name.split_once('_') {
        Some(parts) => parts,
        None if name == "ESTABLISHED" => ("ESTAB-", "LISHED"),
        None => ("", name),
    }
}

fn push_spans(out: &mut Vec<u8>, tally: &Tally) {
    push_fmt(out, format_args!("\n{:11} {:>10} {:>10} {:>10}\n", "State", "Left", "Median", "99 %"));
    for state in TcpState::SHOWN {
        if let Some(spans) = tally.spans(state) {
            let span = |span: u64| span_us(span / 1_000);
            let (median, p99) = (span(spans.median), span(spans.p99));
            push_fmt(out, format_args!("{state:11} {:>10} {median:>10} {p99:>10}\n", spans.count));
        }
    }
}

#[derive(Serialize)]
struct Summary {
    summary: SummaryRecord,
}

#[derive(Serialize)]
struct SummaryRecord {
    transitions: Vec<TransitionRecord>,
    states: Vec<StateRecord>,
    lost: u64,
    unseen: u64,
    dropped: u64,
}

#[derive(Serialize)]
struct TransitionRecord {
    old: &'static str,
    new: Option<&'static str>,
    count: u64,
}

/// Times are in seconds.
#[derive(Serialize)]
struct StateRecord {
    state: &'static str,
    count: u64,
    median: f64,
    p99: f64,
}

impl SummaryRecord {
    fn of(tally: &Tally, missed: Missed) -> Self {
        let pairs = states().flat_map(|old| states().map(move |new| (old, new)));
        let transitions = pairs.filter_map(|(old, new)| {
            let count = tally.transitions(old, new);
            let new = new.and_then(TcpState::name);
            (count > 0).then(|| TransitionRecord { old: name(old), new, count })
        });
        let states = TcpState::SHOWN.into_iter().filter_map(|state| {
            let spans = tally.spans(state)?;
            let seconds = |nanos: u64| std::time::Duration::from_nanos(nanos).as_secs_f64();
            Some(StateRecord {
                state: state.name()?,
                count: spans.count,
                median: seconds(spans.median),
                p99: seconds(spans.p99),
            })
        });
        Self {
            transitions: transitions.collect(),
            states: states.collect(),
            lost: missed.lost,
            unseen: missed.unseen,
            dropped: missed.dropped,
        }
    }
}
