//! netstat's own layout, so that a script written for it keeps working (net-tools 2.10).

use std::io;
use std::net::IpAddr;

use super::columns::{
    End, protocol, push_addr, push_fmt, push_libc_ipv6, push_netstat_timer, push_state, push_text,
};
use super::text::{is_unsafe, pad_from, push_left, push_number, push_number_right};
use super::{Head, Listing, Scope, Style};
use crate::model::{Gap, Row};

/// Longer pairs of address and port are cut to this length.
const ENDPOINT_MAX: usize = 22;
/// A port is not cut below this, the address is.
const PORT_MAX: usize = 18;
/// `pid/name` is cut at this.
const PROGRAM_MAX: usize = 19;

pub(super) struct Netstat {
    style: Style,
}

impl Netstat {
    pub(super) fn new(style: Style) -> Self {
        Self { style }
    }

    fn push_endpoint(&self, out: &mut Vec<u8>, row: &Row<'_>, end: End) {
        let endpoint = end.of(row.socket);
        let start = out.len();
        // A v4-mapped address is shown as IPv4; no device is shown.
        match (end.host(row), endpoint.addr.to_canonical()) {
            (Some(name), _) => push_text(out, name.as_bytes()),
            (None, IpAddr::V6(addr)) => push_libc_ipv6(out, addr),
            (None, addr @ IpAddr::V4(_)) => push_addr(out, addr),
        }
        let host = out.len() - start;
        out.push(b':');
        super::columns::push_port(out, endpoint.port, end.service(row));
        let port = out.len() - start - host - 1;
        if !self.style.wide && host + port > ENDPOINT_MAX {
            let port = port.min(PORT_MAX);
            let kept = (ENDPOINT_MAX - port).min(host);
            out.truncate(start + host + 1 + port);
            out.drain(start + kept..start + host);
        }
        pad_from(out, start, 23);
    }
}

impl Listing for Netstat {
    fn head(&mut self, out: &mut Vec<u8>, _head: &Head<'_>) -> io::Result<()> {
        if !self.style.header {
            return Ok(());
        }
        let scope = match self.style.scope {
            Scope::All => "servers and established",
            Scope::Listening => "only servers",
            Scope::Connected => "w/o servers",
        };
        push_fmt(out, format_args!("Active Internet connections ({scope})\n"));
        out.extend_from_slice(
            b"Proto Recv-Q Send-Q Local Address           Foreign Address         State      ",
        );
        if self.style.parts.extended {
            out.extend_from_slice(b" User       Inode     ");
        }
        if self.style.parts.processes {
            push_left(out, " PID/Program name", 21);
        }
        if self.style.parts.timers {
            out.extend_from_slice(b" Timer");
        }
        out.push(b'\n');
        Ok(())
    }

    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        let socket = row.socket;
        push_left(out, protocol(socket.family), 4);
        out.extend_from_slice(b"  ");
        push_number_right(out, socket.queues.recv_q(), 6);
        out.push(b' ');
        // /proc does not report a listener's backlog, so netstat prints 0.
        let send_q = match socket.queues {
            crate::model::Queues::Accept { .. } => 0,
            crate::model::Queues::Data { send_q, .. } => send_q,
        };
        push_number_right(out, send_q, 6);
        out.push(b' ');
        self.push_endpoint(out, row, End::Local);
        out.push(b' ');
        self.push_endpoint(out, row, End::Peer);
        out.push(b' ');
        let start = out.len();
        push_state(out, socket.state, socket.state.netstat_name());
        pad_from(out, start, 11);
        if self.style.parts.extended {
            push_owner(out, row);
        }
        if self.style.parts.processes {
            out.push(b' ');
            push_program(out, row);
        }
        if self.style.parts.timers {
            out.push(b' ');
            push_netstat_timer(out, socket.timer.as_ref());
        }
        out.push(b'\n');
        Ok(())
    }

    fn tail(&mut self, _out: &mut Vec<u8>, _gaps: &[Gap]) -> io::Result<()> {
        Ok(())
    }
}

fn push_owner(out: &mut Vec<u8>, row: &Row<'_>) {
    out.push(b' ');
    let start = out.len();
    match row.user {
        Some(name) => super::columns::push_text(out, name.as_bytes()),
        // An unknown user is 0, as in /proc. netstat reads the number as signed.
        None => push_number(out, row.socket.uid.or(row.listener_uid).unwrap_or(0).cast_signed()),
    }
    pad_from(out, start, 10);
    out.push(b' ');
    let start = out.len();
    push_number(out, row.socket.inode.unwrap_or(0));
    pad_from(out, start, 10);
}

/// The first holder, cut to length, with a dot for each unprintable character or byte.
fn push_program(out: &mut Vec<u8>, row: &Row<'_>) {
    let mut program = Vec::with_capacity(32);
    if let Some(holder) = row.holders.first() {
        push_number(&mut program, holder.process.pid);
        program.push(b'/');
        program.extend_from_slice(&holder.process.name);
        program.truncate(PROGRAM_MAX);
    } else {
        program.push(b'-');
    }
    for chunk in program.utf8_chunks() {
        for c in chunk.valid().chars() {
            let shown = if is_unsafe(c) { '.' } else { c };
            out.extend_from_slice(shown.encode_utf8(&mut [0; 4]).as_bytes());
        }
        out.extend(chunk.invalid().iter().map(|_| b'.'));
    }
    // netstat pads by bytes, not by columns.
    out.resize(out.len() + 20_usize.saturating_sub(program.len()), b' ');
}
