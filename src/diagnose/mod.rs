//! Finds what is wrong on a host from its sockets, settings and counters.
//!
//! Pure: each rule is a function of the [`Evidence`] and the [`Thresholds`]. Evidence that a rule lacks is reported.

mod evidence;
mod finding;
mod report;
mod rules;
mod seen;
mod thresholds;
mod unseen;
mod values;

pub use evidence::{Before, Evidence};
pub use finding::{Fact, Figure, Finding, Severity};
pub(crate) use report::{Judgement, write_diagnosis};
pub use seen::{Earlier, Seen};
pub use thresholds::{Threshold, Thresholds};
pub use values::{Counted, Net, Peer};

/// What the rules found.
#[derive(Debug)]
pub struct Diagnosis {
    /// The most severe first.
    pub findings: Vec<Finding>,
    /// What could not be seen, one sentence each.
    pub unseen: Vec<String>,
    /// The names of the rules that ran.
    pub rules: Vec<&'static str>,
    /// How many sockets were judged.
    pub sockets: u64,
}

impl Diagnosis {
    /// The highest severity among the findings.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Runs all rules.
pub fn diagnose(evidence: &Evidence, thresholds: &Thresholds) -> Diagnosis {
    let mut findings: Vec<_> =
        rules::RULES.iter().flat_map(|rule| (rule.find)(evidence, thresholds)).collect();
    // The sort is stable: findings of equal severity keep the order of the rules.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Diagnosis {
        findings,
        unseen: unseen::unseen(evidence),
        rules: rules::RULES.iter().map(|rule| rule.name).collect(),
        sockets: evidence.seen.states.total(),
    }
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
