//! What is said of a list on a terminal besides its rows: why it is empty, and how many more there are.

use super::List;
use crate::inspect::{Inquiry, Question};
use crate::model::{Access, Query, StateSet, TcpState};
use crate::session::Failure;
use crate::tally::StateCounts;

/// Why the list is empty: where the other sockets are.
pub(super) fn why_empty(list: &List, access: &Access) -> Result<String, Failure> {
    let all = counted(list, access)?;
    let total = all.total();
    if total == 0 {
        return Ok("no TCP socket in this network namespace".to_owned());
    }
    let states = list.shown.states;
    let of_states: u64 =
        all.each().filter(|(state, _)| states.contains(*state)).map(|(_, count)| count).sum();
    let shown = TcpState::SHOWN.into_iter().filter(|state| states.contains(*state));
    let names: Vec<_> = shown.map(|state| state.to_string()).collect();
    let place = match names.len() {
        1..=3 => names.join(" or "),
        _ => "the states shown".to_owned(),
    };
    if of_states == 0 || list.filter.expr.conjuncts().is_empty() {
        return Ok(format!("no socket in {place}; {total} in other states"));
    }
    let others = total - of_states;
    Ok(format!("no socket matches the filter; {of_states} others in {place}, {others} in other states"))
}

/// The sockets of the list's families in each state, whatever the filter says.
fn counted(list: &List, access: &Access) -> Result<StateCounts, Failure> {
    let mut counts = StateCounts::default();
    let question = Question::of_every(&Query::new(list.query.families, StateSet::ALL))?;
    Inquiry::new(&question, access).ask(&mut counts)?;
    Ok(counts)
}

/// How many sockets the limit leaves out.
pub(super) fn how_many_more(more: u64) -> String {
    let sockets = if more == 1 { "socket" } else { "sockets" };
    format!("{more} more {sockets}: --limit leaves them out")
}
