//! ss's own layout, so that a script written for it keeps working (iproute2 7: no blanks at a line's end, and a
//! heading over the processes only with -p).

use std::io;
use std::net::IpAddr;

use super::columns::{End, push_addr, push_fmt, push_libc_ipv6, push_port, push_state, push_text};
use super::text::{pad_from, pad_left_from, push_left, push_number, trim_end};
use super::{Head, Listing, Style};
use crate::model::{Family, Gap, Memory, Row, Timer};

mod tcp_info;

const STATE_WIDTH: usize = 11;
const QUEUE_WIDTH: usize = 7;
const HOST_WIDTH: usize = 20;
const PORT_WIDTH: usize = 6;

pub(super) struct Ss {
    style: Style,
}

impl Ss {
    pub(super) fn new(mut style: Style) -> Self {
        // ss's -e shows the timer too.
        style.parts.timers |= style.parts.extended;
        Self { style }
    }
}

impl Listing for Ss {
    fn head(&mut self, out: &mut Vec<u8>, _head: &Head<'_>) -> io::Result<()> {
        if !self.style.header {
            return Ok(());
        }
        let start = out.len();
        if !self.style.single_state {
            push_left(out, "State", STATE_WIDTH);
        }
        push_left(out, "Recv-Q", QUEUE_WIDTH);
        push_left(out, "Send-Q", QUEUE_WIDTH);
        push_host_heading(out, b"Local Address");
        push_left(out, ":Port", PORT_WIDTH + 1);
        push_host_heading(out, b"Peer Address");
        push_left(out, ":Port", PORT_WIDTH + 1);
        if self.style.parts.processes {
            out.extend_from_slice(b"Process");
        }
        trim_end(out, start);
        out.push(b'\n');
        Ok(())
    }

    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        let start = out.len();
        let socket = row.socket;
        if !self.style.single_state {
            push_state(out, socket.state, socket.state.ss_name());
            pad_from(out, start, STATE_WIDTH);
            end_column(out);
        }
        for queue in [socket.queues.recv_q(), socket.queues.send_q()] {
            let start = out.len();
            push_number(out, queue);
            pad_from(out, start, QUEUE_WIDTH);
            end_column(out);
        }
        push_endpoint(out, row, End::Local);
        push_endpoint(out, row, End::Peer);
        let parts = self.style.parts;
        if parts.processes {
            push_users(out, row);
        }
        if parts.timers {
            push_timer(out, socket.timer.as_ref());
        }
        if parts.extended {
            push_extended(out, row);
        }
        trim_end(out, start);
        if parts.memory || parts.tcp_info {
            self.push_second_line(out, row);
        }
        out.push(b'\n');
        Ok(())
    }

    fn tail(&mut self, _out: &mut Vec<u8>, _gaps: &[Gap]) -> io::Result<()> {
        Ok(())
    }
}

impl Ss {
    /// The memory and the connection's numbers, each part with a blank before it.
    fn push_second_line(&self, out: &mut Vec<u8>, row: &Row<'_>) {
        if !self.style.oneline {
            out.push(b'\n');
        }
        let start = out.len();
        if !self.style.oneline {
            out.push(b'\t');
        }
        if let Some(memory) = row.socket.memory() {
            push_memory(out, memory);
        }
        // ss -m would print these numbers too, but the kernel sends only the data requested: none come then.
        if let Some(info) = row.socket.tcp_info() {
            tcp_info::push(out, info, row.socket.queues, self.style.parts.timers, self.style.numeric);
        }
        trim_end(out, start);
    }
}

fn push_host_heading(out: &mut Vec<u8>, text: &[u8]) {
    let start = out.len();
    out.extend_from_slice(text);
    pad_left_from(out, start, HOST_WIDTH);
}

fn push_endpoint(out: &mut Vec<u8>, row: &Row<'_>, end: End) {
    let socket = row.socket;
    let endpoint = end.of(socket);
    let start = out.len();
    match (end.host(row), endpoint.addr) {
        (Some(name), _) => push_text(out, name.as_bytes()),
        (None, IpAddr::V6(addr)) if addr.is_unspecified() && socket.v6only != Some(true) => out.push(b'*'),
        (None, IpAddr::V6(addr)) => {
            out.push(b'[');
            push_libc_ipv6(out, addr);
            out.push(b']');
        }
        (None, addr @ IpAddr::V4(_)) => push_addr(out, addr),
    }
    if let (End::Local, Some(device)) = (end, row.interface) {
        out.push(b'%');
        push_text(out, device.as_bytes());
    }
    pad_left_from(out, start, HOST_WIDTH);
    out.push(b':');
    let start = out.len();
    push_port(out, endpoint.port, end.service(row));
    pad_from(out, start, PORT_WIDTH);
    end_column(out);
}

/// Separates an overlong column from the next.
fn end_column(out: &mut Vec<u8>) {
    if out.last() != Some(&b' ') {
        out.push(b' ');
    }
}

/// ss lists holders in reverse order of finding them.
fn push_users(out: &mut Vec<u8>, row: &Row<'_>) {
    if row.holders.is_empty() {
        return;
    }
    out.extend_from_slice(b" users:(");
    for (index, holder) in row.holders.iter().rev().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"(\"");
        push_text(out, &holder.process.name);
        push_fmt(out, format_args!("\",pid={},fd={})", holder.process.pid, holder.fd));
    }
    out.push(b')');
}

fn push_timer(out: &mut Vec<u8>, timer: Option<&Timer>) {
    let Some(timer) = timer else { return };
    let name = match timer {
        Timer::Retransmit { .. } => "on",
        Timer::KeepAlive { .. } => "keepalive",
        Timer::TimeWait { .. } => "timewait",
        Timer::Probe0 { .. } => "persist",
        Timer::DelayedAck { .. } => "delack",
        Timer::Other { .. } => "unknown",
    };
    let count = timer.retransmits().max(timer.probes());
    push_fmt(out, format_args!(" timer:({name},{},{count})", remaining(timer.expires_ms())));
}

/// Minutes, seconds and milliseconds, the finer ones left out as the time grows.
fn remaining(millis: u32) -> String {
    let (minutes, seconds, millis) = (millis / 60_000, millis / 1_000 % 60, millis % 1_000);
    let minutes_text = if minutes > 0 { format!("{minutes}min") } else { String::new() };
    let seconds = if minutes > 9 { 0 } else { seconds };
    let millis = if minutes > 0 || seconds > 9 { 0 } else { millis };
    let rest = match (seconds, millis) {
        (0, 0) => String::new(),
        (0, millis) => format!("{millis:03}ms"),
        (seconds, 0) => format!("{seconds}sec"),
        (seconds, millis) => format!("{seconds}.{millis:03}sec"),
    };
    minutes_text + &rest
}

fn push_extended(out: &mut Vec<u8>, row: &Row<'_>) {
    let socket = row.socket;
    if let Some(uid) = socket.uid.filter(|uid| *uid != 0) {
        push_fmt(out, format_args!(" uid:{uid}"));
    }
    push_fmt(out, format_args!(" ino:{}", socket.inode.unwrap_or(0)));
    if let Some(cookie) = socket.cookie {
        push_fmt(out, format_args!(" sk:{cookie:x}"));
    }
    if let Some(mark) = socket.mark.filter(|mark| *mark != 0) {
        push_fmt(out, format_args!(" fwmark:{mark:#x}"));
    }
    if let Some(id) = socket.cgroup {
        out.extend_from_slice(b" cgroup:");
        match row.cgroup.path {
            Some(path) => push_text(out, path.as_bytes()),
            None => push_fmt(out, format_args!("unreachable:{id:x}")),
        }
    }
    if let (Family::Inet6, Some(v6only)) = (socket.family, socket.v6only) {
        push_fmt(out, format_args!(" v6only:{}", u8::from(v6only)));
    }
    if let Some(shutdown) = socket.shutdown {
        let left = if shutdown.receive { '-' } else { '<' };
        let right = if shutdown.send { '-' } else { '>' };
        push_fmt(out, format_args!(" {left}-{right}"));
    }
}

fn push_memory(out: &mut Vec<u8>, memory: &Memory) {
    let Memory { rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem, backlog, drops } =
        *memory;
    push_fmt(
        out,
        format_args!(
            " skmem:(r{rmem_alloc},rb{rcvbuf},t{wmem_alloc},tb{sndbuf},f{fwd_alloc},w{wmem_queued},o{optmem}"
        ),
    );
    if let Some(backlog) = backlog {
        push_fmt(out, format_args!(",bl{backlog}"));
    }
    if let Some(drops) = drops {
        push_fmt(out, format_args!(",d{drops}"));
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_remains_of_a_timer() {
        for (millis, text) in [
            (0, ""),
            (5, "005ms"),
            (684, "684ms"),
            (1_000, "1sec"),
            (1_234, "1.234sec"),
            (12_345, "12sec"),
            (61_500, "1min1sec"),
            (60_500, "1min"),
            (118 * 60_000 + 5_000, "118min"),
        ] {
            assert_eq!(remaining(millis), text, "{millis}");
        }
    }
}
