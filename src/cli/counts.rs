//! What is counted in place of being listed.

use std::time::Duration;

use super::args::Args;
use super::environment::Environment;
use super::refusal::Refusal;
use crate::filter::Filter;
use crate::model::{Needs, Query, StateSet};
use crate::render::{CountFormat, CountStyle, Format, Summary};
use crate::select::CountKey;

/// Counts by keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Count {
    /// Which sockets.
    pub query: Query,
    /// Which of these.
    pub filter: Filter,
    /// By what.
    pub keys: Vec<CountKey>,
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
    let mut keys = args.list.count_by.clone();
    if keys.is_empty() {
        keys.push(CountKey::State);
    }
    // Their names are keys of JSON objects.
    for (index, key) in keys.iter().enumerate() {
        if keys[..index].iter().any(|before| before.name() == key.name()) {
            return Err(Refusal::usage(format!("--count-by: '{}' stands there twice", key.name())));
        }
    }
    let has = |wanted: &[CountKey]| keys.iter().any(|key| wanted.contains(key));
    let named = !args.shared.numeric && args.shared.proc_root.is_none();
    let needs = Needs::HOLDERS.when(has(&[CountKey::Process, CountKey::Pid]))
        | Needs::USERS.when(has(&[CountKey::User]) && named)
        | Needs::UNITS.when(keys.iter().any(|key| key.is_of_cgroup()));
    let (mut query, format) = counted(args, format, &filter, counted_by)?;
    query.needs = needs;
    // A count where none of them is known would be no count.
    query.netlink_only = keys
        .iter()
        .find(|key| matches!(key, CountKey::Iface))
        .map(|key| format!("--count-by {}", key.name()));
    let style = CountStyle {
        format,
        header: !args.shared.no_header,
        repeated: args.list.continuous.is_some(),
        limit: args.list.limit,
        color: args.shared.color(environment),
        width: environment.width.filter(|_| !args.list.wide),
    };
    Ok(Count { query, filter, keys, style, diff: args.list.diff })
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
