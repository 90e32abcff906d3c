//! Local ports that run out.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::Need::Setting;
use super::{Rule, processes};
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Figure, Finding, Severity};
use crate::diagnose::seen::{self, Choice, Reuse, Route, SourceAddress, Used};
use crate::diagnose::thresholds::{Threshold, Thresholds, percent};
use crate::diagnose::values::Peer;
use crate::model;

pub(super) const RULE: Rule = Rule {
    name: "local-ports",
    needs: &[
        Setting(model::Setting::LocalPortRange),
        Setting(model::Setting::LocalReservedPorts),
        Setting(model::Setting::TwReuse),
        Setting(model::Setting::Timestamps),
    ],
    find,
    thresholds: &[Threshold::PortsPercent],
};

/// How many ports are usable, and how many of them are taken now.
#[derive(Clone, Copy)]
struct Ports {
    usable: u64,
    taken: u64,
}

impl Ports {
    fn are_near(self, thresholds: &Thresholds) -> bool {
        percent(self.taken, self.usable) >= thresholds.of(Threshold::PortsPercent)
    }

    fn severity(self) -> Severity {
        if self.taken >= self.usable { Severity::Critical } else { Severity::Warning }
    }

    /// `all local ports`, `8 of 10 local ports`.
    fn named(self) -> String {
        let Self { usable, taken } = self;
        if taken >= usable {
            "all local ports".to_owned()
        } else {
            format!("{taken} of {usable} local ports")
        }
    }
}

fn find(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Finding> {
    let Some(choice) = &evidence.seen.ports.choice else { return Vec::new() };
    let routes = near_routes(&evidence.seen.ports, choice, thresholds);
    let sources = near_sources(&evidence.seen.ports, choice, thresholds);
    // An address is reported only if that is more severe than the findings about its routes.
    let is_worse = |addr: IpAddr, ports: Ports| {
        let of_addr = routes.iter().filter(|(route, ..)| route.from == addr);
        Some(ports.severity()) > of_addr.map(|(_, _, severity, _)| *severity).max()
    };
    let sources = sources.into_iter().filter(|(addr, _, ports)| is_worse(*addr, *ports));
    let of_sources = sources.map(|(addr, source, ports)| of_source(evidence, choice, addr, source, ports));
    let of_routes = routes
        .iter()
        .map(|(route, used, severity, ports)| of_route(evidence, choice, (route, used), *severity, *ports));
    of_routes.chain(of_sources).collect()
}

/// The routes that are short of ports, with the severity.
fn near_routes<'a>(
    all: &'a seen::Ports,
    choice: &Choice,
    thresholds: &Thresholds,
) -> Vec<(Route, &'a Used, Severity, Ports)> {
    let usable = choice.len().saturating_sub(all.bound.len() as u64);
    let own: FxHashMap<_, _> = all.sources.iter().map(|(addr, source)| (*addr, own(all, source))).collect();
    let near = |(route, used): (&Route, &'a Used)| {
        let reuse = choice.reuses(route);
        let taken = used.connections + used.time_wait;
        let free_again = if reuse == Reuse::No { 0 } else { used.old_time_wait };
        // A server's connections use its listening port, which is not usable here: `own` leaves those out.
        let own = own.get(&route.from).copied().unwrap_or_default();
        let surely = Ports { usable, taken: own.min(taken - free_again) };
        let perhaps = Ports { usable, taken };
        let (severity, ports) = if surely.are_near(thresholds) {
            (surely.severity(), surely)
        } else if reuse == Reuse::IfPeerAgreed && perhaps.are_near(thresholds) {
            (Severity::Note, perhaps)
        } else {
            return None;
        };
        Some((*route, used, severity, ports))
    };
    let mut found: Vec<_> = all.routes.iter().filter_map(near).collect();
    found.sort_unstable_by_key(|(route, _, _, ports)| (std::cmp::Reverse(ports.taken), *route));
    found
}

/// The source addresses that are short of ports over all destinations.
fn near_sources<'a>(
    all: &'a seen::Ports,
    choice: &Choice,
    thresholds: &Thresholds,
) -> Vec<(IpAddr, &'a SourceAddress, Ports)> {
    let bound = all.bound.len() as u64;
    let ports = |source| Ports { usable: choice.len(), taken: own(all, source) + bound };
    let found = all.sources.iter().map(|(addr, source)| (*addr, source, ports(source)));
    let mut found: Vec<_> = found.filter(|(_, _, ports)| ports.are_near(thresholds)).collect();
    found.sort_unstable_by_key(|(addr, _, ports)| (std::cmp::Reverse(ports.taken), *addr));
    found
}

/// How many ports an address uses that no program listens on or has bound.
fn own(all: &seen::Ports, source: &SourceAddress) -> u64 {
    source.ports.difference(&all.bound).count() as u64
}

fn of_route(
    evidence: &Evidence,
    choice: &Choice,
    (route, used): (&Route, &Used),
    severity: Severity,
    ports: Ports,
) -> Finding {
    let to = Peer { addr: route.to, port: Some(route.port) };
    let unless = if severity == Severity::Note { ", unless the peer uses timestamps" } else { "" };
    let title = format!("{} from {} to {to} are taken{unless}", ports.named(), route.from);
    let finding = RULE
        .finding(severity, title)
        .seen("source", Figure::Text(route.from.to_string()))
        .seen("destination", Figure::Text(to.to_string()))
        .ports(ports)
        .seen("connections", Figure::Count(used.connections))
        .seen("time_wait", Figure::Count(used.time_wait))
        .seen("time_wait_old_enough", Figure::Count(used.old_time_wait))
        .seen("processes", processes(evidence, &used.pids.top()))
        .choice(evidence, choice)
        .seen("tcp_tw_reuse", Figure::Setting(choice.reuse))
        .seen("tcp_timestamps", Figure::Setting(choice.timestamps));
    finding
        .why(
            "Between one source address and one destination address and port each local port serves once, and for 60 s \
             after a close that this end began (TIME_WAIT). When all are taken connect() fails with EADDRNOTAVAIL, \
             'Cannot assign requested address'; before that it searches long.",
        )
        .advice(
            format!(
                "Keep connections open and use them again. Otherwise widen net.ipv4.ip_local_port_range, or add source or \
                 destination addresses or ports: each such route has all the ports that no program has bound. {}",
                reuse(choice, route)
            ),
            command(route, to),
        )
}

fn of_source(
    evidence: &Evidence,
    choice: &Choice,
    addr: IpAddr,
    source: &SourceAddress,
    ports: Ports,
) -> Finding {
    RULE.finding(ports.severity(), format!("{} from {addr} are taken, over all destinations", ports.named()))
        .seen("source", Figure::Text(addr.to_string()))
        .ports(ports)
        .seen("processes", processes(evidence, &source.pids.top()))
        .choice(evidence, choice)
        .why(
            "A program that binds its source address, and port 0, before it connects takes a port from all destinations: \
             bind() fails with EADDRINUSE when none is left, and connect() without a bind, which does not share a port \
             that was bound, with EADDRNOTAVAIL. Ports that connect() chose serve other destinations too.",
        )
        .advice(
            "Let a program that binds an address before it connects set IP_BIND_ADDRESS_NO_PORT: connect() then chooses \
             the port by the destination. Otherwise widen net.ipv4.ip_local_port_range, or add source addresses.",
            format!("tcpstates -nap src {addr} autobound"),
        )
}

impl Finding {
    fn ports(self, ports: Ports) -> Self {
        self.seen("taken", Figure::Count(ports.taken))
            .seen("usable", Figure::Count(ports.usable))
            .seen("taken_of_usable", Figure::Percent(percent(ports.taken, ports.usable)))
    }

    fn choice(self, evidence: &Evidence, choice: &Choice) -> Self {
        let reserved = evidence.settings.text(model::Setting::LocalReservedPorts).is_some();
        self.seen("range", Figure::Text(format!("{}-{}", choice.range.start(), choice.range.end())))
            .seen_if("reserved", reserved.then_some(Figure::Count(choice.reserved.len() as u64)))
            .seen("bound", Figure::Count(evidence.seen.ports.bound.len() as u64))
    }
}

/// What tcp_tw_reuse changes on this route.
fn reuse(choice: &Choice, route: &Route) -> String {
    let Choice { reuse, reuse_delay_ms: delay, .. } = choice;
    let conditions = format!("where the TIME_WAIT is older than {delay} ms and both ends used timestamps");
    if choice.timestamps == 0 {
        format!(
            "net.ipv4.tcp_tw_reuse = {reuse} lets connect() take no port in TIME_WAIT while net.ipv4.tcp_timestamps = 0."
        )
    } else if choice.reuses(route) != Reuse::No {
        format!(
            "net.ipv4.tcp_tw_reuse = {reuse} lets connect() take ports in TIME_WAIT on this route already, {conditions}."
        )
    } else if *reuse == 2 {
        format!(
            "net.ipv4.tcp_tw_reuse = 2 lets connect() take ports in TIME_WAIT on loopback only; 1 would let connect() take ports in TIME_WAIT here too, {conditions}."
        )
    } else {
        format!(
            "net.ipv4.tcp_tw_reuse = 1, now 0, would let connect() take ports in TIME_WAIT, {conditions}."
        )
    }
}

fn command(route: &Route, to: Peer) -> String {
    // The shell would interpret the brackets of an IPv6 address.
    let quote = if route.to.is_ipv6() { "'" } else { "" };
    format!("tcpstates -no src {} dst {quote}{to}{quote}", route.from)
}
