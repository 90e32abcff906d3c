//! What is wrong on a host, judged by its sockets, its settings and its counters.
//!
//! Pure: each rule is a function of the [`Evidence`] and the [`Thresholds`]; what it needs and does not have is said.

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
    /// What could not be seen, a sentence each.
    pub unseen: Vec<String>,
    /// The rules that were gone through.
    pub rules: Vec<&'static str>,
    /// Of how many sockets.
    pub sockets: u64,
}

impl Diagnosis {
    /// How bad the worst of it is.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// How many are so bad.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Goes through all rules.
pub fn diagnose(evidence: &Evidence, thresholds: &Thresholds) -> Diagnosis {
    let mut findings: Vec<_> =
        rules::RULES.iter().flat_map(|rule| (rule.find)(evidence, thresholds)).collect();
    // Of equal ones the rules' order stays.
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
