//! A heading and one socket a line (RFC 4180, with plain line breaks). Columns have the JSON's names; those of
//! `tcp_info` and `memory` begin with that name.

use std::io;

use super::columns::{
    appended, cgroup_text, push_addr, push_fmt, push_holders, push_peer_holders, push_state, push_text,
};
use super::details::is_unset;
use super::text::{Number, escaped, push_number};
use super::{Head, Listing, Style};
use crate::model::{Gap, Memory, Queues, Row, TcpInfo};

const ALWAYS: &str = "protocol,family,state,recv_q,send_q,accept_queue,backlog,local_address,local_port,\
                      peer_address,peer_port,interface,uid,inode,cookie";
const MEMORY: [&str; 9] = [
    "rmem_alloc",
    "rcvbuf",
    "wmem_alloc",
    "sndbuf",
    "fwd_alloc",
    "wmem_queued",
    "optmem",
    "backlog",
    "drops",
];

pub(super) struct Csv {
    style: Style,
}

impl Csv {
    pub(super) fn new(style: Style) -> Self {
        Self { style }
    }
}

impl Listing for Csv {
    fn head(&mut self, out: &mut Vec<u8>, _head: &Head<'_>) -> io::Result<()> {
        if !self.style.header {
            return Ok(());
        }
        let parts = self.style.parts;
        out.extend_from_slice(ALWAYS.as_bytes());
        if parts.hosts {
            out.extend_from_slice(b",local_host,peer_host");
        }
        if parts.processes {
            out.extend_from_slice(b",processes,owner_note");
        }
        if parts.peer_processes {
            out.extend_from_slice(b",peer_processes");
        }
        if parts.extended {
            out.extend_from_slice(b",user,cgroup,mark");
        }
        if parts.timers {
            out.extend_from_slice(b",timer,timer_expires_ms,timer_retransmits,timer_probes");
        }
        if parts.memory {
            for name in MEMORY {
                push_fmt(out, format_args!(",memory_{name}"));
            }
        }
        if parts.tcp_info {
            out.extend_from_slice(b",tcp_info_congestion_control,tcp_info_ca_state,tcp_info_options");
            for name in TcpInfo::FIELDS {
                push_fmt(out, format_args!(",tcp_info_{name}"));
            }
            out.extend_from_slice(b",tcp_info_ulp,tcp_info_md5keys");
        }
        out.push(b'\n');
        Ok(())
    }

    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        let parts = self.style.parts;
        push_always(out, row);
        if parts.hosts {
            for name in [row.local_host, row.peer_host] {
                push_quoted(out, &name.map(|name| escaped(name.as_bytes())).unwrap_or_default());
            }
        }
        if parts.processes {
            push_quoted(out, &appended(|out| push_holders(out, row, true)));
            push_quoted(out, &row.owner_note.map(|note| note.to_string()).unwrap_or_default());
        }
        if parts.peer_processes {
            push_quoted(out, &appended(|out| push_peer_holders(out, row, true)));
        }
        if parts.extended {
            push_quoted(out, &row.user.map(|name| escaped(name.as_bytes())).unwrap_or_default());
            push_quoted(out, &cgroup_text(row).unwrap_or_default());
            push_optional(out, row.socket.mark);
        }
        if parts.timers {
            push_timer(out, row);
        }
        if parts.memory {
            push_memory(out, row.socket.memory());
        }
        if parts.tcp_info {
            push_tcp_info(out, row.socket.tcp_info());
        }
        out.push(b'\n');
        Ok(())
    }

    fn tail(&mut self, _out: &mut Vec<u8>, _gaps: &[Gap]) -> io::Result<()> {
        Ok(())
    }
}

/// Rows of lists that follow each other: the time stands before each.
pub(super) struct Timed {
    style: Style,
    taken_at: String,
    inner: Box<dyn Listing>,
}

impl Timed {
    /// With the time before each row of this layout.
    pub(super) fn new(style: Style, inner: Box<dyn Listing>) -> Self {
        Self { style, taken_at: String::new(), inner }
    }
}

impl Listing for Timed {
    fn head(&mut self, out: &mut Vec<u8>, head: &Head<'_>) -> io::Result<()> {
        head.taken_at.clone_into(&mut self.taken_at);
        if self.style.header {
            out.extend_from_slice(b"taken_at,");
        }
        self.inner.head(out, head)
    }

    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        push_time(out, &self.taken_at);
        self.inner.row(out, row)
    }

    fn tail(&mut self, out: &mut Vec<u8>, gaps: &[Gap]) -> io::Result<()> {
        self.inner.tail(out, gaps)
    }
}

/// The time, and a comma.
pub(super) fn push_time(out: &mut Vec<u8>, taken_at: &str) {
    out.extend_from_slice(taken_at.as_bytes());
    out.push(b',');
}

fn push_always(out: &mut Vec<u8>, row: &Row<'_>) {
    let socket = row.socket;
    push_fmt(out, format_args!("tcp,{},", socket.family.name()));
    push_state(out, socket.state, socket.state.name());
    let (data, accept) = match socket.queues {
        Queues::Data { recv_q, send_q } => ([Some(recv_q), Some(send_q)], [None, None]),
        Queues::Accept { pending, backlog } => ([None, None], [Some(pending), backlog]),
    };
    data.into_iter().chain(accept).for_each(|number| push_optional(out, number));
    out.push(b',');
    push_addr(out, socket.local.addr);
    out.push(b',');
    push_number(out, socket.local.port);
    if socket.has_peer() {
        out.push(b',');
        push_addr(out, socket.peer.addr);
        out.push(b',');
        push_number(out, socket.peer.port);
    } else {
        push_empty(out, 2);
    }
    push_quoted(out, &row.interface.map(|name| escaped(name.as_bytes())).unwrap_or_default());
    push_optional(out, socket.uid);
    push_optional(out, socket.inode);
    push_optional(out, socket.cookie);
}

/// A comma and the number, if there is one.
fn push_optional(out: &mut Vec<u8>, number: Option<impl Number>) {
    out.push(b',');
    if let Some(number) = number {
        push_number(out, number);
    }
}

/// So many columns without a value.
fn push_empty(out: &mut Vec<u8>, columns: usize) {
    out.resize(out.len() + columns, b',');
}

/// A comma and the text.
fn push_quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b',');
    push_field(out, text);
}

/// Text, which is escaped already, in quotes where it needs them.
pub(super) fn push_field(out: &mut Vec<u8>, text: &str) {
    if !text.contains([',', '"']) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

fn push_timer(out: &mut Vec<u8>, row: &Row<'_>) {
    match &row.socket.timer {
        None => push_empty(out, 4),
        Some(timer) => push_fmt(
            out,
            format_args!(
                ",{},{},{},{}",
                timer.name(),
                timer.expires_ms(),
                timer.retransmits(),
                timer.probes()
            ),
        ),
    }
}

fn push_memory(out: &mut Vec<u8>, memory: Option<&Memory>) {
    let Some(memory) = memory else {
        push_empty(out, MEMORY.len());
        return;
    };
    let Memory { rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem, backlog, drops } =
        *memory;
    for number in [rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem] {
        push_optional(out, Some(number));
    }
    push_optional(out, backlog);
    push_optional(out, drops);
}

fn push_tcp_info(out: &mut Vec<u8>, info: Option<&TcpInfo>) {
    let Some(info) = info else {
        push_empty(out, 5 + TcpInfo::FIELDS.len());
        return;
    };
    out.push(b',');
    if let Some(algorithm) = info.algorithm {
        push_text(out, algorithm.as_bytes());
    }
    out.push(b',');
    out.extend_from_slice(info.ca_state().unwrap_or_default().as_bytes());
    out.push(b',');
    for (at, name) in info.option_names().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(name.as_bytes());
    }
    info.each(|name, value| push_optional(out, value.filter(|value| !is_unset(name, *value))));
    push_quoted(out, &info.ulp.as_deref().map(|ulp| escaped(ulp.name.as_bytes())).unwrap_or_default());
    let peers = info.md5keys.iter().flatten().map(|key| format!("{}/{}", key.address, key.prefix_length));
    push_quoted(out, &peers.collect::<Vec<_>>().join(" "));
}
