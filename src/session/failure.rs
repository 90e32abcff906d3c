//! Why a command was not carried out: what failed, what would help, and the exit status.

use std::error::Error;
use std::io;

use crate::exit::ExitStatus;

/// Each names its cause in its message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
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
    /// What was asked for can't be had, whatever the host is like.
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
    /// Without a hint.
    pub(crate) fn other(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Other { error: error.into(), hint: None }
    }

    /// Whether the reader has left, which is no error.
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

    /// The status that it ends with, where `failed` is the command's usual one.
    pub(crate) fn status(&self, failed: ExitStatus) -> ExitStatus {
        if matches!(self, Self::Misuse(_)) { ExitStatus::Usage } else { failed }
    }
}

/// Says what a system call was for.
pub(crate) trait Doing<T> {
    /// The error names it.
    fn doing(self, what: &'static str) -> Result<T, Failure>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: &'static str) -> Result<T, Failure> {
        self.map_err(|error| Failure::Call { doing: what, error })
    }
}
