//! Columns that were chosen and put in order, for the table, the plain list and CSV.

use std::io;

use comfy_table::{Cell, Table as Grid};

use super::columns::{
    End, appended, appended_or_none, are_of_listener, cgroup_text, process_user_text, push_addr,
    push_endpoint, push_fmt, push_holders, push_netstat_timer, push_peer_holders, push_port, user_text,
};
use super::grid::{BLOCK, coloured, fit, new_grid, number_cell, push_grid, title_cells};
use super::text::{capitalised, escaped, push_left, span_us, trim_end};
use super::{Format, Head, Listing, Style};
use crate::model::{Gap, Holder, Row, TcpInfo};
use crate::select::key_word;

/// A column that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "Column::ALL says what each is")]
pub enum Column {
    State,
    Family,
    RecvQ,
    SendQ,
    AcceptQueue,
    Backlog,
    Local,
    LocalAddress,
    LocalPort,
    Peer,
    PeerAddress,
    PeerPort,
    Iface,
    User,
    Uid,
    Inode,
    Cookie,
    Cgroup,
    Unit,
    Container,
    PodUid,
    Mark,
    Timer,
    Process,
    Pid,
    Program,
    ProcessUser,
    Command,
    Note,
    PeerProcess,
    Rtt,
    Rto,
    Retrans,
    Cwnd,
}

impl Column {
    /// The words of `--columns`, and what each column holds.
    pub const ALL: [(Self, &'static str, &'static str); 34] = [
        (Self::State, "state", "the state"),
        (Self::Family, "family", "inet or inet6"),
        (Self::RecvQ, "recv-q", "bytes not read; - for a listener"),
        (Self::SendQ, "send-q", "bytes not acknowledged; - for a listener"),
        (Self::AcceptQueue, "accept-queue", "a listener's connections that wait to be accepted"),
        (Self::Backlog, "backlog", "how many connections may wait at a listener"),
        (Self::Local, "local", "the local address and port"),
        (Self::LocalAddress, "local-address", "the local address"),
        (Self::LocalPort, "local-port", "the local port"),
        (Self::Peer, "peer", "the peer's address and port"),
        (Self::PeerAddress, "peer-address", "the peer's address"),
        (Self::PeerPort, "peer-port", "the peer's port"),
        (Self::Iface, "iface", "the device that the socket is bound to"),
        (Self::User, "user", "the user, by name without -n"),
        (Self::Uid, "uid", "the user's number"),
        (Self::Inode, "inode", "the socket's inode"),
        (Self::Cookie, "cookie", "the kernel's number for the socket"),
        (Self::Cgroup, "cgroup", "the cgroup's path"),
        (Self::Unit, "unit", "the systemd unit"),
        (Self::Container, "container", "the container's id or name"),
        (Self::PodUid, "pod-uid", "the uid of the Kubernetes pod"),
        (Self::Mark, "mark", "the firewall mark"),
        (Self::Timer, "timer", "the running timer, as netstat shows it"),
        (Self::Process, "process", "every holder: pid/program[descriptors]"),
        (Self::Pid, "pid", "the holders' process numbers"),
        (Self::Program, "program", "the holders' names"),
        (Self::ProcessUser, "process-user", "the users that the holders run as"),
        (Self::Command, "command", "the holders' command lines"),
        (Self::Note, "note", "why there is no holder"),
        (Self::PeerProcess, "peer-process", "the other end's holders, where that is on this host"),
        (Self::Rtt, "rtt", "the round-trip time"),
        (Self::Rto, "rto", "the retransmission timeout"),
        (Self::Retrans, "retrans", "segments sent again, in all"),
        (Self::Cwnd, "cwnd", "the congestion window, in segments"),
    ];

    /// Reads a word of `--columns`, or what stands over the column.
    pub fn parse(word: &str) -> Option<Self> {
        let word = key_word(word);
        Self::ALL.into_iter().find(|(_, name, _)| *name == word).map(|(column, ..)| column)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(column, ..)| *column == self).map_or("", |(_, name, _)| name)
    }

    /// Whether the holders must be known.
    pub fn is_of_processes(self) -> bool {
        matches!(self, Self::Process | Self::Pid | Self::Program | Self::Note) || self.is_of_process_details()
    }

    /// Whether the holders' users and command lines must be known.
    pub fn is_of_process_details(self) -> bool {
        matches!(self, Self::ProcessUser | Self::Command)
    }

    /// Whether the cgroup's path must be known.
    pub fn is_of_cgroups(self) -> bool {
        self == Self::Cgroup || self.is_of_units()
    }

    /// Whether the unit, container or pod must be known.
    pub fn is_of_units(self) -> bool {
        matches!(self, Self::Unit | Self::Container | Self::PodUid)
    }

    /// Whether the connection's numbers must be known.
    pub fn is_of_tcp_info(self) -> bool {
        matches!(self, Self::Rtt | Self::Rto | Self::Retrans | Self::Cwnd)
    }

    /// Whether only netlink tells it. The connection's numbers are asked for apart; a cgroup is the holder's where the
    /// kernel does not tell the socket's.
    pub fn is_of_netlink(self) -> bool {
        matches!(self, Self::Iface | Self::Cookie | Self::Mark)
    }

    fn is_number(self) -> bool {
        matches!(
            self,
            Self::RecvQ
                | Self::SendQ
                | Self::AcceptQueue
                | Self::Backlog
                | Self::Uid
                | Self::Inode
                | Self::Retrans
                | Self::Cwnd
        )
    }

    /// How wide it usually is.
    fn usual_width(self) -> usize {
        match self {
            Self::Local | Self::Peer => 23,
            Self::LocalAddress | Self::PeerAddress => 15,
            Self::Process | Self::PeerProcess | Self::Timer => 20,
            Self::State => 11,
            Self::RecvQ | Self::SendQ | Self::LocalPort | Self::PeerPort => 6,
            _ => 8,
        }
    }

    /// Its text for a row; `None` where nothing is known.
    fn text(self, row: &Row<'_>) -> Option<String> {
        let socket = row.socket;
        let info = |read: fn(&TcpInfo) -> Option<u32>| socket.tcp_info().and_then(read);
        let number = |number: Option<u32>| number.map(|number| number.to_string());
        let port = |end: End| appended(|out| push_port(out, end.endpoint(socket).port, end.service(row)));
        match self {
            Self::State => Some(socket.state.to_string()),
            Self::Family => Some(socket.family.name().to_owned()),
            Self::RecvQ => number(socket.queues.unread()),
            Self::SendQ => number(socket.queues.unacknowledged()),
            Self::AcceptQueue => number(socket.queues.accept_queue()),
            Self::Backlog => number(socket.queues.backlog()),
            Self::Local => Some(appended(|out| push_endpoint(out, row, End::Local))),
            Self::Peer => Some(appended(|out| push_endpoint(out, row, End::Peer))),
            Self::LocalAddress => Some(appended(|out| push_addr(out, socket.local.addr))),
            Self::LocalPort => Some(port(End::Local)),
            Self::PeerAddress | Self::PeerPort if !socket.has_peer() => None,
            Self::PeerAddress => Some(appended(|out| push_addr(out, socket.peer.addr))),
            Self::PeerPort => Some(port(End::Peer)),
            Self::Iface => row.interface.map(|name| escaped(name.as_bytes())),
            Self::User => user_text(row),
            Self::Uid => socket.uid.map(|uid| uid.to_string()),
            Self::Inode => socket.inode.map(|inode| inode.to_string()),
            Self::Cookie => socket.cookie.map(|cookie| cookie.to_string()),
            Self::Cgroup => cgroup_text(row),
            Self::Unit => row.cgroup.unit().map(|unit| escaped(unit.as_bytes())),
            Self::Container => row.cgroup.container().map(|id| escaped(id.as_bytes())),
            Self::PodUid => row.cgroup.pod_uid().map(std::borrow::Cow::into_owned),
            Self::Mark => socket.mark.map(|mark| format!("{mark:#x}")),
            Self::Timer => socket.timer.map(|timer| appended(|out| push_netstat_timer(out, Some(&timer)))),
            Self::Process => appended_or_none(|out| push_holders(out, row, false)),
            Self::Pid => of_holders(row, |holder| Some(holder.process.pid.to_string())),
            Self::Program => of_holders(row, |holder| Some(escaped(&holder.process.name))),
            Self::ProcessUser => {
                of_holders(row, |holder| process_user_text(holder.process.details.as_ref()?))
            }
            Self::Command => {
                of_holders(row, |holder| Some(escaped(&holder.process.details.as_ref()?.command)))
            }
            Self::Note => row.owner_note.map(|note| note.to_string()),
            Self::PeerProcess => appended_or_none(|out| push_peer_holders(out, row, false)),
            Self::Rtt => info(TcpInfo::measured_rtt_us).map(|us| span_us(us.into())),
            Self::Rto => info(TcpInfo::rto_us).map(|us| span_us(us.into())),
            Self::Retrans => info(TcpInfo::total_retrans).map(|count| count.to_string()),
            Self::Cwnd => info(TcpInfo::snd_cwnd).map(|count| count.to_string()),
        }
    }
}

/// A text of each process that holds the socket, once each.
fn of_holders(row: &Row<'_>, text: impl Fn(&Holder) -> Option<String>) -> Option<String> {
    let mut texts: Vec<String> = Vec::new();
    for process in row.holders.chunk_by(|a, b| a.process.pid == b.process.pid) {
        let text = process.first().and_then(&text).unwrap_or_else(|| "-".to_owned());
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    let text = texts.join(",");
    (!texts.is_empty()).then(|| if are_of_listener(row) { format!("({text})") } else { text })
}

/// The chosen columns in one of three formats. The table holds its rows in blocks; the others stream.
pub(super) struct Chosen {
    format: Format,
    style: Style,
    columns: Vec<Column>,
    grid: Grid,
    /// How many rows the grid has.
    rows: usize,
}

impl Chosen {
    pub(super) fn new(format: Format, style: Style, columns: &[Column]) -> Self {
        Self { format, style, columns: columns.to_vec(), grid: Grid::new(), rows: 0 }
    }

    fn push_plain(&self, out: &mut Vec<u8>, text: impl Fn(Column) -> String) {
        let start = out.len();
        for column in &self.columns {
            push_left(out, &text(*column), column.usual_width().max(column.word().len()));
            out.push(b' ');
        }
        trim_end(out, start);
        out.push(b'\n');
    }
}

impl Listing for Chosen {
    fn head(&mut self, out: &mut Vec<u8>, _head: &Head<'_>) -> io::Result<()> {
        match self.format {
            Format::Csv if self.style.header => {
                let words: Vec<_> =
                    self.columns.iter().map(|column| column.word().replace('-', "_")).collect();
                push_fmt(out, format_args!("{}\n", words.join(",")));
            }
            Format::Plain if self.style.header => self.push_plain(out, |column| capitalised(column.word())),
            Format::Table => {
                self.grid = new_grid(self.style.color);
                self.rows = 0;
                if self.style.header {
                    let titles = self.columns.iter().map(|column| capitalised(column.word()));
                    self.grid.set_header(title_cells(titles));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        let or_dash = |column: Column| column.text(row).unwrap_or_else(|| "-".to_owned());
        match self.format {
            Format::Csv => {
                for (index, column) in self.columns.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    super::csv::push_field(out, &column.text(row).unwrap_or_default());
                }
                out.push(b'\n');
            }
            Format::Table => {
                if self.rows >= BLOCK {
                    self.write_block(out);
                }
                self.rows += 1;
                let cells = self.columns.iter().map(|column| {
                    let text = or_dash(*column);
                    match column {
                        Column::State => coloured(Cell::new(text), row.socket.state),
                        column if column.is_number() => number_cell(text),
                        _ => Cell::new(text),
                    }
                });
                self.grid.add_row(cells);
            }
            _ => self.push_plain(out, or_dash),
        }
        Ok(())
    }

    fn tail(&mut self, out: &mut Vec<u8>, _gaps: &[Gap]) -> io::Result<()> {
        if self.format == Format::Table {
            self.write_block(out);
        }
        Ok(())
    }
}

impl Chosen {
    /// Appends the rows that the grid has, and begins another one.
    fn write_block(&mut self, out: &mut Vec<u8>) {
        self.rows = 0;
        let mut grid = std::mem::replace(&mut self.grid, new_grid(self.style.color));
        if let Some(width) = self.style.width.filter(|_| !self.style.wide) {
            fit(&mut grid, width);
        }
        push_grid(out, grid, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_described() {
        for (column, word, help) in Column::ALL {
            assert_eq!((Column::parse(word), column.word()), (Some(column), word));
            assert!(!help.is_empty() && !help.ends_with('.'));
        }
        assert_eq!(Column::parse("size"), None);
    }
}
