//! The shells' completions. Those of bash, zsh and fish ask the program itself for words (`cli/complete.rs`), so that
//! one place knows them for all three; those of elvish and PowerShell are clap's.

use clap::Command;
use clap::builder::Resettable;
use clap_complete::Shell;

use crate::cli::help::definition;
use crate::commands::NAMES;

pub(super) const BASH: &str = include_str!("completion.bash");
pub(super) const ZSH: &str = include_str!("completion.zsh");
pub(super) const FISH: &str = include_str!("completion.fish");

/// Completions by clap.
pub(super) fn by_clap(shell: Shell) -> Vec<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut shown_command(), "tcpstates", &mut out);
    out
}

/// The command without hidden options and commands, which completions would offer.
fn shown_command() -> Command {
    let whole = definition();
    let commands = NAMES.iter().filter_map(|name| Some(shown(name, whole.find_subcommand(name)?)));
    shown("tcpstates", &whole).version(env!("CARGO_PKG_VERSION")).subcommands(commands)
}

fn shown(name: &'static str, command: &Command) -> Command {
    let options = command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned();
    let about = command.get_about().cloned().unwrap_or_default();
    // An option may override a hidden one, which is missing here.
    let options = options.map(|arg| arg.overrides_with(Resettable::Reset));
    Command::new(name).about(about).disable_help_flag(true).disable_version_flag(true).args(options)
}
