//! Counts: counters as the sockets come, unless the filter or a key needs what must be looked up for all of them.

use std::ops::ControlFlow;
use std::time::Duration;

use super::gather::{enrichment, gather, known};
use super::repeat::Output;
use super::{Told, now, read, with_evidence, write};
use crate::cli::Count;
use crate::collect::Sink;
use crate::enrich::Enrichment;
use crate::filter::{Filter, Known};
use crate::model::{Gap, Row, Socket, Source};
use crate::query::{Access, Needs, Query, Shown};
use crate::render::{Head, Pages, Summary, write_changes, write_counts, write_summary};
use crate::select::{Changes, GroupCounts, StateCounts};

/// Something that counts rows.
trait Counter: Send {
    /// Begins anew.
    fn reset(&mut self);
    /// Counts one.
    fn count(&mut self, row: &Row<'_>);
}

impl Counter for StateCounts {
    fn reset(&mut self) {
        *self = Self::default();
    }

    fn count(&mut self, row: &Row<'_>) {
        self.add(row.socket.state);
    }
}

impl Counter for GroupCounts {
    fn reset(&mut self) {
        *self = Self::new(self.keys());
    }

    fn count(&mut self, row: &Row<'_>) {
        self.add(row);
    }
}

/// Prints the counts by state once.
pub(super) fn summarize(
    query: &Query,
    filter: &Filter,
    summary: Summary,
    access: &Access,
    out: &mut Pages<Output>,
    told: &mut Told,
) -> anyhow::Result<()> {
    let taken_at = now();
    let mut counts = StateCounts::default();
    let (source, gaps) =
        count_into(&mut counts, query, filter, with_evidence(Needs::default(), filter), access)?;
    told.tell(&gaps);
    let head = Head { source, taken_at: &taken_at };
    write_summary(out.buffer(), summary, &head, &counts, &gaps)?;
    write(out.flush())
}

/// Prints the counts by keys once.
pub(super) fn count(
    count: &Count,
    access: &Access,
    out: &mut Pages<Output>,
    told: &mut Told,
) -> anyhow::Result<()> {
    let taken_at = now();
    let mut counts = GroupCounts::new(&count.keys);
    let (source, gaps) = count_into(&mut counts, &count.query, &count.filter, count.needs, access)?;
    told.tell(&gaps);
    let head = Head { source, taken_at: &taken_at };
    write_counts(out.buffer(), count.style, &head, &counts, &gaps)?;
    write(out.flush())
}

/// Prints what changes within this time once.
pub(super) fn diff(
    count: &Count,
    time: Duration,
    access: &Access,
    out: &mut Pages<Output>,
    told: &mut Told,
) -> anyhow::Result<()> {
    let mut changes = Changes::new(&count.keys);
    let shown = Shown { families: count.query.families, states: count.query.states };
    let mut first = gather(&count.query, shown, &count.filter, count.needs, access, None)?;
    for socket in &first.sockets {
        changes.remember(&first.enrichment.describe(socket));
    }
    drop(first.sockets);
    std::thread::sleep(time);
    let taken_at = now();
    let mut second = gather(&count.query, shown, &count.filter, count.needs, access, None)?;
    for socket in &second.sockets {
        changes.compare(&second.enrichment.describe(socket));
    }
    changes.finish();
    let mut gaps = first.gaps;
    gaps.extend(second.gaps.into_iter().filter(|gap| !gaps.contains(gap)).collect::<Vec<_>>());
    told.tell(&gaps);
    let head = Head { source: second.source, taken_at: &taken_at };
    write_changes(out.buffer(), count.style, &head, &changes, &gaps)?;
    write(out.flush())
}

fn count_into(
    counter: &mut dyn Counter,
    query: &Query,
    filter: &Filter,
    needs: Needs,
    access: &Access,
) -> anyhow::Result<(Source, Vec<Gap>)> {
    if needs.processes.is_none() {
        let mut counting = Counting { filter, enrichment: enrichment(needs, access), counter };
        let snapshot = read(query, access, &mut counting)?;
        return Ok((snapshot.source, snapshot.gaps));
    }
    // Processes are looked through for the sockets that came, so these must be known.
    let mut gathered =
        gather(query, Shown { families: query.families, states: query.states }, filter, needs, access, None)?;
    for socket in &gathered.sockets {
        counter.count(&gathered.enrichment.describe(socket));
    }
    Ok((gathered.source, gathered.gaps))
}

/// Counts without keeping a single socket.
struct Counting<'a> {
    filter: &'a Filter,
    enrichment: Enrichment,
    counter: &'a mut dyn Counter,
}

impl Sink for Counting<'_> {
    fn begin(&mut self, _source: Source) -> bool {
        self.counter.reset();
        true
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        if self.filter.admits(&Row::bare(socket), Known::SOCKET) {
            let known = known(&self.enrichment);
            let row = self.enrichment.describe(socket);
            if known == Known::SOCKET || self.filter.admits(&row, known) {
                self.counter.count(&row);
            }
        }
        ControlFlow::Continue(())
    }
}
