//! Orphans near their limit: connections that their programs have closed, and that the kernel still carries.

use super::Need::{Counter, Setting};
use super::Rule;
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Figure, Finding, Severity};
use crate::diagnose::thresholds::{Threshold, Thresholds, percent};
use crate::model::{self, TcpState};

pub(super) const RULE: Rule = Rule {
    name: "orphans",
    needs: &[Setting(model::Setting::MaxOrphans), Counter("TCP", "orphan")],
    find,
    thresholds: &[Threshold::LimitPercent],
};

fn find(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Finding> {
    let (Some(most), Some(orphans)) =
        (evidence.setting(model::Setting::MaxOrphans), evidence.counters.count("TCP", "orphan"))
    else {
        return Vec::new();
    };
    let used = percent(orphans, most);
    if used < thresholds.of(Threshold::LimitPercent) {
        return Vec::new();
    }
    let severity = if orphans >= most { Severity::Critical } else { Severity::Warning };
    let here = |state| Figure::Count(evidence.seen.orphans.of(state));
    vec![
        RULE.finding(severity, format!("{orphans} orphans of at most {most} on the whole host"))
            .seen("orphans", Figure::Count(orphans))
            .seen("tcp_max_orphans", Figure::Setting(most))
            .seen("used", Figure::Percent(used))
            .seen("fin_wait1_here", here(TcpState::FinWait1))
            .seen("fin_wait2_here", here(TcpState::FinWait2))
            .seen("last_ack_here", here(TcpState::LastAck))
            .seen("closing_here", here(TcpState::Closing))
            .seen_if("aborts_on_memory", evidence.counted("TcpExt", "TCPAbortOnMemory").map(Figure::Counter))
            .why(
                "Beyond the limit the kernel resets connections that their programs have closed: what was not sent yet is \
                 lost. Those that get nowhere are reset from a quarter or half of it on.",
            )
            .advice(
                "FIN_WAIT1, LAST_ACK and CLOSING wait for peers that do not answer or do not read: fewer retransmissions \
                 (net.ipv4.tcp_orphan_retries; 0 means 8) end them sooner. FIN_WAIT2 waits for the peer's close: \
                 net.ipv4.tcp_fin_timeout is how long. Else raise net.ipv4.tcp_max_orphans; an orphan may take 64 KiB of \
                 memory that is never swapped.",
                "tcpstates -nop state fin-wait-1 state fin-wait-2 state last-ack state closing",
            ),
    ]
}
