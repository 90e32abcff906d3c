//! The help: under which heading each option of the list stands, and which options `-h` leaves to `--help`.

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use super::args::Args;

/// Where an option stands, and whether `-h` shows it.
#[derive(Clone, Copy)]
enum Shown {
    /// In `-h` and `--help`.
    Always,
    /// In `--help` only.
    Long,
}

/// The last heading, below which -h and -V stand too.
const LAST: &str = "Where from";

/// The headings, each with its options in their order. The first has the ten that matter most.
const HEADINGS: [(&str, &[(&str, Shown)]); 5] = [
    (
        "Used most",
        &[
            ("all", Shown::Always),
            ("listening", Shown::Always),
            ("processes", Shown::Always),
            ("names", Shown::Always),
            ("info", Shown::Always),
            ("summary", Shown::Always),
            ("count_by", Shown::Always),
            ("sort", Shown::Always),
            ("continuous", Shown::Always),
            ("json", Shown::Always),
        ],
    ),
    (
        "Which sockets",
        &[
            ("filter", Shown::Always),
            ("ipv4", Shown::Always),
            ("ipv6", Shown::Always),
            ("limit", Shown::Always),
            ("filter_file", Shown::Long),
            ("explain_filter", Shown::Long),
            ("tcp", Shown::Long),
        ],
    ),
    (
        "What is shown",
        &[
            ("columns", Shown::Always),
            ("extended", Shown::Always),
            ("timers", Shown::Always),
            ("peer_process", Shown::Long),
            ("numeric", Shown::Long),
            ("resolve", Shown::Always),
            ("diff", Shown::Always),
            ("memory", Shown::Long),
            ("sum", Shown::Long),
            ("resolve_timeout", Shown::Long),
        ],
    ),
    (
        "How it is written",
        &[
            ("format", Shown::Always),
            ("no_header", Shown::Long),
            ("color", Shown::Long),
            ("ndjson", Shown::Long),
            ("wide", Shown::Long),
            ("oneline", Shown::Long),
        ],
    ),
    (LAST, &[("source", Shown::Always), ("proc_root", Shown::Always)]),
];

/// What stands below the options of `-h`.
const EXAMPLES: &str = "\
Examples:
  tcpstates -lp                        which program listens where
  tcpstates :443                       sockets with port 443 at either end
  tcpstates --count-by process,state   how many connections each program has
All options: tcpstates --help. The manual: man tcpstates.";

/// The whole definition of the command line, with its options under headings.
pub(super) fn definition() -> Command {
    let mut definition =
        Args::command().disable_help_flag(true).disable_version_flag(true).after_help(EXAMPLES);
    // With --help, a user has the manual's text already.
    definition = definition.after_long_help("");
    for (heading, options) in HEADINGS {
        for (place, (id, shown)) in options.iter().enumerate() {
            let is_long = matches!(shown, Shown::Long);
            definition = definition.mut_arg(id, |option| {
                option.help_heading(heading).display_order(place).hide_short_help(is_long)
            });
        }
    }
    let names: Vec<_> = definition.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    for name in names {
        definition = definition.mut_subcommand(name, |command| command.disable_help_flag(true).arg(help()));
    }
    let version = Arg::new("version").short('V').long("version").help("Print the version");
    let version = version.action(ArgAction::Version).hide_short_help(true);
    definition.arg(help().help_heading(LAST).hide_short_help(true)).arg(version.help_heading(LAST))
}

/// `-h` prints the short help, `--help` the long one.
fn help() -> Arg {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).display_order(usize::MAX);
    help.help("Print this short help; --help has all")
}
