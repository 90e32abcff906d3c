//! Reports what could not be seen, and the rules that are limited by it.

use super::evidence::Evidence;
use super::finding::number_of;
use super::rules::{Need, RULES};
use crate::model::{Gap, Setting};

/// What could not be seen, one sentence each.
pub(super) fn unseen(evidence: &Evidence) -> Vec<String> {
    let mut said: Vec<_> = evidence.gaps.iter().map(Gap::to_string).collect();
    let settings = missing(|need| match need {
        Need::Setting(setting) => evidence.settings.text(*setting).is_none().then(|| setting.name()),
        _ => None,
    });
    let counters = missing(|need| match need {
        Need::Counter(group, name) => evidence.counters.count(group, name).is_none().then_some(*name),
        _ => None,
    });
    // A network namespace has its own settings, but not these two.
    let whole_host = [Setting::Mem, Setting::MaxOrphans].map(Setting::name);
    let is_namespace = !settings.0.is_empty() && settings.0.iter().all(|name| whole_host.contains(name));
    let reason = if is_namespace { " (of the whole host, hidden in a network namespace)" } else { "" };
    for ((names, needs), reason) in [(settings, reason), (counters, "")] {
        if !names.is_empty() {
            said.push(format!("unavailable here: {}{reason}; {}", names.join(", "), limited(&needs)));
        }
    }
    let seen = &evidence.seen;
    let not_reported = [
        (seen.without_info, Need::TcpInfo, "connection", "tcp_info is unknown"),
        (seen.listeners.without_backlog, Need::Backlog, "listener", "the backlog is unknown"),
        (seen.listeners.of_unknown_family(), Need::V6only, "[::] listener", "IPV6_V6ONLY is unknown"),
        (seen.with_inode.saturating_sub(seen.held), Need::Processes, "socket", "the process is unknown"),
    ];
    for (count, need, noun, what) in not_reported {
        if count > 0 {
            said.push(format!("{what} for {}; {}", number_of(count, noun), limited(&[need])));
        }
    }
    said
}

/// The missing settings or counters: their names, and the needs that name them, each once.
fn missing(name: impl Fn(&'static Need) -> Option<&'static str>) -> (Vec<&'static str>, Vec<Need>) {
    let (mut names, mut needs) = (Vec::new(), Vec::new());
    for need in RULES.iter().flat_map(|rule| rule.needs) {
        let new = name(need).filter(|name| !names.contains(name));
        names.extend(new);
        needs.extend(new.map(|_| *need));
    }
    (names, needs)
}

/// The rules that need one of these, in words.
fn limited(needs: &[Need]) -> String {
    let rules = RULES.iter().filter(|rule| rule.needs.iter().any(|need| needs.contains(need)));
    let names: Vec<_> = rules.map(|rule| rule.name).collect();
    let rules = if names.len() == 1 { "rule" } else { "rules" };
    format!("limited {rules}: {}", names.join(", "))
}
