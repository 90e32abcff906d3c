//! A scene as textbooks draw it: an end at each side, segments between, time downwards.

use crate::demo::{End, Flags, Moment, What};
use crate::layout::ReportStyle;
use crate::layout::report::{Report, state_style};
use crate::layout::text::width;
use crate::model::TcpState;

/// The width of the time, before the client's side.
const TIME: usize = 11;
/// The width of the client's side.
const SIDE: usize = 22;
/// The width of the wire between the sides.
const WIRE: usize = 24;
/// The width of a change below the drawing, with the end's name.
const CHANGE: usize = 36;
/// The least width of a meaning beside its change.
const MEANING: usize = 24;

/// Draws moment by moment, and keeps the changes to explain them below the drawing.
pub(crate) struct SceneWriter {
    style: ReportStyle,
    changes: Vec<(End, TcpState, TcpState, &'static str)>,
    begun: bool,
    /// Whether the last moment was a remark, which has a blank line before and after it.
    after_remark: bool,
}

impl SceneWriter {
    /// An empty drawing.
    pub(crate) fn new(style: ReportStyle) -> Self {
        Self { style, changes: Vec::new(), begun: false, after_remark: false }
    }

    /// The line of a moment; before the first moment, the headings too.
    pub(crate) fn moment(&mut self, moment: &Moment) -> Vec<u8> {
        let mut out = Vec::new();
        let mut report = Report::new(&mut out, self.style);
        if !std::mem::replace(&mut self.begun, true) {
            let gap = " ".repeat(SIDE + WIRE - "CLIENT".len());
            let heading = format!("{:TIME$}CLIENT{gap}SERVER", "time");
            let heading = report.styled(anstyle::Style::new().bold(), &heading);
            report.line(&heading);
        }
        let time = format!("{:>7.3} s  ", moment.at.as_secs_f64());
        let is_remark = matches!(moment.what, What::Remark(_));
        if std::mem::replace(&mut self.after_remark, is_remark) && !is_remark {
            report.blank();
        }
        match &moment.what {
            What::Call { end, call } => {
                let line = beside(*end, call, call);
                report.line(&format!("{time}{line}"));
            }
            What::State { end, old, new, meaning } => {
                let name = new.to_string();
                let line = beside(*end, &report.styled(state_style(*new).bold(), &name), &name);
                report.line(&format!("{time}{line}"));
                self.changes.push((*end, *old, *new, *meaning));
            }
            What::Segment { from, flags, lost } => {
                report.line(&format!("{time}{:SIDE$}{}", "", arrow(*from, *flags, *lost)));
            }
            What::Remark(text) => {
                report.blank();
                report.paragraph(text);
            }
        }
        out
    }

    /// The meanings of the changes.
    pub(crate) fn tail(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut report = Report::new(&mut out, self.style);
        report.blank();
        for (end, old, new, meaning) in &self.changes {
            let change = format!("{}  {old} -> {new}", end.name());
            if self.style.width < CHANGE + MEANING {
                report.paragraph(&change);
                report.labelled("", 2, meaning);
            } else {
                report.labelled(&change, CHANGE, meaning);
            }
        }
        out
    }
}

/// Places text at an end's side. `shown` is styled; `bare` is the text without styles, to measure its width.
fn beside(end: End, shown: &str, bare: &str) -> String {
    match end {
        End::Client => shown.to_owned(),
        // A long text at the server's side begins further left.
        End::Server => {
            let room = 80 - TIME - width(bare).min(80 - TIME);
            format!("{}{shown}", " ".repeat((SIDE + WIRE).min(room)))
        }
    }
}

/// `------ SYN ------>`; the arrow of a lost segment does not reach the other side.
fn arrow(from: End, flags: Flags, lost: bool) -> String {
    let label = format!(" {flags} ");
    let dashes = WIRE - 3 - label.len().min(WIRE - 3);
    let (before, behind) = ("-".repeat(dashes / 2), "-".repeat(dashes - dashes / 2));
    match (from, lost) {
        (End::Client, false) => format!("{before}{label}{behind}>"),
        (End::Client, true) => format!("{before}{label}---X  (lost)"),
        (End::Server, false) => format!("<{before}{label}{behind}"),
        (End::Server, true) => format!("(lost)  X---{label}{behind}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ends_stand_at_their_sides_and_lines_keep_to_the_width() {
        let mut writer = SceneWriter::new(ReportStyle { json: false, color: false, width: 80 });
        let mut out = Vec::new();
        let syn = Flags { syn: true, ..Flags::default() };
        let fin = Flags { fin: true, ack: true, ..Flags::default() };
        let call = |end, call: &str| What::Call { end, call: call.to_owned() };
        let old = TcpState::Established;
        for (millis, what) in [
            (0, call(End::Server, "listen()")),
            (1, call(End::Client, "connect()")),
            (2, What::Segment { from: End::Client, flags: syn, lost: false }),
            (1002, What::Segment { from: End::Client, flags: syn, lost: true }),
            (
                12_345,
                What::State { end: End::Server, old, new: TcpState::CloseWait, meaning: "FIN received" },
            ),
            (12_346, What::Segment { from: End::Server, flags: fin, lost: false }),
            (12_347, call(End::Server, "bind() with SO_REUSEADDR: Address already in use (os error 98)")),
            (
                12_348,
                What::Remark(
                    "A word about it that is longer than a line, so that it must be wrapped somewhere."
                        .to_owned(),
                ),
            ),
        ] {
            out.extend(writer.moment(&Moment { at: Duration::from_millis(millis), what }));
        }
        out.extend(writer.tail());
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn where_it_is_narrow_a_meaning_stands_below_its_change() {
        let mut writer = SceneWriter::new(ReportStyle { json: false, color: false, width: 40 });
        let (old, new) = (TcpState::Established, TcpState::CloseWait);
        let meaning = "FIN received: the peer closed first";
        writer.moment(&Moment {
            at: Duration::ZERO,
            what: What::State { end: End::Server, old, new, meaning },
        });
        let text = String::from_utf8(writer.tail()).unwrap();
        let below = "\n  server  ESTABLISHED -> CLOSE_WAIT\n    FIN received: the peer closed first\n";
        assert_eq!(text, below);
    }
}
