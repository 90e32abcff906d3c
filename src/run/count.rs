//! Prints counts.

use std::time::Duration;

use super::failure::Failure;
use super::repeat::Output;
use super::{Session, now, write};
use crate::cli::Count;
use crate::inspect::{Inquiry, Question};
use crate::layout::{Guard, Head, Pages, Summary, write_changes, write_counts, write_summary};
use crate::model::{Access, Collected};
use crate::tally::{Census, Changes, GroupCounts, StateCounts};

/// Prints the counts by state once.
pub(super) fn summarize(
    question: &Question,
    summary: Summary,
    access: &Access,
    out: &mut Pages<Output>,
    session: &mut Session,
) -> Result<(), Failure> {
    let taken_at = now();
    let mut counts = StateCounts::default();
    let Collected { source, gaps } = Inquiry::new(question, access).ask(&mut counts)?;
    session.tell(&gaps);
    let head = Head { source, taken_at: &taken_at };
    write(write_summary(out.buffer(), summary, &head, &counts, &gaps))?;
    write(out.flush())
}

/// Prints the counts by keys once.
pub(super) fn count(
    question: &Question,
    count: &Count,
    access: &Access,
    out: &mut Pages<Output>,
    session: &mut Session,
) -> Result<(), Failure> {
    let taken_at = now();
    out.guard(Guard::of(count.style.format.of_lists(), count.style.color));
    let mut counts = GroupCounts::new(&count.keys, &count.sums);
    let Collected { source, gaps } = Inquiry::new(question, access).ask(&mut counts)?;
    session.tell(&gaps);
    let head = Head { source, taken_at: &taken_at };
    write(write_counts(out.buffer(), count.style, &head, &counts, &gaps))?;
    write(out.flush())
}

/// Prints what changes within this time once.
pub(super) fn diff(
    question: &Question,
    count: &Count,
    time: Duration,
    access: &Access,
    out: &mut Pages<Output>,
    session: &mut Session,
) -> Result<(), Failure> {
    out.guard(Guard::of(count.style.format.of_lists(), count.style.color));
    let mut before = Census::new(&count.keys);
    let mut gaps = Inquiry::new(question, access).ask(&mut before)?.gaps;
    std::thread::sleep(time);
    let taken_at = now();
    let mut after = Census::new(&count.keys);
    let Collected { source, gaps: more } = Inquiry::new(question, access).ask(&mut after)?;
    let changes = Changes::between(before, &after);
    gaps.extend(more.into_iter().filter(|gap| !gaps.contains(gap)).collect::<Vec<_>>());
    session.tell(&gaps);
    let head = Head { source, taken_at: &taken_at };
    write(write_changes(out.buffer(), count.style, &head, &changes, &gaps))?;
    write(out.flush())
}
