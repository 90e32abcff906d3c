//! Explains the states with what this host has of them.

use super::failure::Failure;
use super::{Session, answer, now, write};
use crate::cli::Explain;
use crate::explain::{Here, explain as explain_state};
use crate::filter::Filter;
use crate::inspect::{Inquiry, Question};
use crate::kernel::host;
use crate::layout::{Head, write_explanation, write_overview};
use crate::model::{Access, Collected, Consumer, Gap, Needs, Settings, Source};
use crate::tally::{OneState, StateCounts};

/// So many processes and peers are named.
const FEW: usize = 5;

/// Explains once.
pub(super) fn explain(what: &Explain, access: &Access, session: &mut Session) -> Result<(), Failure> {
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
    session.tell(&gaps);
    Ok(Seen { source, settings, gaps })
}
