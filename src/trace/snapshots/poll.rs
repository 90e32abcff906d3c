//! Takes snapshots at an interval, if tracepoints are unavailable. A state that is shorter than the interval is not
//! seen, except for what the kernel's notices of destroyed sockets show.

use super::compare::Comparison;
use crate::inspect::{Inquiry, InspectError, Misuse, Question};
use crate::kernel::clock::{Clock, WallClock};
use crate::kernel::ring::Nanos;
use crate::kernel::sock_diag::Notices;
use crate::model::{Access, Families, Gap, Query, StateSet};
use crate::trace::changes::Observation;
use crate::trace::notes::Missed;
use crate::trace::options::Options;

/// The running snapshots.
#[derive(Debug)]
pub(in crate::trace) struct Poller {
    comparison: Comparison,
    wall: WallClock,
    notices: Option<Notices>,
    /// How many times notices were lost.
    losses: u64,
    interval: Nanos,
    /// When the next snapshot is due.
    next: Nanos,
    question: Question,
    access: Access,
}

impl Poller {
    /// Takes snapshots of this thread's network namespace, and reads its notices if available.
    pub(in crate::trace) fn new(
        options: &Options,
        access: &Access,
        notices: Option<Notices>,
    ) -> Result<Self, Misuse> {
        let query = Query::new(Families::Both, StateSet::ALL);
        Ok(Self {
            comparison: Comparison::new(options.max_sockets),
            wall: WallClock::default(),
            notices,
            losses: 0,
            interval: options.poll,
            next: 0,
            question: Question::of_every(&query)?,
            access: access.clone(),
        })
    }

    /// How long until the next snapshot is due.
    pub(in crate::trace) fn wait(&self) -> Nanos {
        self.next.saturating_sub(Clock::default().now())
    }

    /// What was missed so far.
    pub(in crate::trace) fn missed(&self) -> Missed {
        Missed { dropped: self.comparison.dropped, notices: self.losses, ..Missed::default() }
    }

    /// Takes a snapshot if one is due, and reports what changed.
    pub(in crate::trace) fn read(
        &mut self,
        report: &mut dyn FnMut(Observation<'_>),
    ) -> Result<Vec<Gap>, InspectError> {
        if self.wait() > 0 { Ok(Vec::new()) } else { self.snapshot(report) }
    }

    /// Takes a snapshot now, and reports what changed.
    pub(in crate::trace) fn snapshot(
        &mut self,
        report: &mut dyn FnMut(Observation<'_>),
    ) -> Result<Vec<Gap>, InspectError> {
        let now = Clock::default().now();
        self.next = now + self.interval;
        self.wall.sample(Clock::default());
        let Self { comparison, notices, losses, .. } = self;
        comparison.begin_snapshot(now, self.wall.at(now));
        // Notices are read before the snapshot, which therefore cannot have the sockets that they say are destroyed.
        if let Some(notices) = notices {
            *losses += notices.read(&mut |socket| comparison.notice(socket));
        }
        let snapshot = Inquiry::new(&self.question, &self.access).ask(comparison)?;
        let is_whole = !snapshot.gaps.iter().any(|gap| matches!(gap, Gap::DumpInterrupted { .. }));
        comparison.end(is_whole, report);
        Ok(snapshot.gaps)
    }
}
