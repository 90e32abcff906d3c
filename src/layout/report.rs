//! Reports in paragraphs: headings, text fitted to the width, commands to type.

use anstyle::{AnsiColor, Style};

use super::text;
use crate::model::TcpState;

/// How a report is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportStyle {
    /// As a document in place of text.
    pub json: bool,
    /// Colours and styles.
    pub color: bool,
    /// The columns to keep to.
    pub width: usize,
}

impl ReportStyle {
    /// Longer lines are hard to read, however wide the terminal is.
    pub const WIDEST: usize = 80;
}

/// Indentation of text below its heading.
const INDENT: usize = 2;

/// A report being written.
pub(crate) struct Report<'a> {
    out: &'a mut Vec<u8>,
    style: ReportStyle,
}

impl<'a> Report<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>, style: ReportStyle) -> Self {
        Self { out, style }
    }

    /// Text in a style, if colours are on.
    pub(crate) fn styled(&self, style: Style, text: &str) -> String {
        if self.style.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// A line as it is; trailing blanks are dropped.
    pub(crate) fn line(&mut self, line: &str) {
        self.out.extend_from_slice(line.trim_end().as_bytes());
        self.out.push(b'\n');
    }

    pub(crate) fn blank(&mut self) {
        self.out.push(b'\n');
    }

    /// A heading on a line of its own, a blank line above it unless it is the first.
    pub(crate) fn heading(&mut self, heading: &str) {
        if !self.out.is_empty() {
            self.blank();
        }
        let heading = self.styled(Style::new().bold(), heading);
        self.line(&heading);
    }

    /// A paragraph.
    pub(crate) fn paragraph(&mut self, text: &str) {
        let blanks = " ".repeat(INDENT);
        self.wrapped(&blanks, INDENT, text);
    }

    /// A paragraph without indentation.
    pub(crate) fn sentence(&mut self, text: &str) {
        self.wrapped("", 0, text);
    }

    /// Text beside its label, which takes `width` columns.
    pub(crate) fn labelled(&mut self, label: &str, width: usize, text: &str) {
        let gap = width.saturating_sub(text::width(label)).max(1);
        let lead = format!("{}{label}{}", " ".repeat(INDENT), " ".repeat(gap));
        self.wrapped(&lead, INDENT + width, text);
    }

    /// A title after a styled word, which takes `width` columns.
    pub(crate) fn titled(&mut self, word: &str, width: usize, title: &str) {
        let start = self.out.len();
        // Style sequences take no columns, so they are added after wrapping.
        self.wrapped(&" ".repeat(width + INDENT), width + INDENT, title);
        self.out.splice(start..start + width, word.bytes());
    }

    /// A command to type, on a line of its own: it is never wrapped.
    pub(crate) fn command(&mut self, command: &str) {
        let command = self.styled(AnsiColor::Cyan.on_default(), command);
        self.line(&format!("{}{command}", " ".repeat(INDENT)));
    }

    fn wrapped(&mut self, lead: &str, hanging: usize, text: &str) {
        let hanging = " ".repeat(hanging);
        let options = textwrap::Options::new(self.style.width)
            .initial_indent(lead)
            .subsequent_indent(&hanging)
            .break_words(false)
            // Options, states and addresses have hyphens in them.
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
        for line in textwrap::wrap(text, options) {
            self.line(&line);
        }
    }
}

/// Green: established; blue: listening; yellow: opening or closing; red: a local program must act; dim: closed. Red
/// alone is not seen by everybody, so it is bold.
pub(crate) fn state_style(state: TcpState) -> Style {
    match state.shown() {
        TcpState::Established => AnsiColor::BrightGreen.on_default(),
        TcpState::Listen => AnsiColor::BrightBlue.on_default(),
        TcpState::CloseWait => AnsiColor::BrightRed.on_default().bold(),
        TcpState::TimeWait | TcpState::Close => Style::new().dimmed(),
        _ => AnsiColor::BrightYellow.on_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(width: usize, color: bool, write: impl FnOnce(&mut Report<'_>)) -> String {
        let mut out = Vec::new();
        write(&mut Report::new(&mut out, ReportStyle { json: false, color, width }));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_keeps_to_the_width_and_hangs_below_its_label() {
        let text = written(20, false, |report| {
            report.heading("ONE");
            report.labelled("label", 7, "a text that is longer than a line");
            report.heading("TWO");
            report.paragraph("tcp-max-tw-buckets-is-long");
            report.command("a command that is longer than a line");
        });
        insta::assert_snapshot!(text, @r#"
        ONE
          label  a text that
                 is longer
                 than a line

        TWO
          tcp-max-tw-buckets-is-long
          a command that is longer than a line
        "#);
    }

    #[test]
    fn styles_are_ended() {
        let text = written(80, true, |report| report.heading("ONE"));
        assert_eq!(text, "\u{1b}[1mONE\u{1b}[0m\n");
    }
}
