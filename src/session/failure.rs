//! Why a command failed: what failed, a hint, and the exit status.

use std::error::Error;
use std::io;

use crate::exit::ExitStatus;

/// The message of each failure names its cause.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The output could not be written; its reader may have closed it.
    #[error("write the output: {0}")]
    Output(io::Error),
    /// A system call that the program itself needs.
    #[error("{doing}: {error}")]
    Call {
        /// What the call was for.
        doing: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// The request cannot be answered on any host.
    #[error("{0}")]
    Misuse(Box<dyn Error + Send + Sync>),
    /// Anything else.
    #[error("{error}")]
    Other {
        /// What failed.
        error: Box<dyn Error + Send + Sync>,
        /// What would help.
        hint: Option<String>,
    },
}

impl Failure {
    /// A failure without a hint.
    pub(crate) fn other(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Other { error: error.into(), hint: None }
    }

    /// Whether the reader closed the output, which is not an error.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        match self {
            Self::Output(error) | Self::Call { error, .. } => error.kind() == io::ErrorKind::BrokenPipe,
            Self::Misuse(_) | Self::Other { .. } => false,
        }
    }

    /// What would help.
    pub(crate) fn hint(&self) -> Option<&str> {
        match self {
            Self::Other { hint, .. } => hint.as_deref(),
            _ => None,
        }
    }

    /// The exit status. `failed` is the command's usual status for a failure.
    pub(crate) fn status(&self, failed: ExitStatus) -> ExitStatus {
        if matches!(self, Self::Misuse(_)) { ExitStatus::Usage } else { failed }
    }
}

/// Says what a system call was for.
pub(crate) trait Doing<T> {
    /// Adds the purpose to the error.
    fn doing(self, what: &'static str) -> Result<T, Failure>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: &'static str) -> Result<T, Failure> {
        self.map_err(|error| Failure::Call { doing: what, error })
    }
}
