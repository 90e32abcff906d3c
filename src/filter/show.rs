//! Prints a filter in the filter language, for messages.

use std::borrow::Cow;
use std::fmt;

use super::expr::{Device, End, Expr, Term};
use super::lexer;
use crate::fields::Kind;
use crate::model::{StateSet, TcpState};

impl Term {
    /// The word that begins it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::State(_) => "state",
            Self::Endpoint { end, .. } | Self::Host { end, .. } => end.address_word(),
            Self::Service { end, .. } | Self::Port { end, .. } => end.port_word(),
            Self::User { .. } => "user",
            Self::Number { field, .. } | Self::Text { field, .. } => field.word,
            Self::Device(_) => "dev",
            Self::Mark { .. } => "fwmark",
            Self::Cgroup { .. } => "cgroup",
            Self::Autobound { .. } => "autobound",
        }
    }
}

impl End {
    fn address_word(self) -> &'static str {
        match self {
            Self::Local => "src",
            Self::Peer => "dst",
            Self::Either => "addr",
        }
    }

    fn port_word(self) -> &'static str {
        match self {
            Self::Local => "sport",
            Self::Peer => "dport",
            Self::Either => "port",
        }
    }
}

/// Text as the filter language writes it: in quotes unless it is one plain word.
fn quoted(text: &str) -> Cow<'_, str> {
    match text.contains('\'') {
        _ if lexer::is_plain_word(text) => text.into(),
        false => format!("'{text}'").into(),
        true => format!("\"{text}\"").into(),
    }
}

/// A state, or several with `or` between; by its number in the request where it has no word.
fn show_states(f: &mut fmt::Formatter<'_>, set: StateSet) -> fmt::Result {
    let is_in = |state: &TcpState| (StateSet::of(*state) - set).is_empty();
    let states: Vec<_> = TcpState::SHOWN.into_iter().filter(is_in).collect();
    let covered = states.iter().fold(StateSet::EMPTY, |all, state| all | StateSet::of(*state));
    if set == StateSet::ALL || covered != set {
        let names_it = |word: &&str| StateSet::group(word, StateSet::of) == Some(set);
        return match StateSet::GROUPS.iter().find(|word| names_it(word)) {
            Some(word) => write!(f, "state {word}"),
            None => write!(f, "state {:#06x}", set.bits()),
        };
    }
    let words: Vec<_> = states.iter().map(|state| format!("state {state}")).collect();
    if words.len() == 1 { f.write_str(&words.concat()) } else { write!(f, "({})", words.join(" or ")) }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word();
        match self {
            Self::State(set) => show_states(f, *set),
            Self::Endpoint { matcher, .. } => write!(f, "{word} = {matcher}"),
            Self::Host { name, port: Some(port), .. } => {
                write!(f, "{word} = {}", quoted(&format!("{}:{port}", name.text)))
            }
            Self::Service { compare, name, .. } => {
                write!(f, "{word} {} {}", compare.symbol(), quoted(&name.text))
            }
            Self::Host { name, port: None, .. } | Self::User { name } | Self::Device(Device::Name(name)) => {
                write!(f, "{word} = {}", quoted(&name.text))
            }
            Self::Port { compare, value, .. } => write!(f, "{word} {} {value}", compare.symbol()),
            Self::Number { field, compare, value } if field.kind == Kind::Flag => {
                write!(f, "{word} {} {}", compare.symbol(), *value != 0)
            }
            Self::Number { field, compare, value } => {
                let unit = if let Kind::Time(_) = field.kind { "us" } else { "" };
                write!(f, "{word} {} {value}{unit}", compare.symbol())
            }
            Self::Text { glob, .. } => write!(f, "{word} = {}", quoted(&glob.to_string())),
            Self::Device(Device::Index(index)) => write!(f, "{word} = {index}"),
            Self::Mark { value, mask } => write!(f, "{word} = {value:#x}/{mask:#x}"),
            Self::Cgroup { path, .. } => write!(f, "{word} = {}", quoted(&path.to_string())),
            Self::Autobound { .. } => f.write_str(word),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str| {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    write!(f, " {word} ")?;
                }
                match part {
                    Self::And(_) | Self::Or(_) => write!(f, "({part})")?,
                    other => write!(f, "{other}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::Term(term) => write!(f, "{term}"),
            Self::Not(inner) => match inner.as_ref() {
                Self::And(_) | Self::Or(_) => write!(f, "not ({inner})"),
                _ => write!(f, "not {inner}"),
            },
            Self::And(parts) => list(f, parts, "and"),
            Self::Or(parts) => list(f, parts, "or"),
        }
    }
}
