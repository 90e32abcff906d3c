//! Data that the peer does not read, and data that a program of this host does not read.

use super::Need::{Processes, TcpInfo};
use super::Rule;
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Figure, Finding, Severity, number_of};
use crate::diagnose::thresholds::{Threshold, Thresholds};

pub(super) const PEER: Rule =
    Rule { name: "peer-not-reading", needs: &[TcpInfo], find: peers, thresholds: &[Threshold::StallAge] };

pub(super) const PROGRAM: Rule = Rule {
    name: "program-not-reading",
    needs: &[TcpInfo, Processes],
    find: programs,
    thresholds: &[Threshold::StallAge],
};

fn peers(evidence: &Evidence, _: &Thresholds) -> Vec<Finding> {
    let affected = &evidence.seen.affected.unread_there;
    if affected.count == 0 {
        return Vec::new();
    }
    let title = format!(
        "the peer does not read: the window of {} is closed",
        number_of(affected.count, "connection")
    );
    vec![
        PEER.finding(Severity::Warning, title)
            .affected(evidence, affected)
            .seen("send_queues", Figure::Bytes(affected.bytes))
            .why(
                "The peer's buffer is full (zero window, persist timer), so data waits here in Send-Q. The program's write() \
                 blocks, or its memory grows; the kernel probes without end while the peer answers. Only an orphan, which \
                 its program has closed, is given up after some minutes.",
            )
            .advice(
                "Look at the program at the other end: it hangs, or is slower than what is sent. Here, TCP_USER_TIMEOUT or \
                 a time-out on writes lets a program give such a peer up.",
                // `state connected` leaves listeners out: their Send-Q is the backlog.
                "tcpstates -nopi 'sendq > 0' state connected",
            ),
    ]
}

fn programs(evidence: &Evidence, _: &Thresholds) -> Vec<Finding> {
    let affected = &evidence.seen.affected.unread_here;
    if affected.count == 0 {
        return Vec::new();
    }
    let title =
        format!("data of {} is not read by this host's program", number_of(affected.count, "connection"));
    vec![
        PROGRAM
            .finding(Severity::Warning, title)
            .affected(evidence, affected)
            .seen("not_accepted", Figure::Count(affected.without_inode))
            .seen("unread", Figure::Bytes(affected.bytes))
            .why(
                "The data came, was acknowledged and lies in Recv-Q: the program hangs, waits for something else or for \
                 more (SO_RCVLOWAT, urgent data), or has forgotten the connection or not accepted it. When the buffer is \
                 full the peer has to wait. Where more comes all the time just an --interval of the --stall-age shows \
                 that none of it is read.",
            )
            .advice(
                "Look at what the program does: where its threads wait, whether its event loop has lost the descriptor. No \
                 setting of the kernel helps; larger buffers only hide it longer.",
                "tcpstates -npi 'recvq > 0' state established state fin-wait-1 state fin-wait-2",
            ),
    ]
}
