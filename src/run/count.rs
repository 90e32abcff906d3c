//! Counts: counters as the sockets come. Where the holders matter, what is needed of each waits until they are known.

use std::ops::ControlFlow;
use std::time::Duration;

use super::cgroups::{Doubts, suffice};
use super::failure::Failure;
use super::filter::{Misuse, prepare};
use super::gather::{Gathered, enrichment, gather, known};
use super::put_off::put_off;
use super::repeat::Output;
use super::{Session, now, read, with_evidence, write};
use crate::cli::Count;
use crate::filter::{Filter, Known};
use crate::inspect::Enrichment;
use crate::model::{Access, Gap, Needs, Query, Row, Shown, Sink, Socket, Source};
use crate::render::{Guard, Head, Pages, Summary, write_changes, write_counts, write_summary};
use crate::select::{Census, Changes, Counter, GroupCounts, StateCounts};

/// What is counted, ready to be asked for.
pub(super) struct CountPlan {
    query: Query,
    shown: Shown,
    filter: Filter,
    needs: Needs,
}

impl CountPlan {
    /// With a filter that is ready, and what that needs.
    pub(super) fn new(query: &Query, filter: &Filter, needs: Needs) -> Result<Self, Misuse> {
        let mut query = query.clone();
        let shown = Shown { families: query.families, states: query.states };
        let needs = with_evidence(needs, filter, true);
        query.states = needs.widened(query.states);
        let filter = prepare(filter, &mut query, needs)?;
        Ok(Self { query, shown, filter, needs })
    }
}

/// Prints the counts by state once.
pub(super) fn summarize(
    plan: &CountPlan,
    summary: Summary,
    access: &Access,
    out: &mut Pages<Output>,
    session: &mut Session,
) -> Result<(), Failure> {
    let taken_at = now();
    let mut counts = StateCounts::default();
    let (source, gaps) = count_into(&mut counts, plan, access)?;
    session.tell(&gaps);
    let head = Head { source, taken_at: &taken_at };
    write(write_summary(out.buffer(), summary, &head, &counts, &gaps))?;
    write(out.flush())
}

/// Prints the counts by keys once.
pub(super) fn count(
    plan: &CountPlan,
    count: &Count,
    access: &Access,
    out: &mut Pages<Output>,
    session: &mut Session,
) -> Result<(), Failure> {
    let taken_at = now();
    out.guard(Guard::of(count.style.format.of_lists(), count.style.color));
    let mut counts = GroupCounts::new(&count.keys);
    let (source, gaps) = count_into(&mut counts, plan, access)?;
    session.tell(&gaps);
    let head = Head { source, taken_at: &taken_at };
    write(write_counts(out.buffer(), count.style, &head, &counts, &gaps))?;
    write(out.flush())
}

/// Prints what changes within this time once.
pub(super) fn diff(
    plan: &CountPlan,
    count: &Count,
    time: Duration,
    access: &Access,
    out: &mut Pages<Output>,
    session: &mut Session,
) -> Result<(), Failure> {
    out.guard(Guard::of(count.style.format.of_lists(), count.style.color));
    let mut before = Census::new(&count.keys);
    let (_, mut gaps) = count_into(&mut before, plan, access)?;
    std::thread::sleep(time);
    let taken_at = now();
    let mut after = Census::new(&count.keys);
    let (source, more) = count_into(&mut after, plan, access)?;
    let changes = Changes::between(before, &after);
    gaps.extend(more.into_iter().filter(|gap| !gaps.contains(gap)).collect::<Vec<_>>());
    session.tell(&gaps);
    let head = Head { source, taken_at: &taken_at };
    write(write_changes(out.buffer(), count.style, &head, &changes, &gaps))?;
    write(out.flush())
}

/// Counts what fits, and says from where and what could not be seen.
pub(super) fn count_into(
    counter: &mut dyn Counter,
    plan: &CountPlan,
    access: &Access,
) -> Result<(Source, Vec<Gap>), Failure> {
    let CountPlan { query, shown, filter, needs } = plan;
    let enrichment = enrichment(*needs, access);
    let by_holder = !suffice(&enrichment, *needs, access);
    match (needs.processes.is_some(), needs.cgroups) {
        (_, true) if by_holder || needs.processes.is_some() => count_held(counter, plan, access, enrichment),
        (true, _) => put_off(counter, query, *shown, filter, *needs, access, enrichment),
        (false, _) => count_streamed(counter, plan, access, enrichment),
    }
}

fn count_streamed(
    counter: &mut dyn Counter,
    plan: &CountPlan,
    access: &Access,
    enrichment: Enrichment,
) -> Result<(Source, Vec<Gap>), Failure> {
    let mut counting = Counting { plan, enrichment, counter, doubts: Doubts::default() };
    let snapshot = read(&plan.query, access, &mut counting)?;
    let Counting { enrichment, doubts, .. } = counting;
    let mut gaps = snapshot.gaps;
    doubts.decide(&plan.filter, &enrichment, &gaps)?;
    gaps.extend(doubts.gaps(&enrichment));
    Ok((snapshot.source, gaps))
}

/// Counts sockets that are held until the cgroups of their holders are known.
fn count_held(
    counter: &mut dyn Counter,
    plan: &CountPlan,
    access: &Access,
    enrichment: Enrichment,
) -> Result<(Source, Vec<Gap>), Failure> {
    let CountPlan { query, shown, filter, needs } = plan;
    let Gathered { source, sockets, mut enrichment, mut gaps } =
        gather(query, *shown, filter, *needs, access, enrichment, None)?;
    let mut doubts = Doubts::default();
    let known = known(&enrichment);
    for socket in &sockets {
        let row = enrichment.describe(socket);
        if doubts.admits(filter, &row, known) {
            doubts.note(&row, *needs);
            counter.count(&row);
        }
    }
    doubts.decide(filter, &enrichment, &gaps)?;
    gaps.extend(doubts.gaps(&enrichment));
    Ok((source, gaps))
}

/// Counts without keeping a single socket.
struct Counting<'a> {
    plan: &'a CountPlan,
    enrichment: Enrichment,
    counter: &'a mut dyn Counter,
    doubts: Doubts,
}

impl Sink for Counting<'_> {
    fn begin(&mut self, _source: Source) {
        self.counter.reset();
        self.doubts = Doubts::default();
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        let CountPlan { filter, needs, .. } = self.plan;
        if filter.admits(&Row::bare(socket), Known::SOCKET) {
            let known = known(&self.enrichment);
            let row = self.enrichment.describe(socket);
            if known == Known::SOCKET || self.doubts.admits(filter, &row, known) {
                self.doubts.note(&row, *needs);
                self.counter.count(&row);
            }
        }
        ControlFlow::Continue(())
    }
}
