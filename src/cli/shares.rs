//! Which of the shared options each subcommand takes. What it can't do is not in its help, and is refused.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _};

use super::args::Args;
use crate::layout::Format;
use crate::session::Refusal;

/// What one subcommand takes.
struct Share {
    command: &'static str,
    /// The options, besides those that choose a layout.
    options: &'static [&'static str],
    /// What --format takes; --json is short for one of them.
    layouts: &'static [&'static str],
}

/// Text for people, or one document.
const REPORT: &[&str] = &["plain", "json"];

const SHARES: [Share; 5] = [
    Share { command: "explain", options: &["ipv4", "ipv6", "color", "source"], layouts: REPORT },
    Share { command: "demo", options: &["color"], layouts: &[] },
    Share { command: "bind", options: &["ipv4", "ipv6", "color", "source"], layouts: REPORT },
    Share { command: "diagnose", options: &["color", "source"], layouts: REPORT },
    Share {
        command: "trace",
        options: &["ipv4", "ipv6", "no_header", "color"],
        layouts: &["table", "plain", "ndjson", "csv"],
    },
];

impl Share {
    fn takes(&self, option: &str) -> bool {
        match option {
            "format" => !self.layouts.is_empty(),
            "json" => self.layouts.contains(&"json"),
            _ => self.options.contains(&option),
        }
    }

    /// The option as the subcommand's help has it. A layout that is not shown there is read all the same, so that it is
    /// refused in the same words before the subcommand and behind it.
    fn shown(&self, option: &Arg) -> Arg {
        let option = option.clone();
        let layout = |(word, _)| PossibleValue::new(word).hide(!self.layouts.contains(&word));
        match option.get_id().as_str() {
            id if !self.takes(id) => option.hide(true),
            "format" => option.value_parser(PossibleValuesParser::new(Format::WORDS.map(layout))),
            _ => option,
        }
    }

    /// Why the option is refused.
    fn refusal(&self, option: &Arg) -> Refusal {
        let command = self.command;
        let id = option.get_id().as_str();
        let name = option.get_long().unwrap_or(id);
        let why = match (command, id) {
            (_, "json") => return self.no_layout("json"),
            (_, "proc_root") => "asks this host, and no other proc tree",
            ("diagnose", "ipv4" | "ipv6") => "looks at both families, which share most limits",
            ("trace", "source") => "asks this host's kernel; --by chooses how",
            _ => {
                let message = format!("--{name}: {command} has no such option");
                return Refusal::with_hint(message, format!("see tcpstates {command} --help"));
            }
        };
        Refusal::usage(format!("--{name}: {command} {why}"))
    }

    fn no_layout(&self, word: &str) -> Refusal {
        let message = format!("{}: there is no {word} layout of it", self.command);
        if self.layouts.contains(&"json") {
            Refusal::with_hint(message, "--json prints one document")
        } else if self.layouts.contains(&"ndjson") {
            Refusal::with_hint(message, "--ndjson prints one document a line")
        } else {
            Refusal::usage(message)
        }
    }
}

/// The subcommands that have a share.
pub(super) fn with_shares() -> impl Iterator<Item = &'static str> {
    SHARES.iter().map(|share| share.command)
}

/// The options that the subcommands share.
pub(super) fn shared_options() -> Vec<Arg> {
    shared(&Args::command())
}

fn shared(whole: &Command) -> Vec<Arg> {
    whole.get_arguments().filter(|option| option.is_global_set()).cloned().collect()
}

/// The command line's definition, in which each subcommand has its share.
pub(super) fn definition() -> Command {
    definition_for(|_| true)
}

/// The definition for a command line in which no other subcommands can stand: a list is not to wait for theirs.
pub(super) fn definition_for(may_stand: impl Fn(&str) -> bool) -> Command {
    SHARES.iter().filter(|share| may_stand(share.command)).fold(Args::command(), |whole, share| {
        let options: Vec<_> = shared(&whole).iter().map(|option| share.shown(option)).collect();
        whole.mut_subcommand(share.command, |command| command.args(options))
    })
}

/// Refuses what the subcommand does not take, before it and behind it.
pub(super) fn refuse_others(matches: &ArgMatches, shared: &[Arg]) -> Result<(), Refusal> {
    let Some(share) = SHARES.iter().find(|share| matches.subcommand_name() == Some(share.command)) else {
        return Ok(());
    };
    let typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    for option in shared {
        let id = option.get_id().as_str();
        if id != "format" && typed(id) && !share.takes(id) {
            return Err(share.refusal(option));
        }
    }
    match matches.get_one::<String>("format") {
        Some(word) if !share.layouts.contains(&word.as_str()) => Err(share.no_layout(word)),
        _ => Ok(()),
    }
}
