//! What a rule finds: said once, for people and for scripts.

use std::sync::Arc;

use super::thresholds::Threshold;
use super::values::{Counted, Net, Peer};
use crate::model::Process;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// It goes wrong, or soon will.
    Warning,
    /// Connections fail, or it is far gone.
    Critical,
}

impl Severity {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Something that is wrong, or may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule found it.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is, in a sentence without names that others chose.
    pub title: String,
    /// What was seen.
    pub seen: Vec<Fact>,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub advice: String,
    /// The command that shows the sockets.
    pub command: String,
    /// What was compared with.
    pub thresholds: &'static [Threshold],
}

/// Something that was seen, by its name: `unread` in words, `unread_bytes` as a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The name, without the unit.
    pub name: &'static str,
    /// The value.
    pub value: Figure,
}

/// What was seen of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figure {
    /// A number of whatever the name says.
    Count(u64),
    /// The setting of this name.
    Setting(u64),
    /// Bytes.
    Bytes(u64),
    /// Pages of memory.
    Pages(u64),
    /// Milliseconds.
    Millis(u64),
    /// Parts of a hundred.
    Percent(u64),
    /// A counter of the kernel's.
    Counter(Counted),
    /// A number that fell or rose.
    Change(i64),
    /// An address, a number or words of ours: nothing that others chose.
    Text(String),
    /// Processes that have most of it; of those that no process holds, or none that can be seen, `None`.
    Processes(Vec<(Option<Arc<Process>>, u64)>),
    /// Peers that have most of it.
    Peers(Vec<(Peer, u64)>),
    /// Nets that have most of it.
    Nets(Vec<(Net, u64)>),
    /// Ports.
    Ports(Vec<u16>),
}

impl Finding {
    /// Adds what was seen.
    #[must_use]
    pub(super) fn seen(mut self, name: &'static str, value: Figure) -> Self {
        self.seen.push(Fact { name, value });
        self
    }

    /// Adds what was seen, where it was.
    #[must_use]
    pub(super) fn seen_if(self, name: &'static str, value: Option<Figure>) -> Self {
        match value {
            Some(value) => self.seen(name, value),
            None => self,
        }
    }

    /// Why it matters.
    #[must_use]
    pub(super) fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// What to do, and the command that shows the sockets.
    #[must_use]
    pub(super) fn advice(mut self, advice: impl Into<String>, command: impl Into<String>) -> Self {
        self.advice = advice.into();
        self.command = command.into();
        self
    }
}

/// `1 connection`, `2 connections`.
pub(super) fn number_of(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
