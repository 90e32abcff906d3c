//! Why the program does not run a command line.

/// What to print instead of running a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
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
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: None }
    }

    pub(crate) fn with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    /// A FILTER word before a subcommand, which takes none there.
    pub(crate) fn filter_before_command(word: &str, command: &str) -> Self {
        Self::usage(format!("'{word}' cannot come before '{command}'"))
    }
}
