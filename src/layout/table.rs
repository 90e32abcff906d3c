//! For a terminal: aligned, states coloured, fitted to the width. The table holds a block of rows to find their
//! widths; a long list has several blocks, each aligned by itself, below one heading.
//!
//! If the columns do not fit in the width, the optional ones are printed below each row.

use std::io;

use comfy_table::{Attribute, Cell};

use super::columns::{
    End, appended, appended_or_none, cgroup_text, push_endpoint, push_holders, push_netstat_timer,
    push_peer_holders, user_text,
};
use super::details::{push_memory, push_tcp_info};
use super::grid::{BLOCK, coloured, new_grid, number_cell, push_grid, title_cells};
use super::{Head, Listing, Parts, Style, text};
use crate::model::{Gap, Row, TcpState};

/// The columns that are always shown.
const TITLES: [&str; 5] = ["State", "Recv-Q", "Send-Q", "Local Address", "Peer Address"];
/// Indices of the columns that may be wrapped.
const ADDRESSES: [usize; 2] = [3, 4];
/// The least width of an address column.
const NARROWEST: usize = 12;
/// Blanks between two columns.
const GAP: usize = 2;
/// Indentation of the lines below a row.
const INDENT: &str = "    ";

pub(super) struct Table {
    style: Style,
    /// The rows of this block.
    rows: Vec<Entry>,
    /// Whether no block was written yet.
    is_first: bool,
}

/// A row's texts.
struct Entry {
    state: TcpState,
    main: [String; TITLES.len()],
    optional: Vec<Optional>,
    details: String,
}

/// The text of an optional column.
struct Optional {
    title: &'static str,
    text: Option<String>,
    /// The text only says why there is no value.
    dim: bool,
}

impl Table {
    pub(super) fn new(style: Style) -> Self {
        Self { style, rows: Vec::new(), is_first: true }
    }

    /// The width to keep to.
    fn room(&self) -> Option<usize> {
        self.style.width.filter(|_| !self.style.wide).map(usize::from)
    }

    /// Whether all columns fit beside each other.
    fn all_fit(&self, room: usize) -> bool {
        let optional = self.rows.first().map_or(&[][..], |row| &row.optional);
        let optional_widths = optional.iter().enumerate().map(|(index, column)| {
            let widths = self.rows.iter().filter_map(|row| row.optional.get(index)).map(Optional::width);
            widths.max().unwrap_or(0).max(text::width(column.title)) + GAP
        });
        total(&self.main_widths()) + optional_widths.sum::<usize>() <= room
    }

    /// The natural width of each main column.
    fn main_widths(&self) -> [usize; TITLES.len()] {
        let mut widths = TITLES.map(text::width);
        for row in &self.rows {
            for (width, text) in widths.iter_mut().zip(&row.main) {
                *width = (*width).max(text::width(text));
            }
        }
        widths
    }

    /// The main columns' widths, with the address columns narrowed to fit the room.
    fn fitted_widths(&self, room: usize) -> [usize; TITLES.len()] {
        let mut widths = self.main_widths();
        while total(&widths) > room {
            let [local, peer] = ADDRESSES;
            let widest = if widths[local] >= widths[peer] { local } else { peer };
            if widths[widest] <= NARROWEST {
                break;
            }
            widths[widest] -= 1;
        }
        widths
    }

    /// One grid for all rows.
    fn write_beside(&self, out: &mut Vec<u8>) {
        let mut grid = new_grid(self.style.color);
        if self.style.header && self.is_first {
            let optional = self.rows.first().map_or(&[][..], |row| &row.optional);
            grid.set_header(title_cells(
                TITLES.into_iter().chain(optional.iter().map(|column| column.title)),
            ));
        }
        for row in &self.rows {
            grid.add_row(row.main_cells().into_iter().chain(row.optional.iter().map(Optional::cell)));
        }
        push_grid(out, grid, &[]);
    }

    /// A grid for each row, with the optional columns below it.
    fn write_above_the_rest(&self, out: &mut Vec<u8>, room: Option<usize>) {
        let widths = self.fitted_widths(room.unwrap_or(usize::MAX));
        if self.style.header && self.is_first {
            let mut grid = new_grid(self.style.color);
            grid.add_row(title_cells(TITLES));
            push_grid(out, grid, &widths);
        }
        for row in &self.rows {
            let mut grid = new_grid(self.style.color);
            grid.add_row(row.main_cells());
            push_grid(out, grid, &widths);
            let details = row.details.split_whitespace().map(str::to_owned);
            push_wrapped(out, row.optional_words().chain(details), room);
        }
    }
}

impl Listing for Table {
    fn head(&mut self, _out: &mut Vec<u8>, _head: &Head<'_>) -> io::Result<()> {
        self.rows.clear();
        self.is_first = true;
        Ok(())
    }

    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()> {
        if self.rows.len() >= BLOCK {
            self.write_block(out);
        }
        self.rows.push(Entry::new(row, self.style.parts));
        Ok(())
    }

    fn tail(&mut self, out: &mut Vec<u8>, _gaps: &[Gap]) -> io::Result<()> {
        if self.is_first || !self.rows.is_empty() {
            self.write_block(out);
        }
        Ok(())
    }
}

impl Table {
    /// Appends the rows that are held, and forgets them.
    fn write_block(&mut self, out: &mut Vec<u8>) {
        let room = self.room();
        let has_details = self.style.parts.memory || self.style.parts.tcp_info;
        if !has_details && room.is_none_or(|room| self.all_fit(room)) {
            self.write_beside(out);
        } else {
            self.write_above_the_rest(out, room);
        }
        self.rows.clear();
        self.is_first = false;
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// Appends words on lines that keep to the room.
fn push_wrapped(out: &mut Vec<u8>, words: impl Iterator<Item = String>, room: Option<usize>) {
    let room = room.unwrap_or(usize::MAX);
    let mut used = 0;
    for word in words {
        let width = text::width(&word);
        if used > 0 && used + 1 + width <= room {
            out.push(b' ');
            used += 1 + width;
        } else {
            if used > 0 {
                out.push(b'\n');
            }
            out.extend_from_slice(INDENT.as_bytes());
            used = INDENT.len() + width;
        }
        out.extend_from_slice(word.as_bytes());
    }
    if used > 0 {
        out.push(b'\n');
    }
}

impl Entry {
    fn new(row: &Row<'_>, parts: Parts) -> Self {
        let queues = row.socket.queues;
        Self {
            state: row.socket.state,
            main: [
                row.socket.state.to_string(),
                queues.recv_q().to_string(),
                queues.send_q().to_string(),
                appended(|out| push_endpoint(out, row, End::Local)),
                appended(|out| push_endpoint(out, row, End::Peer)),
            ],
            optional: optional(row, parts),
            details: appended(|out| {
                if parts.memory {
                    push_memory(out, row);
                }
                if parts.tcp_info {
                    push_tcp_info(out, row);
                }
            }),
        }
    }

    fn main_cells(&self) -> Vec<Cell> {
        let [state, recv_q, send_q, local, peer] = &self.main;
        vec![
            coloured(Cell::new(state), self.state),
            number_cell(recv_q),
            number_cell(send_q),
            Cell::new(local),
            Cell::new(peer),
        ]
    }

    /// `title:text` for each optional column that has text.
    fn optional_words(&self) -> impl Iterator<Item = String> {
        let known = self.optional.iter().filter_map(|column| Some((column.title, column.text.as_ref()?)));
        known.map(|(title, text)| format!("{}:{text}", title.to_ascii_lowercase()))
    }
}

impl Optional {
    fn width(&self) -> usize {
        self.text.as_deref().map_or(1, text::width)
    }

    fn cell(&self) -> Cell {
        let cell = Cell::new(self.text.as_deref().unwrap_or("-"));
        if self.dim { cell.add_attribute(Attribute::Dim) } else { cell }
    }
}

fn optional(row: &Row<'_>, parts: Parts) -> Vec<Optional> {
    let socket = row.socket;
    let plain = |title, text| Optional { title, text, dim: false };
    let mut columns = Vec::new();
    if parts.extended {
        columns.extend([
            plain("User", user_text(row)),
            plain("Inode", socket.inode.map(|inode| inode.to_string())),
            plain("Cookie", socket.cookie.map(|cookie| cookie.to_string())),
            plain("Cgroup", cgroup_text(row)),
            plain("Mark", socket.mark.map(|mark| format!("{mark:#x}"))),
        ]);
    }
    if parts.timers {
        let timer = socket.timer.as_ref();
        columns.push(plain("Timer", timer.map(|timer| appended(|out| push_netstat_timer(out, Some(timer))))));
    }
    if parts.processes {
        columns.push(match row.owner_note {
            Some(note) if row.holders.is_empty() => {
                Optional { title: "Process", text: Some(format!("({})", note.short())), dim: true }
            }
            _ => plain("Process", appended_or_none(|out| push_holders(out, row, true))),
        });
    }
    if parts.peer_processes {
        columns.push(plain("Peer", appended_or_none(|out| push_peer_holders(out, row, true))));
    }
    columns
}
