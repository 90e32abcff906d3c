//! Listeners on all addresses of one family without a counterpart in the other family.

use std::collections::{BTreeMap, BTreeSet};

use super::Need::{Setting, V6only};
use super::{Rule, processes};
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Figure, Finding, Severity};
use crate::diagnose::seen::Tally;
use crate::diagnose::thresholds::Thresholds;
use crate::model::{self, Family};

pub(super) const RULE: Rule =
    Rule { name: "one-family", needs: &[Setting(model::Setting::BindV6only), V6only], find, thresholds: &[] };

/// The families that something listens on.
#[derive(Clone, Copy, Debug, Default)]
struct Families {
    v4: bool,
    v6: bool,
}

/// What listens on a port.
#[derive(Default)]
struct Port {
    on_all: Families,
    on_some: Families,
    pids: BTreeSet<u32>,
}

fn find(evidence: &Evidence, _: &Thresholds) -> Vec<Finding> {
    // Without IPv6 there can be no counterpart.
    if evidence.setting(model::Setting::BindV6only).is_none() {
        return Vec::new();
    }
    let ports = ports(evidence);
    let only = |is_lone: fn(Families) -> bool| {
        let ports = ports.iter().filter(|(_, port)| is_lone(port.on_all));
        ports.map(|(number, port)| (*number, port)).collect::<Vec<_>>()
    };
    let no_v6_here = evidence.setting(model::Setting::DisableIpv6) == Some(1);
    let v4 = if no_v6_here { Vec::new() } else { only(|on_all| on_all.v4 && !on_all.v6) };
    let v6 = only(|on_all| on_all.v6 && !on_all.v4);
    let of_v4 = of_ports(
        evidence,
        &v4,
        ("IPv4", "IPv6"),
        |some| some.v6,
        "Listen on [::] too, or on [::] alone with IPV6_V6ONLY off, which takes both families.",
    );
    let of_v6 = of_ports(
        evidence,
        &v6,
        ("IPv6", "IPv4"),
        |some| some.v4,
        "Set IPV6_V6ONLY off before bind() (net.ipv6.bindv6only is the default), or listen on 0.0.0.0 too.",
    );
    of_v4.into_iter().chain(of_v6).collect()
}

fn ports(evidence: &Evidence) -> BTreeMap<u16, Port> {
    let mut ports = BTreeMap::<u16, Port>::new();
    for ((family, local), listening) in &evidence.seen.listeners.places {
        let port = ports.entry(local.port).or_default();
        if !local.addr.is_unspecified() {
            let is_v4 = local.addr.to_canonical().is_ipv4();
            port.on_some.v4 |= is_v4;
            port.on_some.v6 |= !is_v4;
            continue;
        }
        // If IPV6_V6ONLY is unknown, the listener may accept both families: its port is not reported.
        port.on_all.v4 |= *family == Family::Inet || listening.v6only != Some(true);
        port.on_all.v6 |= *family == Family::Inet6;
        port.pids.extend(listening.pids.sorted().iter().filter_map(|(pid, _)| *pid));
    }
    ports
}

fn of_ports(
    evidence: &Evidence,
    ports: &[(u16, &Port)],
    (has, lacks): (&str, &str),
    lacking: fn(Families) -> bool,
    how: &str,
) -> Option<Finding> {
    if ports.is_empty() {
        return None;
    }
    let mut pids = Tally::default();
    for pid in ports.iter().flat_map(|(_, port)| &port.pids) {
        pids.add(Some(*pid));
    }
    let numbers: Vec<_> = ports.iter().map(|(number, _)| *number).collect();
    let noun = if ports.len() == 1 { "port listens" } else { "ports listen" };
    let some = ports.iter().any(|(_, port)| lacking(port.on_some));
    let not = if some { format!("not on all {lacks} ones") } else { format!("on no {lacks} one") };
    let title = format!("{} {noun} on all {has} addresses and {not}", ports.len());
    let terms: Vec<_> = numbers.iter().take(FEW).map(|port| format!("sport = :{port}")).collect();
    let finding = RULE
        .finding(Severity::Note, title)
        .seen("ports", Figure::Ports(numbers))
        .seen("processes", processes(evidence, &pids.top()))
        .why(format!(
            "A client that finds an {lacks} address for this host, on which nothing listens, is refused there, at once or \
             after trying it first; a health check by {has} does not see it."
        ))
        .advice(
            format!("If {lacks} is not meant to be served there, all is well. Otherwise: {how}"),
            format!("tcpstates -nlp {}", terms.join(" or ")),
        );
    Some(finding)
}

/// How many ports the command names.
const FEW: usize = 5;
