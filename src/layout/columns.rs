//! Pieces of a line that several formats share.

use std::io::Write as _;

pub(crate) use super::address::push_addr;
pub(super) use super::address::push_libc_ipv6;
use super::text::{is_plain, push_escaped, push_number};
pub(crate) use crate::fields::End;
use crate::model::{Family, Holder, ProcessDetails, Row, TcpState, Timer};

/// Appends a state's name in some dialect or, without a name, its number.
pub(crate) fn push_state(out: &mut Vec<u8>, state: TcpState, name: Option<&str>) {
    match name {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => push_fmt(out, format_args!("{state}")),
    }
}

/// The text that `write` appends.
pub(crate) fn appended(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::with_capacity(48);
    write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// The same; `None` where nothing was appended.
pub(super) fn appended_or_none(write: impl FnOnce(&mut Vec<u8>)) -> Option<String> {
    Some(appended(write)).filter(|text| !text.is_empty())
}

/// Appends formatted text.
pub(crate) fn push_fmt(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    let _ = out.write_fmt(text);
}

/// Appends `ADDR:PORT` in our own form: IPv6 in brackets, a scope's device after `%`, `*` for the wildcard address of
/// a dual-stack socket, and `*` for no port.
pub(crate) fn push_endpoint(out: &mut Vec<u8>, row: &Row<'_>, end: End) {
    push_host(out, row, end);
    out.push(b':');
    push_port(out, end.of(row.socket).port, end.service(row));
}

fn push_host(out: &mut Vec<u8>, row: &Row<'_>, end: End) {
    let socket = row.socket;
    let endpoint = end.of(socket);
    // The local address always shows the device that the socket is bound to.
    let device = row.interface.filter(|_| end == End::Local || endpoint.scope_id != 0);
    if let Some(name) = end.host(row) {
        push_text(out, name.as_bytes());
        push_device(out, device);
        return;
    }
    if socket.family == Family::Inet6 && endpoint.addr.is_unspecified() && socket.v6only == Some(false) {
        out.push(b'*');
        push_device(out, device);
        return;
    }
    // An IPv6 socket with an IPv4 peer has mapped addresses, `::ffff:10.0.0.1`.
    let addr = endpoint.addr.to_canonical();
    let brackets = addr.is_ipv6();
    if brackets {
        out.push(b'[');
    }
    push_addr(out, addr);
    push_device(out, device);
    if brackets {
        out.push(b']');
    }
}

fn push_device(out: &mut Vec<u8>, device: Option<&str>) {
    if let Some(device) = device {
        out.push(b'%');
        push_text(out, device.as_bytes());
    }
}

/// Appends a port by its name, if it has one, or its number; `*` for none.
pub(crate) fn push_port(out: &mut Vec<u8>, port: u16, service: Option<&str>) {
    match (port, service) {
        (0, _) => out.push(b'*'),
        (_, Some(name)) => push_text(out, name.as_bytes()),
        (port, None) => push_number(out, port),
    }
}

/// Appends escaped text.
pub(crate) fn push_text(out: &mut Vec<u8>, bytes: &[u8]) {
    if is_plain(bytes) {
        out.extend_from_slice(bytes);
        return;
    }
    let mut text = String::with_capacity(bytes.len());
    push_escaped(&mut text, bytes);
    out.extend_from_slice(text.as_bytes());
}

/// Appends a timer as netstat prints it: `keepalive (59.51/0/0)`.
pub(super) fn push_netstat_timer(out: &mut Vec<u8>, timer: Option<&Timer>) {
    let Some(timer) = timer else {
        out.extend_from_slice(b"off (0.00/0/0)");
        return;
    };
    match timer {
        Timer::Retransmit { .. } => out.extend_from_slice(b"on"),
        Timer::KeepAlive { .. } => out.extend_from_slice(b"keepalive"),
        Timer::TimeWait { .. } => out.extend_from_slice(b"timewait"),
        Timer::Probe0 { .. } => out.extend_from_slice(b"probe"),
        Timer::DelayedAck { .. } => out.extend_from_slice(b"unkn-5"),
        Timer::Other { kind, .. } => push_fmt(out, format_args!("unkn-{kind}")),
    }
    // The kernel counts hundredths of a second in /proc, and rounds down.
    let hundredths = timer.expires_ms() / 10;
    push_fmt(
        out,
        format_args!(
            " ({}.{:02}/{}/{})",
            hundredths / 100,
            hundredths % 100,
            timer.retransmits(),
            timer.probes()
        ),
    );
}

/// Appends the holders of one end as `pid/name[fd,fd]`; in brackets if they hold the listener of a connection that waits
/// for accept(). Appends nothing without holders.
pub(super) fn push_holders(out: &mut Vec<u8>, row: &Row<'_>, end: End, with_details: bool) {
    push_in_brackets(out, are_of_listener(row, end), |out| {
        for (index, process) in processes(holders(row, end)).enumerate() {
            if index > 0 {
                out.push(b',');
            }
            push_process(out, process, with_details);
        }
    });
}

/// Appends the holders of one end for the table: several processes of one program are one entry, `nginx×3[4]`, unless
/// users and command lines are shown. Without `detail` just the programs' names.
pub(super) fn push_folded_holders(out: &mut Vec<u8>, row: &Row<'_>, end: End, detail: bool) {
    let mut programs: Vec<(&[u8], Vec<&[Holder]>)> = Vec::new();
    for process in processes(holders(row, end)) {
        let Some(Holder { process: first, .. }) = process.first() else { continue };
        match programs.iter_mut().find(|(name, _)| *name == &*first.name && first.details.is_none()) {
            Some((_, of_program)) => of_program.push(process),
            None => programs.push((&first.name, vec![process])),
        }
    }
    push_in_brackets(out, are_of_listener(row, end), |out| {
        for (index, (name, of_program)) in programs.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            push_program(out, name, &of_program, detail);
        }
    });
}

fn holders<'a>(row: &Row<'a>, end: End) -> &'a [Holder] {
    match end {
        End::Local => row.holders,
        End::Peer => row.peer_holders,
    }
}

/// Whether the holders are those of the listener in whose queue the socket waits.
pub(super) fn are_of_listener(row: &Row<'_>, end: End) -> bool {
    let waits = match end {
        End::Local => row.owner_note.is_some(),
        End::Peer => row.peer_waits,
    };
    waits && !holders(row, end).is_empty()
}

/// The holders of each process.
fn processes(holders: &[Holder]) -> impl Iterator<Item = &[Holder]> {
    holders.chunk_by(|a, b| a.process.pid == b.process.pid)
}

fn push_in_brackets(out: &mut Vec<u8>, brackets: bool, push: impl FnOnce(&mut Vec<u8>)) {
    if brackets {
        out.push(b'(');
    }
    push(out);
    if brackets {
        out.push(b')');
    }
}

/// Appends the processes of one program.
fn push_program(out: &mut Vec<u8>, name: &[u8], processes: &[&[Holder]], detail: bool) {
    /// Nobody looks for one descriptor among more than these.
    const DESCRIPTORS: usize = 3;
    if let ([process], true) = (processes, detail) {
        return push_process(out, process, true);
    }
    push_text(out, name);
    if processes.len() > 1 {
        push_fmt(out, format_args!("×{}", processes.len()));
    }
    if !detail {
        return;
    }
    let mut fds: Vec<_> =
        processes.iter().flat_map(|process| process.iter()).map(|holder| holder.fd).collect();
    fds.sort_unstable();
    fds.dedup();
    if fds.len() <= DESCRIPTORS {
        let fds: Vec<_> = fds.iter().map(u32::to_string).collect();
        push_fmt(out, format_args!("[{}]", fds.join(",")));
    }
}

/// Appends a process as `pid/name[fd,fd]`; with its other known facts if `with_details`.
fn push_process(out: &mut Vec<u8>, holders: &[Holder], with_details: bool) {
    let Some(Holder { process, .. }) = holders.first() else { return };
    push_number(out, process.pid);
    out.push(b'/');
    push_text(out, &process.name);
    for (index, holder) in holders.iter().enumerate() {
        out.push(if index == 0 { b'[' } else { b',' });
        push_number(out, holder.fd);
    }
    out.push(b']');
    if let Some(details) = process.details.as_ref().filter(|_| with_details) {
        push_fmt(out, format_args!(" {}: ", process_user_text(details).as_deref().unwrap_or("-")));
        push_text(out, &details.command);
    }
}

/// The user that a process runs as, by name or number.
pub(super) fn process_user_text(details: &ProcessDetails) -> Option<String> {
    let number = || details.uid.map(|uid| uid.to_string());
    details.user.as_ref().map(|name| super::text::escaped(name.as_bytes())).or_else(number)
}

/// The word in netstat's first column.
pub(super) fn protocol(family: Family) -> &'static str {
    match family {
        Family::Inet => "tcp",
        Family::Inet6 => "tcp6",
    }
}
