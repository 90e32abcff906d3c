//! Writes the diagnosis as text and as JSON.

mod records;

use std::io;

use anstyle::{AnsiColor, Style};

use self::records::{FindingRecord, SettingRecords, Values};
use crate::diagnose::{Counted, Diagnosis, Evidence, Fact, Figure, Finding, Severity, Threshold, Thresholds};
use crate::layout::json::{push_document_head, push_document_tail, push_member};
use crate::layout::report::Report;
use crate::layout::text::{self, escaped};
use crate::layout::{Head, ReportStyle};
use crate::model::Settings;

/// A diagnosis, and what it was made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judgement<'a> {
    /// The findings.
    pub diagnosis: &'a Diagnosis,
    /// What was read of the host.
    pub evidence: &'a Evidence,
    /// What it was compared with.
    pub thresholds: &'a Thresholds,
}

impl Judgement<'_> {
    /// A threshold and its value, as typed on the command line.
    fn named(&self, threshold: Threshold) -> String {
        format!("--{} {}", threshold.flag(), self.thresholds.of(threshold))
    }

    /// How long the interval was, in seconds.
    fn interval_s(&self) -> Option<f64> {
        self.evidence.before.as_ref().map(|before| before.elapsed.as_secs_f64())
    }
}

/// Appends the findings, and what could not be seen.
pub(crate) fn write_diagnosis(
    out: &mut Vec<u8>,
    style: ReportStyle,
    head: &Head<'_>,
    judgement: &Judgement<'_>,
) -> io::Result<()> {
    let Judgement { diagnosis, evidence, thresholds } = *judgement;
    if style.json {
        push_document_head(out, head)?;
        let findings = diagnosis.findings.iter().map(|finding| FindingRecord::of(finding, thresholds));
        push_member(out, "findings", &findings.collect::<Vec<_>>())?;
        push_member(out, "unseen", &diagnosis.unseen)?;
        push_member(out, "rules", &diagnosis.rules)?;
        push_member(out, "sockets", &diagnosis.sockets)?;
        push_member(out, "interval_s", &judgement.interval_s())?;
        push_member(out, "thresholds", &Values(Threshold::ALL, thresholds))?;
        push_member(out, "settings", &SettingRecords(&evidence.settings))?;
        return push_document_tail(out, &evidence.gaps);
    }
    let mut report = Report::new(out, style);
    for finding in &diagnosis.findings {
        push_finding(&mut report, finding, judgement);
    }
    report.sentence(&verdict(judgement));
    if !diagnosis.unseen.is_empty() {
        report.heading("LIMITS OF THIS REPORT");
        for sentence in &diagnosis.unseen {
            report.labelled("-", 2, &escaped(sentence.as_bytes()));
        }
    }
    Ok(())
}

fn push_finding(report: &mut Report<'_>, finding: &Finding, judgement: &Judgement<'_>) {
    let severity = finding.severity.name().to_uppercase();
    let severity = report.styled(severity_style(finding.severity).bold(), &severity);
    report.titled(&severity, finding.severity.name().len(), &finding.title);
    let interval = judgement.interval_s();
    let seen = finding.seen.iter().map(|fact| (label(fact), shown(&fact.value, interval)));
    let rule = std::iter::once(finding.rule.to_owned())
        .chain(finding.thresholds.iter().map(|threshold| judgement.named(*threshold)));
    let mut entries: Vec<_> = seen.filter(|(_, value)| !value.is_empty()).collect();
    entries.push(("why".to_owned(), finding.why.clone()));
    entries.push(("do".to_owned(), finding.advice.clone()));
    entries.push(("rule".to_owned(), rule.collect::<Vec<_>>().join(" ")));
    let width = entries.iter().map(|(label, _)| text::width(label)).max().unwrap_or(0) + 2;
    for (label, text) in &entries {
        report.labelled(label, width, text);
    }
    report.command(&finding.command);
    report.blank();
}

/// The fact's name in words; a setting keeps its own name.
fn label(fact: &Fact) -> String {
    match fact.value {
        Figure::Setting(_) => fact.name.to_owned(),
        _ => fact.name.replace('_', " "),
    }
}

fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default(),
        Severity::Warning => AnsiColor::Yellow.on_default(),
        Severity::Note => AnsiColor::Blue.on_default(),
    }
}

/// How many findings of each severity there are, or that there are none.
fn verdict(judgement: &Judgement<'_>) -> String {
    let Diagnosis { rules, sockets, .. } = judgement.diagnosis;
    let plural = if *sockets == 1 { "" } else { "s" };
    let Evidence { settings, counters, .. } = judgement.evidence;
    let read = match (*settings != Settings::default(), !counters.is_empty()) {
        (true, true) => ", settings and counters",
        (true, false) => " and settings; no counter could be read",
        (false, true) => " and counters; no setting could be read",
        (false, false) => "; no setting and no counter could be read",
    };
    let checked = format!("{} rules over {sockets} socket{plural}{read}", rules.len());
    let counts: Vec<_> = [Severity::Critical, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (severity.name(), judgement.diagnosis.count(severity)))
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| {
            let plural = if count == 1 || name == "critical" { "" } else { "s" };
            format!("{count} {name}{plural}")
        })
        .collect();
    if counts.is_empty() {
        format!("Nothing wrong: {checked}.")
    } else {
        format!("{}: {checked}.", counts.join(", "))
    }
}

/// A value in words.
fn shown(value: &Figure, interval: Option<f64>) -> String {
    match value {
        Figure::Count(number) | Figure::Setting(number) => number.to_string(),
        Figure::Bytes(bytes) => format!("{bytes} bytes"),
        Figure::Pages(pages) => format!("{pages} pages"),
        Figure::Millis(millis) => span(*millis),
        Figure::Percent(percent) => format!("{percent} %"),
        Figure::Counter(counted) => counter(*counted, interval),
        Figure::Change(change) => format!("{change:+} within {}", seconds(interval)),
        Figure::Text(text) => text.clone(),
        Figure::Processes(processes) => list(processes, |process| match process {
            Some(process) => format!("{}/{}", process.pid, escaped(&process.name)),
            None => "none seen".to_owned(),
        }),
        Figure::Peers(peers) => list(peers, ToString::to_string),
        Figure::Nets(nets) => list(nets, ToString::to_string),
        Figure::Ports(ports) => ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// From 10 s on, whole seconds.
fn span(millis: u64) -> String {
    match millis {
        0..10_000 => text::span_us(millis * 1000),
        _ => format!("{} s", millis / 1000),
    }
}

fn counter(counted: Counted, interval: Option<f64>) -> String {
    match counted.lately {
        Some(lately) => format!("{lately} within {}, {} since boot", seconds(interval), counted.total),
        None => format!("{} since boot, or since the network namespace was made", counted.total),
    }
}

fn seconds(interval: Option<f64>) -> String {
    format!("{:.1} s", interval.unwrap_or_default())
}

fn list<T>(items: &[(T, u64)], shown: impl Fn(&T) -> String) -> String {
    let items: Vec<_> = items.iter().map(|(item, count)| format!("{} ({count})", shown(item))).collect();
    items.join(", ")
}

#[cfg(test)]
mod tests;
