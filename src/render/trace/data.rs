//! Transitions as ndjson and CSV, and the fields that connections have too.

use std::io;

use super::{TraceLines, push_state_name};
use crate::model::Endpoint;
use crate::render::columns::{push_addr, push_fmt};
use crate::render::csv::push_field;
use crate::render::json::{push_value, text};
use crate::render::text::{escaped, push_number};
use crate::trace::{Change, Nanos, OnCpu};

impl TraceLines {
    pub(super) fn ndjson(&mut self, out: &mut Vec<u8>, change: &Change) -> io::Result<()> {
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

    pub(super) fn csv(&mut self, out: &mut Vec<u8>, change: &Change) {
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
