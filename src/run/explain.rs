//! Explains the states with what this host has of them.

use super::count::{CountPlan, count_into};
use super::{Session, answer, now};
use crate::cli::Explain;
use crate::collect::host;
use crate::explain::{Explanation, Here, explain as explain_state};
use crate::filter::Filter;
use crate::model::{ListenerUse, ProcessName, TcpState};
use crate::query::{Access, Needs};
use crate::render::{Head, write_explanation, write_overview};
use crate::select::{OneState, StateCounts};

/// So many processes and peers are named.
const FEW: usize = 5;

/// Explains once.
pub(super) fn explain(what: &Explain, access: &Access, session: &mut Session) -> anyhow::Result<()> {
    match what.state {
        Some(state) => one(state, what, access, session),
        None => all(what, access, session),
    }
}

fn one(state: TcpState, what: &Explain, access: &Access, session: &mut Session) -> anyhow::Result<()> {
    let taken_at = now();
    let needs = Needs {
        processes: Some(ProcessName::Comm),
        listeners: Some(ListenerUse::Holders),
        ..Needs::default()
    };
    let mut counts = OneState::new(state);
    let plan = CountPlan::new(&what.query, &Filter::default(), needs)?;
    let (source, mut gaps) = count_into(&mut counts, &plan, access)?;
    let (settings, unread) = host::settings();
    gaps.extend(unread);
    session.tell(&gaps);
    let mut out = Vec::new();
    if let Some(explanation) = explain_state(state, &settings, Here::of(state, &counts, FEW)) {
        write_explanation(&mut out, what.style, &Head { source, taken_at: &taken_at }, &explanation, &gaps)?;
    }
    answer(&out)
}

fn all(what: &Explain, access: &Access, session: &mut Session) -> anyhow::Result<()> {
    let taken_at = now();
    let mut counts = StateCounts::default();
    let plan = CountPlan::new(&what.query, &Filter::default(), Needs::default())?;
    let (source, mut gaps) = count_into(&mut counts, &plan, access)?;
    let (settings, unread) = host::settings();
    gaps.extend(unread);
    session.tell(&gaps);
    let here = |count| Here { count, ..Here::default() };
    let explanations: Vec<Explanation> =
        counts.each().filter_map(|(state, count)| explain_state(state, &settings, here(count))).collect();
    let mut out = Vec::new();
    write_overview(&mut out, what.style, &Head { source, taken_at: &taken_at }, &explanations, &gaps)?;
    answer(&out)
}
