//! Transitions as ndjson and CSV, and the fields that connections have too.

use super::{TraceLines, on_cpu, push_state_name};
use crate::layout::columns::push_addr;
use crate::layout::csv::push_field;
use crate::layout::json::{ToJson, member, text};
use crate::layout::text::{escaped, push_millionths, push_number};
use crate::model::Endpoint;
use crate::trace::{Nanos, OnCpu, StateChange, Wall};

impl TraceLines {
    pub(super) fn ndjson(&mut self, out: &mut Vec<u8>, change: &StateChange, time: Wall) {
        out.extend_from_slice(b"{\"time\":\"");
        self.push_timestamp(out, time);
        out.push(b'"');
        member!(out, "old", change.old);
        member!(out, "new", change.new);
        push_json_ends(out, &change.local, &change.peer);
        let program = program(change);
        member!(out, "pid", program.and_then(|program| program.pid));
        let name = program.as_ref().map(|program| text(program.name.as_bytes()));
        member!(out, "name", name.as_deref());
        member!(out, "duration", change.in_old.map(Seconds));
        member!(out, "meaning", &*change.meaning.text());
        out.extend_from_slice(b"}\n");
    }

    pub(super) fn csv(&mut self, out: &mut Vec<u8>, change: &StateChange, time: Wall) {
        self.push_timestamp(out, time);
        out.push(b',');
        push_state_name(out, Some(change.old));
        out.push(b',');
        if change.new.is_some() {
            push_state_name(out, change.new);
        }
        push_csv_ends(out, &change.local, &change.peer);
        let program = program(change);
        out.push(b',');
        if let Some(pid) = program.and_then(|program| program.pid) {
            push_number(out, pid);
        }
        out.push(b',');
        push_field(out, &program.map(|program| escaped(program.name.as_bytes())).unwrap_or_default());
        out.push(b',');
        push_seconds(out, change.in_old);
        out.push(b',');
        push_field(out, &change.meaning.text());
        out.push(b'\n');
    }
}

/// Each with a comma before it; null for an end that there is none of, and for a port that is not known.
pub(super) fn push_json_ends(out: &mut Vec<u8>, local: &Endpoint, peer: &Endpoint) {
    let addr = |end: &Endpoint| Some(end.addr).filter(|_| !end.is_unspecified());
    let port = |end: &Endpoint| Some(end.port).filter(|port| *port != 0);
    member!(out, "local_address", addr(local));
    member!(out, "local_port", port(local));
    member!(out, "peer_address", addr(peer));
    member!(out, "peer_port", port(peer));
}

/// Each with a comma before it.
pub(super) fn push_csv_ends(out: &mut Vec<u8>, local: &Endpoint, peer: &Endpoint) {
    for end in [local, peer] {
        out.push(b',');
        if !end.is_unspecified() {
            push_addr(out, end.addr);
        }
        out.push(b',');
        if end.port != 0 {
            push_number(out, end.port);
        }
    }
}

/// Who did it; nobody in an interrupt.
fn program(change: &StateChange) -> Option<OnCpu> {
    on_cpu(change).filter(|on_cpu| !on_cpu.in_interrupt)
}

/// Nothing where it is not known.
pub(super) fn push_seconds(out: &mut Vec<u8>, span: Option<Nanos>) {
    if let Some(span) = span {
        Seconds(span).push(out);
    }
}

/// Seconds to the microsecond.
pub(super) struct Seconds(pub(super) Nanos);

impl ToJson for Seconds {
    fn push(self, out: &mut Vec<u8>) {
        push_number(out, self.0 / 1_000_000_000);
        push_millionths(out, self.0 % 1_000_000_000 / 1_000);
    }
}
