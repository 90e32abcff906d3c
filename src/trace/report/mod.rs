//! Transitions, one a line: columns of fixed width, since nobody knows what comes; ndjson; CSV. And what is made of
//! them: connections, and a summary.

mod data;
mod stories;
mod summary;
#[cfg(test)]
mod tests;
mod text;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::layout::columns::push_state;
use crate::layout::text::push_millionths;
use crate::model::TcpState;
use crate::trace::{OnCpu, StateChange, Wall};

/// The layouts of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TraceFormat {
    /// For a terminal: in two lines or three where one is too narrow.
    Table,
    /// For a pipe: one line.
    Plain,
    /// One document a line.
    Ndjson,
    /// A heading and one line each.
    Csv,
}

/// How a trace is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceStyle {
    /// The layout.
    pub format: TraceFormat,
    /// Whether there is a heading.
    pub header: bool,
    /// Colours and styles.
    pub color: bool,
    /// The terminal's columns.
    pub width: Option<usize>,
}

/// Writes transitions.
#[derive(Debug)]
pub(crate) struct TraceLines {
    style: TraceStyle,
    /// Each transition is of one line.
    one_line: bool,
    zone: TimeZone,
    /// The seconds that were written last, and their texts: of the day, and by RFC 3339.
    clock: (i64, String),
    stamp: (i64, String),
}

const TIME: usize = 15;
const END: usize = 23;
const STATE: usize = 11;
const SPAN: usize = 10;
const CPU: usize = 22;
/// None was written yet.
const NO_SECOND: (i64, String) = (i64::MIN, String::new());
/// From here on a terminal takes it all in one line, with most of the meanings.
const WIDE: usize = 170;

impl TraceLines {
    /// Lines of this style; times of the day are those of the zone.
    pub(crate) fn new(style: TraceStyle, zone: TimeZone) -> Self {
        let one_line = style.format != TraceFormat::Table || style.width.is_none_or(|width| width >= WIDE);
        Self { style, one_line, zone, clock: NO_SECOND, stamp: NO_SECOND }
    }

    /// Appends the heading.
    pub(crate) fn head(&self, out: &mut Vec<u8>) {
        if !self.style.header {
            return;
        }
        match self.style.format {
            TraceFormat::Ndjson => {}
            TraceFormat::Csv => out.extend_from_slice(
                b"time,old,new,local_address,local_port,peer_address,peer_port,pid,name,duration,meaning\n",
            ),
            TraceFormat::Plain | TraceFormat::Table => self.text_head(out),
        }
    }

    /// Appends a transition, that was at this time.
    pub(crate) fn change(&mut self, out: &mut Vec<u8>, change: &StateChange, time: Wall) {
        match self.style.format {
            TraceFormat::Ndjson => self.ndjson(out, change, time),
            TraceFormat::Csv => self.csv(out, change, time),
            TraceFormat::Plain | TraceFormat::Table if self.one_line => self.line(out, change, time),
            TraceFormat::Plain | TraceFormat::Table => self.lines(out, change, time),
        }
    }

    /// The time of the day, to the microsecond.
    fn push_clock(&mut self, out: &mut Vec<u8>, time: Wall) {
        let (second, micros) = second_and_micros(time);
        if self.clock.0 != second {
            let shown = Timestamp::from_second(second).map(|time| time.to_zoned(self.zone.clone()));
            let text = shown.map(|time| time.strftime("%H:%M:%S").to_string()).unwrap_or_default();
            self.clock = (second, text);
        }
        out.extend_from_slice(self.clock.1.as_bytes());
        push_millionths(out, micros);
        out.push(b' ');
    }

    /// By RFC 3339, in UTC.
    fn push_timestamp(&mut self, out: &mut Vec<u8>, time: Wall) {
        let (second, micros) = second_and_micros(time);
        if self.stamp.0 != second {
            let text = Timestamp::from_second(second).unwrap_or_default().to_string();
            self.stamp = (second, text.trim_end_matches('Z').to_owned());
        }
        out.extend_from_slice(self.stamp.1.as_bytes());
        push_millionths(out, micros);
        out.push(b'Z');
    }
}

/// The second and the microsecond in it.
fn second_and_micros(Wall(nanos): Wall) -> (i64, u64) {
    (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000).unsigned_abs() / 1_000)
}

/// Who was on the processor, as far as anything is known.
fn on_cpu(change: &StateChange) -> Option<OnCpu> {
    change.on_cpu.filter(|on_cpu| on_cpu.pid.is_some() || !on_cpu.name.as_bytes().is_empty())
}

fn push_state_name(out: &mut Vec<u8>, state: Option<TcpState>) {
    match state {
        Some(state) => push_state(out, state, state.name()),
        None => out.extend_from_slice(b"unknown"),
    }
}
