//! What a rule finds, in one form for both text and JSON.

use std::sync::Arc;

use super::thresholds::Threshold;
use super::values::{Counted, Net, Peer};
use crate::model::Process;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Something goes wrong, or soon will.
    Warning,
    /// Connections fail, or the problem is far advanced.
    Critical,
}

impl Severity {
    /// The severity's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// A problem, or a possible one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The problem in one sentence, without text that other programs chose (such as process names).
    pub title: String,
    /// The facts that were seen.
    pub seen: Vec<Fact>,
    /// Why it matters.
    pub why: String,
    /// What to do.
    pub advice: String,
    /// The command that lists the sockets.
    pub command: String,
    /// The thresholds that the rule compared with.
    pub thresholds: &'static [Threshold],
}

/// A named fact: the text writes `unread`, the JSON key is `unread_bytes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The name, without the unit.
    pub name: &'static str,
    /// The value.
    pub value: Figure,
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figure {
    /// A number; the fact's name says of what.
    Count(u64),
    /// The value of the setting that the fact is named after.
    Setting(u64),
    /// Bytes.
    Bytes(u64),
    /// Pages of memory.
    Pages(u64),
    /// Milliseconds.
    Millis(u64),
    /// A percentage.
    Percent(u64),
    /// A counter of the kernel.
    Counter(Counted),
    /// By how much a number rose or fell.
    Change(i64),
    /// An address, a number or our own words: no text that other programs chose.
    Text(String),
    /// The processes with the most sockets; `None` counts sockets that no process holds or whose process can't be seen.
    Processes(Vec<(Option<Arc<Process>>, u64)>),
    /// The peers with the most sockets.
    Peers(Vec<(Peer, u64)>),
    /// The nets with the most sockets.
    Nets(Vec<(Net, u64)>),
    /// Ports.
    Ports(Vec<u16>),
}

impl Finding {
    /// Adds a fact.
    #[must_use]
    pub(super) fn seen(mut self, name: &'static str, value: Figure) -> Self {
        self.seen.push(Fact { name, value });
        self
    }

    /// Adds a fact if there is a value.
    #[must_use]
    pub(super) fn seen_if(self, name: &'static str, value: Option<Figure>) -> Self {
        match value {
            Some(value) => self.seen(name, value),
            None => self,
        }
    }

    /// Sets why it matters.
    #[must_use]
    pub(super) fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// Sets what to do, and the command that lists the sockets.
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
