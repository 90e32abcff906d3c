//! The list: which sockets to read, and how to print them.

mod empty;
mod hosts;
mod live;
mod run;
mod writer;

use std::time::Duration;

pub(crate) use self::run::{explain_filter, run};
use super::args::ListArgs;
use super::field_words;
use crate::fields::Field;
use crate::filter::Filter;
use crate::layout::{Format, Parts, Scope, Style};
use crate::model::{Needs, Order, Query, StateSet, TcpState, Visible};
use crate::session::{Environment, Refusal};
use crate::tally::SortTerm;

/// How long to search for processes that nobody asked for. It takes 40 ms on an ordinary host.
const PATIENCE: Duration = Duration::from_millis(200);

/// A list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct List {
    /// Which sockets to read; may be more than are shown.
    pub query: Query,
    /// Which of them to show.
    pub shown: Visible,
    /// The filter that a shown socket must match.
    pub filter: Filter,
    /// How long to wait for the names of hosts.
    pub resolve_timeout: Duration,
    /// The layout.
    pub format: Format,
    /// Its style.
    pub style: Style,
    /// The columns; if empty, the layout's own.
    pub columns: Vec<&'static Field>,
    /// The sort terms; if empty, the kernel's order.
    pub sort: Vec<SortTerm>,
    /// The largest number of sockets to show.
    pub limit: Option<usize>,
    /// Somebody reads it on a terminal: say why it is empty, and what the limit leaves out.
    pub is_read: bool,
}

impl List {
    /// The fields that were chosen as columns, or to sort by.
    fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.columns.iter().copied().chain(self.sort.iter().map(|term| term.field))
    }
}

pub(crate) fn plan(
    own: &ListArgs,
    format: Format,
    filter: Filter,
    environment: Environment,
) -> Result<List, Refusal> {
    let spare_processes =
        format == Format::Table && environment.terminal && own.processes == 0 && own.columns.is_empty();
    let parts = Parts {
        timers: own.timers,
        extended: own.extended,
        processes: own.processes > 0 || spare_processes,
        tcp_info: own.info,
        memory: own.memory,
        hosts: own.resolve,
        peer_processes: own.peer_process,
    };
    if parts.peer_processes && matches!(format, Format::Netstat | Format::Ss) {
        return Err(Refusal::usage(format!(
            "--peer-process is not available in the {} layout",
            format.word()
        )));
    }
    if format == Format::Netstat {
        for (option, typed) in [("-i", parts.tcp_info), ("-m", parts.memory)] {
            if typed {
                return Err(Refusal::usage(format!("{option} is not available in the netstat layout")));
            }
        }
    }
    let shown = shown_states(own, format, &filter);
    let families = own.family.families();
    let mut list = List {
        query: Query::new(families, shown),
        shown: Visible { families, states: shown },
        filter,
        resolve_timeout: own.resolve_timeout,
        format,
        style: Style { spare_processes, ..style(own, shown, parts, environment) },
        columns: columns(own, format)?,
        sort: field_words::sort_terms(&own.sort)?,
        limit: own.limit,
        is_read: format == Format::Table && environment.terminal,
    };
    let needs = needs(own, &list);
    let order = match format {
        Format::Netstat | Format::Ss => Order::Ipv4First,
        _ => Order::Any,
    };
    list.query = Query {
        needs,
        order,
        only_netlink_has: only_netlink_has(&list),
        wants_idle: shown.names_idle(),
        patience: (spare_processes && !are_processes_asked_for(&list)).then_some(PATIENCE),
        ..Query::new(families, shown)
    };
    list.query.states = list.query.widened(shown);
    Ok(list)
}

/// Whether the filter, the order or other columns need the processes too: then they are searched to the end.
fn are_processes_asked_for(list: &List) -> bool {
    let of_fields = list.fields().fold(list.filter.expr.needs(), |all, field| all | field.needs);
    let parts = list.style.parts;
    of_fields.has_any_of(Needs::HOLDERS | Needs::CGROUPS) || parts.peer_processes || parts.extended
}

fn ss_default() -> StateSet {
    StateSet::connected() - StateSet::exactly(TcpState::SynRecv) - StateSet::exactly(TcpState::TimeWait)
}

/// The states to show. If the user chooses none, each layout has its own default.
fn shown_states(own: &ListArgs, format: Format, filter: &Filter) -> StateSet {
    let listen = StateSet::of(TcpState::Listen);
    match filter.states {
        // ss falls back to its default.
        Some(states) if states.is_empty() && format == Format::Ss => return ss_default(),
        Some(states) => return states,
        None => {}
    }
    let (all, listening) = (own.all, own.listening);
    match format {
        Format::Ss if all => StateSet::ALL,
        Format::Ss if listening => listen | StateSet::exactly(TcpState::Close),
        Format::Ss => ss_default(),
        // netstat reads /proc, which has no bound sockets.
        Format::Netstat if all => StateSet::ALL - StateSet::of(TcpState::Close),
        _ if all => StateSet::ALL,
        _ if listening => listen,
        Format::Json | Format::Ndjson | Format::Csv => StateSet::ALL,
        Format::Table | Format::Plain if !filter.is_empty() => StateSet::ALL,
        Format::Table | Format::Plain | Format::Netstat => StateSet::ALL - StateSet::unconnected(),
    }
}

fn columns(own: &ListArgs, format: Format) -> Result<Vec<&'static Field>, Refusal> {
    let columns = field_words::columns(&own.columns)?;
    if !columns.is_empty() && matches!(format, Format::Netstat | Format::Ss) {
        return Err(Refusal::usage(format!("--columns: the {} layout has its own", format.word())));
    }
    Ok(columns)
}

/// The shown and sorted fields that /proc lacks. The netstat layout reads them from /proc, and ss's leaves them out.
fn only_netlink_has(list: &List) -> Vec<&'static str> {
    if list.style.parts.extended
        && list.columns.is_empty()
        && !matches!(list.format, Format::Netstat | Format::Ss)
    {
        return vec!["cookies", "marks"];
    }
    list.fields().filter(|field| field.needs.contains(Needs::NETLINK)).map(|field| field.word).collect()
}

/// What must be looked up for the fields that are shown and sorted by.
fn needs(own: &ListArgs, list: &List) -> Needs {
    let (format, parts) = (list.format, list.style.parts);
    let people = matches!(format, Format::Table | Format::Plain | Format::Netstat | Format::Ss);
    let ours = matches!(format, Format::Table | Format::Plain);
    let named = if ours { own.names && !own.numeric } else { !(people && own.numeric) };
    // Another proc tree has the users of another host; ss prints no user names.
    let our_users = named && own.proc_root.is_none() && format != Format::Ss;
    let of_fields = list.fields().fold(Needs::NOTHING, |all, field| all | field.needs);
    // Of cgroup and unit, the text layouts show only the cgroup.
    let units = parts.extended && matches!(format, Format::Json | Format::Ndjson | Format::Csv);
    let needs = of_fields
        | Needs::HOLDERS.when(parts.processes)
        | Needs::PEERS.when(parts.peer_processes)
        | Needs::FIRST_WORDS.when(format == Format::Netstat)
        | Needs::HOLDER_USERS.when(own.processes > 1)
        | Needs::USERS.when(parts.extended)
        | Needs::SERVICES.when(people && named)
        | Needs::HOSTS.when(parts.hosts)
        | Needs::CGROUPS.when(parts.extended && format != Format::Netstat)
        | Needs::MARKS.when(parts.extended && !matches!(format, Format::Netstat | Format::Ss))
        | Needs::UNITS.when(units)
        | Needs::TCP_INFO.when(parts.tcp_info)
        | Needs::MEMORY.when(parts.memory);
    let by_listener = match format {
        Format::Netstat => Needs::LISTENER_USERS.when(parts.extended),
        Format::Ss => Needs::NOTHING,
        _ => Needs::LISTENER_HOLDERS.when(needs.contains(Needs::HOLDERS)),
    };
    (needs | by_listener) - Needs::USER_NAMES.when(!our_users)
}

fn style(own: &ListArgs, shown: StateSet, parts: Parts, environment: Environment) -> Style {
    let scope = match (own.all, own.listening) {
        (true, _) => Scope::All,
        (false, true) => Scope::Listening,
        (false, false) => Scope::Connected,
    };
    Style {
        parts,
        header: !own.no_header,
        numeric: own.numeric,
        wide: own.wide,
        spare_processes: false,
        oneline: own.oneline,
        single_state: shown.is_single(),
        scope,
        color: own.color.is_on(environment),
        marks: false,
        width: environment.width,
        repeated: own.continuous.is_some(),
    }
}
