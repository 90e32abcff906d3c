//! The command line: its definition (`args`), and the plan that is made of what was typed (`plan`).

mod args;
mod complete;
mod generate;
mod habits;
mod help;
mod message;
mod plan;

use std::ffi::OsString;

use clap::FromArgMatches as _;

pub(crate) use generate::generate;
pub(crate) use plan::{Mode, Plan};

use crate::session::{Environment, Refusal};

/// Parses a command line; the first word is the program's name.
pub(crate) fn parse(
    words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    environment: Environment,
) -> Result<Plan, Refusal> {
    let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
    let words = habits::rewritten(&words)?;
    let matches = help::definition()
        .try_get_matches_from(&words)
        .map_err(|error| message::refusal_of(&error, &words))?;
    let args = args::Args::from_arg_matches(&matches).map_err(|error| message::refusal_of(&error, &words))?;
    plan::plan(&args, &matches, environment)
}

#[cfg(test)]
mod tests;
