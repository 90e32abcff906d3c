//! Prints counts.

use std::time::Duration;

use super::Count;
use crate::filter::Filter;
use crate::inspect::{Inquiry, Question};
use crate::layout::{CountStyle, Guard, Head, Pages, Summary, write_changes, write_counts, write_summary};
use crate::model::{Access, Collected, Query};
use crate::session::{Failure, Output, Repeat, Session, now, repeat, write};
use crate::tally::{Census, Changes, GroupCounts, StateCounts};

/// Prints the counts by state once, or again after each interval.
pub(crate) fn run_summary(
    (query, filter, summary): &(Query, Filter, Summary),
    access: &Access,
    how: Repeat,
    session: &mut Session,
) -> Result<(), Failure> {
    let question = Question::of_all(query, filter)?;
    let format = summary.format.of_lists();
    repeat(how, format.separator(), session, |out, turn, session| {
        let header = summary.header && format.has_heading(turn.is_first);
        summarize(&question, Summary { header, ..*summary }, access, out, session)
    })
}

/// Prints the counts by keys once, or again after each interval.
pub(crate) fn run(count: &Count, access: &Access, how: Repeat, session: &mut Session) -> Result<(), Failure> {
    let question = Question::of_all(&count.query, &count.filter)?;
    let CountStyle { format, header, .. } = count.style;
    let format = format.of_lists();
    let mut count = count.clone();
    let fits_screen = count.style.width.is_some();
    repeat(how, format.separator(), session, |out, turn, session| {
        count.style.header = header && format.has_heading(turn.is_first);
        if let Some((columns, _)) = turn.screen.filter(|_| fits_screen) {
            count.style.width = Some(columns);
        }
        match count.diff {
            Some(time) => diff(&question, &count, time, access, out, session),
            None => self::count(&question, &count, access, out, session),
        }
    })
}

/// Prints the counts by state once.
fn summarize(
    question: &Question,
    summary: Summary,
    access: &Access,
    out: &mut Pages<Output>,
    session: &mut Session,
) -> Result<(), Failure> {
    let taken_at = now();
    let mut counts = StateCounts::default();
    let Collected { source, gaps } = Inquiry::new(question, access).ask(&mut counts)?;
    session.note_gaps(&gaps);
    let head = Head { source, taken_at: &taken_at };
    write(write_summary(out.buffer(), summary, &head, &counts, &gaps))?;
    write(out.flush())
}

/// Prints the counts by keys once.
fn count(
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
    session.note_gaps(&gaps);
    let head = Head { source, taken_at: &taken_at };
    write(write_counts(out.buffer(), count.style, &head, &counts, &gaps))?;
    write(out.flush())
}

/// Prints once what changes within `time`.
fn diff(
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
    session.note_gaps(&gaps);
    let head = Head { source, taken_at: &taken_at };
    write(write_changes(out.buffer(), count.style, &head, &changes, &gaps))?;
    write(out.flush())
}
