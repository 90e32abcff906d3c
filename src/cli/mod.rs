//! The command line: what was typed (`args`), what of it a subcommand takes (`shares`), then what it means here (`plan`).

mod args;
mod counts;
mod environment;
mod generate;
mod message;
mod plan;
mod reports;
mod shares;
mod suggest;
mod target;
mod trace;

use std::ffi::OsString;

use clap::FromArgMatches;

pub use args::Artifact;
pub use counts::Count;
pub use environment::Environment;
pub use generate::generate;
pub use plan::{List, Mode, Plan};
pub use reports::{Bind, Demo, Diagnose, Explain};
pub use trace::Trace;

/// What is to be said in place of doing anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Help or the version was asked for.
    #[error("{0}")]
    Answer(String),
    /// The command line can't be understood.
    #[error("{message}")]
    Usage {
        /// What is wrong with which word.
        message: String,
        /// What may have been meant.
        hint: Option<String>,
    },
}

impl Refusal {
    fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: None }
    }

    fn with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: Some(hint.into()) }
    }
}

/// Reads a command line, the program's name first.
pub fn parse(
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
