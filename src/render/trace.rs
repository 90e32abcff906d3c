//! Transitions, one a line: columns of fixed width, since nobody knows what comes; ndjson; CSV.

use std::io;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::columns::{push_addr, push_fmt, push_port, push_state, push_text};
use super::csv::push_field;
use super::json::{push_value, text};
use super::report::state_style;
use super::text::{escaped, pad_from, push_left, push_number, span_us, trim_end};
use crate::model::{Endpoint, TcpState};
use crate::trace::{Change, Nanos, OnCpu};

/// The layouts of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceFormat {
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
pub struct TraceStyle {
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
pub struct TraceLines {
    pub(super) style: TraceStyle,
    /// Each transition is of one line.
    pub(super) one_line: bool,
    /// What is to be added to the kernel's monotonic time.
    offset: i128,
    zone: TimeZone,
    /// The second that was written last, and its text.
    second: (i64, String),
}

pub(super) const TIME: usize = 15;
pub(super) const END: usize = 23;
const STATE: usize = 11;
pub(super) const SPAN: usize = 10;
const CPU: usize = 22;
/// From here on a terminal takes it all in one line, with most of the meanings.
pub(super) const WIDE: usize = 170;

impl TraceLines {
    /// Lines of this style; times are the monotonic ones and this offset, shown as those of the zone.
    pub fn new(style: TraceStyle, offset: i128, zone: TimeZone) -> Self {
        let one_line = style.format != TraceFormat::Table || style.width.is_none_or(|width| width >= WIDE);
        Self { style, one_line, offset, zone, second: (i64::MIN, String::new()) }
    }

    /// Appends the heading.
    pub fn head(&self, out: &mut Vec<u8>) {
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

    fn text_head(&self, out: &mut Vec<u8>) {
        push_column(out, "Time", TIME);
        if self.one_line {
            push_column(out, "Local Address", END);
            push_column(out, "Peer Address", END);
        }
        push_column(out, "Old State", STATE);
        push_column(out, "   New State", STATE + 3);
        push_column(out, "In Old", SPAN);
        if self.one_line {
            push_column(out, "On CPU", CPU);
            out.extend_from_slice(b"Meaning\n");
        } else {
            out.extend_from_slice(b"On CPU\n");
        }
    }

    /// Appends a transition.
    pub fn change(&mut self, out: &mut Vec<u8>, change: &Change) -> io::Result<()> {
        match self.style.format {
            TraceFormat::Ndjson => return self.ndjson(out, change),
            TraceFormat::Csv => self.csv(out, change),
            TraceFormat::Plain | TraceFormat::Table if self.one_line => self.line(out, change),
            TraceFormat::Plain | TraceFormat::Table => self.lines(out, change),
        }
        Ok(())
    }

    fn line(&mut self, out: &mut Vec<u8>, change: &Change) {
        let start = out.len();
        self.push_clock(out, change.at);
        for end in [&change.local, &change.peer] {
            let start = out.len();
            push_end(out, end);
            pad_from(out, start, END);
            out.push(b' ');
        }
        self.push_states(out, change);
        push_cpu(out, change.on_cpu);
        push_fmt(out, format_args!("{}", change.meaning));
        trim_end(out, start);
        out.push(b'\n');
    }

    /// The states above the ends, and the meaning beside or below these.
    fn lines(&mut self, out: &mut Vec<u8>, change: &Change) {
        let start = out.len();
        self.push_clock(out, change.at);
        self.push_states(out, change);
        push_cpu(out, change.on_cpu);
        trim_end(out, start);
        out.push(b'\n');
        let start = out.len();
        push_left(out, "", TIME + 1);
        push_end(out, &change.local);
        out.extend_from_slice(b" > ");
        push_end(out, &change.peer);
        let meaning = change.meaning.to_string();
        let width = self.style.width.unwrap_or(usize::MAX);
        if out.len() - start + 2 + meaning.len() > width {
            out.push(b'\n');
            // Where it fits, below the states.
            push_left(out, "", width.saturating_sub(meaning.len()).min(TIME + 1));
        } else {
            out.extend_from_slice(b"  ");
        }
        out.extend_from_slice(meaning.as_bytes());
        out.push(b'\n');
    }

    fn push_states(&self, out: &mut Vec<u8>, change: &Change) {
        self.push_state(out, Some(change.old));
        out.extend_from_slice(b" -> ");
        self.push_state(out, change.new);
        out.push(b' ');
        let start = out.len();
        match change.in_old {
            Some(span) => out.extend_from_slice(span_us(span / 1_000).as_bytes()),
            None => out.push(b'-'),
        }
        pad_from(out, start, SPAN);
        out.push(b' ');
    }

    fn push_state(&self, out: &mut Vec<u8>, state: Option<TcpState>) {
        let style = state.filter(|_| self.style.color).map(state_style).unwrap_or_default();
        push_fmt(out, format_args!("{style}"));
        let start = out.len();
        push_state_name(out, state);
        pad_from(out, start, STATE);
        push_fmt(out, format_args!("{style:#}"));
    }

    /// The time of the day, to the microsecond.
    pub(super) fn push_clock(&mut self, out: &mut Vec<u8>, at: Nanos) {
        let nanos = i128::from(at) + self.offset;
        let second = i64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or_default();
        if self.second.0 != second {
            let shown = Timestamp::from_second(second).map(|time| time.to_zoned(self.zone.clone()));
            let text = shown.map(|time| time.strftime("%H:%M:%S").to_string()).unwrap_or_default();
            self.second = (second, text);
        }
        push_fmt(out, format_args!("{}.{:06} ", self.second.1, nanos.rem_euclid(1_000_000_000) / 1_000));
    }

    pub(super) fn push_timestamp(&self, out: &mut Vec<u8>, at: Nanos) {
        let time = Timestamp::from_nanosecond(i128::from(at) + self.offset).unwrap_or_default();
        push_fmt(out, format_args!("{time:.6}"));
    }

    fn ndjson(&self, out: &mut Vec<u8>, change: &Change) -> io::Result<()> {
        out.extend_from_slice(b"{\"time\":\"");
        self.push_timestamp(out, change.at);
        out.extend_from_slice(b"\",\"old\":\"");
        push_state_name(out, Some(change.old));
        out.extend_from_slice(b"\",\"new\":");
        match change.new {
            Some(new) => {
                out.push(b'"');
                push_state_name(out, Some(new));
                out.push(b'"');
            }
            None => out.extend_from_slice(b"null"),
        }
        out.push(b',');
        push_json_ends(out, &change.local, &change.peer);
        let program = program(change);
        out.extend_from_slice(b",\"pid\":");
        push_number_or(out, program.map(|program| program.pid), "null");
        out.extend_from_slice(b",\"name\":");
        match program {
            Some(program) => push_value(out, &text(program.name.as_bytes()))?,
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"duration\":");
        push_seconds(out, change.in_old, "null");
        out.extend_from_slice(b",\"meaning\":");
        push_value(out, &change.meaning.to_string())?;
        out.extend_from_slice(b"}\n");
        Ok(())
    }

    fn csv(&self, out: &mut Vec<u8>, change: &Change) {
        self.push_timestamp(out, change.at);
        out.push(b',');
        push_state_name(out, Some(change.old));
        out.push(b',');
        if change.new.is_some() {
            push_state_name(out, change.new);
        }
        push_csv_ends(out, &change.local, &change.peer);
        let program = program(change);
        out.push(b',');
        push_number_or(out, program.map(|program| program.pid), "");
        out.push(b',');
        push_field(out, &program.map(|program| escaped(program.name.as_bytes())).unwrap_or_default());
        out.push(b',');
        push_seconds(out, change.in_old, "");
        out.push(b',');
        push_field(out, &change.meaning.to_string());
        out.push(b'\n');
    }
}

/// Null for an end that there is none of, and for a port that is not known.
pub(super) fn push_json_ends(out: &mut Vec<u8>, local: &Endpoint, peer: &Endpoint) {
    for (at, (name, end)) in [("local", local), ("peer", peer)].into_iter().enumerate() {
        push_fmt(out, format_args!("{}\"{name}_address\":", if at > 0 { "," } else { "" }));
        if end.is_unspecified() {
            out.extend_from_slice(b"null");
        } else {
            out.push(b'"');
            push_addr(out, end.addr);
            out.push(b'"');
        }
        push_fmt(out, format_args!(",\"{name}_port\":"));
        push_number_or(out, Some(end.port).filter(|port| *port != 0), "null");
    }
}

/// Each with a comma before it.
pub(super) fn push_csv_ends(out: &mut Vec<u8>, local: &Endpoint, peer: &Endpoint) {
    for end in [local, peer] {
        out.push(b',');
        if !end.is_unspecified() {
            push_addr(out, end.addr);
        }
        out.push(b',');
        push_number_or(out, Some(end.port).filter(|port| *port != 0), "");
    }
}

/// Who did it; nobody in an interrupt.
fn program(change: &Change) -> Option<OnCpu> {
    change.on_cpu.filter(|on_cpu| !on_cpu.in_interrupt)
}

fn push_column(out: &mut Vec<u8>, title: &str, width: usize) {
    push_left(out, title, width);
    out.push(b' ');
}

fn push_state_name(out: &mut Vec<u8>, state: Option<TcpState>) {
    match state {
        Some(state) => push_state(out, state, state.name()),
        None => out.extend_from_slice(b"unknown"),
    }
}

/// IPv6 in brackets, `*` for no port.
pub(super) fn push_end(out: &mut Vec<u8>, end: &Endpoint) {
    if end.addr.is_ipv6() {
        out.push(b'[');
    }
    push_addr(out, end.addr);
    if end.addr.is_ipv6() {
        out.push(b']');
    }
    out.push(b':');
    push_port(out, end.port, None);
}

/// `pid/name`; in brackets who was just interrupted.
fn push_cpu(out: &mut Vec<u8>, on_cpu: Option<OnCpu>) {
    let start = out.len();
    match on_cpu {
        None => out.push(b'-'),
        Some(OnCpu { pid, name, in_interrupt }) => {
            if in_interrupt {
                out.push(b'[');
            }
            push_number(out, pid);
            out.push(b'/');
            push_text(out, name.as_bytes());
            if in_interrupt {
                out.push(b']');
            }
        }
    }
    pad_from(out, start, CPU);
    out.push(b' ');
}

fn push_number_or(out: &mut Vec<u8>, number: Option<impl itoa::Integer>, none: &str) {
    match number {
        Some(number) => push_number(out, number),
        None => out.extend_from_slice(none.as_bytes()),
    }
}

/// Seconds to the microsecond.
pub(super) fn push_seconds(out: &mut Vec<u8>, span: Option<Nanos>, none: &str) {
    match span {
        Some(span) => {
            push_fmt(out, format_args!("{}.{:06}", span / 1_000_000_000, span % 1_000_000_000 / 1_000));
        }
        None => out.extend_from_slice(none.as_bytes()),
    }
}
