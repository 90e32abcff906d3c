//! What is counted in place of being listed.

use std::time::Duration;

use super::args::Args;
use super::columns::{count_keys, sums};
use super::environment::Environment;
use super::refusal::Refusal;
use crate::fields::{self, Field, typed_word};
use crate::filter::Filter;
use crate::layout::{CountFormat, CountStyle, Format, Summary};
use crate::model::{Needs, Query, StateSet};
use crate::tally::CountKey;

/// Counts by keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Count {
    /// Which sockets.
    pub query: Query,
    /// Which of these.
    pub filter: Filter,
    /// By what.
    pub keys: Vec<CountKey>,
    /// What is added up.
    pub sums: Vec<&'static Field>,
    /// How the counts are shown.
    pub style: CountStyle,
    /// Not what there is but what changes within this time.
    pub diff: Option<Duration>,
}

/// Every socket is counted, whatever -a and -l say.
fn counted(
    args: &Args,
    format: Format,
    filter: &Filter,
    option: &str,
) -> Result<(Query, CountFormat), Refusal> {
    let no_table = || Refusal::usage(format!("{option}: the {} layout has no such table", format.word()));
    let format = CountFormat::of(format).ok_or_else(no_table)?;
    let states = filter.states.unwrap_or(StateSet::ALL);
    let query = Query { wants_idle: states.names_idle(), ..Query::new(args.shared.families(), states) };
    Ok((query, format))
}

/// Counts by keys.
pub(super) fn count(
    args: &Args,
    format: Format,
    filter: Filter,
    environment: Environment,
) -> Result<Count, Refusal> {
    if !args.list.columns.is_empty() {
        return Err(Refusal::usage("--columns: counts have their own"));
    }
    let counted_by = if args.list.diff.is_some() { "--diff" } else { "--count-by" };
    for (option, typed) in [("--sort", !args.list.sort.is_empty()), ("--summary", args.list.summary)] {
        if typed {
            return Err(Refusal::usage(format!(
                "{option} can't stand beside {counted_by}, which has its own order"
            )));
        }
    }
    let mut keys = count_keys(&args.list.count_by)?;
    if keys.is_empty() {
        keys.push(CountKey::of(&fields::STATE));
    }
    let sums = sums(&args.list.sum)?;
    if args.list.diff.is_some() && !sums.is_empty() {
        return Err(Refusal::usage("--sum: --diff counts what changes, and adds nothing up"));
    }
    // Their names are keys of JSON objects.
    for (index, key) in keys.iter().enumerate() {
        if keys[..index].iter().any(|before| before.name() == key.name()) {
            return Err(Refusal::usage(format!(
                "--count-by: '{}' stands there twice",
                typed_word(&key.name())
            )));
        }
    }
    if let Some(key) = keys.iter().find(|key| key.field.needs.contains(Needs::HOSTS)) {
        let name = key.field.typed();
        return Err(Refusal::usage(format!(
            "--count-by: {name}: the names of hosts are looked up for lists alone"
        )));
    }
    let fields = keys.iter().map(|key| key.field).chain(sums.iter().copied());
    let named = !args.shared.numeric && args.shared.proc_root.is_none();
    let needs = fields.fold(Needs::NOTHING, |all, field| all | field.needs) - Needs::USER_NAMES.when(!named);
    let (mut query, format) = counted(args, format, &filter, counted_by)?;
    query.needs = needs;
    // A count where none of them is known would be no count.
    let of_netlink = Needs::NETLINK | Needs::TCP_INFO | Needs::MEMORY;
    let untold = |field: &&Field| field.needs.has_any_of(of_netlink);
    let key = keys.iter().map(|key| key.field).find(untold).map(|field| ("--count-by", field));
    let untold = key.or(sums.iter().copied().find(untold).map(|field| ("--sum", field)));
    query.netlink_only = untold.map(|(option, field)| format!("{option} {}", field.typed()));
    let style = CountStyle {
        format,
        header: !args.shared.no_header,
        repeated: args.list.continuous.is_some(),
        limit: args.list.limit,
        color: args.shared.color(environment),
        width: environment.width.filter(|_| !args.list.wide),
    };
    Ok(Count { query, filter, keys, sums, style, diff: args.list.diff })
}

/// Counts by state.
pub(super) fn summary(args: &Args, format: Format, filter: &Filter) -> Result<(Query, Summary), Refusal> {
    let columns = !args.list.columns.is_empty();
    let limit = args.list.limit.is_some();
    for (option, typed) in
        [("--sort", !args.list.sort.is_empty()), ("--limit", limit), ("--columns", columns)]
    {
        if typed {
            return Err(Refusal::usage(format!("{option}: the eleven lines of --summary stay as they are")));
        }
    }
    let (query, format) = counted(args, format, filter, "--summary")?;
    let summary =
        Summary { format, header: !args.shared.no_header, repeated: args.list.continuous.is_some() };
    Ok((query, summary))
}
