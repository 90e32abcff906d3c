//! Accept queues that fill.

use super::Need::{Backlog, Counter, Setting};
use super::{Rule, processes, with_worse};
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Figure, Finding, Severity};
use crate::diagnose::seen::Listening;
use crate::diagnose::thresholds::{Threshold, Thresholds, percent};
use crate::diagnose::values::{Counted, Peer};
use crate::model::{self, Endpoint};

pub(super) const RULE: Rule = Rule {
    name: "accept-queue",
    needs: &[
        Backlog,
        Setting(model::Setting::Somaxconn),
        Counter("TcpExt", "ListenOverflows"),
        Counter("TcpExt", "ListenDrops"),
        Counter("TcpExt", "TCPReqQFullDrop"),
    ],
    find,
    thresholds: &[Threshold::QueuePercent],
};

fn find(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Finding> {
    let places = evidence.seen.listeners.places.iter();
    let found: Vec<_> = places
        .filter_map(|((_, local), listening)| of_listener(evidence, *local, listening, thresholds))
        .collect();
    with_worse(found, of_overflows(evidence).or_else(|| of_other_drops(evidence)))
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
    // If the overflow counter did not rise within the interval, the full queue has cost no connection yet.
    let [overflows, _] = counters(evidence);
    let drops = is_full && !overflows.is_some_and(Counted::stands_still);
    let severity = if drops { Severity::Critical } else { Severity::Warning };
    let how = if is_full { "full".to_owned() } else { format!("filled to {filled} %") };
    let at = Peer { addr: local.addr, port: Some(local.port) };
    let finding = RULE
        .finding(severity, format!("the accept queue of {at} is {how}"))
        .seen("listener", Figure::Text(at.to_string()))
        .seen("waiting", Figure::Count(waiting.into()))
        .seen("backlog", Figure::Count(backlog.into()))
        .seen("filled", Figure::Percent(filled))
        .seen("listening_sockets", Figure::Count(listening.sockets))
        .seen("full_queues", Figure::Count(listening.full))
        .seen("processes", processes(evidence, &listening.pids.top()));
    let command = format!("tcpstates -nlp sport = :{}", local.port);
    Some(advised(with_counters(finding, evidence), Some(backlog), evidence, command))
}

/// The counters also cover queues that are not full at this moment.
fn of_overflows(evidence: &Evidence) -> Option<Finding> {
    let [overflows, _] = counters(evidence);
    let (severity, title) = match overflows? {
        overflows if overflows.goes_on() => {
            (Severity::Critical, "connections were dropped at a full accept queue within the interval")
        }
        overflows if overflows.matters() => {
            (Severity::Note, "connections have been dropped at a full accept queue since boot")
        }
        _ => return None,
    };
    let finding = with_counters(RULE.finding(severity, title.to_owned()), evidence);
    Some(advised(finding, None, evidence, "tcpstates -nlp".to_owned()))
}

/// Drops for which neither an accept queue nor a queue of SYNs was full (`tcp_conn_request` of net/ipv4/tcp_input.c);
/// the rule syn-recv reports the latter.
fn of_other_drops(evidence: &Evidence) -> Option<Finding> {
    let [overflows, drops] = counters(evidence);
    let full = evidence.counted("TcpExt", "TCPReqQFullDrop")?;
    let others = drops?.beyond(overflows?).beyond(full);
    let (severity, title) = match others {
        others if others.goes_on() => (
            Severity::Critical,
            "SYNs were dropped at listeners within the interval, though no queue was full",
        ),
        others if others.matters() => {
            (Severity::Note, "SYNs have been dropped at listeners since boot, though no queue was full")
        }
        _ => return None,
    };
    let finding = with_counters(RULE.finding(severity, title.to_owned()), evidence)
        .why("A client whose SYN is dropped tries again after a second, and again, and then times out.")
        .advice(
            "Without SYN cookies the last quarter of net.ipv4.tcp_max_syn_backlog is kept for peers that have been \
             connected before: set net.ipv4.tcp_syncookies to 1. Else the kernel had no route back to the client, or \
             no memory.",
            "tcpstates -no state syn-recv",
        );
    Some(finding)
}

/// ListenOverflows counts drops at a full accept queue; ListenDrops counts these and drops for other reasons.
fn counters(evidence: &Evidence) -> [Option<Counted>; 2] {
    ["ListenOverflows", "ListenDrops"].map(|name| evidence.counted("TcpExt", name))
}

fn with_counters(finding: Finding, evidence: &Evidence) -> Finding {
    let [overflows, drops] = counters(evidence);
    finding
        .seen_if("listen_overflows", overflows.map(Figure::Counter))
        .seen_if("listen_drops", drops.map(Figure::Counter))
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
