//! For pipes: netstat's columns under one heading line, one socket a line, never cut.

use std::io;

use super::columns::{End, protocol, push_endpoint, push_holders, push_netstat_timer, push_state};
use super::details::{push_memory, push_tcp_info};
use super::text::{capitalised, pad_from, push_left, push_number_right, trim_end};
use super::values::push_text_of;
use super::{Head, Listing, Style};
use crate::fields::{self, Field};
use crate::model::{Gap, Row};

/// The width of each column that `-e` adds.
const EXTENDED_WIDTH: usize = 10;

pub(super) struct Plain {
    style: Style,
    /// The columns that `-e` adds.
    extended: Vec<&'static Field>,
}

impl Plain {
    pub(super) fn new(style: Style) -> Self {
        let extended = style.parts.extended.then(fields::extended_columns);
        Self { style, extended: extended.into_iter().flatten().collect() }
    }
}

impl Listing for Plain {
    fn head(&mut self, out: &mut Vec<u8>, _head: &Head<'_>) -> io::Result<()> {
        if !self.style.header {
            return Ok(());
        }
        let start = out.len();
        out.extend_from_slice(
            b"Proto Recv-Q Send-Q Local Address           Foreign Address         State       ",
        );
        let parts = self.style.parts;
        for field in &self.extended {
            push_left(out, &capitalised(field.word), EXTENDED_WIDTH + 1);
        }
        if parts.processes {
            push_left(out, "PID/Program name", 21);
        }
        if parts.peer_processes {
            push_left(out, "Peer process", 21);
        }
        if parts.timers {
            push_left(out, "Timer", 22);
        }
        if parts.memory || parts.tcp_info {
            out.extend_from_slice(b"Details");
        }
        trim_end(out, start);
        out.push(b'\n');
        Ok(())
    }

    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        let start = out.len();
        let socket = row.socket;
        push_left(out, protocol(socket.family), 4);
        out.extend_from_slice(b"  ");
        push_number_right(out, socket.queues.recv_q(), 6);
        out.push(b' ');
        push_number_right(out, socket.queues.send_q(), 6);
        out.push(b' ');
        push_field(out, 23, |out| push_endpoint(out, row, End::Local));
        push_field(out, 23, |out| push_endpoint(out, row, End::Peer));
        push_field(out, 11, |out| push_state(out, socket.state, socket.state.name()));
        let parts = self.style.parts;
        for field in &self.extended {
            push_field(out, EXTENDED_WIDTH, |out| push_or_dash(out, |out| push_text_of(out, field, row)));
        }
        if parts.processes {
            push_field(out, 20, |out| push_or_dash(out, |out| push_holders(out, row, End::Local, true)));
        }
        if parts.peer_processes {
            push_field(out, 20, |out| push_or_dash(out, |out| push_holders(out, row, End::Peer, true)));
        }
        if parts.timers {
            push_field(out, 21, |out| push_netstat_timer(out, socket.timer.as_ref()));
        }
        if parts.memory {
            push_memory(out, row);
        }
        if parts.tcp_info {
            push_tcp_info(out, row);
        }
        trim_end(out, start);
        out.push(b'\n');
        Ok(())
    }

    fn tail(&mut self, _out: &mut Vec<u8>, _gaps: &[Gap]) -> io::Result<()> {
        Ok(())
    }
}

/// One column and the blank behind it.
fn push_field(out: &mut Vec<u8>, width: usize, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    write(out);
    pad_from(out, start, width);
    out.push(b' ');
}

fn push_or_dash(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    write(out);
    if out.len() == start {
        out.push(b'-');
    }
}
