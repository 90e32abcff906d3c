//! Transitions as text.

use super::{CPU, END, SPAN, STATE, TIME, TraceLines, on_cpu, push_state_name};
use crate::layout::columns::{appended, push_addr, push_fmt, push_port, push_text};
use crate::layout::report::state_style;
use crate::layout::text::{pad_from, push_left, push_number, span_us, trim_end};
use crate::model::{Endpoint, TcpState};
use crate::trace::{OnCpu, StateChange, Wall};

/// The least indentation of the ends below the states.
const INDENT: usize = 2;
/// The least width of a meaning on lines of its own.
const LEAST: usize = 20;

impl TraceLines {
    pub(super) fn text_head(&self, out: &mut Vec<u8>) {
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

    pub(super) fn line(&mut self, out: &mut Vec<u8>, change: &StateChange, time: Wall) {
        let start = out.len();
        self.push_clock(out, time);
        for end in [&change.local, &change.peer] {
            let start = out.len();
            push_end(out, end);
            pad_from(out, start, END);
            out.push(b' ');
        }
        self.push_states(out, change);
        push_cpu(out, on_cpu(change));
        out.extend_from_slice(change.meaning.text().as_bytes());
        trim_end(out, start);
        out.push(b'\n');
    }

    /// The states above the ends, and the meaning beside or below these.
    pub(super) fn lines(&mut self, out: &mut Vec<u8>, change: &StateChange, time: Wall) {
        let start = out.len();
        self.push_clock(out, time);
        self.push_states(out, change);
        push_cpu(out, on_cpu(change));
        trim_end(out, start);
        out.push(b'\n');
        let ends = appended(|out| {
            push_end(out, &change.local);
            out.extend_from_slice(b" > ");
            push_end(out, &change.peer);
        });
        let meaning = change.meaning.text();
        let width = self.style.width.unwrap_or(usize::MAX);
        // Below the states if the meaning then fits beside the ends, else further left, else on lines of its own.
        let beside = ends.len() + 2 + meaning.len();
        let is_beside = INDENT + beside <= width;
        let needed = if is_beside { beside } else { ends.len() };
        push_left(out, "", (TIME + 1).min(width.saturating_sub(needed)).max(INDENT));
        out.extend_from_slice(ends.as_bytes());
        if is_beside {
            out.extend_from_slice(b"  ");
            out.extend_from_slice(meaning.as_bytes());
        } else {
            let room = width.saturating_sub(TIME + 1).max(LEAST);
            for line in textwrap::wrap(&meaning, room) {
                out.push(b'\n');
                push_left(out, "", TIME + 1);
                out.extend_from_slice(line.as_bytes());
            }
        }
        out.push(b'\n');
    }

    fn push_states(&self, out: &mut Vec<u8>, change: &StateChange) {
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
        let style = state.filter(|_| self.style.color).map(state_style);
        if let Some(style) = style {
            push_fmt(out, format_args!("{style}"));
        }
        let start = out.len();
        push_state_name(out, state);
        pad_from(out, start, STATE);
        if let Some(style) = style {
            push_fmt(out, format_args!("{style:#}"));
        }
    }
}

fn push_column(out: &mut Vec<u8>, title: &str, width: usize) {
    push_left(out, title, width);
    out.push(b' ');
}

/// IPv6 in brackets, mapped addresses as IPv4, `*` for no port.
pub(super) fn push_end(out: &mut Vec<u8>, end: &Endpoint) {
    let addr = end.addr.to_canonical();
    if addr.is_ipv6() {
        out.push(b'[');
    }
    push_addr(out, addr);
    if addr.is_ipv6() {
        out.push(b']');
    }
    out.push(b':');
    push_port(out, end.port, None);
}

/// `pid/name`, or the name where the number is another PID namespace's; in brackets who was just interrupted.
fn push_cpu(out: &mut Vec<u8>, on_cpu: Option<OnCpu>) {
    let start = out.len();
    match on_cpu {
        None => out.push(b'-'),
        Some(OnCpu { pid, name, in_interrupt }) => {
            if in_interrupt {
                out.push(b'[');
            }
            if let Some(pid) = pid {
                push_number(out, pid);
                out.push(b'/');
            }
            push_text(out, name.as_bytes());
            if in_interrupt {
                out.push(b']');
            }
        }
    }
    pad_from(out, start, CPU);
    out.push(b' ');
}
