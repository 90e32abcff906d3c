//! The manual page and the completions, made from the command line's definition.

use std::io::{self, Write as _};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::{Args, Artifact};

/// What the definition does not hold.
const MAN_END: &str = include_str!("man_end.roff");

/// The text of a generated file.
pub fn generate(artifact: Artifact) -> io::Result<Vec<u8>> {
    let shell = match artifact {
        Artifact::Man => return man(),
        Artifact::Bash => Shell::Bash,
        Artifact::Zsh => Shell::Zsh,
        Artifact::Fish => Shell::Fish,
        Artifact::Elvish => Shell::Elvish,
        Artifact::Powershell => Shell::PowerShell,
    };
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut shown_command(), "tcpstates", &mut out);
    Ok(out)
}

/// The command without what is hidden: completions would offer it.
fn shown_command() -> Command {
    let whole = Args::command();
    let options = whole.get_arguments().filter(|arg| !arg.is_hide_set()).cloned();
    let commands = whole.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    Command::new("tcpstates").version(env!("CARGO_PKG_VERSION")).args(options).subcommands(commands)
}

fn man() -> io::Result<Vec<u8>> {
    let version = format!("tcpstates {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(Args::command()).source(version).manual("User Commands");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    push_commands(&mut out)?;
    out.extend_from_slice(MAN_END.as_bytes());
    Ok(out)
}

/// A section for each command: what it does, and the options that it has beside those of all.
fn push_commands(out: &mut Vec<u8>) -> io::Result<()> {
    for command in Args::command().get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = command.get_name().to_owned();
        let man = Man::new(command.clone());
        writeln!(out, ".SH \"TCPSTATES {}\"", name.to_uppercase())?;
        let mut section = Vec::new();
        man.render_synopsis_section(&mut section)?;
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        // Its parts stand below one heading, each a paragraph.
        let text = String::from_utf8_lossy(&section);
        let lines = text.lines().map(|line| if line.starts_with(".SH ") { ".PP" } else { line });
        for line in lines {
            writeln!(
                out,
                "{}",
                line.replace(&format!("\\fB{name}\\fR"), &format!("\\fBtcpstates {name}\\fR"))
            )?;
        }
    }
    Ok(())
}
