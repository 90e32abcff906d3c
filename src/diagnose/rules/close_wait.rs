//! Connections in CLOSE_WAIT that a program does not close.

use super::Need::{Processes, TcpInfo};
use super::{Rule, processes};
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Figure, Finding, Severity, number_of};
use crate::diagnose::seen::Affected;
use crate::diagnose::thresholds::{Threshold, Thresholds};
use crate::model::TcpState;

pub(super) const RULE: Rule = Rule {
    name: "close-wait",
    needs: &[TcpInfo, Processes],
    find,
    thresholds: &[Threshold::CloseWaitAge, Threshold::CloseWaitCount],
};

/// Critical at so many times the threshold: that number does not go down by itself.
const MUCH: u64 = 10;

fn find(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Finding> {
    let mut by_process: Vec<_> = evidence.seen.affected.held.iter().collect();
    by_process.sort_unstable_by_key(|(pid, affected)| (std::cmp::Reverse(affected.count), **pid));
    let found = by_process.into_iter().filter_map(|(pid, affected)| {
        let sharers = sharers(evidence, affected);
        // Connections that several processes inherited are reported once.
        let is_first = sharers.first().is_none_or(|first| first == pid);
        is_first.then(|| of_process(evidence, *pid, affected, sharers.len(), thresholds))
    });
    found.collect()
}

/// The pids of the processes that hold exactly these connections: all of them, and no others.
fn sharers(evidence: &Evidence, affected: &Affected) -> Vec<Option<u32>> {
    let holds_no_others = |pid: &Option<u32>| {
        evidence.seen.affected.held.get(pid).is_some_and(|other| other.count == affected.count)
    };
    let all = affected.pids.sorted().into_iter().filter(|(_, count)| *count == affected.count);
    all.map(|(pid, _)| pid).filter(holds_no_others).collect()
}

fn of_process(
    evidence: &Evidence,
    pid: Option<u32>,
    affected: &Affected,
    sharers: usize,
    thresholds: &Thresholds,
) -> Finding {
    let count = thresholds.of(Threshold::CloseWaitCount);
    let severity = match affected.count {
        held if held >= count.saturating_mul(MUCH) => Severity::Critical,
        held if held >= count => Severity::Warning,
        _ => Severity::Note,
    };
    let connections = number_of(affected.count, "connection");
    let title = match pid {
        Some(pid) => {
            let who = match sharers {
                0 | 1 => format!("process {pid} has"),
                2 => format!("process {pid} and another one have"),
                _ => format!("process {pid} and {} others have", sharers - 1),
            };
            format!("{who} not closed {connections} that the peer has closed")
        }
        None => format!("{connections} that the peer has closed are held by a process that can't be seen"),
    };
    let of_pid = pid.map(|pid| format!(" pid = {pid}")).unwrap_or_default();
    RULE.finding(severity, title)
        .seen("sockets", Figure::Count(affected.count))
        .seen_if("age_at_least", affected.oldest_ms.map(|age| Figure::Millis(age.into())))
        .seen("not_accepted", Figure::Count(affected.without_inode))
        .seen("unread", Figure::Bytes(affected.bytes))
        .seen("processes", processes(evidence, &affected.pids.top()))
        .seen("peers", Figure::Peers(affected.peers.top()))
        .seen_if("change_of_close_wait", evidence.grown(TcpState::CloseWait).map(Figure::Change))
        .why(
            "CLOSE_WAIT has no timeout of its own: each keeps a descriptor and memory until this host's program closes it or \
             ends. If their number grows, the process runs out of descriptors.",
        )
        .advice(
            "Find where the program loses a socket whose read() has returned 0: an error path without close(), a pool \
             that never looks at its idle connections, a thread that hangs. Ending it frees them. Keepalive does \
             not: it ends a connection whose peer is gone, but the descriptor stays open.",
            format!("tcpstates -np state close-wait{of_pid}"),
        )
}
