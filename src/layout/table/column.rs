//! The columns of the table, and what each shows of a row.

use comfy_table::{Cell as GridCell, CellAlignment};

use crate::fields::{self, End, Field, Kind};
use crate::layout::columns::{appended, appended_or_none, push_endpoint, push_folded_holders};
use crate::layout::grid;
use crate::layout::report::state_style;
use crate::layout::text::{self, capitalised};
use crate::layout::values::text_of;
use crate::layout::{Parts, Style};
use crate::model::{Queues, Row, RowChange, TcpState, Timer};

/// A column of the table.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) title: String,
    content: Content,
    pub(super) presence: Presence,
}

/// When a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// In every case.
    Always,
    /// Where some row has a value that is not 0.
    IfAny,
    /// One of several that show the same, the widest first: the first that needs no further line. None where none fits, or
    /// no row has a value.
    Spare(u8),
}

#[derive(Clone, Copy, Debug)]
enum Content {
    /// Unread data; of a listener, its accept queue.
    RecvQ,
    /// Unacknowledged data; of a listener, its backlog.
    SendQ,
    /// An address with its port.
    Endpoint(End),
    /// The processes at this end.
    Processes(End),
    /// The names of their programs.
    Programs,
    /// A field as `--columns` shows it.
    Field(&'static Field),
    /// What has happened to the socket since the list before.
    Change,
    /// Cells that are not made from a socket's row.
    Given { is_number: bool },
}

/// The number of columns that every list has: the state, the queues and the addresses.
pub(super) const MAIN: usize = 5;

/// The columns of a list: those that the user chose, or the usual ones with those of the options.
pub(super) fn columns(style: &Style, chosen: &[&'static Field]) -> Vec<Column> {
    let mark = Column { title: String::new(), content: Content::Change, presence: Presence::Always };
    let marks = style.marks.then_some(mark);
    if !chosen.is_empty() {
        let chosen = chosen.iter().map(|field| Column::of_field(field, Presence::Always));
        return marks.into_iter().chain(chosen).collect();
    }
    let Parts { extended, timers, processes, peer_processes, .. } = style.parts;
    let column = |title: &str, content, presence| Column { title: title.to_owned(), content, presence };
    let mut columns: Vec<_> = marks.into_iter().collect();
    columns.extend([
        Column::of_field(&fields::STATE, Presence::Always),
        column("Recv-Q", Content::RecvQ, Presence::IfAny),
        column("Send-Q", Content::SendQ, Presence::IfAny),
        column("Local Address", Content::Endpoint(End::Local), Presence::Always),
        column("Peer Address", Content::Endpoint(End::Peer), Presence::IfAny),
    ]);
    if extended {
        columns.extend(fields::extended_columns().map(|field| Column::of_field(field, Presence::IfAny)));
    }
    if timers {
        columns.push(Column::of_field(&fields::TIMER, Presence::Always));
    }
    if processes {
        let content = Content::Processes(End::Local);
        if style.spare_processes {
            columns.push(column("Process", content, Presence::Spare(0)));
            columns.push(column("Process", Content::Programs, Presence::Spare(1)));
        } else {
            columns.push(column("Process", content, Presence::Always));
        }
    }
    if peer_processes {
        columns.push(column("Peer", Content::Processes(End::Peer), Presence::Always));
    }
    columns
}

impl Column {
    fn of_field(field: &'static Field, presence: Presence) -> Self {
        let content = match field.kind {
            Kind::Endpoint(end) => Content::Endpoint(end),
            Kind::Processes(end) => Content::Processes(end),
            _ => Content::Field(field),
        };
        Self { title: capitalised(&field.typed()), content, presence }
    }

    /// A column of cells that are not made from rows.
    pub(super) fn given(title: String, is_number: bool) -> Self {
        Self { title, content: Content::Given { is_number }, presence: Presence::Always }
    }

    /// Whether its cells may be narrower than their text: a text that does not fit moves to a line of its own.
    pub(super) fn is_flexible(&self) -> bool {
        match self.content {
            Content::RecvQ | Content::SendQ | Content::Change => false,
            Content::Given { is_number } => !is_number,
            Content::Endpoint(_) | Content::Processes(_) | Content::Programs => true,
            Content::Field(field) => field.kind != Kind::State && !field.is_number(),
        }
    }

    pub(super) fn cell(&self, row: &Row<'_>) -> Cell {
        let cell = self.cell_of_socket(row);
        // It is still here only to be seen going.
        if row.change == Some(RowChange::Gone) { Cell { look: Look::Dim, ..cell } } else { cell }
    }

    fn cell_of_socket(&self, row: &Row<'_>) -> Cell {
        let socket = row.socket;
        match self.content {
            Content::Given { .. } => Cell::of(None, Look::Plain),
            Content::Change => match row.change {
                None => Cell { is_empty: true, ..Cell::of(Some(String::new()), Look::Plain) },
                Some(RowChange::New) => Cell::of(Some("+".to_owned()), Look::Notice),
                Some(RowChange::Changed) => Cell::of(Some("~".to_owned()), Look::Notice),
                Some(RowChange::Gone) => Cell::of(Some("-".to_owned()), Look::Dim),
            },
            Content::RecvQ => Cell::number(socket.queues.recv_q(), alarm_of_recv_q(socket.queues)),
            Content::SendQ => Cell::number(socket.queues.send_q(), alarm_of_send_q(row)),
            Content::Endpoint(end) => {
                let cell = Cell::plain(appended(|out| push_endpoint(out, row, end)));
                Cell { is_empty: end == End::Peer && !socket.has_peer(), ..cell }
            }
            Content::Programs | Content::Processes(End::Local) => match row.owner_note {
                // Where all rows have just a note, a column that nobody asked for says nothing.
                Some(note) if row.holders.is_empty() => Cell {
                    is_empty: matches!(self.presence, Presence::Spare(_)),
                    ..Cell::of(Some(format!("({})", note.short())), Look::Dim)
                },
                _ => {
                    let detail = matches!(self.content, Content::Processes(_));
                    let text = appended_or_none(|out| push_folded_holders(out, row, End::Local, detail));
                    Cell::of(text, Look::Plain)
                }
            },
            Content::Processes(End::Peer) => {
                Cell::of(appended_or_none(|out| push_folded_holders(out, row, End::Peer, true)), Look::Plain)
            }
            Content::Field(field) => {
                let look = if field.kind == Kind::State { Look::State(socket.state) } else { Look::Plain };
                let is_zero = field.number(row) == Some(0);
                let cell = Cell::of(text_of(field, row), look);
                Cell { is_right: field.is_number(), is_empty: cell.is_empty || is_zero, ..cell }
            }
        }
    }
}

/// Data that a program has not read; an accept queue that takes no more.
fn alarm_of_recv_q(queues: Queues) -> Look {
    match queues {
        Queues::Data { recv_q: 0, .. } => Look::Plain,
        Queues::Data { .. } => Look::Notice,
        // The kernel drops a SYN when the queue is longer than the backlog.
        Queues::Accept { pending, backlog: Some(backlog) } if pending > backlog => Look::Alarm,
        Queues::Accept { .. } => Look::Plain,
    }
}

/// Data that the peer has not acknowledged: worse if it was sent again, or if the peer's window is closed.
fn alarm_of_send_q(row: &Row<'_>) -> Look {
    if row.socket.queues.unacknowledged().unwrap_or(0) == 0 {
        return Look::Plain;
    }
    match row.socket.timer {
        Some(Timer::Retransmit { retransmits: 1.., .. } | Timer::Probe0 { .. }) => Look::Alarm,
        _ => Look::Notice,
    }
}

/// How a cell's text is styled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    /// In the state's colour.
    State(TcpState),
    /// The reason why there is no value, or the row of a socket that has gone.
    Dim,
    /// Worth a look: bold.
    Notice,
    /// Something is wrong: bold, and red.
    Alarm,
}

impl Look {
    fn style(self) -> anstyle::Style {
        match self {
            Self::Plain => anstyle::Style::new(),
            Self::State(state) => state_style(state),
            Self::Dim => anstyle::Style::new().dimmed(),
            Self::Notice => anstyle::Style::new().bold(),
            Self::Alarm => anstyle::AnsiColor::BrightRed.on_default().bold(),
        }
    }
}

/// What a row shows in a column.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(super) text: String,
    /// There is no value, or it is 0.
    pub(super) is_empty: bool,
    /// Aligned right.
    pub(super) is_right: bool,
    look: Look,
}

impl Cell {
    fn of(text: Option<String>, look: Look) -> Self {
        let is_empty = text.is_none();
        Self { text: text.unwrap_or_else(|| "-".to_owned()), is_empty, is_right: false, look }
    }

    /// A text.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::of(Some(text.into()), Look::Plain)
    }

    /// A state's name, in its style.
    pub(crate) fn state(name: impl Into<String>, state: TcpState) -> Self {
        Self::of(Some(name.into()), Look::State(state))
    }

    /// A text that says why there is no value.
    pub(crate) fn dim(text: impl Into<String>) -> Self {
        Self::of(Some(text.into()), Look::Dim)
    }

    /// A number, aligned right.
    pub(crate) fn count(number: u64) -> Self {
        Self { is_right: true, ..Self::of(Some(number.to_string()), Look::Plain) }
    }

    fn number(number: u32, look: Look) -> Self {
        Self { is_empty: number == 0, look, ..Self::count(number.into()) }
    }

    pub(super) fn width(&self) -> usize {
        text::width(&self.text)
    }

    /// For the grid.
    pub(super) fn in_grid(&self) -> GridCell {
        let cell = GridCell::new(&self.text);
        let cell = if self.is_right { cell.set_alignment(CellAlignment::Right) } else { cell };
        grid::styled(cell, self.look.style())
    }

    /// For a line that is written without the grid.
    pub(super) fn styled(&self, text: &str, color: bool) -> String {
        let style = self.look.style();
        if !color || style.is_plain() {
            return text.to_owned();
        }
        format!("{style}{text}{style:#}")
    }
}
