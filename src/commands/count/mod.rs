//! Counts: `--summary`, `--count-by` and `--diff`.

mod run;

use std::time::Duration;

pub(crate) use self::run::{run, run_summary};
use super::args::ListArgs;
use super::field_words::{count_keys, sums};
use crate::fields::{self, Field, typed_word};
use crate::filter::Filter;
use crate::layout::{CountFormat, CountStyle, Format, Summary};
use crate::model::{Needs, Query, StateSet};
use crate::session::{Environment, Refusal};
use crate::tally::CountKey;

/// Counts by keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Count {
    /// Which sockets.
    pub query: Query,
    /// Which of these sockets.
    pub filter: Filter,
    /// The count keys.
    pub keys: Vec<CountKey>,
    /// The fields to sum.
    pub sums: Vec<&'static Field>,
    /// The layout of the counts.
    pub style: CountStyle,
    /// If set, count what changes within this time, not the sockets that exist.
    pub diff: Option<Duration>,
}

/// The query and the layout of a count. Every socket is counted; -a and -l have no effect.
fn counted(
    own: &ListArgs,
    format: Format,
    filter: &Filter,
    option: &str,
) -> Result<(Query, CountFormat), Refusal> {
    let no_table = || Refusal::usage(format!("{option}: the {} layout has no such table", format.word()));
    let format = CountFormat::of(format).ok_or_else(no_table)?;
    let states = filter.states.unwrap_or(StateSet::ALL);
    let query = Query { wants_idle: states.names_idle(), ..Query::new(own.family.families(), states) };
    Ok((query, format))
}

/// Counts by keys.
pub(crate) fn plan(
    own: &ListArgs,
    format: Format,
    filter: Filter,
    environment: Environment,
) -> Result<Count, Refusal> {
    if !own.columns.is_empty() {
        return Err(Refusal::usage("--columns: counts have their own"));
    }
    let counted_by = if own.diff.is_some() { "--diff" } else { "--count-by" };
    for (option, typed, why) in [
        ("--sort", !own.sort.is_empty(), "has its own order"),
        ("--summary", own.summary, "counts in its place"),
    ] {
        if typed {
            return Err(Refusal::usage(format!(
                "{option} cannot be combined with {counted_by}, which {why}"
            )));
        }
    }
    let mut keys = count_keys(&own.count_by)?;
    if keys.is_empty() {
        keys.push(CountKey::of(&fields::STATE));
    }
    let sums = sums(&own.sum)?;
    if own.diff.is_some() && !sums.is_empty() {
        return Err(Refusal::usage("--sum cannot be combined with --diff"));
    }
    // The names become keys of JSON objects, so each must be there once.
    for (index, key) in keys.iter().enumerate() {
        if keys[..index].iter().any(|before| before.name() == key.name()) {
            return Err(Refusal::usage(format!("--count-by: '{}' is given twice", typed_word(&key.name()))));
        }
    }
    if let Some(key) = keys.iter().find(|key| key.field.needs.contains(Needs::HOSTS)) {
        let name = key.field.typed();
        return Err(Refusal::usage(format!(
            "--count-by: {name}: the names of hosts are looked up for lists alone"
        )));
    }
    let fields = keys.iter().map(|key| key.field).chain(sums.iter().copied());
    let named = !own.numeric && own.proc_root.is_none();
    let needs = fields.fold(Needs::NOTHING, |all, field| all | field.needs) - Needs::USER_NAMES.when(!named);
    let (mut query, format) = counted(own, format, &filter, counted_by)?;
    query.needs = needs;
    // From /proc these values would all be unknown and the count useless, so netlink is required.
    let of_netlink = Needs::NETLINK | Needs::TCP_INFO | Needs::MEMORY;
    let netlink_only = |field: &&Field| field.needs.has_any_of(of_netlink);
    let key = keys.iter().map(|key| key.field).find(netlink_only).map(|field| ("--count-by", field));
    let netlink_only = key.or(sums.iter().copied().find(netlink_only).map(|field| ("--sum", field)));
    query.netlink_only = netlink_only.map(|(option, field)| format!("{option} {}", field.typed()));
    let style = CountStyle {
        format,
        header: !own.no_header,
        repeated: own.continuous.is_some(),
        limit: own.limit,
        color: own.color.is_on(environment),
        width: environment.width.filter(|_| !own.wide),
    };
    Ok(Count { query, filter, keys, sums, style, diff: own.diff })
}

/// Counts by state.
pub(crate) fn plan_summary(
    own: &ListArgs,
    format: Format,
    filter: &Filter,
) -> Result<(Query, Summary), Refusal> {
    let columns = !own.columns.is_empty();
    let limit = own.limit.is_some();
    for (option, typed) in [("--sort", !own.sort.is_empty()), ("--limit", limit), ("--columns", columns)] {
        if typed {
            return Err(Refusal::usage(format!("{option} cannot be combined with --summary")));
        }
    }
    let (query, format) = counted(own, format, filter, "--summary")?;
    let summary = Summary { format, header: !own.no_header, repeated: own.continuous.is_some() };
    Ok((query, summary))
}
