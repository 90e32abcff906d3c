//! A list: streamed where its layout, order and columns allow it, held where they need all of it.

use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use rustc_hash::FxHashSet;

use super::List;
use crate::inspect::{Inquiry, Misuse, Question};
use crate::layout::{Format, Guard, Head, Listing, Pages, listing};
use crate::model::{Access, Consumer, Gap, Holder, Needs, Row, Socket, Source};
use crate::session::{Failure, Output, Session, answer, now, repeat, write};
use crate::tally::SortTerm;

/// Lists once, or anew after each interval.
pub(crate) fn run(
    list: &List,
    access: &Access,
    interval: Option<Duration>,
    session: &mut Session,
) -> Result<(), Failure> {
    let question = question(list)?;
    let mut list = list.clone();
    let wanted = list.style.header;
    repeat(interval, list.format.separator(), |out, is_first| {
        list.style.header = wanted && list.format.has_heading(is_first);
        self::list(&list, &question, access, out, session)
    })
}

/// Says which part of the filter the kernel evaluates.
pub(crate) fn explain_filter(list: &List) -> Result<(), Failure> {
    answer(question(list)?.explain().as_bytes(), false)
}

/// What a list asks for. Who asks for processes in our own formats means those of a connection's listener where it waits
/// to be accepted; netstat and ss show none.
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
    let mut writer = Writer {
        taken_at: now(),
        layout: listing(list.format, list.style, &list.columns),
        out,
        limit: list.limit.unwrap_or(u64::MAX),
        left: 0,
        error: None,
    };
    let inquiry = Inquiry::new(question, access);
    let gaps = if must_hold(list, question) || inquiry.must_hold() {
        held(list, question, inquiry, &mut writer, session)?
    } else {
        inquiry.ask(&mut writer)?.gaps
    };
    write(writer.end(&gaps))?;
    session.tell(&gaps);
    Ok(())
}

/// Whether the first row can't be written before the last has come. Processes and host names are looked up for the
/// sockets that came, so these must be known; and nothing is written where the filter turns out to have no answer.
fn must_hold(list: &List, question: &Question) -> bool {
    !list.sort.is_empty()
        || question.query.needs.has_any_of(Needs::HOLDERS | Needs::HOSTS)
        || !question.is_decided_by_socket()
}

/// Writes each row as it comes.
struct Writer<'a> {
    taken_at: String,
    layout: Box<dyn Listing>,
    out: &'a mut Pages<Output>,
    limit: u64,
    left: u64,
    error: Option<io::Error>,
}

impl Writer<'_> {
    fn write(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.layout.row(self.out.buffer(), row)?;
        self.out.turn()
    }

    /// Writes what stands behind the last row, unless something could not be written.
    fn end(self, gaps: &[Gap]) -> io::Result<()> {
        let Self { mut layout, out, error, .. } = self;
        error.map_or(Ok(()), Err)?;
        layout.tail(out.buffer(), gaps)?;
        out.flush()
    }
}

impl Consumer for Writer<'_> {
    /// Rows whose holders matter are held.
    type Later = ();

    fn begin(&mut self, source: Source) {
        self.out.take_back();
        self.left = self.limit;
        let head = Head { source, taken_at: &self.taken_at };
        self.error = self.layout.head(self.out.buffer(), &head).err();
    }

    fn can_begin_again(&self) -> bool {
        self.out.can_take_back()
    }

    fn take(&mut self, row: &Row<'_>) -> ControlFlow<()> {
        if self.left == 0 || self.error.is_some() {
            return ControlFlow::Break(());
        }
        self.left -= 1;
        self.error = self.write(row).err();
        if self.error.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn keep(&mut self, row: &Row<'_>) {
        let _ = self.take(row);
    }

    fn take_later(&mut self, (): (), _: &[Holder]) {}
}

/// Writes what is held, in order and no more than is wanted, with the names of hosts.
fn held(
    list: &List,
    question: &Question,
    inquiry: Inquiry<'_>,
    writer: &mut Writer<'_>,
    session: &Session,
) -> Result<Vec<Gap>, Failure> {
    // Without an order the first ones are the ones, unless some of them are to be dropped yet, or what comes behind them
    // is their other ends.
    let needs = question.query.needs;
    let is_decided = list.sort.is_empty() && question.is_decided_by_socket() && !needs.contains(Needs::PEERS);
    let mut held = inquiry.hold(list.limit.filter(|_| is_decided))?;
    let sockets = std::mem::take(&mut held.sockets);
    let by_host = list.sort.iter().any(|term| term.field.needs.contains(Needs::HOSTS));
    let hosts_of = |sockets: &mut dyn Iterator<Item = &Socket>| {
        let addrs: FxHashSet<_> = sockets.flat_map(|socket| [socket.local.addr, socket.peer.addr]).collect();
        session.hosts.resolve(addrs, list.resolve_timeout, || writer.out.inner().has_ended())
    };
    if by_host {
        held.name_hosts(hosts_of(&mut sockets.iter()));
    }
    let mut sockets = SortTerm::sort(&list.sort, sockets.iter().collect(), |socket| held.row(socket));
    sockets.truncate(list.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)));
    if needs.contains(Needs::HOSTS) && !by_host {
        held.name_hosts(hosts_of(&mut sockets.iter().copied()));
    }
    Ok(held.give(sockets, writer).gaps)
}
