//! The engines' errors as failures of a command: their hints, and whose fault they are.

use crate::bind::AskError;
use crate::demo::DemoError;
use crate::inspect::{InspectError, Misuse};
use crate::session::Failure;
use crate::trace::{ReadError, SetupError};

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

/// That the kernel could not be asked by binding.
#[derive(Debug, thiserror::Error)]
#[error("ask the kernel: {0}")]
struct NotAsked(AskError);

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        Self::other(NotAsked(error))
    }
}

impl From<DemoError> for Failure {
    /// What the watcher of a scene says is the output's error.
    fn from(error: DemoError) -> Self {
        match error {
            DemoError::Watcher(error) => Self::Output(error),
            other => Self::Other { hint: other.hint().map(str::to_owned), error: other.into() },
        }
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        Self::other(error)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::other(error)
    }
}
