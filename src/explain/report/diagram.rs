//! The state diagram as textbooks draw it: opening at the top, the active close on the left, the passive on the right.
//!
//! The lines are drawn here; the labels are read from the state machine.

use crate::layout::report::{Report, state_style};
use crate::model::{TcpState, Transition, transitions_between};

/// The width of the drawing.
pub(super) const WIDTH: usize = 74;

/// Lines and arrow heads.
const LINES: [&str; 28] = [
    "                        +---------- -----------------------+",
    "                        |   ^                          ^   |",
    "                        |   |                          |   |",
    "                        v   |                          |   v",
    "",
    "                        |                              |   |",
    "                        |                              |   |",
    "                        v                              |   |",
    "                      ---------------------------------+   |",
    "                 |      |                                  |",
    "                 |      |                                  |",
    "                 |      v                                  |",
    "                 |    -------------------------------------+",
    "                 |      |                         |",
    "                 |      |                         |",
    "                 v      v                         |",
    "               ----------------------+            v",
    "   ACTIVE       |                    |                          PASSIVE",
    "   CLOSE        |                    |            |             CLOSE",
    "                v                    v            |",
    "                                                  v",
    "                |                    |",
    "                |                    |            |",
    "                v                    v            |",
    "               ----------------------+            |",
    "                |                                 |",
    "                v                                 v",
    "",
];

/// The place of each state (line and column), and what fills the space between its name and a line to its right.
const STATES: [(TcpState, usize, usize, &str); 13] = [
    (TcpState::Close, 0, 36, " "),
    (TcpState::Listen, 4, 22, ""),
    (TcpState::SynSent, 4, 53, ""),
    (TcpState::SynRecv, 8, 22, " <"),
    (TcpState::Established, 12, 22, " <"),
    (TcpState::FinWait1, 16, 15, " "),
    (TcpState::CloseWait, 17, 48, ""),
    (TcpState::FinWait2, 20, 15, ""),
    (TcpState::Closing, 20, 35, ""),
    (TcpState::LastAck, 21, 48, ""),
    (TcpState::TimeWait, 24, 15, " <"),
    (TcpState::Close, 27, 15, ""),
    (TcpState::Close, 27, 48, ""),
];

/// The line and column where the labels of each arrow begin.
const ARROWS: [(TcpState, TcpState, usize, usize); 18] = [
    (TcpState::Close, TcpState::Listen, 1, 13),
    (TcpState::Listen, TcpState::Close, 2, 30),
    (TcpState::SynSent, TcpState::Close, 2, 46),
    (TcpState::Close, TcpState::SynSent, 1, 63),
    (TcpState::Listen, TcpState::SynRecv, 5, 11),
    (TcpState::SynSent, TcpState::SynRecv, 6, 42),
    (TcpState::SynSent, TcpState::Established, 6, 63),
    (TcpState::SynRecv, TcpState::FinWait1, 9, 7),
    (TcpState::SynRecv, TcpState::Established, 10, 27),
    (TcpState::Established, TcpState::FinWait1, 13, 27),
    (TcpState::Established, TcpState::CloseWait, 13, 53),
    (TcpState::FinWait1, TcpState::FinWait2, 18, 18),
    (TcpState::FinWait1, TcpState::Closing, 17, 39),
    (TcpState::CloseWait, TcpState::LastAck, 18, 53),
    (TcpState::FinWait2, TcpState::TimeWait, 21, 18),
    (TcpState::Closing, TcpState::TimeWait, 22, 39),
    (TcpState::TimeWait, TcpState::Close, 25, 18),
    (TcpState::LastAck, TcpState::Close, 24, 53),
];

/// A text on a line of the drawing.
struct Placed {
    line: usize,
    column: usize,
    text: String,
    behind: &'static str,
    state: Option<TcpState>,
}

/// Draws the diagram, with the number of sockets after each state.
pub(super) fn draw(report: &mut Report<'_>, count: impl Fn(TcpState) -> u64) {
    let mut placed: Vec<_> = STATES
        .iter()
        .enumerate()
        .map(|(at, (state, line, column, behind))| {
            let again = STATES.iter().take(at).any(|(other, ..)| other == state);
            let text = if again { state.to_string() } else { format!("{state} {}", count(*state)) };
            Placed { line: *line, column: *column, text, behind, state: Some(*state) }
        })
        .collect();
    for (from, to, line, column) in ARROWS {
        let labels = transitions_between(from, to).find(|way| way.in_figure).map(labels).unwrap_or_default();
        for (below, text) in labels.into_iter().enumerate() {
            placed.push(Placed { line: line + below, column, text, behind: "", state: None });
        }
    }
    placed.sort_by_key(|placed| (placed.line, placed.column));
    for (number, line) in LINES.iter().enumerate() {
        let on_it = placed.iter().filter(|placed| placed.line == number);
        let text = laid_over(report, line, on_it);
        report.line(&text);
    }
}

/// The segment received or the call made, and below it the segment sent.
fn labels(way: &Transition) -> Vec<String> {
    let sends = way.sends.map(|segment| format!("snd {segment}"));
    [way.event.to_string()].into_iter().chain(sends).collect()
}

/// A line of the drawing, overwritten with texts from left to right.
fn laid_over<'a>(report: &Report<'_>, line: &str, texts: impl Iterator<Item = &'a Placed>) -> String {
    let mut shown = String::new();
    let mut column = 0;
    for placed in texts {
        let before = line.get(column..placed.column.min(line.len())).unwrap_or_default();
        shown.push_str(before);
        shown.push_str(&" ".repeat(placed.column.saturating_sub(column + before.len())));
        shown.push_str(&match placed.state {
            Some(state) => report.styled(state_style(state), &placed.text),
            None => placed.text.clone(),
        });
        shown.push_str(placed.behind);
        column = placed.column + placed.text.len() + placed.behind.len();
    }
    shown.push_str(line.get(column..).unwrap_or_default());
    shown
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::layout::ReportStyle;
    use crate::model::MACHINE;

    #[test]
    fn every_arrow_of_the_figure_that_linux_has_is_drawn_and_no_other() {
        let key = |from: TcpState, to: TcpState| (from.kernel(), to.kernel());
        let drawn: BTreeSet<_> = ARROWS.iter().map(|(from, to, ..)| key(*from, *to)).collect();
        let figure: BTreeSet<_> = MACHINE
            .iter()
            .filter(|way| way.in_figure && way.on_linux)
            .map(|way| key(way.from, way.to))
            .collect();
        assert_eq!(drawn, figure);
        assert_eq!(drawn.len(), ARROWS.len());
    }

    /// Large counts overwrite no other text and do not exceed the width.
    #[test]
    fn large_counts_fit() {
        for count in [0, 470_000, 99_999_999] {
            let mut out = Vec::new();
            let mut report = Report::new(&mut out, ReportStyle { json: false, color: false, width: 80 });
            draw(&mut report, |_| count);
            let text = String::from_utf8(out).unwrap();
            for state in TcpState::SHOWN {
                assert_eq!(text.matches(&format!("{state} {count}")).count(), 1, "{state}\n{text}");
            }
            for (from, to, line, _) in ARROWS {
                let way = transitions_between(from, to).find(|way| way.in_figure).unwrap();
                for (below, label) in labels(way).iter().enumerate() {
                    assert!(text.lines().nth(line + below).unwrap().contains(label), "{label}\n{text}");
                }
            }
            assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        }
    }
}
