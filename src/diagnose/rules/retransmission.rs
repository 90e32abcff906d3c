//! Segments that had to be sent again.

use std::net::IpAddr;

use super::Need::{Counter, TcpInfo};
use super::Rule;
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Finding, Severity, Value};
use crate::diagnose::seen::Sent;
use crate::diagnose::thresholds::{Threshold, Thresholds, percent};

pub(super) const RULE: Rule = Rule {
    name: "retransmission",
    needs: &[TcpInfo, Counter("Tcp", "RetransSegs"), Counter("Tcp", "OutSegs")],
    find,
    thresholds: &[Threshold::RetransPercent, Threshold::RetransSegments],
};

fn find(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Finding> {
    let matters = |again: u64, segments: u64| {
        segments >= thresholds.of(Threshold::RetransSegments)
            && percent(again, segments) >= thresholds.of(Threshold::RetransPercent)
    };
    let mut peers: Vec<_> =
        evidence.seen.sent.iter().filter(|(_, sent)| matters(sent.segments_again, sent.segments)).collect();
    peers.sort_unstable_by_key(|(addr, sent)| (std::cmp::Reverse(sent.segments_again), **addr));
    let of_host = of_host(evidence).filter(|(again, segments)| matters(*again, *segments));
    let host = of_host.map(|(again, segments)| {
        let title =
            format!("{} % of the segments that this host sends are sent again", percent(again, segments));
        let finding = RULE
            .finding(Severity::Warning, title)
            .seen("segments", Value::Count(segments))
            .seen("segments_again", Value::Count(again));
        advised(finding, "tcpstates -noi 'retrans > 0'".to_owned())
    });
    peers.into_iter().map(|(addr, sent)| of_peer(*addr, sent)).chain(host).collect()
}

/// What was sent again, of what was sent in all, within the interval; OutSegs counts no retransmissions.
fn of_host(evidence: &Evidence) -> Option<(u64, u64)> {
    let lately = |name| evidence.counted("Tcp", name)?.lately;
    let again = lately("RetransSegs")?;
    Some((again, lately("OutSegs")?.saturating_add(again)))
}

fn of_peer(addr: IpAddr, sent: &Sent) -> Finding {
    let share = percent(sent.segments_again, sent.segments);
    let finding = RULE
        .finding(Severity::Warning, format!("{share} % of the segments to {addr} were sent again"))
        .seen("peer", Value::Text(addr.to_string()))
        .seen("connections", Value::Count(sent.connections))
        .seen("segments", Value::Count(sent.segments))
        .seen("segments_again", Value::Count(sent.segments_again))
        .seen("sent_again_of_segments", Value::Percent(share))
        .seen("sent", Value::Bytes(sent.bytes))
        .seen("sent_again", Value::Bytes(sent.bytes_again));
    advised(finding, format!("tcpstates -noi dst {addr} 'retrans > 0'"))
}

fn advised(finding: Finding, command: String) -> Finding {
    finding
        .why(
            "Segments or their acknowledgements are lost, or come so late that they are taken for lost. Each costs a round \
             trip at least, and a time-out 200 ms and more, doubling each time; the sender slows down.",
        )
        .advice(
            "One peer or net alone: the way to it, a host that is gone, a path MTU that is filtered (large segments only), \
             a policer. All peers: this host's device and its queues (ip -s link, ethtool -S).",
            command,
        )
}
