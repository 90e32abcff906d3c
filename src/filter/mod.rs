//! The FILTER words: which states a socket must be in, and what else must hold of it.
//!
//! The language is ss's, with terms of our own: [`lexer`](self) → tokens, parser → [`Expr`], which this process
//! ([`Expr::evaluate`]) or the kernel ([`bytecode`]) evaluates. Parsing makes no system calls; names are resolved
//! afterwards.

pub mod bytecode;
mod endpoint;
mod error;
mod eval;
pub mod events;
mod expr;
mod glob;
mod lexer;
mod parser;
mod resolve;
mod show;
#[cfg(test)]
mod tests;
mod typed;
mod values;

pub use endpoint::EndpointMatch;
pub use error::{BadFilter, FilterError, FilterText};
pub use expr::{Device, End, Expr, Name, Term};
pub use lexer::Compare;
pub use parser::LANGUAGE;
pub use resolve::Names;
pub use typed::{BadEndpoint, OneEnd, OneHost, OnePort, one_end};

use crate::model::{Needs, Row, StateSet};

/// A filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The states, if the filter restricts them as a whole.
    pub states: Option<StateSet>,
    /// What else must hold.
    pub expr: Expr,
    /// What was typed, for messages.
    typed: FilterText,
}

/// What the words for states mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// CLOSED includes bound sockets; SYN_RECV includes the kernel's TCP_NEW_SYN_RECV.
    Own,
    /// Each word is one of the kernel's numbers, as in ss: bound sockets have their own word, and half-open
    /// connections match every set with their internal number, such as `big`.
    Ss,
}

impl Default for Filter {
    fn default() -> Self {
        Self { states: None, expr: Expr::always(), typed: FilterText::default() }
    }
}

impl Filter {
    /// Reads a filter.
    pub fn parse(typed: impl Into<FilterText>, dialect: Dialect) -> Result<Self, BadFilter> {
        let typed = typed.into();
        match read(&typed.text, dialect) {
            Ok((states, expr)) => Ok(Self { states, expr, typed }),
            Err(error) => Err(BadFilter { typed, error }),
        }
    }

    /// Whether the filter has no condition.
    pub fn is_empty(&self) -> bool {
        self.states.is_none() && self.expr.is_always()
    }

    /// Replaces names by numbers.
    pub fn resolve(self, names: &mut dyn Names) -> Result<Self, BadFilter> {
        match self.expr.resolve(names) {
            Ok(expr) => Ok(Self { expr, ..self }),
            Err(error) => Err(BadFilter { typed: self.typed, error }),
        }
    }

    /// Whether the answer depends on an unknown part of the row's cgroup.
    pub fn is_undecided(&self, row: &Row<'_>, known: Needs) -> bool {
        row.cgroup.may_hide() && self.expr.is_undecided(row, known)
    }

    /// Whether the row may fit, judged by the facts `known` so far. The query checks the states. Terms that stay open
    /// to the end are those that only the kernel can test; it did so.
    pub fn admits(&self, row: &Row<'_>, known: Needs) -> bool {
        self.expr.is_always() || self.expr.evaluate(row, known) != Some(false)
    }
}

fn read(text: &str, dialect: Dialect) -> Result<(Option<StateSet>, Expr), FilterError> {
    let tokens = lexer::tokens(text).map_err(|quote| FilterError::OpenQuote { span: quote.0 })?;
    let parsed = parser::Parser::new(&tokens, text.len(), dialect).parse()?;
    Ok((parsed.states, parsed.expr))
}

/// The states that a word names: a state in any spelling, or a group.
pub fn states_named(word: &str, dialect: Dialect) -> Option<StateSet> {
    let of = match dialect {
        Dialect::Own => StateSet::of,
        Dialect::Ss => StateSet::exactly,
    };
    StateSet::group(word, of).or_else(|| word.parse().ok().map(of))
}
