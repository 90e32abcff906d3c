//! The kinds of values, and how a value is read from a row.

use std::borrow::Cow;
use std::net::IpAddr;

use super::End;
use crate::model::{
    Congestion, Endpoint, Holder, InfoNumber, Md5Key, OwnerNote, Reading, Row, TcpInfo, TcpState, Ulp,
};

/// The kind of a field's value. It determines the unit, the output, and the operands that a filter accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A state.
    State,
    /// An address with its port.
    Endpoint(End),
    /// An address.
    Address(End),
    /// A port.
    Port(End),
    /// A number of things; counts of several sockets add up.
    Count,
    /// A number that cannot be summed: an identifier or a measure.
    Number,
    /// Bytes.
    Bytes,
    /// Bytes a second.
    Rate,
    /// A time; the parameter is its unit in microseconds.
    Time(u32),
    /// A firewall mark.
    Mark,
    /// A number that may pass 2^53: JSON has it as a string.
    Large,
    /// Yes or no.
    Flag,
    /// A name.
    Text,
    /// One of these words of ours, which stand once more as a message has them.
    Word(&'static [&'static str], &'static str),
    /// A container's id, which may be typed in part.
    Container,
    /// A user's name or number.
    User,
    /// A device's name.
    Device,
    /// A cgroup's path.
    Cgroup,
    /// A timer.
    Timer,
    /// The processes that hold one of the ends.
    Processes(End),
    /// Several words.
    List,
}

impl Kind {
    /// The unit of its numbers in JSON, as the manual shows it.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Rate => "bytes/s",
            Self::Time(1) => "µs",
            Self::Time(_) => "ms",
            Self::Flag => "true or false",
            _ => "",
        }
    }

    /// Whether the values of several sockets can be added.
    pub fn adds_up(self) -> bool {
        matches!(self, Self::Count | Self::Bytes | Self::Rate)
    }
}

/// A value. It borrows from the row.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// The socket or the kernel has no such thing: a listener has no bytes to read, an older kernel lacks some numbers.
    /// JSON leaves the key out.
    Absent,
    /// It is not known, or it has no value now, as the timer of an idle socket. JSON has null.
    Unknown,
    /// Yes or no.
    Flag(bool),
    /// A number, in the unit of its kind.
    Number(u64),
    /// Bytes of a name from outside this program, not yet escaped.
    Text(Cow<'a, [u8]>),
    /// A word of ours.
    Word(&'static str),
    /// A state.
    State(TcpState),
    /// An address.
    Address(IpAddr),
    /// An end of the socket.
    Endpoint(&'a Endpoint),
    /// A user: the name where it was looked up, and else the number.
    User(Option<&'a str>, u32),
    /// Why there is no holder.
    Note(OwnerNote),
    /// The options in use.
    Options(&'a TcpInfo),
    /// The congestion control's own numbers.
    Congestion(Congestion),
    /// The upper-layer protocol (ULP).
    Ulp(&'a Ulp),
    /// The peers whose segments are signed (TCP MD5).
    Md5Keys(&'a [Md5Key]),
}

impl<'a> Value<'a> {
    /// The value as a number, where it is one; yes is 1.
    pub fn as_number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Flag(flag) => Some((*flag).into()),
            _ => None,
        }
    }

    /// The value as one text, for sorting and for groups.
    pub fn into_text(self) -> Cow<'a, [u8]> {
        let owned = |text: String| Cow::Owned(text.into_bytes());
        match self {
            Self::Absent | Self::Unknown => Cow::Borrowed(b""),
            Self::Flag(flag) => owned(flag.to_string()),
            Self::Number(number) => owned(number.to_string()),
            Self::Text(text) => text,
            Self::Word(word) => Cow::Borrowed(word.as_bytes()),
            Self::State(state) => owned(state.to_string()),
            Self::Address(addr) => owned(addr.to_string()),
            Self::Endpoint(end) => owned(end.addr.to_string()),
            Self::User(Some(name), _) => Cow::Borrowed(name.as_bytes()),
            Self::User(None, uid) => owned(uid.to_string()),
            Self::Note(note) => owned(note.to_string()),
            Self::Options(info) => owned(info.option_names().collect::<Vec<_>>().join(",")),
            Self::Congestion(congestion) => Cow::Borrowed(congestion.name().as_bytes()),
            Self::Ulp(ulp) => Cow::Borrowed(ulp.name.as_bytes()),
            Self::Md5Keys(keys) => {
                let keys = keys.iter().map(|key| format!("{}/{}", key.address, key.prefix_length));
                owned(keys.collect::<Vec<_>>().join(","))
            }
        }
    }

    /// A name; `None` is unknown.
    pub(super) fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Unknown, |text| Self::Text(Cow::Borrowed(text.as_bytes())))
    }

    /// As `text`, from a name that may have been put together.
    pub(super) fn cow(text: Option<Cow<'a, str>>) -> Self {
        text.map_or(Self::Unknown, |text| {
            Self::Text(match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            })
        })
    }
}

/// Reads a value from one holder.
pub type OfHolder = for<'a> fn(&'a Holder) -> Value<'a>;

/// How a field is read. The most frequent types are read without a [`Value`], since every row has many of them.
#[derive(Clone, Copy)]
pub enum Read {
    /// A value of any kind.
    Any(for<'a> fn(&Row<'a>) -> Value<'a>),
    /// A number; `None` is unknown.
    Number(fn(&Row<'_>) -> Option<u64>),
    /// A number that not every socket has.
    NumberOrAbsent(fn(&Row<'_>) -> Option<u64>),
    /// An address.
    Address(fn(&Row<'_>) -> Option<IpAddr>),
    /// A name from outside this program.
    Name(for<'a> fn(&Row<'a>) -> Option<&'a str>),
    /// A word of ours.
    Word(fn(&Row<'_>) -> Option<&'static str>),
    /// A number of `tcp_info`.
    Info(InfoNumber),
    /// From each process that holds the socket.
    Holders(OfHolder),
    /// From each process that holds the peer socket.
    PeerHolders(OfHolder),
}

impl Read {
    /// The value for a row; `None` where it is read from holders.
    pub fn of_row<'a>(self, row: &Row<'a>) -> Option<Value<'a>> {
        Some(match self {
            Self::Any(read) => read(row),
            Self::Number(read) => read(row).map_or(Value::Unknown, Value::Number),
            Self::NumberOrAbsent(read) => read(row).map_or(Value::Absent, Value::Number),
            Self::Address(read) => read(row).map_or(Value::Unknown, Value::Address),
            Self::Name(read) => Value::text(read(row)),
            Self::Word(read) => read(row).map_or(Value::Unknown, Value::Word),
            Self::Info(number) => match row.socket.tcp_info().map(|info| info.reading(number)) {
                Some(Reading::Number(value)) => Value::Number(value),
                Some(Reading::Absent) => Value::Absent,
                Some(Reading::Unknown) | None => Value::Unknown,
            },
            Self::Holders(_) | Self::PeerHolders(_) => return None,
        })
    }
}
