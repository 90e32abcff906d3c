//! SYNs without an answer.

use super::Need::Processes;
use super::Rule;
use crate::diagnose::evidence::Evidence;
use crate::diagnose::finding::{Figure, Finding, Severity, number_of};
use crate::diagnose::thresholds::{Threshold, Thresholds};
use crate::model::{Setting, TcpState};

pub(super) const RULE: Rule =
    Rule { name: "syn-sent", needs: &[Processes], find, thresholds: &[Threshold::SynRetries] };

fn find(evidence: &Evidence, _: &Thresholds) -> Vec<Finding> {
    let affected = &evidence.seen.affected.unanswered;
    if affected.count == 0 {
        return Vec::new();
    }
    let tries = match evidence.setting(Setting::SynRetries) {
        Some(retries) => format!("net.ipv4.tcp_syn_retries = {retries} is the kernel's, which is long"),
        None => "the kernel's (net.ipv4.tcp_syn_retries) is long".to_owned(),
    };
    let title = format!(
        "{} to open {} no answer",
        number_of(affected.count, "attempt"),
        if affected.count == 1 { "has" } else { "have" }
    );
    let finding = RULE
        .finding(Severity::Warning, title)
        .affected(evidence, affected)
        .seen("most_retries", Figure::Count(affected.most_tries.into()))
        .seen_if("change_of_syn_sent", evidence.grown(TcpState::SynSent).map(Figure::Change))
        .why(
            "connect() waits, and its program with it. Nothing came back: the host is down or unreachable, a firewall \
             drops the SYN or its answer, or the accept queue there is full. A host that is up and has no listener on \
             that port would have sent a reset.",
        )
        .advice(
            format!(
                "Look at the destination's address and port, the route and the firewalls on the way, in both directions. \
                 Let the program give up sooner by a time-out of its own: {tries}."
            ),
            "tcpstates -nop state syn-sent",
        );
    vec![finding]
}
