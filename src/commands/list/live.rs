//! A list that is redrawn in place: what is new, changed or gone since the one before.

use rustc_hash::{FxHashMap, FxHashSet};

use super::List;
use super::hosts::host_names;
use super::writer::Writer;
use crate::inspect::{Held, Inquiry, Question};
use crate::layout::{Guard, Pages, Style};
use crate::model::{Access, Identity, Needs, Queues, Row, RowChange, Socket, TcpState};
use crate::session::{Failure, Output, Session, Turn, write};
use crate::tally::SortTerm;

/// The list before: its sockets are shown once more when they have gone.
#[derive(Debug)]
pub(super) struct Before {
    held: Held,
    sockets: Vec<Socket>,
    known: FxHashMap<Identity, (TcpState, Queues)>,
}

impl Before {
    fn new(held: Held, sockets: Vec<Socket>) -> Self {
        let known =
            sockets.iter().map(|socket| (Identity::of(socket), (socket.state, socket.queues))).collect();
        Self { held, sockets, known }
    }

    fn change_of(&self, socket: &Socket) -> Option<RowChange> {
        match self.known.get(&Identity::of(socket)) {
            None => Some(RowChange::New),
            Some(before) => (*before != (socket.state, socket.queues)).then_some(RowChange::Changed),
        }
    }
}

/// Lists once, compared with the list before.
pub(super) fn list(
    list: &List,
    question: &Question,
    access: &Access,
    before: &mut Option<Before>,
    turn: Turn,
    out: &mut Pages<Output>,
    session: &mut Session,
) -> Result<(), Failure> {
    out.guard(Guard::of(list.format, list.style.color));
    let mut held = Inquiry::new(question, access).hold(None)?;
    let sockets = std::mem::take(&mut held.sockets);
    if question.query.needs.contains(Needs::HOSTS) {
        let hosts = host_names(list, session, sockets.iter(), || out.inner().has_ended());
        held.name_hosts(hosts);
    }
    let mut style = Style { marks: true, ..list.style };
    if held.is_late() {
        style = style.without_processes();
    }
    if let Some((columns, _)) = turn.screen {
        style.width = Some(columns);
    }
    let rows = rows(list, &held, &sockets, before.as_ref(), turn);
    let mut writer = Writer::new(list, style, out);
    let gaps = held.give(rows, &mut writer).gaps;
    write(writer.end(&gaps))?;
    session.note_gaps(&gaps);
    *before = Some(Before::new(held, sockets));
    Ok(())
}

/// The rows in order, and the sockets that have gone behind them.
fn rows<'a>(
    list: &List,
    held: &'a Held,
    sockets: &'a [Socket],
    before: Option<&'a Before>,
    turn: Turn,
) -> Vec<Row<'a>> {
    let sorted = SortTerm::sort(&list.sort, sockets.iter().collect(), |socket| held.row(socket));
    let here: FxHashSet<_> = sockets.iter().map(Identity::of).collect();
    let gone = before.into_iter().flat_map(|before| {
        let gone = before.sockets.iter().filter(|socket| !here.contains(&Identity::of(socket)));
        gone.map(|socket| Row { change: Some(RowChange::Gone), ..before.held.row(socket) })
    });
    let change = |socket: &Socket| before.and_then(|before| before.change_of(socket));
    let present = sorted.into_iter().map(|socket| Row { change: change(socket), ..held.row(socket) });
    let mut rows: Vec<_> = present.chain(gone).collect();
    let lines = turn.screen.map_or(usize::MAX, |(_, lines)| usize::from(lines));
    if list.sort.is_empty() && rows.len() > lines {
        // What does not fit is not seen: changes come first.
        rows.sort_by_key(|row| row.change.is_none());
    }
    rows
}
