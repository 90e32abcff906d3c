//! A scene as textbooks draw it: an end at each side, segments between, time downwards.

use crate::demo::{Flags, Happening, Moment, Role};
use crate::layout::ReportStyle;
use crate::layout::report::{Report, state_style};
use crate::layout::text::width;
use crate::model::TcpState;

/// The width of the time, before the client's side.
const TIME: usize = 11;
/// For a report of at least so many columns: the widths of the client's side, and of the wire between the sides.
const SHAPES: [(usize, Shape); 3] = [
    (74, Shape { side: 22, wire: 24 }),
    (56, Shape { side: 13, wire: 18 }),
    (0, Shape { side: 6, wire: 14 }),
];
/// The width of a change below the drawing, with the end's name.
const CHANGE: usize = 36;
/// The least width of a meaning beside its change.
const MEANING: usize = 24;

/// Where the drawing's parts are.
#[derive(Clone, Copy, Debug)]
struct Shape {
    side: usize,
    wire: usize,
}

impl Shape {
    /// The widest drawing that fits.
    fn of(width: usize) -> Self {
        let fitting = SHAPES.into_iter().find(|(least, _)| width >= *least);
        fitting.map_or(Self { side: 0, wire: 0 }, |(_, shape)| shape)
    }
}

/// Draws moment by moment, and keeps the changes to explain them below the drawing.
pub(crate) struct SceneWriter {
    style: ReportStyle,
    shape: Shape,
    changes: Vec<(Role, TcpState, TcpState, &'static str)>,
    begun: bool,
    /// Whether the last moment was a remark, which has a blank line before and after it.
    after_remark: bool,
}

impl SceneWriter {
    /// An empty drawing.
    pub(crate) fn new(style: ReportStyle) -> Self {
        Self { style, shape: Shape::of(style.width), changes: Vec::new(), begun: false, after_remark: false }
    }

    /// The line of a moment; before the first moment, the headings too.
    pub(crate) fn moment(&mut self, moment: &Moment) -> Vec<u8> {
        let mut out = Vec::new();
        let Shape { side, wire } = self.shape;
        let mut report = Report::new(&mut out, self.style);
        if !std::mem::replace(&mut self.begun, true) {
            let gap = " ".repeat(self.server_side("SERVER").saturating_sub("CLIENT".len()));
            let heading = format!("{:TIME$}CLIENT{gap}SERVER", "time");
            let heading = report.styled(anstyle::Style::new().bold(), &heading);
            report.line(&heading);
        }
        let time = format!("{:>7.3} s  ", moment.at.as_secs_f64());
        let is_remark = matches!(moment.what, Happening::Remark(_));
        if std::mem::replace(&mut self.after_remark, is_remark) && !is_remark {
            report.blank();
        }
        match &moment.what {
            Happening::Call { end, call } => {
                let line = self.beside(*end, call, call);
                report.line(&format!("{time}{line}"));
            }
            Happening::State { end, old, new, meaning } => {
                let name = new.to_string();
                let line = self.beside(*end, &report.styled(state_style(*new).bold(), &name), &name);
                report.line(&format!("{time}{line}"));
                self.changes.push((*end, *old, *new, *meaning));
            }
            Happening::Segment { from, flags, lost } => {
                report.line(&format!("{time}{:side$}{}", "", arrow(*from, *flags, *lost, wire)));
            }
            Happening::Remark(text) => {
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

impl SceneWriter {
    /// Where a text at the server's side begins: a long one further left.
    fn server_side(&self, text: &str) -> usize {
        let room = self.style.width.saturating_sub(TIME);
        (self.shape.side + self.shape.wire).min(room.saturating_sub(width(text)))
    }

    /// Places text at an end's side. `shown` is styled; `bare` is the text without styles, to measure its width.
    fn beside(&self, end: Role, shown: &str, bare: &str) -> String {
        match end {
            Role::Client => shown.to_owned(),
            Role::Server => format!("{}{shown}", " ".repeat(self.server_side(bare))),
        }
    }
}

/// `------ SYN ------>`; the arrow of a lost segment does not reach the other side.
fn arrow(from: Role, flags: Flags, lost: bool, wire: usize) -> String {
    let label = format!(" {flags} ");
    let room = wire.saturating_sub(3);
    let dashes = room - label.len().min(room);
    let (before, behind) = ("-".repeat(dashes / 2), "-".repeat(dashes - dashes / 2));
    match (from, lost) {
        (Role::Client, false) => format!("{before}{label}{behind}>"),
        (Role::Client, true) => format!("{before}{label}---X  (lost)"),
        (Role::Server, false) => format!("<{before}{label}{behind}"),
        (Role::Server, true) => format!("(lost)  X---{label}{behind}"),
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
        let call = |end, call: &str| Happening::Call { end, call: call.to_owned() };
        let old = TcpState::Established;
        for (millis, what) in [
            (0, call(Role::Server, "listen()")),
            (1, call(Role::Client, "connect()")),
            (2, Happening::Segment { from: Role::Client, flags: syn, lost: false }),
            (1002, Happening::Segment { from: Role::Client, flags: syn, lost: true }),
            (
                12_345,
                Happening::State {
                    end: Role::Server,
                    old,
                    new: TcpState::CloseWait,
                    meaning: "FIN received",
                },
            ),
            (12_346, Happening::Segment { from: Role::Server, flags: fin, lost: false }),
            (12_347, call(Role::Server, "bind() with SO_REUSEADDR: Address already in use (os error 98)")),
            (
                12_348,
                Happening::Remark(
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
            what: Happening::State { end: Role::Server, old, new, meaning },
        });
        let text = String::from_utf8(writer.tail()).unwrap();
        let below = "\n  server  ESTABLISHED -> CLOSE_WAIT\n    FIN received: the peer closed first\n";
        assert_eq!(text, below);
    }

    #[test]
    fn a_narrow_drawing_keeps_to_its_width() {
        for width in [40, 50, 60, 73] {
            let mut writer = SceneWriter::new(ReportStyle { json: false, color: false, width });
            let flags = Flags { syn: true, ack: true, ..Flags::default() };
            let old = TcpState::SynSent;
            for what in [
                Happening::Call { end: Role::Server, call: "listen()".to_owned() },
                Happening::State { end: Role::Server, old, new: TcpState::Established, meaning: "" },
                Happening::State { end: Role::Client, old, new: TcpState::Established, meaning: "" },
                Happening::Segment { from: Role::Server, flags, lost: false },
            ] {
                let text = writer.moment(&Moment { at: Duration::ZERO, what });
                let text = String::from_utf8(text).unwrap();
                assert!(text.lines().all(|line| line.len() <= width), "{width}: {text}");
            }
        }
    }
}
