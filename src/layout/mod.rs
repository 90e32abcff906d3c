//! Writes sockets and counts: one file per format. A row is formatted directly into one byte buffer, which [`Pages`]
//! passes to a `W: Write`; nothing here uses stdout.

mod address;
mod chosen;
pub(crate) mod columns;
mod counts;
pub(crate) mod csv;
mod details;
pub(crate) mod grid;
pub(crate) mod json;
mod netstat;
mod pages;
mod plain;
pub(crate) mod report;
mod ss;
mod summary;
mod table;
pub mod text;
mod values;

use std::io;

use crate::fields::{Field, Part};
use crate::model::{Gap, Row, Source};

pub use counts::{CountStyle, write_changes, write_counts};
pub use pages::{Guard, Pages};
pub use report::ReportStyle;
pub use summary::{Summary, write_summary};

/// The layouts of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Table,
    /// For a pipe: netstat's columns, one socket a line.
    Plain,
    /// netstat's layout.
    Netstat,
    /// ss's layout.
    Ss,
    /// One document.
    Json,
    /// One document a socket.
    Ndjson,
    /// A heading and one socket a line.
    Csv,
}

impl Format {
    /// The words of `--format`.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("table", Self::Table),
        ("plain", Self::Plain),
        ("netstat", Self::Netstat),
        ("ss", Self::Ss),
        ("json", Self::Json),
        ("ndjson", Self::Ndjson),
        ("csv", Self::Csv),
    ];

    /// Its word for `--format`.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, format)| *format == self).map_or("", |(word, _)| word)
    }

    /// The separator between repeated lists. Programs that read JSON or CSV expect no blank line.
    pub fn separator(self) -> &'static [u8] {
        match self {
            Self::Json | Self::Ndjson | Self::Csv => b"",
            Self::Table | Self::Plain | Self::Netstat | Self::Ss => b"\n",
        }
    }

    /// Whether a list has a heading if headings are wanted. Of repeated CSV lists, only the first has one.
    pub fn has_heading(self, is_first: bool) -> bool {
        is_first || self != Self::Csv
    }
}

/// The layouts of counts: those of lists, except netstat's and ss's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountFormat {
    /// For a terminal.
    Table,
    /// For a pipe: one count a line.
    Plain,
    /// One document.
    Json,
    /// One document a count; of counts by state, one document.
    Ndjson,
    /// A heading and one count a line.
    Csv,
}

impl CountFormat {
    /// The layout of this name; netstat's and ss's have no counts.
    pub fn of(format: Format) -> Option<Self> {
        Some(match format {
            Format::Table => Self::Table,
            Format::Plain => Self::Plain,
            Format::Json => Self::Json,
            Format::Ndjson => Self::Ndjson,
            Format::Csv => Self::Csv,
            Format::Netstat | Format::Ss => return None,
        })
    }

    /// A list's layout of this name.
    pub fn of_lists(self) -> Format {
        match self {
            Self::Table => Format::Table,
            Self::Plain => Format::Plain,
            Self::Json => Format::Json,
            Self::Ndjson => Format::Ndjson,
            Self::Csv => Format::Csv,
        }
    }
}

/// The optional parts of a socket to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Its timer.
    pub timers: bool,
    /// User, inode, cookie, cgroup and mark.
    pub extended: bool,
    /// Who holds it.
    pub processes: bool,
    /// The connection's numbers.
    pub tcp_info: bool,
    /// Its buffers' memory.
    pub memory: bool,
    /// The host names of its ends.
    pub hosts: bool,
    /// Who holds its other end.
    pub peer_processes: bool,
}

impl Parts {
    /// Whether the fields of this part are shown.
    fn contain(self, part: Part) -> bool {
        match part {
            Part::Always => true,
            Part::Hosts => self.hosts,
            Part::Processes => self.processes,
            Part::PeerProcesses => self.peer_processes,
            Part::Extended => self.extended,
            Part::Timers => self.timers,
            Part::Memory => self.memory,
            Part::TcpInfo => self.tcp_info,
            Part::Chosen => false,
        }
    }
}

/// The first words of netstat's heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `-a`
    All,
    /// `-l`
    Listening,
    /// Neither.
    Connected,
}

/// How a list is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Optional parts.
    pub parts: Parts,
    /// Whether there is a heading.
    pub header: bool,
    /// Numbers are shown instead of names.
    pub numeric: bool,
    /// Nothing is cut or wrapped.
    pub wide: bool,
    /// The table shows of the processes what needs no further line: all, the programs' names, or nothing.
    pub spare_processes: bool,
    /// The ss layout keeps each socket on one line.
    pub oneline: bool,
    /// Only one state was asked for: the ss layout leaves the column out.
    pub single_state: bool,
    /// The first words of netstat's heading.
    pub scope: Scope,
    /// Colours and styles.
    pub color: bool,
    /// The table marks the rows that are new, changed or gone since the list before.
    pub marks: bool,
    /// The terminal's columns.
    pub width: Option<u16>,
    /// The list is repeated (`-c`): a JSON document is one line, and rows of NDJSON and CSV start with the time.
    pub repeated: bool,
}

impl Style {
    /// The same style for sockets whose processes are not known.
    #[must_use]
    pub fn without_processes(self) -> Self {
        Self { parts: Parts { processes: false, ..self.parts }, ..self }
    }

    /// Numeric, with a heading, without colours, of any width.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            header: true,
            numeric: true,
            wide: false,
            spare_processes: false,
            oneline: false,
            single_state: false,
            scope: Scope::All,
            color: false,
            marks: false,
            width: None,
            repeated: false,
        }
    }
}

/// Facts known when a list begins.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Where the sockets come from.
    pub source: Source,
    /// When they were read, in RFC 3339 form.
    pub taken_at: &'a str,
}

/// A layout at work. Bytes are appended to `out`; it may be emptied between two calls.
pub trait Listing: Send {
    /// Begins a list.
    fn head(&mut self, out: &mut Vec<u8>, head: &Head<'_>) -> io::Result<()>;

    /// Adds one socket.
    fn row(&mut self, out: &mut Vec<u8>, row: &Row<'_>) -> io::Result<()>;

    /// Ends the list; `gaps` are the facts that were unavailable.
    fn tail(&mut self, out: &mut Vec<u8>, gaps: &[Gap]) -> io::Result<()>;
}

/// The layout for this format, with the chosen columns if any.
pub fn listing(format: Format, style: Style, columns: &[&'static Field]) -> Box<dyn Listing> {
    let layout = one_list(format, style, columns);
    if format == Format::Csv && style.repeated { Box::new(csv::Timed::new(style, layout)) } else { layout }
}

fn one_list(format: Format, style: Style, columns: &[&'static Field]) -> Box<dyn Listing> {
    match format {
        Format::Plain | Format::Csv if !columns.is_empty() => {
            Box::new(chosen::Chosen::new(format, style, columns))
        }
        Format::Table => Box::new(table::Table::new(style, columns)),
        Format::Plain => Box::new(plain::Plain::new(style)),
        Format::Netstat => Box::new(netstat::Netstat::new(style)),
        Format::Ss => Box::new(ss::Ss::new(style)),
        Format::Json => Box::new(json::Document::new(style, columns)),
        Format::Ndjson => Box::new(json::Lines::new(style, columns)),
        Format::Csv => Box::new(csv::Csv::new(style)),
    }
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
