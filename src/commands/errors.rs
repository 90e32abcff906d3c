//! Converts the engines' errors to failures of a command, with their hints, and keeps misuse apart.

use crate::bind::AskError;
use crate::demo::DemoError;
use crate::inspect::{InspectError, Misuse};
use crate::session::Failure;
use crate::trace::{ReadError, StartError};

impl From<Misuse> for Failure {
    fn from(error: Misuse) -> Self {
        Self::Misuse(error.into())
    }
}

impl From<InspectError> for Failure {
    fn from(error: InspectError) -> Self {
        Self::Other { hint: error.hint().map(str::to_owned), error: error.into() }
    }
}

/// The kernel could not be asked by a trial bind.
#[derive(Debug, thiserror::Error)]
#[error("ask the kernel: {0}")]
struct NotAsked(AskError);

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        Self::other(NotAsked(error))
    }
}

impl From<DemoError> for Failure {
    /// An error of the scene's watcher is an error of writing the output.
    fn from(error: DemoError) -> Self {
        match error {
            DemoError::Watcher(error) => Self::Output(error),
            other => Self::Other { hint: other.hint().map(str::to_owned), error: other.into() },
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Question(error) => error.into(),
            StartError::Ring(error) => Self::other(error),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::other(error)
    }
}
