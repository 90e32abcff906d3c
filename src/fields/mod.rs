//! The one table of a socket's fields. An entry is a [`Field`]: its words, its help text, its needs and how to read
//! its value. Columns, sort keys, count keys, the filter's terms, JSON's keys, CSV's columns and the manual's list of
//! fields are all generated from this table.

mod addresses;
mod around;
mod concluded;
mod connection;
mod memory;
mod table;
mod value;
mod words;

use std::fmt;

use crate::model::{Needs, Row, Socket};

pub use addresses::{End, LOCAL_PORT, PEER, STATE, UID};
pub use around::{FD, PEER_PID, PID, PROCESS, TIMER};
pub use connection::NUMBERS;
pub use memory::MEMORY;
pub use table::{all, extended_columns};
pub use value::{Kind, OfHolder, Read, Value};
pub use words::{named, nearest, nearest_field, plain_word, typed_word};

/// A property of a socket.
pub struct Field {
    /// Its name. Options and headings write `-` for `_`.
    pub word: &'static str,
    /// Other words for it: those of ss and netstat, and of their users.
    pub others: &'static [&'static str],
    /// Its path in JSON, such as `tcp_info.rtt_us`. Empty where JSON has it in two parts.
    pub json: &'static str,
    /// A short description, for users.
    pub help: &'static str,
    /// The kind of its value.
    pub kind: Kind,
    /// The look-ups that its value needs.
    pub needs: Needs,
    /// The option that makes JSON and CSV show it.
    pub part: Part,
    /// How it is read.
    pub read: Read,
}

/// What an option adds to each row of JSON and CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It is always there.
    Always,
    /// `-r`
    Hosts,
    /// `-p`
    Processes,
    /// `--peer-process`
    PeerProcesses,
    /// `-e`
    Extended,
    /// `-o`
    Timers,
    /// `-m`
    Memory,
    /// `-i`
    TcpInfo,
    /// Only `--columns` shows it: the rows have the same data under another key, or not at all.
    Chosen,
}

/// A JSON object that holds several fields; null if the socket has no such object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// `timer`
    Timer,
    /// `tcp_info`
    TcpInfo,
    /// `memory`
    Memory,
}

impl Object {
    /// Whether the socket has it.
    pub fn is_of(self, socket: &Socket) -> bool {
        match self {
            Self::Timer => socket.timer.is_some(),
            Self::TcpInfo => socket.tcp_info().is_some(),
            Self::Memory => socket.memory().is_some(),
        }
    }

    /// Its key.
    pub fn key(self) -> &'static str {
        match self {
            Self::Timer => "timer",
            Self::TcpInfo => "tcp_info",
            Self::Memory => "memory",
        }
    }
}

impl Field {
    /// The JSON object that encloses the field.
    pub fn object(&self) -> Option<Object> {
        match self.part {
            Part::Timers => Some(Object::Timer),
            Part::TcpInfo => Some(Object::TcpInfo),
            Part::Memory => Some(Object::Memory),
            _ => None,
        }
    }

    /// Its key in JSON, without that of an enclosing object.
    pub fn key(&self) -> &'static str {
        self.json.split_once('.').map_or(self.json, |(_, key)| key)
    }

    /// Its value for a row; a field of holders gives the first holder's value.
    pub fn value<'a>(&self, row: &Row<'a>) -> Value<'a> {
        match self.read {
            Read::Holders(read) => row.holders.first().map_or(Value::Unknown, read),
            Read::PeerHolders(read) => row.peer_holders.first().map_or(Value::Unknown, read),
            of_row => of_row.of_row(row).unwrap_or(Value::Unknown),
        }
    }

    /// Its number, where it is one.
    pub fn number(&self, row: &Row<'_>) -> Option<u64> {
        self.value(row).as_number()
    }

    /// Whether its value is a single plain number, which is aligned right.
    pub fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Count | Kind::Number | Kind::Bytes | Kind::Rate)
            && !matches!(self.read, Read::Holders(_) | Read::PeerHolders(_))
    }

    /// Its name in headings and options, with `-`.
    pub fn typed(&self) -> String {
        typed_word(self.word)
    }

    /// The heading of its column in CSV.
    pub fn csv(&self) -> String {
        match self.json.split_once('.') {
            // `timer.kind` is the timer itself.
            Some((object, "kind")) => object.to_owned(),
            _ => self.json.replace('.', "_"),
        }
    }

    /// All its names, in lower case and with `_`.
    pub fn words(&self) -> impl Iterator<Item = String> {
        let json = plain_word(self.json);
        let others = self.others.iter().map(|word| (*word).to_owned());
        std::iter::once(self.word.to_owned()).chain(others).chain((!json.is_empty()).then_some(json))
    }
}

/// There is one entry for each word.
impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Eq for Field {}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.word)
    }
}
