//! TIME_WAIT near its limit.

use super::Need::{Counter, Setting};
use super::Rule;
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Figure, Finding, Severity};
use crate::diagnose::thresholds::{Threshold, Thresholds, percent};
use crate::diagnose::values::Counted;
use crate::model::{self, TcpState};

pub(super) const RULE: Rule = Rule {
    name: "time-wait",
    needs: &[Setting(model::Setting::MaxTwBuckets), Counter("TcpExt", "TCPTimeWaitOverflow")],
    find,
    thresholds: &[Threshold::LimitPercent],
};

fn find(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Finding> {
    let overflow = evidence.counted("TcpExt", "TCPTimeWaitOverflow");
    let records = evidence.seen.time_wait_records;
    let most = evidence.setting(model::Setting::MaxTwBuckets);
    let used = most.map(|most| percent(records, most));
    let is_near = used.is_some_and(|used| used >= thresholds.of(Threshold::LimitPercent));
    let goes_on = overflow.is_some_and(Counted::goes_on);
    let (severity, title) = match most {
        Some(most) if is_near => {
            (Severity::Warning, format!("{records} time-wait records of at most {most}"))
        }
        _ if goes_on => {
            (Severity::Warning, "connections ended without TIME_WAIT within the interval".to_owned())
        }
        _ if overflow.is_some_and(Counted::matters) => {
            (Severity::Note, "connections have ended without TIME_WAIT since boot".to_owned())
        }
        _ => return Vec::new(),
    };
    vec![
        RULE.finding(severity, title)
            .seen("records", Figure::Count(records))
            .seen_if("tcp_max_tw_buckets", most.map(Figure::Setting))
            .seen_if("used", used.map(Figure::Percent))
            .seen("time_wait", Figure::Count(evidence.seen.states.of(TcpState::TimeWait)))
            .seen("peers", Figure::Peers(evidence.seen.time_wait_peers.top()))
            .seen_if("overflows", overflow.map(Figure::Counter))
            .seen_if("change_of_time_wait", evidence.grown(TcpState::TimeWait).map(Figure::Change))
            .why(
                "Beyond the limit a connection ends without TIME_WAIT: a last ACK that is lost is not sent again, and late \
                 segments may meet a new connection between the same ends. No connection fails for it.",
            )
            .advice(
                "Raise net.ipv4.tcp_max_tw_buckets: a record takes some hundred bytes. Or have fewer: keep connections open, \
                 or let the peer close first. TIME_WAIT lasts 60 s, fixed in the kernel: tcp_fin_timeout is about orphaned \
                 FIN_WAIT2, and tcp_tw_recycle is gone since Linux 4.12.",
                "tcpstates -no state time-wait",
            ),
    ]
}
