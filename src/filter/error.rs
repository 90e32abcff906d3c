//! Errors in a filter, with their places.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use super::parser::{DEEPEST, MOST_CHANGES};
use super::typed::BadEndpoint;

/// A word that does not fit. Places are bytes of the expression.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "span is the place, word what stands there")]
pub enum FilterError {
    /// `state` or `exclude` at the end.
    MissingState { span: Range<usize>, word: &'static str },
    /// No state and no group of states.
    UnknownState { span: Range<usize>, word: String },
    /// A word that should be an address or a port.
    BadEndpoint { span: Range<usize>, word: String, why: BadEndpoint },
    /// Neither a word of the language nor an address.
    UnknownWord { span: Range<usize>, word: String },
    /// Another token was expected here.
    Expected { span: Range<usize>, what: &'static str },
    /// Too many brackets within brackets.
    TooDeep { span: Range<usize> },
    /// Too many changes between `and` and `or`.
    TooManyChanges { span: Range<usize> },
    /// A quote that is not closed.
    OpenQuote { span: Range<usize> },
    /// A name unknown on this host; `kind` says whether it should be a host, a user and so on.
    UnknownName { span: Range<usize>, kind: &'static str, word: String },
    /// A term whose facts this host cannot supply.
    NoEvidence { span: Range<usize>, why: String },
}

/// A filter as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterText {
    /// All of it.
    pub text: String,
    /// The file that it was read from; `None` for the command line.
    pub file: Option<PathBuf>,
}

impl From<&str> for FilterText {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), file: None }
    }
}

/// A filter that cannot be parsed, or that uses a name unknown on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFilter {
    /// What was typed.
    pub typed: FilterText,
    /// What is wrong.
    pub error: FilterError,
}

impl std::error::Error for BadFilter {}

impl FilterError {
    fn span(&self) -> &Range<usize> {
        match self {
            Self::MissingState { span, .. }
            | Self::UnknownState { span, .. }
            | Self::BadEndpoint { span, .. }
            | Self::UnknownWord { span, .. }
            | Self::Expected { span, .. }
            | Self::TooDeep { span }
            | Self::TooManyChanges { span }
            | Self::OpenQuote { span }
            | Self::UnknownName { span, .. }
            | Self::NoEvidence { span, .. } => span,
        }
    }
}

impl BadFilter {
    /// What is wrong and where: several lines.
    pub fn report(&self) -> String {
        let file = self.typed.file.as_ref().map(|path| format!("{}: ", path.display())).unwrap_or_default();
        format!("filter: {file}{self}\n{}", self.pointer())
    }

    /// The line with the error, and carets below it. A long line is cut to the error's surroundings.
    pub fn pointer(&self) -> String {
        /// Characters kept on either side of the error's first.
        const AROUND: usize = 70;
        let text = &self.typed.text;
        let Range { start, end } = self.error.span().clone();
        let before = text.get(..start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
        let lead = text.get(line_start..start).unwrap_or_default().chars().count();
        let carets = text.get(start..end).unwrap_or_default().chars().count().max(1);
        let cut = lead.saturating_sub(AROUND);
        // One column per character, so that carets align: a control character shows as a blank.
        let mut shown = line.chars().skip(cut).map(|c| if c.is_control() { ' ' } else { c });
        let mut excerpt: String = shown.by_ref().take(2 * AROUND).collect();
        if cut > 0 {
            excerpt.replace_range(..excerpt.chars().next().map_or(0, char::len_utf8), "\u{2026}");
        }
        if shown.next().is_some() {
            excerpt.push('\u{2026}');
        }
        let carets = carets.min(AROUND);
        format!("    {}\n    {}{}", excerpt.trim_end(), " ".repeat(lead - cut), "^".repeat(carets))
    }
}

impl fmt::Display for BadFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            FilterError::MissingState { word, .. } => {
                write!(f, "'{word}' needs the name of a state behind it")
            }
            FilterError::UnknownState { word, .. } => write!(f, "'{word}' is not a TCP state"),
            FilterError::BadEndpoint { word, why, .. } => {
                write!(f, "'{word}' is not an address or port: {why}")
            }
            FilterError::UnknownWord { word, .. } => {
                write!(f, "'{word}' is neither a filter word nor an address")
            }
            FilterError::Expected { span, what } => match self.typed.text.get(span.clone()) {
                Some(word) if !word.is_empty() => write!(f, "'{word}' found where {what} is expected"),
                _ => write!(f, "the filter ends where {what} is expected"),
            },
            FilterError::TooDeep { .. } => {
                write!(f, "more than {DEEPEST} brackets and 'not' within each other")
            }
            FilterError::TooManyChanges { .. } => {
                write!(f, "the filter changes between 'and' and 'or' more than {MOST_CHANGES} times")
            }
            FilterError::OpenQuote { .. } => f.write_str("a quote is not closed"),
            FilterError::UnknownName { kind, word, .. } => write!(f, "there is no {kind} '{word}'"),
            FilterError::NoEvidence { why, .. } => f.write_str(why),
        }
    }
}
