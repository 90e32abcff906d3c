//! A question ready for the sources: names are resolved to numbers, and terms that the kernel can test are compiled.

use std::net::IpAddr;

use crate::filter::{BadFilter, Compare, End, Expr, Filter, Names, Term, bytecode};
use crate::kernel::host::local_ports;
use crate::kernel::names::{self, Services};
use crate::model::{Families, KernelFilter, Needs, Query, Row, Socket, StateSet, TcpState, Visible};

/// A well-formed question that no source can answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misuse(pub(crate) String);

impl From<BadFilter> for Misuse {
    fn from(bad: BadFilter) -> Self {
        Self(bad.report())
    }
}

/// A resolved question: names are numbers, and the kernel's part is compiled.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The request to the source; it may cover more sockets than are shown.
    pub query: Query,
    /// The families and states that are shown.
    pub shown: Visible,
    /// The condition that shown sockets meet.
    pub filter: Filter,
}

impl Question {
    /// Resolves the filter's names, and extends the query by all that the filter needs. Some look-ups need sockets
    /// that do not match. With `waiting_is_held`, a connection that waits for accept() takes its listener's holders.
    pub(crate) fn new(
        query: &Query,
        shown: Visible,
        filter: &Filter,
        waiting_is_held: bool,
    ) -> Result<Self, Misuse> {
        let mut query = query.clone();
        query.needs = with_filters(query.needs, filter, waiting_is_held);
        query.states = query.widened(query.states);
        if query.needs.contains(Needs::PEERS) {
            // The peer of an IPv4 connection may be an AF_INET6 socket.
            query.families = Families::Both;
        }
        // As it was typed: a device by its name.
        query.netlink_only = query.netlink_only.or_else(|| filter.expr.needs_netlink().map(Term::to_string));
        let filter = resolve(filter)?;
        query.kernel_filter = kernel_filter(&filter.expr, query.needs)?;
        if filter.expr.wants_peer() {
            // Spares the kernel the tables of unconnected sockets, unless listeners are needed.
            query.states = query.widened(query.states - StateSet::unconnected());
        }
        Ok(Self { query, shown, filter })
    }

    /// A question that shows all it reads; connections that wait for accept() take their listener's holders.
    pub(crate) fn of_all(query: &Query, filter: &Filter) -> Result<Self, Misuse> {
        Self::new(query, Visible { families: query.families, states: query.states }, filter, true)
    }

    /// The same question without a filter.
    pub(crate) fn of_every(query: &Query) -> Result<Self, Misuse> {
        Self::of_all(query, &Filter::default())
    }

    /// Whether the kernel's answer alone decides the filter: no term needs a look-up.
    pub(crate) fn is_decided_by_socket(&self) -> bool {
        !self.filter.expr.needs().has_any_of(Needs::JOINED)
    }

    /// Whether a socket may match, judged by the kernel's answer alone, before any look-up.
    pub(super) fn may_fit(&self, socket: &Socket) -> bool {
        self.shown.contains(socket) && self.filter.admits(&Row::bare(socket), Needs::NOTHING)
    }

    /// For people: the terms that the kernel tests, and those tested here.
    pub(crate) fn explain(&self) -> String {
        let Self { query, shown, filter } = self;
        let is_left = |part: &&Expr| query.needs.contains(Needs::PEERS) || !bytecode::is_kernels(part);
        let here: Vec<_> = filter.expr.conjuncts().iter().filter(is_left).map(Expr::to_string).collect();
        let names = |wanted: &dyn Fn(TcpState) -> bool| {
            let states = TcpState::SHOWN.into_iter().filter(|state| wanted(*state));
            states.filter_map(TcpState::name).collect::<Vec<_>>().join(" ")
        };
        let states = names(&|state| query.states.contains(state) && shown.states.contains(state));
        let besides = names(&|state| query.states.contains(state) && !shown.states.contains(state));
        let kernel = query.kernel_filter.as_ref().map_or("", |kernel| &kernel.says);
        let or_nothing = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let mut lines = vec![
            format!("states  {}\n", or_nothing(&states)),
            format!("kernel  {}\n", or_nothing(kernel)),
            format!("here    {}\n", or_nothing(&here.join(" and "))),
        ];
        if !besides.is_empty() {
            lines
                .push(format!("also read: {besides} (to find the owners of connections not yet accepted)\n"));
        }
        lines.concat()
    }
}

/// Resolves the names of a filter that only this process evaluates.
pub(crate) fn resolve(filter: &Filter) -> Result<Filter, Misuse> {
    Ok(filter.clone().resolve(&mut HostNames::default())?)
}

/// Adds the filter's needs. In our own formats a connection that waits for accept() counts as held by its listener's
/// processes, shown or not: so -p does not change which sockets match.
fn with_filters(needs: Needs, filter: &Filter, waiting_is_held: bool) -> Needs {
    let needs = needs | filter.expr.needs();
    // The listener's holders also give the unit of a connection that waits for accept().
    let by_listener = waiting_is_held && (needs.contains(Needs::HOLDERS) || needs.contains(Needs::UNITS));
    needs | Needs::LISTENER_HOLDERS.when(by_listener)
}

/// The part of a filter that the kernel tests; it must not drop sockets that the look-ups need.
fn kernel_filter(expr: &Expr, needs: Needs) -> Result<Option<KernelFilter>, Misuse> {
    let peers = needs.contains(Needs::PEERS);
    let autobound = expr.conjuncts().iter().find_map(|part| Some((part, find(part, is_autobound)?)));
    if let Some((part, term)) = autobound {
        let hindrance = match (peers, bytecode::is_kernels(part)) {
            (true, _) => Some("--peer-process needs what it would leave out".to_owned()),
            (false, false) => Some(format!("it can't evaluate the rest of '{part}'")),
            (false, true) => None,
        };
        if let Some(hindrance) = hindrance {
            return Err(Misuse(format!("filter: only the kernel can evaluate '{term}', and {hindrance}")));
        }
    }
    let mut parts = Vec::new();
    if !peers {
        let taken = bytecode::compile(expr).map(|program| program.expr);
        // With `autobound`, listeners are not added: this process could not tell whether the kernel chose their port.
        // Holders of a connection waiting at a listener that chose its own port stay unknown.
        let besides =
            needs.has_any_of(Needs::LISTENER_HOLDERS | Needs::LISTENER_USERS) && autobound.is_none();
        parts.extend(taken.map(|expr| if besides { or_listening(expr) } else { expr }));
    }
    let is_left = |part: &Expr| find(part, is_mark).is_some() && (peers || !bytecode::is_kernels(part));
    if expr.conjuncts().iter().any(is_left) {
        parts.push(any_mark());
    }
    let kernel_only = find(expr, is_mark).or(autobound.map(|(_, term)| term)).map(Term::to_string);
    let program = bytecode::compile(&Expr::And(parts));
    Ok(program.map(|program| KernelFilter {
        bytecode: program.bytes,
        says: program.expr.to_string(),
        kernel_only,
    }))
}

/// The condition, or any listener: only listeners and bound sockets have peer port 0.
fn or_listening(expr: Expr) -> Expr {
    let no_peer = Expr::Term(Term::Port { end: End::Peer, compare: Compare::LessOrEqual, value: 0 });
    Expr::Or(vec![no_peer, expr])
}

/// Matches any mark. It is sent so that the kernel refuses (EPERM) where it would hide marks, instead of this process
/// judging marks that it cannot see.
fn any_mark() -> Expr {
    Expr::Term(Term::Mark { value: 0, mask: 0 })
}

/// A filter that lets every socket through, and that the kernel refuses to whom it does not tell marks.
pub(super) fn any_mark_filter() -> Option<KernelFilter> {
    let program = bytecode::compile(&any_mark())?;
    let says = program.expr.to_string();
    Some(KernelFilter { bytecode: program.bytes, kernel_only: Some(says.clone()), says })
}

fn is_mark(term: &Term) -> bool {
    matches!(term, Term::Mark { .. })
}

fn is_autobound(term: &Term) -> bool {
    matches!(term, Term::Autobound { .. })
}

fn find(expr: &Expr, wanted: fn(&Term) -> bool) -> Option<&Term> {
    let mut found = None;
    expr.each_term(&mut |term| found = found.or_else(|| wanted(term).then_some(term)));
    found
}

/// Resolves names on this host.
#[derive(Default)]
struct HostNames {
    services: Option<Services>,
}

impl Names for HostNames {
    fn host(&mut self, name: &str) -> Vec<IpAddr> {
        names::host_addresses(name)
    }

    fn service(&mut self, name: &str) -> Option<u16> {
        self.services.get_or_insert_with(Services::of_host).port(name)
    }

    fn user(&mut self, name: &str) -> Option<u32> {
        names::user_id(name)
    }

    fn device(&mut self, name: &str) -> Option<u32> {
        names::device_index(name)
    }

    fn ephemeral_ports(&mut self) -> (u16, u16) {
        /// The kernel's default, if the setting cannot be read.
        const USUAL: (u16, u16) = (32768, 60999);
        local_ports().unwrap_or(USUAL)
    }

    fn cgroup(&mut self, path: &str) -> Result<Option<u64>, String> {
        names::cgroup_id(path)
    }
}
