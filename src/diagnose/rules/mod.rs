//! The rules, one file per subject.

mod accept_queue;
mod close_wait;
mod descriptors;
mod families;
mod local_ports;
mod memory;
mod orphans;
mod reading;
mod retransmission;
mod syn_recv;
mod syn_sent;
mod time_wait;

use std::sync::Arc;

use super::evidence::Evidence;
use super::finding::{Figure, Finding, Severity};
use super::seen::Affected;
use super::thresholds::{Threshold, Thresholds};
use crate::model::{Process, Setting};

/// A rule.
pub(super) struct Rule {
    /// Its name.
    pub(super) name: &'static str,
    /// What it judges by that not every host provides.
    pub(super) needs: &'static [Need],
    /// What it finds.
    pub(super) find: fn(&Evidence, &Thresholds) -> Vec<Finding>,
    /// What it compares with.
    pub(super) thresholds: &'static [Threshold],
}

/// What a rule judges by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// A setting.
    Setting(Setting),
    /// A counter, by group and name.
    Counter(&'static str, &'static str),
    /// The connections' tcp_info.
    TcpInfo,
    /// The backlog of a listener.
    Backlog,
    /// Whether an IPv6 listener accepts IPv6 only.
    V6only,
    /// The processes that hold a socket.
    Processes,
}

/// All rules, in the order in which they are reported.
pub(super) const RULES: &[Rule] = &[
    accept_queue::RULE,
    descriptors::RULE,
    local_ports::RULE,
    memory::RULE,
    orphans::RULE,
    close_wait::RULE,
    reading::PROGRAM,
    reading::PEER,
    syn_sent::RULE,
    syn_recv::RULE,
    retransmission::RULE,
    time_wait::RULE,
    families::RULE,
];

impl Rule {
    fn finding(&self, severity: Severity, title: String) -> Finding {
        Finding {
            rule: self.name,
            severity,
            title,
            seen: Vec::new(),
            why: String::new(),
            advice: String::new(),
            command: String::new(),
            thresholds: self.thresholds,
        }
    }
}

/// Adds the host-wide finding only if it is worse than those per listener, which already show the counters.
fn with_worse(mut found: Vec<Finding>, counted: Option<Finding>) -> Vec<Finding> {
    let worst = found.iter().map(|finding| finding.severity).max();
    found.extend(counted.filter(|finding| Some(finding.severity) > worst));
    found
}

/// The processes with these pids, and their counts.
fn processes(evidence: &Evidence, counts: &[(Option<u32>, u64)]) -> Figure {
    let process =
        |pid: Option<u32>| -> Option<Arc<Process>> { Some(evidence.seen.program(pid?)?.process.clone()) };
    Figure::Processes(counts.iter().map(|(pid, count)| (process(*pid), *count)).collect())
}

impl Finding {
    /// Adds the facts about affected sockets.
    fn affected(self, evidence: &Evidence, affected: &Affected) -> Self {
        self.seen("sockets", Figure::Count(affected.count))
            .seen_if("oldest", affected.oldest_ms.map(|age| Figure::Millis(age.into())))
            .seen("processes", processes(evidence, &affected.pids.top()))
            .seen("peers", Figure::Peers(affected.peers.top()))
    }
}
