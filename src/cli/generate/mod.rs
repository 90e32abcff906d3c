//! The files that are made from the command line's definition, and the words that complete a command line.

mod completions;
mod man;

use std::io;

use super::args::Artifact;
use super::complete;

/// The text of a generated file. `typed` is for `man` the command whose page is wanted; for `words`, the words that complete that command line.
pub(crate) fn generate(artifact: Artifact, typed: &[String]) -> io::Result<Vec<u8>> {
    Ok(match artifact {
        Artifact::Man => man::man(typed.first().map(String::as_str))?,
        Artifact::Words => complete::words(typed).into_bytes(),
        Artifact::Bash => completions::BASH.into(),
        Artifact::Zsh => completions::ZSH.into(),
        Artifact::Fish => completions::FISH.into(),
        Artifact::Elvish => completions::by_clap(clap_complete::Shell::Elvish),
        Artifact::Powershell => completions::by_clap(clap_complete::Shell::PowerShell),
    })
}
