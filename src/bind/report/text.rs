//! The answer as text: the verdict, the binds that were tried, the holders of the port, and the advice.

use std::net::SocketAddr;

use anstyle::{AnsiColor, Style};
use indexmap::IndexMap;

use super::row;
use super::words::{advice, blocks, error_message, error_name, notes, overlap, owner, seconds};
use crate::bind::{Advice, Answer, Judged, Leaves, Occupant, Try, Verdict};
use crate::layout::columns::{End, appended, push_endpoint};
use crate::layout::report::{Report, ReportStyle, state_style};
use crate::layout::text::{escaped, width};
use crate::model::TcpState;

/// The most groups of holders to show.
const MOST: usize = 12;
/// The widest column of addresses; the text after a longer address starts further right.
const WIDEST_LABEL: usize = 24;

/// Appends the answer.
pub(super) fn write(out: &mut Vec<u8>, style: ReportStyle, answer: &Answer) {
    let mut report = Report::new(out, style);
    let color = if answer.can_bind() { AnsiColor::Green } else { AnsiColor::Red };
    let headline = report.styled(color.on_default().bold(), &headline(answer));
    report.line(&headline);
    report.blank();
    push_tries(&mut report, answer);
    let notes = notes(answer);
    if !notes.is_empty() {
        report.blank();
    }
    for note in notes {
        report.paragraph(&note);
    }
    push_holders(&mut report, &answer.occupants);
    if let Some(advice) = advice(answer) {
        report.heading("WHAT TO DO");
        report.paragraph(&advice);
    }
}

fn headline(answer: &Answer) -> String {
    let what = match &answer.tries[..] {
        [only] => address(answer, only),
        _ => format!("Port {}", answer.target.port),
    };
    if answer.can_bind() {
        return format!("{what} can be bound.");
    }
    if let Advice::SetReuse { .. } = answer.advice {
        return format!("{what} can be bound with SO_REUSEADDR only.");
    }
    // An error other than EADDRINUSE says more, so it comes first.
    let verdicts =
        || answer.tries.iter().map(|tried| tried.plain).filter(|verdict| *verdict != Verdict::Bound);
    let said = |verdict: &Verdict| !matches!(verdict, Verdict::InUse | Verdict::NoSuchFamily);
    let verdict =
        verdicts().find(said).or(verdicts().find(|verdict| *verdict == Verdict::InUse)).or(verdicts().next());
    let why = verdict.and_then(error_message).unwrap_or_default();
    format!("{what} can't be bound: {}.", why.to_lowercase())
}

/// `ADDR:PORT`, with the device by its name.
fn address(answer: &Answer, tried: &Try) -> String {
    match (tried.at, &answer.target.device) {
        (SocketAddr::V6(at), Some(device)) => {
            format!("[{}%{}]:{}", at.ip(), escaped(device.as_bytes()), at.port())
        }
        (at, _) => at.to_string(),
    }
}

fn push_tries(report: &mut Report<'_>, answer: &Answer) {
    let labels: Vec<_> = answer.tries.iter().map(|tried| address(answer, tried)).collect();
    let first = labels.iter().map(|label| width(label)).max().unwrap_or_default().max(8);
    let heading = format!("{:first$}  {:15}{}", "TRIED", "PLAIN", "WITH SO_REUSEADDR", first = first + 2);
    let heading = report.styled(Style::new().bold(), &heading);
    report.line(&heading);
    for (tried, label) in answer.tries.iter().zip(labels) {
        let shown = |verdict: Verdict| {
            let word = error_name(verdict).unwrap_or("ok".into());
            let color = if verdict == Verdict::Bound { AnsiColor::Green } else { AnsiColor::Red };
            let blanks = " ".repeat(15_usize.saturating_sub(width(&word)));
            report.styled(color.on_default(), &word) + &blanks
        };
        let line = format!("  {label:first$}  {}{}", shown(tried.plain), shown(tried.reuse));
        report.line(&line);
    }
}

/// Sockets with the same text, and when the last of them ends.
#[derive(Default)]
struct Group {
    count: usize,
    /// The peer, if a program holds the socket and it is connected.
    peer: Option<String>,
    leave: Option<Leaves>,
}

fn push_holders(report: &mut Report<'_>, occupants: &[Judged]) {
    if occupants.is_empty() {
        return;
    }
    report.heading("HOLDERS");
    let mut groups: IndexMap<_, Group> = IndexMap::new();
    for judged in occupants {
        let label = appended(|out| push_endpoint(out, &row(&judged.occupant), End::Local));
        let key = (
            label,
            judged.occupant.socket.state.shown(),
            owner(&judged.occupant),
            overlap(judged.overlap),
            blocks(judged),
        );
        let group = groups.entry(key).or_default();
        group.count += 1;
        group.peer = peer(&judged.occupant).filter(|_| group.count == 1);
        group.leave = group.leave.max(judged.occupant.leaves());
    }
    let labels = groups.keys().take(MOST).map(|(label, ..)| width(label));
    let label_width = labels.max().unwrap_or_default().min(WIDEST_LABEL) + 2;
    for ((label, state, owner, overlap, blocks), group) in groups.iter().take(MOST) {
        let text = format!(
            "{}{}; {overlap}: {}",
            shown_state(report, *state, group),
            with_comma(owner.as_deref()),
            shown_blocks(report, blocks)
        );
        report.labelled(label, label_width, &text);
    }
    let more: usize = groups.values().skip(MOST).map(|group| group.count).sum();
    if more > 0 {
        report.paragraph(&format!("and {more} more, which --json lists."));
    }
}

/// The peer of a program's connection.
fn peer(occupant: &Occupant) -> Option<String> {
    let is_connected = occupant.socket.inode.is_some() && occupant.socket.peer.port != 0;
    is_connected.then(|| appended(|out| push_endpoint(out, &row(occupant), End::Peer)))
}

/// `3 TIME_WAIT, the last one ends in 43 s`, `ESTABLISHED with 10.0.0.1:5000`
fn shown_state(report: &Report<'_>, state: TcpState, group: &Group) -> String {
    let name = report.styled(state_style(state), &state.to_string());
    let count = if group.count > 1 { format!("{} ", group.count) } else { String::new() };
    let idle = if state == TcpState::Close { " (bound and idle)" } else { "" };
    let peer = group.peer.as_ref().map(|peer| format!(" with {peer}")).unwrap_or_default();
    let last = if group.count > 1 { "the last one " } else { "" };
    let leaves = group.leave.map(|leaves| format!("{last}ends in {}", seconds(leaves)));
    format!("{count}{name}{idle}{peer}{}", with_comma(leaves.as_deref()))
}

fn shown_blocks(report: &Report<'_>, words: &str) -> String {
    if words.starts_with("blocks") {
        report.styled(AnsiColor::Red.on_default(), words)
    } else {
        words.to_owned()
    }
}

fn with_comma(text: Option<&str>) -> String {
    text.map(|text| format!(", {text}")).unwrap_or_default()
}
