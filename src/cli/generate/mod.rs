//! The files that are made from the command line's definition, and the words that complete a command line.

mod completions;
mod man;

use std::io;

use super::args::Artifact;
use super::complete;

/// The text of a generated file; for `words`, the words that complete the command line `typed`.
pub(crate) fn generate(artifact: Artifact, typed: &[String]) -> io::Result<Vec<u8>> {
    Ok(match artifact {
        Artifact::Man => man::man()?,
        Artifact::Words => complete::words(typed).into_bytes(),
        Artifact::Bash => completions::BASH.into(),
        Artifact::Zsh => completions::ZSH.into(),
        Artifact::Fish => completions::FISH.into(),
        Artifact::Elvish => completions::by_clap(clap_complete::Shell::Elvish),
        Artifact::Powershell => completions::by_clap(clap_complete::Shell::PowerShell),
    })
}
