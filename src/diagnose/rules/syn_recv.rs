//! Large numbers of half-open connections.

use super::Need::{Counter, Setting};
use super::{Rule, processes, with_worse};
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Figure, Finding, Severity, number_of};
use crate::diagnose::seen::{HalfOpen, Listening};
use crate::diagnose::thresholds::{Threshold, Thresholds};
use crate::diagnose::values::{Counted, Peer};
use crate::model::{self, Endpoint, TcpState};

pub(super) const RULE: Rule = Rule {
    name: "syn-recv",
    needs: &[
        Setting(model::Setting::MaxSynBacklog),
        Setting(model::Setting::Syncookies),
        Counter("TcpExt", "SyncookiesSent"),
        Counter("TcpExt", "TCPReqQFullDrop"),
    ],
    find,
    thresholds: &[Threshold::SynRecvCount],
};

fn find(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Finding> {
    let by_listener = evidence.seen.listeners.half_open_by_listener();
    let found: Vec<_> = by_listener
        .iter()
        .filter_map(|(local, half_open, listening)| {
            of_listener(evidence, *local, half_open, *listening, thresholds)
        })
        .collect();
    with_worse(found, of_counters(evidence))
}

fn of_listener(
    evidence: &Evidence,
    local: Endpoint,
    half_open: &HalfOpen,
    listening: Option<&Listening>,
    thresholds: &Thresholds,
) -> Option<Finding> {
    let room = listening.and_then(|listening| room(evidence, listening));
    let [cookies, dropped] = counters(evidence);
    let met_full = [cookies, dropped].iter().flatten().any(|counted| counted.matters());
    let is_full = room.is_some_and(|room| room.is_full(half_open.count, met_full));
    if !is_full && half_open.count < thresholds.of(Threshold::SynRecvCount) {
        return None;
    }
    // With SYN cookies, connections beyond the limit still succeed.
    let without_cookies = evidence.setting(model::Setting::Syncookies) == Some(0);
    let drops = is_full && without_cookies && !dropped.is_some_and(Counted::stands_still);
    let severity = if drops { Severity::Critical } else { Severity::Warning };
    let at = Peer { addr: local.addr, port: Some(local.port) };
    let connections = number_of(half_open.count, "connection");
    let full = if is_full { ": the limit is reached" } else { "" };
    let finding = RULE
        .finding(severity, format!("{connections} are half-open at {at}{full}"))
        .seen("listener", Figure::Text(at.to_string()))
        .seen("half_open", Figure::Count(half_open.count))
        .seen_if("room_for", room.map(|room| Figure::Count(room.at_most)))
        .seen("source_nets", Figure::Nets(half_open.nets.top()))
        .seen("distinct_nets", Figure::Count(half_open.nets.len()))
        .seen_if("processes", listening.map(|listening| processes(evidence, &listening.pids.top())))
        .seen_if("change_of_syn_recv", evidence.grown(TcpState::SynRecv).map(Figure::Change));
    Some(advised(finding, evidence, format!("tcpstates -no state syn-recv sport = :{}", local.port)))
}

/// The limit of half-open connections.
#[derive(Clone, Copy)]
struct Room {
    at_most: u64,
    /// Kernels differ by one: older ones compare by `>=` in `inet_csk_reqsk_queue_is_full` of
    /// include/net/inet_connection_sock.h, later ones by `>`.
    at_least: u64,
}

impl Room {
    /// In the range where kernels differ, the queue is full only if a SYN has met a full queue.
    fn is_full(self, count: u64, met_full: bool) -> bool {
        count >= self.at_most || (count >= self.at_least && met_full)
    }
}

/// The limits of `tcp_conn_request` (net/ipv4/tcp_input.c): the listeners' backlogs, and without cookies also three
/// quarters of tcp_max_syn_backlog.
fn room(evidence: &Evidence, listening: &Listening) -> Option<Room> {
    let backlog = listening.backlog?;
    let quarters = |most: u64| (most - most / 4).saturating_mul(listening.sockets);
    let at_least = match evidence.setting(model::Setting::Syncookies) {
        Some(0) => evidence.setting(model::Setting::MaxSynBacklog).map_or(backlog, quarters).min(backlog),
        _ => backlog,
    };
    Some(Room { at_most: at_least.saturating_add(listening.sockets), at_least })
}

fn counters(evidence: &Evidence) -> [Option<Counted>; 2] {
    ["SyncookiesSent", "TCPReqQFullDrop"].map(|name| evidence.counted("TcpExt", name))
}

fn of_counters(evidence: &Evidence) -> Option<Finding> {
    let counted = counters(evidence);
    if !counted.iter().flatten().any(|counted| counted.matters()) {
        return None;
    }
    let goes_on = |counted: Option<Counted>| counted.is_some_and(Counted::goes_on);
    let [cookies, dropped] = counted;
    let (severity, title) = if goes_on(dropped) {
        (Severity::Critical, "SYNs met a full queue within the interval and were dropped")
    } else if goes_on(cookies) {
        (Severity::Warning, "SYNs met a full queue within the interval and were answered by cookies")
    } else {
        (Severity::Note, "SYNs have met a full queue since boot")
    };
    let finding = RULE.finding(severity, title.to_owned());
    Some(advised(finding, evidence, "tcpstates -no state syn-recv".to_owned()))
}

fn advised(finding: Finding, evidence: &Evidence, command: String) -> Finding {
    let [cookies, dropped] = counters(evidence);
    let beyond = match evidence.setting(model::Setting::Syncookies) {
        Some(0) => "With tcp_syncookies = 0 SYNs are dropped beyond that: set it to 1.",
        Some(2) => {
            "With tcp_syncookies = 2 every SYN is answered by a cookie: that is for tests; 1 is meant."
        }
        _ => {
            "Beyond that the kernel answers by SYN cookies, which cost a connection its window scale and SACK where \
              the client sends no timestamps."
        }
    };
    finding
        .seen_if("syncookies_sent", cookies.map(Figure::Counter))
        .seen_if("dropped_as_full", dropped.map(Figure::Counter))
        .why(format!(
            "A half-open connection waits for the client's ACK, for one round trip as a rule. A large number is a flood of SYNs \
             from forged addresses, a way back on which the SYN+ACK is lost, or clients that send nothing to a server \
             that set TCP_DEFER_ACCEPT, which keeps them half-open until they do. {beyond}"
        ))
        .advice(
            "One net that stands out: look at the route and the firewall towards it, or limit its SYNs there. Many nets \
             with a few each: a flood; keep tcp_syncookies at 1 and let the program ask for a longer queue by listen() \
             (net.core.somaxconn caps it).",
            command,
        )
}
