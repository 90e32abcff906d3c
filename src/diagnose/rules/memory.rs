//! TCP's memory near its limit.

use super::Need::{Counter, Setting};
use super::Rule;
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Figure, Finding, Severity};
use crate::diagnose::thresholds::{Threshold, Thresholds, percent};
use crate::model;

pub(super) const RULE: Rule = Rule {
    name: "tcp-memory",
    needs: &[Setting(model::Setting::Mem), Counter("TCP", "mem")],
    find,
    thresholds: &[Threshold::LimitPercent],
};

fn find(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Finding> {
    let (&[low, pressure, most], Some(used)) =
        (&evidence.settings.numbers(model::Setting::Mem)[..], evidence.counters.count("TCP", "mem"))
    else {
        return Vec::new();
    };
    let share = percent(used, most);
    let is_pressed = used >= pressure;
    let severity = match used {
        used if used >= most => Severity::Critical,
        _ if is_pressed || share >= thresholds.of(Threshold::LimitPercent) => Severity::Warning,
        _ => return Vec::new(),
    };
    let state = match severity {
        Severity::Critical => "limit reached",
        _ if is_pressed => "under memory pressure",
        _ => "near its limit",
    };
    vec![
        RULE.finding(severity, format!("TCP's buffers on the whole host use {share} % of their memory: {state}"))
            .seen("used", Figure::Pages(used))
            .seen("low", Figure::Pages(low))
            .seen("pressure", Figure::Pages(pressure))
            .seen("most", Figure::Pages(most))
            .seen("used_of_most", Figure::Percent(share))
            .seen_if("pressures", evidence.counted("TcpExt", "TCPMemoryPressures").map(Figure::Counter))
            .seen_if("aborts_on_memory", evidence.counted("TcpExt", "TCPAbortOnMemory").map(Figure::Counter))
            .why(
                "From the second number of tcp_mem on buffers grow no more and windows shrink, until the use falls below the \
                 first. At the third what arrives is dropped, writes wait, and connections that their programs have closed \
                 are reset: 'out of memory -- consider tuning tcp_mem' in the kernel's log.",
            )
            .advice(
                "Find who holds it: long queues are data that nobody reads, here (Recv-Q) or at the peer (Send-Q). Then \
                 raise net.ipv4.tcp_mem (pages) if the host has memory left, or lower the last numbers of \
                 net.ipv4.tcp_rmem and tcp_wmem (bytes of one socket).",
                "tcpstates -nmp --sort -recv-q state connected 'recvq > 0 or sendq > 0'",
            ),
    ]
}
