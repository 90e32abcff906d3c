//! What `trace` was asked for.

use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use super::args::{Args, interval};
use super::plan::{color, families};
use super::{Environment, Refusal, suggest};
use crate::filter::{Dialect, Expr, Filter, FilterText, NumberField, Term, states_named};
use crate::model::StateSet;
use crate::query::Families;
use crate::render::{TraceFormat, TraceStyle};
use crate::trace::{By, Options};

/// Options of `trace`.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct TraceArgs {
    /// Which connections, by their ends, ports and states: `:443`, `dst 10.0.0.0/8`, `sport = 80 or dport = 80`
    ///
    /// The filter language of the lists; see FILTERS in the manual. A state is the one that a transition leads into.
    /// What no transition tells (queues, users, round-trip times) can't stand in it.
    #[arg(value_name = "FILTER")]
    filter: Vec<String>,

    /// Show transitions into STATE only, in any spelling
    #[arg(long, value_name = "STATE[,STATE]", value_delimiter = ',', value_parser = states)]
    state: Vec<StateSet>,

    /// Print one line for each connection when it ends
    #[arg(long)]
    connections: bool,

    /// Print at the end how many transitions there were, and how long sockets were in each state
    #[arg(long)]
    summary: bool,

    /// End after so long
    #[arg(long, value_name = "SECONDS", value_parser = interval)]
    duration: Option<Duration>,

    /// End after N lines
    #[arg(long, value_name = "N", value_parser = count)]
    count: Option<u64>,

    /// Choose where transitions are seen: at the kernel's tracepoints, or by snapshots that are compared, which need
    /// no privilege and miss what lasts less; else the first, and the second where that can't be had
    #[arg(long, value_name = "HOW", value_enum)]
    by: Option<ByArg>,

    /// Take a snapshot every MS milliseconds
    #[arg(long, value_name = "MS", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=3_600_000))]
    poll: u32,

    /// Remember at most N sockets
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = clap::value_parser!(u32).range(1..))]
    max_sockets: u32,

    /// Print one JSON document a line
    #[arg(long, overrides_with_all = ["json", "format", "ndjson"])]
    ndjson: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ByArg {
    /// At the kernel's tracepoints
    Tracepoint,
    /// By snapshots
    Poll,
}

/// A trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// How.
    pub options: Options,
    /// Of these connections.
    pub filter: Filter,
    /// Of these families.
    pub families: Families,
    /// Transitions into these.
    pub into: StateSet,
    /// Connections in place of transitions.
    pub connections: bool,
    /// With a summary at its end.
    pub summary: bool,
    /// Until so long after its beginning.
    pub duration: Option<Duration>,
    /// Until so many lines.
    pub count: Option<u64>,
    /// How it is shown.
    pub style: TraceStyle,
}

pub(super) fn trace(args: &Args, trace: &TraceArgs, environment: Environment) -> Result<Trace, Refusal> {
    let style = style(args, trace, environment);
    if trace.summary && style.format == TraceFormat::Csv {
        return Err(Refusal::with_hint("--summary: CSV has no place for it", "--ndjson has"));
    }
    let text = FilterText { text: trace.filter.join(" "), file: None };
    let filter = Filter::parse(text, Dialect::Own).map_err(|error| suggest::refusal(&error, args))?;
    if let Some(term) = untold(&filter.expr) {
        return Err(Refusal::with_hint(
            format!("filter: no transition tells what '{term}' asks"),
            "addresses, ports and states can stand in it",
        ));
    }
    if trace.connections && (!trace.state.is_empty() || filter.states.is_some()) {
        return Err(Refusal::usage("--connections: its lines are of whole connections, and no state's"));
    }
    let chosen = trace.state.iter().copied().reduce(|all, more| all | more);
    Ok(Trace {
        options: Options {
            by: trace.by.map(|by| match by {
                ByArg::Tracepoint => By::Tracepoint,
                ByArg::Poll => By::Poll,
            }),
            poll: u64::from(trace.poll) * 1_000_000,
            max_sockets: usize::try_from(trace.max_sockets).unwrap_or(usize::MAX),
            bytes: trace.connections,
        },
        filter,
        families: families(args),
        into: chosen.unwrap_or(StateSet::ALL),
        connections: trace.connections,
        summary: trace.summary,
        duration: trace.duration,
        count: trace.count,
        style,
    })
}

fn style(args: &Args, trace: &TraceArgs, environment: Environment) -> TraceStyle {
    let format = match args.shared.format.as_deref() {
        _ if trace.ndjson => TraceFormat::Ndjson,
        None if environment.terminal => TraceFormat::Table,
        Some("table") => TraceFormat::Table,
        Some("ndjson") => TraceFormat::Ndjson,
        Some("csv") => TraceFormat::Csv,
        _ => TraceFormat::Plain,
    };
    TraceStyle {
        format,
        header: !args.shared.no_header,
        color: color(args, environment),
        width: environment.width.map(usize::from),
    }
}

/// The first term that no transition tells anything about.
fn untold(expr: &Expr) -> Option<&Term> {
    let mut found = None;
    expr.each_term(&mut |term| {
        let is_told = matches!(
            term,
            Term::State(_)
                | Term::Endpoint { .. }
                | Term::Host { .. }
                | Term::Service { .. }
                | Term::Number { field: NumberField::Port(_), .. }
        );
        if !is_told && found.is_none() {
            found = Some(term);
        }
    });
    found
}

fn states(word: &str) -> Result<StateSet, String> {
    states_named(word, Dialect::Own).ok_or_else(|| "it is no TCP state".to_owned())
}

fn count(word: &str) -> Result<u64, String> {
    word.parse().ok().filter(|count| *count > 0).ok_or_else(|| "it is no number of lines".to_owned())
}
