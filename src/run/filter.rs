//! Makes a filter ready: names become numbers, and what the kernel can evaluate goes to it.

use std::net::IpAddr;

use crate::enrich::{self, Services};
use crate::filter::{Compare, End, Expr, Filter, Names, NumberField, Term, bytecode};
use crate::model::TcpState;
use crate::query::{KernelFilter, Needs, Query};

/// A command line that is well formed and asks for what can't be had.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Misuse(pub(super) String);

/// Resolves the filter's names, and puts its kernel part and its needs into the query.
///
/// Some look-ups need to know of sockets that don't fit.
pub(super) fn prepare(filter: &Filter, query: &mut Query, needs: Needs) -> Result<Filter, Misuse> {
    let (whole_table, with_listeners) = (needs.peers, needs.listeners.is_some());
    let filter = filter.clone().resolve(&mut HostNames::default()).map_err(|bad| Misuse(bad.report()))?;
    query.attributes.tcp_info |= filter.expr.evidence().tcp_info;
    if let Some(term) = filter.expr.needs_netlink() {
        query.netlink_only = Some(term.to_string());
    }
    let kernel_only = kernel_only(&filter.expr)?;
    if !whole_table {
        let program = bytecode::compile(&filter.expr);
        let program =
            if with_listeners { program.and_then(|program| or_listening(program.expr)) } else { program };
        query.kernel_filter = program.map(|program| KernelFilter { bytecode: program.bytes, kernel_only });
    } else if let Some(term) = kernel_only {
        // The other ends of what is shown must come too; the filter is for what is shown.
        return Err(Misuse(format!(
            "filter: only the kernel can evaluate '{term}', and --peer-process needs what it would leave out"
        )));
    }
    Ok(filter)
}

/// What the kernel lets through, and all listeners besides: nothing else but bound sockets has no peer's port.
fn or_listening(expr: Expr) -> Option<bytecode::Program> {
    let field = NumberField::Port(End::Peer);
    let no_peer = Expr::Term(Term::Number { field, compare: Compare::LessOrEqual, value: 0 });
    bytecode::compile(&Expr::Or(vec![no_peer, expr]))
}

/// The first term that only the kernel can evaluate. One that it can't, because of what it stands beside, is misuse.
fn kernel_only(expr: &Expr) -> Result<Option<String>, Misuse> {
    let mut found = None;
    for part in expr.conjuncts() {
        let mut term_of_part = None;
        part.each_term(&mut |term| {
            if matches!(term, Term::Autobound { .. } | Term::Mark { .. }) && term_of_part.is_none() {
                term_of_part = Some(term.to_string());
            }
        });
        let Some(term) = term_of_part else { continue };
        if !bytecode::is_kernels(part) {
            return Err(Misuse(format!(
                "filter: only the kernel can evaluate '{term}', and it can't evaluate the rest of '{part}'"
            )));
        }
        found = found.or(Some(term));
    }
    Ok(found)
}

/// What goes to the kernel and what stays, for people.
pub(super) fn explain(filter: &Filter, query: &Query) -> String {
    let kernel = bytecode::compile(&filter.expr).map(|program| program.expr);
    let conjuncts = filter.expr.conjuncts().iter();
    let here: Vec<_> = conjuncts.filter(|part| !bytecode::is_kernels(part)).map(Expr::to_string).collect();
    let states: Vec<_> = TcpState::SHOWN
        .into_iter()
        .filter(|state| query.states.contains(*state))
        .filter_map(TcpState::name)
        .collect();
    let or_nothing = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    format!(
        "states  {}\nkernel  {}\nhere    {}\n",
        or_nothing(states.join(" ")),
        kernel.map_or_else(|| "-".to_owned(), |expr| expr.to_string()),
        or_nothing(here.join(" and "))
    )
}

/// The names that this host knows.
#[derive(Default)]
struct HostNames {
    services: Option<Services>,
}

impl Names for HostNames {
    fn host(&mut self, name: &str) -> Vec<IpAddr> {
        enrich::host_addresses(name)
    }

    fn service(&mut self, name: &str) -> Option<u16> {
        self.services.get_or_insert_with(Services::of_host).port(name)
    }

    fn user(&mut self, name: &str) -> Option<u32> {
        enrich::user_id(name)
    }

    fn device(&mut self, name: &str) -> Option<u32> {
        enrich::device_index(name)
    }

    fn ephemeral_ports(&mut self) -> (u16, u16) {
        enrich::ephemeral_ports()
    }

    fn cgroup(&mut self, path: &str) -> Option<u64> {
        enrich::cgroup_id(path)
    }
}
