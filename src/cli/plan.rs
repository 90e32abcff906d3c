//! Makes the plan: what to do, from the arguments and the environment.

use std::fs::File;
use std::io::Read as _;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::args::{Args, Artifact, Command};
use super::habits::{not_here, only_tcp};
use super::help::definition;
use crate::commands::bind::{self, Bind};
use crate::commands::count::{self, Count};
use crate::commands::demo::{self, Demo};
use crate::commands::diagnose::{self, Diagnose};
use crate::commands::explain::{self, Explain};
use crate::commands::field_words;
use crate::commands::list::{self, List};
use crate::commands::suggest;
use crate::commands::trace::{self, Trace};
use crate::filter::{Dialect, Filter, FilterText};
use crate::layout::{Format, Summary};
use crate::model::{Access, Query, SourceChoice, StateSet};
use crate::session::{Environment, Refusal, Repeat};

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// The command to run.
    pub mode: Mode,
    /// Where to read.
    pub access: Access,
    /// The interval between two runs; `None` runs once.
    pub repeat: Repeat,
    /// Notes to print before the command runs.
    pub notes: Vec<String>,
}

/// The command to run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mode {
    /// List sockets.
    List(List),
    /// Count them by state.
    Summary((Query, Filter, Summary)),
    /// Count them by other keys.
    Count(Count),
    /// Say which part of the filter the kernel evaluates.
    ExplainFilter(List),
    /// Explain the states.
    Explain(Explain),
    /// Play a scene.
    Demo(Demo),
    /// Say whether a port can be bound.
    Bind(Bind),
    /// Say what is wrong.
    Diagnose(Diagnose),
    /// Show transitions as they happen.
    Trace(Box<Trace>),
    /// Print a generated file.
    Generate(Artifact, Vec<String>),
}

pub(super) fn plan(args: &Args, matches: &ArgMatches, environment: Environment) -> Result<Plan, Refusal> {
    if let Some(command) = &args.command {
        refuse_list_words(args, matches)?;
        let (mode, access) = match command {
            Command::Generate { artifact, typed } => {
                (Mode::Generate(*artifact, typed.clone()), Access::default())
            }
            Command::Explain(own) => (Mode::Explain(explain::plan(own, environment)?), own.source.access()),
            Command::Demo(own) => (Mode::Demo(demo::plan(own, environment)), Access::default()),
            Command::Bind(own) => (Mode::Bind(bind::plan(own, environment)?), own.source.access()),
            Command::Diagnose(own) => (Mode::Diagnose(diagnose::plan(own, environment)), own.source.access()),
            Command::Trace(own) => (Mode::Trace(Box::new(trace::plan(own, environment)?)), Access::default()),
        };
        return Ok(Plan { mode, access, repeat: Repeat::default(), notes: Vec::new() });
    }
    let access = Access { proc_root: args.list.proc_root.clone(), ..args.list.source.access() };
    if access.proc_root.is_some() && access.source == SourceChoice::Netlink {
        return Err(Refusal::usage("--proc-root: another proc tree can't be read with --source netlink"));
    }
    let notes = other_protocols(args)?;
    let format = format(args, environment);
    let dialect = if format == Format::Ss { Dialect::Ss } else { Dialect::Own };
    let text = filter_text(args)?;
    let sums = field_words::sums(&args.list.sum)?;
    let continuous = args.list.continuous.is_some();
    suggest::refuse_interval(&args.filter, continuous)?;
    let filter =
        Filter::parse(text, dialect).map_err(|error| suggest::refusal(&error, &args.filter, continuous))?;
    let mode = if args.list.explain_filter {
        let counts = args.list.summary || !args.list.count_by.is_empty() || args.list.diff.is_some();
        let counted = counts.then(|| filter.states.unwrap_or(StateSet::ALL));
        let mut list = list::plan(&args.list, format, filter, environment)?;
        list.query.states = counted.unwrap_or(list.query.states);
        list.shown.states = counted.unwrap_or(list.shown.states);
        Mode::ExplainFilter(list)
    } else if args.list.count_by.is_empty() && args.list.diff.is_none() && !sums.is_empty() {
        return Err(Refusal::with_hint("--sum adds up the numbers of groups", "--count-by makes them"));
    } else if !args.list.count_by.is_empty() || args.list.diff.is_some() {
        Mode::Count(count::plan(&args.list, format, filter, environment)?)
    } else if args.list.summary {
        let (query, summary) = count::plan_summary(&args.list, format, &filter)?;
        Mode::Summary((query, filter, summary))
    } else {
        Mode::List(list::plan(&args.list, format, filter, environment)?)
    };
    let in_place = environment.can_redraw && continuous && format == Format::Table;
    Ok(Plan { mode, access, repeat: Repeat { interval: args.list.continuous, in_place }, notes })
}

/// A command takes neither FILTER words nor options before it.
fn refuse_list_words(args: &Args, matches: &ArgMatches) -> Result<(), Refusal> {
    let command = matches.subcommand_name().unwrap_or_default();
    if let Some(word) = args.filter.first() {
        return Err(Refusal::filter_before_command(word, command));
    }
    let definition = definition();
    let is_typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let Some(typed) = definition.get_arguments().find(|option| is_typed(option.get_id().as_str())) else {
        return Ok(());
    };
    let long = typed.get_long().unwrap_or_default();
    let message = format!("--{long} is an option of the list and must come after '{command}'");
    let has_it = definition
        .find_subcommand(command)
        .is_some_and(|command| command.get_arguments().any(|option| option.get_long() == Some(long)));
    Err(if has_it {
        Refusal::with_hint(message, format!("type: tcpstates {command} --{long}"))
    } else {
        Refusal::usage(message)
    })
}

/// Nobody writes a longer filter; without a limit, reading a device would never end.
const LONGEST_FILTER: u64 = 1 << 20;

/// The words after the options, or the file's text without its comments.
fn filter_text(args: &Args) -> Result<FilterText, Refusal> {
    let Some(path) = &args.list.filter_file else {
        return Ok(FilterText { text: args.filter.join(" "), file: None });
    };
    if let Some(word) = args.filter.first() {
        return Err(Refusal::usage(format!("'{word}': --filter-file takes the place of FILTER words")));
    }
    let refusal = |why: String| Refusal::usage(format!("--filter-file: {}: {why}", path.display()));
    let mut text = String::new();
    let file = File::open(path).map_err(|error| refusal(error.to_string()))?;
    file.take(LONGEST_FILTER + 1).read_to_string(&mut text).map_err(|error| refusal(error.to_string()))?;
    if text.len() as u64 > LONGEST_FILTER {
        return Err(refusal(format!("it is longer than {LONGEST_FILTER} bytes")));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.lines().map(without_comment).collect::<Vec<_>>().join("\n");
    Ok(FilterText { text, file: Some(path.clone()) })
}

/// The line up to a `#` outside quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (c, quote) {
            ('#', None) => return line.get(..at).unwrap_or(line),
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
    }
    line
}

/// People type -tulpn from habit, so with -t other protocols are only a note; -u alone is an error, since tcpstates
/// shows no UDP.
fn other_protocols(args: &Args) -> Result<Vec<String>, Refusal> {
    let others = [("-u", args.list.udp), ("-w", args.list.raw), ("-x", args.list.unix)];
    let typed: Vec<_> = others.iter().filter(|(_, typed)| *typed).map(|(option, _)| *option).collect();
    if typed.is_empty() {
        return Ok(Vec::new());
    }
    if args.list.tcp { Ok(vec![only_tcp(&typed)]) } else { Err(not_here(&typed)) }
}

fn format(args: &Args, environment: Environment) -> Format {
    // --json, --ndjson and --format override each other, so at most one of them is set.
    if args.list.json {
        return Format::Json;
    }
    if args.list.ndjson {
        return Format::Ndjson;
    }
    let chosen = args.list.format.as_deref();
    let default = if environment.terminal { Format::Table } else { Format::Plain };
    Format::WORDS.into_iter().find(|(word, _)| Some(*word) == chosen).map_or(default, |(_, format)| format)
}
