//! Listeners on all addresses of one family that have no twin in the other.

use std::collections::{BTreeMap, BTreeSet};

use super::Need::{Setting, V6only};
use super::{Rule, processes};
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Finding, Severity, Value};
use crate::diagnose::seen::Tally;
use crate::diagnose::thresholds::Thresholds;
use crate::model::{self, Family};

pub(super) const RULE: Rule =
    Rule { name: "one-family", needs: &[Setting(model::Setting::BindV6only), V6only], find, thresholds: &[] };

/// What listens on all addresses of a port.
#[derive(Default)]
struct OnAll {
    v4: bool,
    v6: bool,
    pids: BTreeSet<u32>,
}

fn find(evidence: &Evidence, _: &Thresholds) -> Vec<Finding> {
    // A host without IPv6 has no twins.
    if evidence.setting(model::Setting::BindV6only).is_none() {
        return Vec::new();
    }
    let mut ports = BTreeMap::<u16, OnAll>::new();
    for ((family, local), listening) in &evidence.seen.listeners.places {
        if !local.addr.is_unspecified() {
            continue;
        }
        let on_all = ports.entry(local.port).or_default();
        // One of which it is not known may take both: nothing is said of its port.
        on_all.v4 |= *family == Family::Inet || listening.v6only != Some(true);
        on_all.v6 |= *family == Family::Inet6;
        on_all.pids.extend(listening.pids.sorted().iter().filter_map(|(pid, _)| *pid));
    }
    let only = |family: fn(&OnAll) -> bool| {
        let ports = ports.iter().filter(|(_, on_all)| family(on_all));
        ports.map(|(port, on_all)| (*port, on_all)).collect::<Vec<_>>()
    };
    let v4 = only(|on_all| !on_all.v6);
    let v6 = only(|on_all| !on_all.v4);
    let finding = |ports: &[(u16, &OnAll)], has: &str, lacks: &str, how: &str| {
        (!ports.is_empty()).then(|| of_ports(evidence, ports, has, lacks, how))
    };
    [
        finding(
            &v4,
            "IPv4",
            "IPv6",
            "Listen on [::] besides, or on [::] alone with IPV6_V6ONLY off, which takes both families.",
        ),
        finding(
            &v6,
            "IPv6",
            "IPv4",
            "Set IPV6_V6ONLY off before bind() (net.ipv6.bindv6only is the default), or listen on 0.0.0.0 besides.",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn of_ports(evidence: &Evidence, ports: &[(u16, &OnAll)], has: &str, lacks: &str, how: &str) -> Finding {
    let mut pids = Tally::default();
    for pid in ports.iter().flat_map(|(_, on_all)| &on_all.pids) {
        pids.add(Some(*pid));
    }
    let numbers: Vec<_> = ports.iter().map(|(port, _)| *port).collect();
    let noun = if ports.len() == 1 { "port listens" } else { "ports listen" };
    let title = format!("{} {noun} on all {has} addresses and on no {lacks} one", ports.len());
    let terms: Vec<_> = numbers.iter().take(FEW).map(|port| format!("sport = :{port}")).collect();
    RULE.finding(Severity::Note, title)
        .seen("ports", Value::Ports(numbers))
        .seen("processes", processes(evidence, &pids.top()))
        .why(format!(
            "A client that finds an {lacks} address for this host is refused there, at once or after trying it first; a \
             health check by {has} does not see it."
        ))
        .advice(
            format!("If {lacks} is not meant to be served, all is well. Else: {how}"),
            format!("tcpstates -nlp {}", terms.join(" or ")),
        )
}

/// So many ports stand in the command.
const FEW: usize = 5;
