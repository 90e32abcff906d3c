//! Prints a list: row by row if its layout, order and columns allow that, otherwise after all sockets have been read.

use super::empty::{how_many_more, why_empty};
use super::hosts::host_names;
use super::writer::Writer;
use super::{List, live};
use crate::inspect::{Inquiry, Misuse, Question};
use crate::layout::{Format, Guard, Pages, listing};
use crate::model::{Access, Gap, Needs};
use crate::session::{Failure, Output, Repeat, Session, answer, repeat, write};
use crate::tally::SortTerm;

/// Lists once, or again after each interval.
pub(crate) fn run(list: &List, access: &Access, how: Repeat, session: &mut Session) -> Result<(), Failure> {
    let question = question(list)?;
    let mut list = list.clone();
    let (wanted, separator) = (list.style.header, list.format.separator());
    let mut before = None;
    repeat(how, separator, session, |out, turn, session| {
        if how.in_place {
            return live::list(&list, &question, access, &mut before, turn, out, session);
        }
        list.style.header = wanted && list.format.has_heading(turn.is_first);
        self::list(&list, &question, access, out, session)
    })
}

/// Says which part of the filter the kernel evaluates.
pub(crate) fn explain_filter(list: &List) -> Result<(), Failure> {
    answer(question(list)?.explain().as_bytes(), false)
}

/// The question of a list. In our own formats, a connection that waits to be accepted has the processes of its
/// listener; netstat and ss show none.
fn question(list: &List) -> Result<Question, Misuse> {
    let own = !matches!(list.format, Format::Netstat | Format::Ss);
    Question::new(&list.query, list.shown, &list.filter, own)
}

/// Lists once.
fn list(
    list: &List,
    question: &Question,
    access: &Access,
    out: &mut Pages<Output>,
    session: &mut Session,
) -> Result<(), Failure> {
    out.guard(Guard::of(list.format, list.style.color));
    let mut writer = Writer::new(list, list.style, out);
    let inquiry = Inquiry::new(question, access);
    let gaps = if must_hold(list, question) || inquiry.must_hold() {
        held(list, question, inquiry, &mut writer, session)?
    } else {
        inquiry.ask(&mut writer)?.gaps
    };
    let (has_rows, more) = (writer.has_rows, writer.more);
    write(writer.end(&gaps))?;
    session.note_gaps(&gaps);
    if list.is_read && !has_rows && list.limit != Some(0) {
        session.note(why_empty(list, access)?, None);
    }
    if more > 0 {
        session.note(how_many_more(more), None);
    }
    Ok(())
}

/// Whether no row can be written before the last socket has been read. Processes and host names are looked up for all
/// sockets that were read. A filter that needs more than the socket may turn out to have no answer; then nothing may be
/// written.
fn must_hold(list: &List, question: &Question) -> bool {
    !list.sort.is_empty()
        || question.query.needs.has_any_of(Needs::HOLDERS | Needs::HOSTS)
        || !question.is_decided_by_socket()
}

/// Writes the held sockets, sorted, with host names, up to the limit.
fn held(
    list: &List,
    question: &Question,
    inquiry: Inquiry<'_>,
    writer: &mut Writer<'_>,
    session: &mut Session,
) -> Result<Vec<Gap>, Failure> {
    // Without a sort order the first sockets are the ones to show, so reading can stop at the limit; unless the filter
    // may still drop some of them, or their peers, which may come later, are needed.
    let needs = question.query.needs;
    let is_decided = list.sort.is_empty() && question.is_decided_by_socket() && !needs.contains(Needs::PEERS);
    let mut held = inquiry.hold(list.limit.filter(|_| is_decided && !list.is_read))?;
    if held.is_late() {
        writer.layout = listing(list.format, list.style.without_processes(), &list.columns);
    }
    let sockets = std::mem::take(&mut held.sockets);
    let by_host = list.sort.iter().any(|term| term.field.needs.contains(Needs::HOSTS));
    let has_ended = || writer.out.inner().has_ended();
    if by_host {
        held.name_hosts(host_names(list, session, sockets.iter(), has_ended));
    }
    let mut sockets = SortTerm::sort(&list.sort, sockets.iter().collect(), |socket| held.row(socket));
    if !list.is_read {
        sockets.truncate(list.limit.unwrap_or(usize::MAX));
    }
    if needs.contains(Needs::HOSTS) && !by_host {
        held.name_hosts(host_names(list, session, sockets.iter().copied(), has_ended));
    }
    Ok(held.give(sockets.into_iter().map(|socket| held.row(socket)), writer).gaps)
}
