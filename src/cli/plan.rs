//! What to do, resolved against the environment.

use std::fs::File;
use std::io::Read as _;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};

use super::args::{Args, Artifact, Command};
use super::columns;
use super::counts::{self, Count};
use super::environment::Environment;
use super::refusal::Refusal;
use super::reports::{self, Bind, Demo, Diagnose, Explain};
use super::shares;
use super::suggest;
use super::trace::{self, Trace};
use crate::fields::Field;
use crate::filter::{Dialect, Filter, FilterText};
use crate::layout::{Format, Parts, Scope, Style, Summary};
use crate::model::{Access, Needs, Order, Query, Shown, StateSet, TcpState};
use crate::tally::SortTerm;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// The thing itself.
    pub mode: Mode,
    /// Where to read.
    pub access: Access,
    /// How long to wait before it is done again; `None` to do it once.
    pub repeat: Option<Duration>,
    /// What to tell besides.
    pub notes: Vec<String>,
}

/// The thing to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mode {
    /// List sockets.
    List(List),
    /// Count them by state.
    Summary {
        /// Which sockets.
        query: Query,
        /// Which of these.
        filter: Filter,
        /// How the counts are shown.
        summary: Summary,
    },
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
    Generate(Artifact),
}

/// A list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct List {
    /// What to ask for; it may ask for more than is shown.
    pub query: Query,
    /// What of it to show.
    pub shown: Shown,
    /// The ends to show.
    pub filter: Filter,
    /// How long to wait for the names of hosts.
    pub resolve_timeout: Duration,
    /// The layout.
    pub format: Format,
    /// Its style.
    pub style: Style,
    /// Its columns; the layout's own where it is empty.
    pub columns: Vec<&'static Field>,
    /// The order; the kernel's where it is empty.
    pub sort: Vec<SortTerm>,
    /// How many at most.
    pub limit: Option<u64>,
}

impl List {
    /// The fields that were chosen as columns, or to sort by.
    fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.columns.iter().copied().chain(self.sort.iter().map(|term| term.field))
    }
}

pub(super) fn plan(args: &Args, matches: &ArgMatches, environment: Environment) -> Result<Plan, Refusal> {
    let access = Access { source: args.shared.source.into(), proc_root: args.shared.proc_root.clone() };
    if access.proc_root.is_some() && access.source == crate::model::SourceChoice::Netlink {
        return Err(Refusal::usage("--proc-root: another proc tree can't be read with --source netlink"));
    }
    if let Some(command) = &args.command {
        let shared = shares::shared_options();
        refuse_list_words(args, matches, &shared)?;
        shares::refuse_others(matches, &shared)?;
        let mode = match command {
            Command::Generate { artifact } => Mode::Generate(*artifact),
            Command::Explain { state } => {
                Mode::Explain(reports::explain(args, state.as_deref(), environment)?)
            }
            Command::Demo { scene, step } => Mode::Demo(reports::demo(args, scene, *step, environment)),
            Command::Bind { target } => Mode::Bind(reports::bind(args, target, environment)?),
            Command::Diagnose(words) => Mode::Diagnose(reports::diagnose(args, words, environment)),
            Command::Trace(words) => Mode::Trace(Box::new(trace::trace(args, words, environment)?)),
        };
        return Ok(Plan { mode, access, repeat: None, notes: Vec::new() });
    }
    let notes = other_protocols(args)?;
    let format = format(args, environment);
    let dialect = if format == Format::Ss { Dialect::Ss } else { Dialect::Own };
    let text = filter_text(args)?;
    suggest::refuse_interval(args)?;
    let filter = Filter::parse(text, dialect).map_err(|error| suggest::refusal(&error, args))?;
    let mode = if args.list.explain_filter {
        let counts = args.list.summary || !args.list.count_by.is_empty() || args.list.diff.is_some();
        let counted = counts.then(|| filter.states.unwrap_or(StateSet::ALL));
        let mut list = list(args, format, filter, environment)?;
        list.query.states = counted.unwrap_or(list.query.states);
        list.shown.states = counted.unwrap_or(list.shown.states);
        Mode::ExplainFilter(list)
    } else if !args.list.sum.is_empty() && args.list.count_by.is_empty() && args.list.diff.is_none() {
        return Err(Refusal::with_hint("--sum adds up the numbers of groups", "--count-by makes them"));
    } else if !args.list.count_by.is_empty() || args.list.diff.is_some() {
        Mode::Count(counts::count(args, format, filter, environment)?)
    } else if args.list.summary {
        let (query, summary) = counts::summary(args, format, &filter)?;
        Mode::Summary { query, filter, summary }
    } else {
        Mode::List(list(args, format, filter, environment)?)
    };
    Ok(Plan { mode, access, repeat: args.list.continuous, notes })
}

/// A subcommand takes neither FILTER words nor the list's options before it.
fn refuse_list_words(args: &Args, matches: &ArgMatches, shared: &[Arg]) -> Result<(), Refusal> {
    let command = matches.subcommand_name().unwrap_or_default();
    if let Some(word) = args.filter.first() {
        return Err(Refusal::filter_before_command(word, command));
    }
    let typed = matches.ids().find(|id| {
        matches.value_source(id.as_str()) == Some(ValueSource::CommandLine)
            && !shared.iter().any(|option| option.get_id() == *id)
            // Groups have the names of the structs that they come from.
            && !matches!(id.as_str(), "Args" | "ListArgs" | "SharedArgs")
    });
    match typed {
        Some(id) => Err(Refusal::usage(format!(
            "--{} is an option of the list and can't stand before '{command}'",
            id.as_str().replace('_', "-")
        ))),
        None => Ok(()),
    }
}

/// Nobody writes as much; a device never ends.
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

/// A line up to a `#` that stands in no quotes.
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

/// -tulpn is typed by habit; -u alone asks for what is not here.
fn other_protocols(args: &Args) -> Result<Vec<String>, Refusal> {
    let others = [("-u", args.list.udp), ("-w", args.list.raw), ("-x", args.list.unix)];
    let typed: Vec<_> = others.iter().filter(|(_, typed)| *typed).map(|(option, _)| *option).collect();
    if typed.is_empty() {
        return Ok(Vec::new());
    }
    let message = format!("{}: only TCP sockets are shown here", typed.join(", "));
    if args.list.tcp { Ok(vec![message]) } else { Err(Refusal::with_hint(message, "add -t for TCP")) }
}

fn format(args: &Args, environment: Environment) -> Format {
    // The three override each other on the command line: at most one is left.
    if args.shared.json {
        return Format::Json;
    }
    if args.list.ndjson {
        return Format::Ndjson;
    }
    let chosen = args.shared.format.as_deref();
    let default = if environment.terminal { Format::Table } else { Format::Plain };
    Format::WORDS.into_iter().find(|(word, _)| Some(*word) == chosen).map_or(default, |(_, format)| format)
}

fn list(args: &Args, format: Format, filter: Filter, environment: Environment) -> Result<List, Refusal> {
    let parts = Parts {
        timers: args.list.timers,
        extended: args.list.extended,
        processes: args.shared.processes > 0,
        tcp_info: args.list.info,
        memory: args.list.memory,
        hosts: args.list.resolve,
        peer_processes: args.list.peer_process,
    };
    if parts.peer_processes && matches!(format, Format::Netstat | Format::Ss) {
        return Err(Refusal::usage(format!(
            "--peer-process: the {} layout has no place for it",
            format.word()
        )));
    }
    if format == Format::Netstat {
        for (option, typed) in [("-i", parts.tcp_info), ("-m", parts.memory)] {
            if typed {
                return Err(Refusal::usage(format!("{option}: the netstat layout has no place for it")));
            }
        }
    }
    let shown = shown_states(args, format, &filter);
    let families = args.shared.families();
    let mut list = List {
        query: Query::new(families, shown),
        shown: Shown { families, states: shown },
        filter,
        resolve_timeout: args.list.resolve_timeout,
        format,
        style: style(args, shown, parts, environment),
        columns: columns(args, format)?,
        sort: columns::sort_terms(&args.list.sort)?,
        limit: args.list.limit,
    };
    let needs = needs(args, &list);
    let order = match format {
        Format::Netstat | Format::Ss => Order::Ipv4First,
        _ => Order::Any,
    };
    list.query = Query {
        needs,
        order,
        netlink_tells: netlink_tells(&list),
        wants_idle: shown.names_idle(),
        ..Query::new(families, shown)
    };
    list.query.states = list.query.widened(shown);
    Ok(list)
}

fn ss_default() -> StateSet {
    StateSet::connected() - StateSet::exactly(TcpState::SynRecv) - StateSet::exactly(TcpState::TimeWait)
}

/// Without a word about states, each layout has its own idea of the usual ones.
fn shown_states(args: &Args, format: Format, filter: &Filter) -> StateSet {
    let listen = StateSet::of(TcpState::Listen);
    match filter.states {
        // ss falls back to its usual ones.
        Some(states) if states.is_empty() && format == Format::Ss => return ss_default(),
        Some(states) => return states,
        None => {}
    }
    let (all, listening) = (args.list.all, args.list.listening);
    match format {
        Format::Ss if all => StateSet::ALL,
        Format::Ss if listening => listen | StateSet::exactly(TcpState::Close),
        Format::Ss => ss_default(),
        // netstat reads /proc, which has no bound sockets.
        Format::Netstat if all => StateSet::ALL - StateSet::of(TcpState::Close),
        _ if all => StateSet::ALL,
        _ if listening => listen,
        Format::Json | Format::Ndjson | Format::Csv => StateSet::ALL,
        Format::Table | Format::Plain if !filter.is_empty() => StateSet::ALL,
        Format::Table | Format::Plain | Format::Netstat => StateSet::ALL - StateSet::unconnected(),
    }
}

fn columns(args: &Args, format: Format) -> Result<Vec<&'static Field>, Refusal> {
    let columns = columns::columns(&args.list.columns)?;
    if !columns.is_empty() && !matches!(format, Format::Table | Format::Plain | Format::Csv) {
        return Err(Refusal::usage(format!("--columns: the {} layout has its own", format.word())));
    }
    Ok(columns)
}

/// What is shown or sorted by, as far as only netlink tells it. netstat has it from /proc; ss's layout leaves it away.
fn netlink_tells(list: &List) -> Vec<&'static str> {
    if list.style.parts.extended
        && list.columns.is_empty()
        && !matches!(list.format, Format::Netstat | Format::Ss)
    {
        return vec!["cookies", "marks"];
    }
    list.fields().filter(|field| field.needs.contains(Needs::NETLINK)).map(|field| field.word).collect()
}

/// What must be known for what is shown and sorted by.
fn needs(args: &Args, list: &List) -> Needs {
    let (format, parts) = (list.format, list.style.parts);
    let people = matches!(format, Format::Table | Format::Plain | Format::Netstat | Format::Ss);
    let named = !(people && args.shared.numeric);
    // The users of another proc tree are another host's; ss prints none.
    let our_users = named && args.shared.proc_root.is_none() && format != Format::Ss;
    let of_fields = list.fields().fold(Needs::NOTHING, |all, field| all | field.needs);
    // The text layouts show the cgroup alone.
    let units = parts.extended && matches!(format, Format::Json | Format::Ndjson | Format::Csv);
    let needs = of_fields
        | Needs::HOLDERS.when(parts.processes)
        | Needs::PEERS.when(parts.peer_processes)
        | Needs::FIRST_WORDS.when(format == Format::Netstat)
        | Needs::HOLDER_USERS.when(args.shared.processes > 1)
        | Needs::USERS.when(parts.extended)
        | Needs::SERVICES.when(people && named)
        | Needs::HOSTS.when(parts.hosts)
        | Needs::CGROUPS.when(parts.extended && format != Format::Netstat)
        | Needs::UNITS.when(units)
        | Needs::TCP_INFO.when(parts.tcp_info)
        | Needs::MEMORY.when(parts.memory);
    let by_listener = match format {
        Format::Netstat => Needs::LISTENER_USERS.when(parts.extended),
        Format::Ss => Needs::NOTHING,
        _ => Needs::LISTENER_HOLDERS.when(needs.contains(Needs::HOLDERS)),
    };
    (needs | by_listener) - Needs::USER_NAMES.when(!our_users)
}

fn style(args: &Args, shown: StateSet, parts: Parts, environment: Environment) -> Style {
    let scope = match (args.list.all, args.list.listening) {
        (true, _) => Scope::All,
        (false, true) => Scope::Listening,
        (false, false) => Scope::Connected,
    };
    Style {
        parts,
        header: !args.shared.no_header,
        numeric: args.shared.numeric,
        wide: args.list.wide,
        oneline: args.list.oneline,
        single_state: shown.is_single(),
        scope,
        color: args.shared.color(environment),
        width: environment.width,
        repeated: args.list.continuous.is_some(),
    }
}
