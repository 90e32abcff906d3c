//! The exit status.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It was done, if with notes on stderr.
    Success,
    /// It could not be done.
    Failure,
    /// The command line could not be understood.
    Usage,
    /// Of a question whose answer is the status: it could not be asked.
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
