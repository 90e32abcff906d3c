//! Why a question has no answer.

use super::doubts::Undecided;
use super::source::CollectError;

/// What failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InspectError {
    /// Nothing could be read.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The filter depends on a fact that is unknown.
    #[error(transparent)]
    Undecided(#[from] Undecided),
}

impl InspectError {
    /// What would help.
    pub(crate) fn hint(&self) -> Option<&str> {
        match self {
            Self::Collect(error) => error.hint(),
            Self::Undecided(error) => error.hint.as_deref(),
        }
    }
}
