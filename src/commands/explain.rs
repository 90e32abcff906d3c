//! `explain`: explains the states, with the sockets that this host has in them.

use clap::Args as ClapArgs;

use super::args::{FamilyArgs, ReportArgs, SourceArgs};
use super::suggest;
use crate::explain::{Here, explain as explain_state, write_explanation, write_overview};
use crate::filter::Filter;
use crate::inspect::{Inquiry, Question};
use crate::kernel::host;
use crate::layout::{Head, ReportStyle};
use crate::model::{Access, Collected, Consumer, Gap, Needs, Query, Settings, Source, StateSet, TcpState};
use crate::session::{Environment, Failure, Refusal, Session, answer, now, write};
use crate::tally::{OneState, StateCounts};

/// Arguments of `explain`.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ExplainArgs {
    /// A state
    #[arg(value_name = "STATE")]
    state: Option<String>,

    #[command(flatten)]
    family: FamilyArgs,

    #[command(flatten)]
    report: ReportArgs,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

/// An explanation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Explain {
    /// The state to explain; `None` explains all.
    pub state: Option<TcpState>,
    /// Which sockets are counted.
    pub query: Query,
    /// How it is shown.
    pub style: ReportStyle,
}

pub(crate) fn plan(own: &ExplainArgs, environment: Environment) -> Result<Explain, Refusal> {
    let state = own
        .state
        .as_deref()
        .map(|word| word.parse::<TcpState>().map_err(|error| suggest::no_state(&error.0)))
        .transpose()?;
    let mut query = Query::new(own.family.families(), StateSet::ALL);
    query.wants_idle = state.is_none_or(|state| state.shown() == TcpState::Close);
    Ok(Explain { state, query, style: own.report.style(environment) })
}

/// The largest number of processes, of peers and of ports to name.
const FEW: usize = 5;

/// Explains once.
pub(crate) fn run(what: &Explain, access: &Access, session: &mut Session) -> Result<(), Failure> {
    let taken_at = now();
    let mut out = Vec::new();
    if let Some(state) = what.state {
        let mut counts = OneState::new(state);
        let seen = count(&mut counts, Needs::HOLDERS, what, access, session)?;
        let head = Head { source: seen.source, taken_at: &taken_at };
        let here = Here::of(state, &counts, FEW);
        if let Some(explanation) = explain_state(state, &seen.settings, here) {
            write(write_explanation(&mut out, what.style, &head, &explanation, &seen.gaps))?;
        }
    } else {
        let mut counts = StateCounts::default();
        let seen = count(&mut counts, Needs::NOTHING, what, access, session)?;
        let head = Head { source: seen.source, taken_at: &taken_at };
        let here = |count| Here { count, ..Here::default() };
        let explain = |(state, count)| explain_state(state, &seen.settings, here(count));
        let explanations: Vec<_> = counts.each().filter_map(explain).collect();
        write(write_overview(&mut out, what.style, &head, &explanations, &seen.gaps))?;
    }
    answer(&out, what.style.color)
}

/// What an explanation needs besides the counts.
struct Seen {
    source: Source,
    settings: Settings,
    gaps: Vec<Gap>,
}

fn count(
    counts: &mut impl Consumer,
    needs: Needs,
    what: &Explain,
    access: &Access,
    session: &mut Session,
) -> Result<Seen, Failure> {
    let question = Question::of_all(&what.query.needing(needs), &Filter::default())?;
    let Collected { source, mut gaps } = Inquiry::new(&question, access).ask(counts)?;
    let (settings, unread) = host::settings();
    gaps.extend(unread);
    session.note_gaps(&gaps);
    Ok(Seen { source, settings, gaps })
}
