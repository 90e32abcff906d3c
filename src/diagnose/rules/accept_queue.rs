//! Accept queues that fill.

use super::Need::{Backlog, Counter, Setting};
use super::{Rule, processes};
use crate::diagnose::evidence::{Counted, Evidence};
use crate::diagnose::finding::{Finding, Peer, Severity, Value};
use crate::diagnose::seen::Listening;
use crate::diagnose::thresholds::{Threshold, Thresholds, percent};
use crate::model::{self, Endpoint};

pub(super) const RULE: Rule = Rule {
    name: "accept-queue",
    needs: &[
        Backlog,
        Setting(model::Setting::Somaxconn),
        Counter("TcpExt", "ListenOverflows"),
        Counter("TcpExt", "ListenDrops"),
    ],
    find,
    thresholds: &[Threshold::QueuePercent],
};

fn find(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Finding> {
    let places = evidence.seen.listeners.places.iter();
    let mut found: Vec<_> = places
        .filter_map(|((_, local), listening)| of_listener(evidence, *local, listening, thresholds))
        .collect();
    if found.is_empty() {
        found.extend(of_counters(evidence));
    }
    found
}

fn of_listener(
    evidence: &Evidence,
    local: Endpoint,
    listening: &Listening,
    thresholds: &Thresholds,
) -> Option<Finding> {
    let (waiting, backlog) = listening.fullest?;
    let filled = percent(waiting.into(), Listening::room(backlog));
    let is_full = listening.full > 0;
    if !is_full && filled < thresholds.of(Threshold::QueuePercent) {
        return None;
    }
    let severity = if is_full { Severity::Critical } else { Severity::Warning };
    let how = if is_full { "full".to_owned() } else { format!("filled to {filled} %") };
    let at = Peer { addr: local.addr, port: Some(local.port) };
    let finding = RULE
        .finding(severity, format!("the accept queue of {at} is {how}"))
        .seen("listener", Value::Text(at.to_string()))
        .seen("waiting", Value::Count(waiting.into()))
        .seen("backlog", Value::Count(backlog.into()))
        .seen("filled", Value::Percent(filled))
        .seen("listening_sockets", Value::Count(listening.sockets))
        .seen("full_queues", Value::Count(listening.full))
        .seen("processes", processes(evidence, &listening.pids.top()));
    let command = format!("tcpstates -nlp sport = :{}", local.port);
    Some(advised(with_counters(finding, evidence), Some(backlog), evidence, command))
}

/// No queue is full at this moment: what was counted tells of others.
fn of_counters(evidence: &Evidence) -> Option<Finding> {
    let counted = counters(evidence);
    let goes_on = counted.iter().flatten().any(|counted| counted.goes_on());
    if !counted.iter().flatten().any(|counted| counted.matters()) {
        return None;
    }
    let (severity, title) = if goes_on {
        (Severity::Critical, "connections were dropped at listeners within the interval")
    } else {
        (Severity::Note, "connections have been dropped at listeners since boot")
    };
    let finding = with_counters(RULE.finding(severity, title.to_owned()), evidence);
    Some(advised(finding, None, evidence, "tcpstates -nlp".to_owned()))
}

/// Overflows are drops for want of a place in the queue; drops have other reasons too.
fn counters(evidence: &Evidence) -> [Option<Counted>; 2] {
    ["ListenOverflows", "ListenDrops"].map(|name| evidence.counted("TcpExt", name))
}

fn with_counters(finding: Finding, evidence: &Evidence) -> Finding {
    let [overflows, drops] = counters(evidence);
    finding
        .seen_if("listen_overflows", overflows.map(Value::Counter))
        .seen_if("listen_drops", drops.map(Value::Counter))
}

fn advised(finding: Finding, backlog: Option<u32>, evidence: &Evidence, command: String) -> Finding {
    let most = evidence.setting(model::Setting::Somaxconn);
    let limit = match (most, backlog) {
        (Some(most), Some(backlog)) if u64::from(backlog) >= most => {
            format!("listen() got {backlog}, as much as net.core.somaxconn = {most} allows: raise that first")
        }
        (Some(most), Some(backlog)) => {
            format!("listen() got {backlog}; net.core.somaxconn = {most} would allow more")
        }
        (Some(most), None) => format!("net.core.somaxconn = {most} is the most that listen() gets"),
        (None, _) => "net.core.somaxconn is the most that listen() gets".to_owned(),
    };
    let reset = if evidence.setting(model::Setting::AbortOnOverflow) == Some(1) {
        "with tcp_abort_on_overflow = 1 they are reset"
    } else {
        "they see a connection that hangs, or time out"
    };
    finding
        .why(format!(
            "Where the queue has no place the kernel drops the client's SYN, or the ACK that ends the handshake: clients \
             try again and wait; {reset}."
        ))
        .advice(
            format!(
                "The program calls accept() too seldom: see whether it hangs, is busy, or has no descriptors left. A \
                 longer queue helps against bursts only; {limit}. A new limit takes effect when listen() is called again."
            ),
            command,
        )
}
