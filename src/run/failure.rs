//! Why a command was not carried out: what failed, what would help, and the exit status.

use std::io;

use crate::bind::AskError;
use crate::demo::DemoError;
use crate::exit::ExitStatus;
use crate::inspect::{InspectError, Misuse};
use crate::trace::{ReadError, SetupError};

/// Each names its cause in its message.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Its reader may have gone.
    #[error("write the output: {0}")]
    Output(io::Error),
    /// A system call that the program itself needs.
    #[error("{doing}: {error}")]
    Call {
        /// What it was for.
        doing: &'static str,
        /// What the system said.
        error: io::Error,
    },
    #[error("ask the kernel: {0}")]
    Bind(#[from] AskError),
    #[error(transparent)]
    Misuse(#[from] Misuse),
    #[error(transparent)]
    Inspect(#[from] InspectError),
    #[error(transparent)]
    Demo(DemoError),
    #[error(transparent)]
    TraceSetup(#[from] SetupError),
    #[error(transparent)]
    TraceRead(#[from] ReadError),
}

impl From<DemoError> for Failure {
    /// What the watcher of a scene says is the output's error.
    fn from(error: DemoError) -> Self {
        match error {
            DemoError::Watcher(error) => Self::Output(error),
            other => Self::Demo(other),
        }
    }
}

impl Failure {
    /// Whether the reader has left, which is no error.
    pub(super) fn is_closed_pipe(&self) -> bool {
        match self {
            Self::Output(error) | Self::Call { error, .. } => error.kind() == io::ErrorKind::BrokenPipe,
            _ => false,
        }
    }

    /// What would help.
    pub(super) fn hint(&self) -> Option<&str> {
        match self {
            Self::Inspect(error) => error.hint(),
            Self::Demo(error) => error.hint(),
            _ => None,
        }
    }

    /// The status that it ends with, where `failed` is the command's usual one.
    pub(super) fn status(&self, failed: ExitStatus) -> ExitStatus {
        if matches!(self, Self::Misuse(_)) { ExitStatus::Usage } else { failed }
    }
}

/// Says what a system call was for.
pub(super) trait Doing<T> {
    /// The error names it.
    fn doing(self, what: &'static str) -> Result<T, Failure>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: &'static str) -> Result<T, Failure> {
        self.map_err(|error| Failure::Call { doing: what, error })
    }
}
