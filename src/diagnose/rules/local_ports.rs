//! Local ports that run out.

use super::Need::Setting;
use super::{Rule, processes};
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Finding, Peer, Severity, Value};
use crate::diagnose::seen::{Choice, Used, Way};
use crate::diagnose::thresholds::{Threshold, Thresholds, percent};
use crate::model;

pub(super) const RULE: Rule = Rule {
    name: "local-ports",
    needs: &[
        Setting(model::Setting::LocalPortRange),
        Setting(model::Setting::LocalReservedPorts),
        Setting(model::Setting::TwReuse),
    ],
    find,
    thresholds: &[Threshold::PortsPercent],
};

/// The ports of a way.
struct Ports {
    /// What there is for connections: the range less what is reserved, and less what is bound.
    usable: u64,
    /// What of it can't be had now.
    taken: u64,
}

fn find(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Finding> {
    let ports = &evidence.seen.ports;
    let Some(choice) = &ports.choice else { return Vec::new() };
    let range = u64::from(choice.range.end().saturating_sub(*choice.range.start())) + 1;
    let away = choice.reserved.len() + ports.bound.len();
    let usable = range.saturating_sub(away as u64);
    let mut found: Vec<_> = ports
        .ways
        .iter()
        .filter_map(|(way, used)| {
            let free_again = if choice.reuses(way) { used.old_time_wait } else { 0 };
            let taken = (used.connections + used.time_wait).saturating_sub(free_again);
            let is_near = percent(taken, usable) >= thresholds.of(Threshold::PortsPercent);
            is_near.then_some((*way, used, Ports { usable, taken }))
        })
        .collect();
    found.sort_unstable_by_key(|(way, _, ports)| (std::cmp::Reverse(ports.taken), *way));
    found.iter().map(|(way, used, ports)| of_way(evidence, choice, way, used, ports)).collect()
}

fn of_way(evidence: &Evidence, choice: &Choice, way: &Way, used: &Used, ports: &Ports) -> Finding {
    let Ports { usable, taken } = *ports;
    let to = Peer { addr: way.to, port: Some(way.port) };
    let all = taken >= usable;
    let severity = if all { Severity::Critical } else { Severity::Warning };
    let how = if all { "all".to_owned() } else { format!("{taken} of {usable}") };
    let reserved = evidence.settings.text(model::Setting::LocalReservedPorts).is_some();
    RULE.finding(severity, format!("{how} local ports from {} to {to} are taken", way.from))
        .seen("source", Value::Text(way.from.to_string()))
        .seen("destination", Value::Text(to.to_string()))
        .seen("taken", Value::Count(taken))
        .seen("usable", Value::Count(usable))
        .seen("taken_of_usable", Value::Percent(percent(taken, usable)))
        .seen("connections", Value::Count(used.connections))
        .seen("time_wait", Value::Count(used.time_wait))
        .seen("time_wait_old_enough", Value::Count(used.old_time_wait))
        .seen("processes", processes(evidence, &used.pids.top()))
        .seen("range", Value::Text(format!("{}-{}", choice.range.start(), choice.range.end())))
        .seen_if("reserved", reserved.then_some(Value::Count(choice.reserved.len() as u64)))
        .seen("bound", Value::Count(evidence.seen.ports.bound.len() as u64))
        .seen("tcp_tw_reuse", Value::Setting(choice.reuse))
        .why(
            "Between one source address and one destination address and port each local port serves once, and for 60 s \
             after a close that this end began (TIME_WAIT). When all are taken connect() fails with EADDRNOTAVAIL, \
             'Cannot assign requested address'; before that it searches long.",
        )
        .advice(
            format!(
                "Keep connections open and use them again. Else widen net.ipv4.ip_local_port_range, or add source or \
                 destination addresses or ports: each such way has all the ports. {}",
                reuse(choice, way)
            ),
            command(way, to),
        )
}

/// What tcp_tw_reuse changes, exactly.
fn reuse(choice: &Choice, way: &Way) -> String {
    let Choice { reuse, reuse_delay_ms: delay, .. } = choice;
    let conditions = format!("where the TIME_WAIT is older than {delay} ms and both ends used timestamps");
    if choice.reuses(way) {
        format!(
            "net.ipv4.tcp_tw_reuse = {reuse} lets connect() take ports in TIME_WAIT on this way already, {conditions}."
        )
    } else if *reuse == 2 {
        format!(
            "net.ipv4.tcp_tw_reuse = 2 does so on loopback only; 1 would let connect() take ports in TIME_WAIT here too, {conditions}."
        )
    } else {
        format!(
            "net.ipv4.tcp_tw_reuse = 1, now 0, would let connect() take ports in TIME_WAIT, {conditions}."
        )
    }
}

fn command(way: &Way, to: Peer) -> String {
    // Brackets are the shell's.
    let quote = if way.to.is_ipv6() { "'" } else { "" };
    format!("tcpstates -no src {} dst {quote}{to}{quote}", way.from)
}
