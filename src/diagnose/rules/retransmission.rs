//! Segments that had to be sent again.

use std::net::IpAddr;

use super::Need::{Counter, TcpInfo};
use super::Rule;
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Figure, Finding, Severity};
use crate::diagnose::seen::{Sent, ToPeer};
use crate::diagnose::thresholds::{Threshold, Thresholds, percent};

pub(super) const RULE: Rule = Rule {
    name: "retransmission",
    needs: &[TcpInfo, Counter("Tcp", "RetransSegs"), Counter("Tcp", "OutSegs")],
    find,
    thresholds: &[Threshold::RetransPercent, Threshold::RetransSegments],
};

fn find(evidence: &Evidence, thresholds: &Thresholds) -> Vec<Finding> {
    let mut peers: Vec<_> = evidence.seen.sent.iter().collect();
    peers.sort_unstable_by_key(|(addr, peer)| (std::cmp::Reverse(peer.sent.segments_again), **addr));
    let peers = peers.into_iter().filter_map(|(addr, peer)| of_peer(*addr, peer, thresholds));
    let host = of_host(evidence).filter(|sent| matters(*sent, thresholds)).map(|sent| {
        let title = format!("{} % of the segments that this host sends are sent again", share(sent));
        let finding = RULE
            .finding(Severity::Warning, title)
            .seen("segments", Figure::Count(sent.segments))
            .seen("segments_again", Figure::Count(sent.segments_again));
        advised(finding, "tcpstates -noi 'retrans > 0'".to_owned())
    });
    peers.chain(host).collect()
}

fn share(sent: Sent) -> u64 {
    percent(sent.segments_again, sent.segments)
}

fn matters(sent: Sent, thresholds: &Thresholds) -> bool {
    sent.segments >= thresholds.of(Threshold::RetransSegments)
        && share(sent) >= thresholds.of(Threshold::RetransPercent)
}

/// The host's segments within the interval. OutSegs does not count retransmissions, so they are added.
fn of_host(evidence: &Evidence) -> Option<Sent> {
    let lately = |name| evidence.counted("Tcp", name)?.lately;
    let again = lately("RetransSegs")?;
    Some(Sent { segments: lately("OutSegs")?.saturating_add(again), segments_again: again })
}

/// The counters cover the connection's whole life: a high share is only a note unless retransmission goes on.
fn of_peer(addr: IpAddr, peer: &ToPeer, thresholds: &Thresholds) -> Option<Finding> {
    // The timeout doubles each time, so the interval may fall between two retransmissions.
    let goes_on = peer.resending > 0 || peer.lately.is_some_and(|lately| lately.segments_again > 0);
    let (severity, title) = match peer.lately {
        Some(lately) if matters(lately, thresholds) => {
            let share = share(lately);
            let title = format!("{share} % of the segments to {addr} were sent again within the interval");
            (Severity::Warning, title)
        }
        _ if matters(peer.sent, thresholds) => {
            let title = format!("{} % of the segments to {addr} were sent again", share(peer.sent));
            (if goes_on { Severity::Warning } else { Severity::Note }, title)
        }
        _ => return None,
    };
    let finding = RULE
        .finding(severity, title)
        .seen("peer", Figure::Text(addr.to_string()))
        .seen("connections", Figure::Count(peer.connections))
        .seen("resending_now", Figure::Count(peer.resending))
        .seen("segments", Figure::Count(peer.sent.segments))
        .seen("segments_again", Figure::Count(peer.sent.segments_again))
        .seen_if("segments_within_interval", peer.lately.map(|lately| Figure::Count(lately.segments)))
        .seen_if(
            "segments_again_within_interval",
            peer.lately.map(|lately| Figure::Count(lately.segments_again)),
        )
        .seen("sent_again_of_segments", Figure::Percent(share(peer.sent)))
        .seen("sent", Figure::Bytes(peer.bytes))
        .seen("sent_again", Figure::Bytes(peer.bytes_again));
    Some(advised(finding, format!("tcpstates -noi dst {addr} 'retrans > 0'")))
}

fn advised(finding: Finding, command: String) -> Finding {
    finding
        .why(
            "Segments or their acknowledgements are lost, or come so late that they are taken for lost. Each costs a round \
             trip at least, and a time-out 200 ms and more, doubling each time; the sender slows down.",
        )
        .advice(
            "One peer or net alone: the path to it, a host that is gone, a path MTU that is filtered (large segments only), \
             a policer. All peers: this host's device and its queues (ip -s link, ethtool -S).",
            command,
        )
}
