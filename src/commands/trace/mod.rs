//! `trace`: prints transitions as they happen.

mod args;
mod run;

use std::time::Duration;

use self::args::ByArg;
pub(crate) use self::args::TraceArgs;
pub(crate) use self::run::run;
use super::suggest;
use crate::filter::{Dialect, Expr, Filter, FilterText, Term};
use crate::model::{Families, StateSet};
use crate::session::{Environment, Refusal};
use crate::trace::{By, Options, TraceFormat, TraceStyle};

/// A trace.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trace {
    /// How to trace.
    pub options: Options,
    /// Which connections.
    pub filter: Filter,
    /// Which families.
    pub families: Families,
    /// Only transitions into these states.
    pub into: StateSet,
    /// Whether to print connections instead of transitions.
    pub connections: bool,
    /// Whether to print a summary at the end.
    pub summary: bool,
    /// End after this time.
    pub duration: Option<Duration>,
    /// End after this many lines.
    pub count: Option<u64>,
    /// How it is shown.
    pub style: TraceStyle,
}

pub(crate) fn plan(trace: &TraceArgs, environment: Environment) -> Result<Trace, Refusal> {
    let style = style(trace, environment);
    if trace.summary && style.format == TraceFormat::Csv {
        return Err(Refusal::with_hint("--summary is not available as CSV", "--ndjson has"));
    }
    let text = FilterText { text: trace.filter.join(" "), file: None };
    let filter = Filter::parse(text, Dialect::Own).map_err(|error| suggest::refusal(&error, &[], false))?;
    if let Some(term) = unsupported(&filter.expr) {
        return Err(Refusal::with_hint(
            format!("filter: '{term}' cannot be used with trace"),
            "a filter of trace may have addresses, ports and states",
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
        families: trace.family.families(),
        into: chosen.unwrap_or(StateSet::ALL),
        connections: trace.connections,
        summary: trace.summary,
        duration: trace.duration,
        count: trace.count,
        style,
    })
}

fn style(trace: &TraceArgs, environment: Environment) -> TraceStyle {
    let format = match trace.format.as_deref() {
        _ if trace.ndjson => TraceFormat::Ndjson,
        None if environment.terminal => TraceFormat::Table,
        Some("table") => TraceFormat::Table,
        Some("ndjson") => TraceFormat::Ndjson,
        Some("csv") => TraceFormat::Csv,
        _ => TraceFormat::Plain,
    };
    TraceStyle {
        format,
        header: !trace.no_header,
        color: trace.color.is_on(environment),
        width: environment.width.map(usize::from),
    }
}

/// The first term that needs data which a transition does not have.
fn unsupported(expr: &Expr) -> Option<&Term> {
    let mut found = None;
    expr.each_term(&mut |term| {
        let is_supported = matches!(
            term,
            Term::State(_)
                | Term::Endpoint { .. }
                | Term::Host { .. }
                | Term::Service { .. }
                | Term::Port { .. }
        );
        if !is_supported && found.is_none() {
            found = Some(term);
        }
    });
    found
}
