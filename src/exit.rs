//! The exit status.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// The command succeeded, perhaps with notes on stderr.
    Success,
    /// The command failed; for `bind` and `diagnose`, the answer is negative.
    Failure,
    /// The command line could not be understood.
    Usage,
    /// For `bind` and `diagnose`, whose status is the answer: the question could not be asked.
    Unasked,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Success => 0,
            ExitStatus::Failure => 1,
            ExitStatus::Usage => 2,
            ExitStatus::Unasked => 3,
        })
    }
}
