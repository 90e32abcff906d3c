//! CLOSE_WAIT that a program holds.

use super::Need::{Processes, TcpInfo};
use super::{Rule, processes};
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Finding, Severity, Value, number_of};
use crate::diagnose::seen::Pile;
use crate::diagnose::thresholds::{Threshold, Thresholds};
use crate::model::TcpState;

pub(super) const RULE: Rule = Rule {
    name: "close-wait",
    needs: &[TcpInfo, Processes],
    find,
    thresholds: &[Threshold::CloseWaitAge, Threshold::CloseWaitCount],
};

/// Ten times the threshold will not go away by itself.
const MUCH: u64 = 10;

fn find(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Finding> {
    let mut piles: Vec<_> = evidence.seen.piles.held.iter().collect();
    piles.sort_unstable_by_key(|(pid, pile)| (std::cmp::Reverse(pile.count), **pid));
    piles.into_iter().map(|(pid, pile)| of_process(evidence, *pid, pile, thresholds)).collect()
}

fn of_process(evidence: &Evidence, pid: Option<u32>, pile: &Pile, thresholds: &Thresholds) -> Finding {
    let count = thresholds.of(Threshold::CloseWaitCount);
    let severity = match pile.count {
        held if held >= count.saturating_mul(MUCH) => Severity::Critical,
        held if held >= count => Severity::Warning,
        _ => Severity::Note,
    };
    let connections = number_of(pile.count, "connection");
    let title = match pid {
        Some(pid) => format!("process {pid} has not closed {connections} that the peer has closed"),
        None => format!("{connections} that the peer has closed are held by a process that can't be seen"),
    };
    let of_pid = pid.map(|pid| format!(" pid = {pid}")).unwrap_or_default();
    RULE.finding(severity, title)
        .seen("sockets", Value::Count(pile.count))
        .seen_if("age_at_least", pile.oldest_ms.map(|age| Value::Millis(age.into())))
        .seen("not_accepted", Value::Count(pile.without_inode))
        .seen("unread", Value::Bytes(pile.bytes))
        .seen("processes", processes(evidence, &pile.pids.top()))
        .seen("peers", Value::Peers(pile.peers.top()))
        .seen_if("change_of_close_wait", evidence.grown(TcpState::CloseWait).map(Value::Change))
        .why(
            "CLOSE_WAIT has no timeout: each keeps a descriptor and memory until this host's program closes it or \
             ends. A pile that grows ends with no descriptors left.",
        )
        .advice(
            "Find where the program loses a socket whose read() has returned 0: an error path without close(), a pool \
             that never looks at its idle connections, a thread that hangs. Ending it frees them; no setting of the \
             kernel does.",
            format!("tcpstates -np state close-wait{of_pid}"),
        )
}
