//! The command line: what was typed (`args`), what of it a subcommand takes (`shares`), then what it means here (`plan`).

mod args;
mod columns;
mod counts;
mod environment;
mod generate;
mod message;
mod plan;
mod refusal;
mod reports;
mod shares;
mod suggest;
mod target;
mod trace;

use std::ffi::OsString;

use clap::FromArgMatches;

pub(crate) use counts::Count;
pub(crate) use environment::Environment;
pub(crate) use generate::generate;
pub(crate) use plan::{List, Mode, Plan};
pub(crate) use refusal::Refusal;
pub(crate) use reports::{Bind, Demo, Diagnose, Explain};
pub(crate) use trace::Trace;

/// Reads a command line, the program's name first.
pub(crate) fn parse(
    words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    environment: Environment,
) -> Result<Plan, Refusal> {
    let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
    let matches = shares::definition_for(|command| words.iter().any(|word| word == command))
        .try_get_matches_from(&words)
        .map_err(|error| message::refusal_of(&error, &words))?;
    let args = args::Args::from_arg_matches(&matches).map_err(|error| message::refusal_of(&error, &words))?;
    plan::plan(&args, &matches, environment)
}

#[cfg(test)]
mod tests;
