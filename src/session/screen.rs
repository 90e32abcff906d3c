//! Draws a repeated output in place on a terminal, and gives the terminal back as it was.

use std::fs::File;
use std::io::{self, Write as _};

use rustix::termios::tcgetwinsize;

/// The other screen of the terminal, without a cursor, and without wrapping lines; the first screen keeps what was on
/// it.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
const LEAVE: &[u8] = b"\x1b[?7h\x1b[?25h\x1b[?1049l";
/// To the first line; to the end of the line; to the end of the screen.
const HOME: &[u8] = b"\x1b[H";
const CLEAR_LINE: &[u8] = b"\x1b[K";
const CLEAR_BELOW: &[u8] = b"\x1b[J";

/// A terminal whose other screen is shown until this is dropped.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: File,
    is_entered: bool,
}

impl Screen {
    pub(super) fn new(terminal: File) -> io::Result<Self> {
        let mut screen = Self { terminal, is_entered: false };
        screen.enter()?;
        Ok(screen)
    }

    /// Shows the other screen.
    pub(super) fn enter(&mut self) -> io::Result<()> {
        self.is_entered = true;
        self.terminal.write_all(ENTER)
    }

    /// Shows the first screen again, with its cursor.
    pub(super) fn leave(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_entered) {
            return Ok(());
        }
        self.terminal.write_all(LEAVE)
    }

    /// The terminal's columns and lines.
    pub(super) fn size(&self) -> Option<(u16, u16)> {
        let size = tcgetwinsize(&self.terminal).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
    }

    /// Draws a heading and as many of the lines as fit; the last line says how many do not.
    pub(super) fn draw(&mut self, heading: &str, text: &[u8]) -> io::Result<()> {
        let lines = self.size().map_or(usize::MAX, |(_, lines)| usize::from(lines));
        self.terminal.write_all(&frame(heading, text, lines))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The program ends: there is nobody to report this to.
        let _ = self.leave();
    }
}

/// The bytes that draw this on a screen of so many lines.
fn frame(heading: &str, text: &[u8], height: usize) -> Vec<u8> {
    let mut out = HOME.to_vec();
    let mut push = |line: &[u8], is_last: bool| {
        // Cleared first: behind a full line the cursor stands on its last column.
        out.extend_from_slice(CLEAR_LINE);
        out.extend_from_slice(line);
        if !is_last {
            out.extend_from_slice(b"\r\n");
        }
    };
    let headings = heading.split("\r\n").count();
    for (at, line) in heading.split("\r\n").take(height).enumerate() {
        push(line.as_bytes(), at + 1 == height);
    }
    let room = height.saturating_sub(headings);
    let lines: Vec<_> = text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n').collect();
    let shown = if lines.len() <= room { lines.len() } else { room.saturating_sub(1) };
    for (at, line) in lines.iter().take(shown).enumerate() {
        push(line, at + 1 == room);
    }
    if shown < lines.len() && room > 0 {
        let more = format!("... {} more lines: a filter or --limit shows fewer", lines.len() - shown);
        push(more.as_bytes(), true);
    }
    // On a full screen it would clear the end of the last line.
    if lines.len() < room {
        out.extend_from_slice(CLEAR_BELOW);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let text = |height| String::from_utf8(frame("now", b"a\nb\nc\n", height)).unwrap();
        assert_eq!(text(4), "\x1b[H\x1b[Know\r\n\x1b[Ka\r\n\x1b[Kb\r\n\x1b[Kc");
        assert_eq!(text(5), "\x1b[H\x1b[Know\r\n\x1b[Ka\r\n\x1b[Kb\r\n\x1b[Kc\r\n\x1b[J");
        let three = text(3);
        assert!(three.contains("a\r\n\x1b[K... 2 more lines") && !three.contains("Kb"), "{three:?}");
        assert_eq!(text(1), "\x1b[H\x1b[Know");
    }
}
