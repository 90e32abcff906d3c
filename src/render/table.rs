//! For a terminal: aligned, states coloured, fitted to the width. It holds its rows until their widths are known.

use std::io;

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ContentArrangement, ContentLineStyle, Table as Grid, TableStyle,
};

use super::columns::{End, cgroup_text, holders_text, push_endpoint, push_netstat_timer, user_text};
use super::details::{push_memory, push_tcp_info};
use super::{Head, Listing, Style, text};
use crate::model::{Gap, Row, TcpState};

/// Lines of details stand this far in.
const INDENT: &str = "    ";

pub(super) struct Table {
    style: Style,
    grid: Grid,
    /// What stands below each row, if anything.
    details: Vec<String>,
}

impl Table {
    pub(super) fn new(style: Style) -> Self {
        Self { style, grid: Grid::new(), details: Vec::new() }
    }

    fn has_details(&self) -> bool {
        self.style.parts.memory || self.style.parts.tcp_info
    }

    /// Whether rows are wrapped at the width. Above details each row keeps its one line.
    fn fitted_width(&self) -> Option<u16> {
        self.style.width.filter(|_| !self.style.wide && !self.has_details())
    }

    fn titles(&self) -> Vec<&'static str> {
        let parts = self.style.parts;
        let mut titles = vec!["State", "Recv-Q", "Send-Q", "Local Address", "Peer Address"];
        if parts.extended {
            titles.extend(["User", "Inode", "Cookie", "Cgroup", "Mark"]);
        }
        if parts.timers {
            titles.push("Timer");
        }
        if parts.processes {
            titles.push("Process");
        }
        titles
    }

    fn cells(&self, row: &Row<'_>) -> Vec<Cell> {
        let socket = row.socket;
        let parts = self.style.parts;
        let mut cells = vec![
            state_cell(socket.state),
            Cell::new(socket.queues.recv_q()).set_alignment(CellAlignment::Right),
            Cell::new(socket.queues.send_q()).set_alignment(CellAlignment::Right),
            Cell::new_owned(appended(|out| push_endpoint(out, row, End::Local))),
            Cell::new_owned(appended(|out| push_endpoint(out, row, End::Peer))),
        ];
        if parts.extended {
            cells.push(optional_cell(user_text(row)));
            cells.push(optional_cell(socket.inode));
            cells.push(optional_cell(socket.cookie));
            cells.push(optional_cell(cgroup_text(row)));
            cells.push(optional_cell(socket.mark.map(|mark| format!("{mark:#x}"))));
        }
        if parts.timers {
            let timer = socket.timer.as_ref();
            cells
                .push(optional_cell(timer.map(|timer| appended(|out| push_netstat_timer(out, Some(timer))))));
        }
        if parts.processes {
            cells.push(match row.owner_note {
                Some(note) => Cell::new(format!("({})", note.short())).add_attribute(Attribute::Dim),
                None => Cell::new_owned(holders_text(row)),
            });
        }
        cells
    }

    fn push_details(&self, out: &mut Vec<u8>, details: &str) {
        let room = self.style.width.filter(|_| !self.style.wide).map_or(usize::MAX, usize::from);
        let mut used = 0;
        for word in details.split_whitespace() {
            let width = text::width(word);
            if used == 0 || used + 1 + width > room {
                let lead = if used == 0 { INDENT.to_owned() } else { format!("\n{INDENT}") };
                out.extend_from_slice(lead.as_bytes());
                used = INDENT.len() + width;
            } else {
                out.push(b' ');
                used += 1 + width;
            }
            out.extend_from_slice(word.as_bytes());
        }
        if used > 0 {
            out.push(b'\n');
        }
    }
}

impl Listing for Table {
    fn head(&mut self, _out: &mut Vec<u8>, _head: &Head<'_>) -> io::Result<()> {
        let mut grid = Grid::new();
        // Columns are apart by blanks alone.
        grid.load_style(TableStyle::new().header_lines(blank_lines()).content_lines(blank_lines()));
        if self.style.color {
            grid.enforce_styling();
        } else {
            grid.force_no_tty();
        }
        match self.fitted_width() {
            Some(width) => {
                grid.set_width(width);
                grid.set_content_arrangement(ContentArrangement::Dynamic);
            }
            None => {
                grid.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        if self.style.header {
            grid.set_header(
                self.titles().into_iter().map(|title| Cell::new(title).add_attribute(Attribute::Bold)),
            );
        }
        self.grid = grid;
        self.details.clear();
        Ok(())
    }

    fn row(&mut self, _out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        let cells = self.cells(row);
        self.grid.add_row(cells);
        if self.has_details() {
            self.details.push(appended(|out| {
                push_memory(out, row);
                push_tcp_info(out, row);
            }));
        }
        Ok(())
    }

    fn tail(&mut self, out: &mut Vec<u8>, _gaps: &[Gap]) -> io::Result<()> {
        for column in self.grid.column_iter_mut() {
            column.set_padding((0, 1));
        }
        let heading = usize::from(self.style.header);
        for (number, line) in self.grid.lines().enumerate() {
            out.extend_from_slice(line.trim_end().as_bytes());
            out.push(b'\n');
            if let Some(details) = number.checked_sub(heading).and_then(|row| self.details.get(row)) {
                self.push_details(out, details);
            }
        }
        Ok(())
    }
}

fn blank_lines() -> ContentLineStyle {
    ContentLineStyle::none().junction(' ')
}

fn optional_cell(value: Option<impl ToString>) -> Cell {
    value.map_or_else(|| Cell::new("-"), |value| Cell::new_owned(value.to_string()))
}

/// Text from a function that appends to a line.
fn appended(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::with_capacity(48);
    write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Green works, blue waits for connections, yellow is opening or closing, red waits for a program of this host.
fn state_cell(state: TcpState) -> Cell {
    let cell = Cell::new(state);
    match state.shown() {
        TcpState::Established => cell.fg(Color::Green),
        TcpState::Listen => cell.fg(Color::Blue),
        TcpState::CloseWait => cell.fg(Color::Red),
        TcpState::TimeWait | TcpState::Close => cell.add_attribute(Attribute::Dim),
        _ => cell.fg(Color::Yellow),
    }
}
