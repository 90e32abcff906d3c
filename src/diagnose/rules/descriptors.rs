//! Processes that run out of descriptors because of their sockets.

use super::Need::Processes;
use super::{Rule, processes};
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Figure, Finding, Severity};
use crate::diagnose::thresholds::{Threshold, Thresholds, percent};
use crate::model::Descriptors;

pub(super) const RULE: Rule =
    Rule { name: "descriptors", needs: &[Processes], find, thresholds: &[Threshold::LimitPercent] };

fn find(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Finding> {
    evidence.descriptors.iter().filter_map(|process| of_process(evidence, process, thresholds)).collect()
}

fn of_process(evidence: &Evidence, process: &Descriptors, thresholds: &Thresholds) -> Option<Finding> {
    let Descriptors { pid, open, limit } = *process;
    let sockets = evidence.seen.program(pid).map_or(0, |program| program.descriptors);
    let used = percent(open, limit);
    // If sockets are fewer than half of the open descriptors, something else is the cause.
    if used < thresholds.of(Threshold::LimitPercent) || sockets.saturating_mul(2) < open {
        return None;
    }
    let severity = if open >= limit { Severity::Critical } else { Severity::Warning };
    let title =
        format!("process {pid} has {open} of {limit} descriptors open, {sockets} of them TCP sockets");
    let finding = RULE
        .finding(severity, title)
        .seen("open", Figure::Count(open))
        .seen("soft_limit", Figure::Count(limit))
        .seen("used", Figure::Percent(used))
        .seen("tcp_sockets", Figure::Count(sockets))
        .seen("processes", processes(evidence, &[(Some(pid), sockets)]))
        .why(
            "Without a free descriptor socket(), accept() and open() fail with EMFILE, 'Too many open files': connections \
             wait in the accept queue until it is full.",
        )
        .advice(
            "See in which state they are: many in CLOSE_WAIT, or idle ones that only grow, are a leak that a higher limit \
             just puts off. Else raise the soft limit (ulimit -n, LimitNOFILE= of systemd, prlimit(1) for a running \
             process), up to the hard one.",
            format!("tcpstates --count-by state pid = {pid}"),
        );
    Some(finding)
}
