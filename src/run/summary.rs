//! Counts by state: counters, unless the filter needs what must be looked up.

use std::ops::ControlFlow;

use super::gather::gather;
use super::repeat::Output;
use super::{Told, now, read, with_evidence, write};
use crate::collect::Sink;
use crate::filter::{Filter, Known};
use crate::model::{Gap, Row, Socket, Source};
use crate::query::{Access, Needs, Query};
use crate::render::{Head, Pages, Summary, write_summary};
use crate::select::StateCounts;

/// Counts without keeping a single socket.
struct Counter<'a> {
    filter: &'a Filter,
    counts: StateCounts,
}

impl Sink for Counter<'_> {
    fn begin(&mut self, _source: Source) -> bool {
        self.counts = StateCounts::default();
        true
    }

    fn row(&mut self, socket: &Socket) -> ControlFlow<()> {
        if self.filter.admits(&Row::bare(socket), Known::SOCKET) {
            self.counts.add(socket.state);
        }
        ControlFlow::Continue(())
    }
}

/// Counts once.
pub(super) fn summarize(
    query: &Query,
    filter: &Filter,
    summary: Summary,
    access: &Access,
    out: &mut Pages<Output>,
    told: &mut Told,
) -> anyhow::Result<()> {
    let taken_at = now();
    let needs = with_evidence(Needs::default(), filter);
    let (counts, source, gaps) = if needs == Needs::default() {
        let mut counter = Counter { filter, counts: StateCounts::default() };
        let snapshot = read(query, access, &mut counter)?;
        (counter.counts, snapshot.source, snapshot.gaps)
    } else {
        count_gathered(query, filter, needs, access)?
    };
    told.tell(&gaps);
    let head = Head { source, taken_at: &taken_at };
    write_summary(out.buffer(), summary, &head, &counts, &gaps)?;
    write(out.flush())
}

/// Where the filter asks for processes or cgroups, the sockets must be held to be judged.
fn count_gathered(
    query: &Query,
    filter: &Filter,
    needs: Needs,
    access: &Access,
) -> anyhow::Result<(StateCounts, Source, Vec<Gap>)> {
    let gathered = gather(query, query.states, filter, needs, access, None)?;
    let mut counts = StateCounts::default();
    for socket in &gathered.sockets {
        counts.add(socket.state);
    }
    Ok((counts, gathered.source, gathered.gaps))
}
