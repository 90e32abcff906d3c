//! Rows that do not fit in one line: a cell that is too wide runs on to the right, and the cells behind it follow on
//! the next line, each below its heading. No number, address or name is broken.

use super::column::{Cell, Column};
use super::fit::{GAP, starts};
use crate::layout::text;

/// Indentation of a text that needs a line of its own.
pub(super) const INDENT: usize = 4;

/// A line being written, and how many columns it has.
struct Line<'a> {
    out: &'a mut Vec<u8>,
    used: usize,
}

impl Line<'_> {
    /// Moves to this column; on a new line if this one is past it.
    fn go_to(&mut self, column: usize) {
        if self.used > 0 && self.used + GAP > column {
            self.end();
        }
        self.out.resize(self.out.len() + column - self.used, b' ');
        self.used = column;
    }

    fn push(&mut self, text: &str, width: usize) {
        self.out.extend_from_slice(text.as_bytes());
        self.used += width;
    }

    /// Writes the cell's text in this column.
    fn push_cell(&mut self, column: usize, cell: &Cell, color: bool) {
        self.go_to(column);
        self.push(&cell.styled(&cell.text, color), cell.width());
    }

    /// Writes the cell's text on lines of its own.
    fn push_pieces(&mut self, cell: &Cell, room: usize, color: bool) {
        for piece in pieces(&cell.text, room.saturating_sub(INDENT)) {
            if self.used > 0 {
                self.end();
            }
            self.go_to(INDENT);
            self.push(&cell.styled(piece, color), text::width(piece));
        }
    }

    fn end(&mut self) {
        self.out.push(b'\n');
        self.used = 0;
    }
}

/// Appends a row in columns of these widths, on as many lines as it needs.
pub(super) fn push_row(out: &mut Vec<u8>, cells: &[&Cell], widths: &[usize], room: usize, color: bool) {
    let mut line = Line { out, used: 0 };
    for ((cell, width), start) in cells.iter().zip(widths).zip(starts(widths)) {
        let wide = cell.width();
        if cell.is_empty && line.used + GAP > start && line.used > 0 {
            // Not worth another line.
            continue;
        }
        let right = if cell.is_right { width.saturating_sub(wide) } else { 0 };
        if start + right + wide <= room {
            line.push_cell(start + right, cell, color);
        } else if INDENT + wide <= room {
            // As far to the right as it goes.
            if line.used > 0 && line.used + GAP + wide > room {
                line.end();
            }
            line.push_cell(room - wide, cell, color);
        } else {
            line.push_pieces(cell, room, color);
        }
    }
    line.end();
}

/// Appends a row as a line for each column that has a value.
pub(super) fn push_stacked(
    out: &mut Vec<u8>,
    columns: &[&Column],
    cells: &[&Cell],
    room: usize,
    color: bool,
) {
    let label = columns.iter().map(|column| text::width(&column.title)).max().unwrap_or(0);
    let mut is_headed = false;
    for (column, cell) in columns.iter().zip(cells) {
        // The first one is the row's heading, behind the mark of a change.
        if !is_headed {
            out.extend_from_slice(cell.styled(&cell.text, color).as_bytes());
            is_headed = !column.title.is_empty();
            out.push(if is_headed { b'\n' } else { b' ' });
            continue;
        }
        if cell.is_empty {
            continue;
        }
        let mut line = Line { out, used: 0 };
        line.go_to(2);
        line.push(&column.title, text::width(&column.title));
        let beside = 2 + label + GAP;
        if beside + cell.width() <= room {
            line.push_cell(beside, cell, color);
        } else {
            line.push_pieces(cell, room, color);
        }
        line.end();
    }
}

/// The text in pieces that fit, broken behind `,`, `/` and blanks only. A piece that is wider stays whole.
fn pieces(text: &str, room: usize) -> Vec<&str> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while text::width(rest) > room {
        let ends = || {
            rest.char_indices().filter(|(_, c)| matches!(c, ',' | '/' | ' ')).map(|(at, c)| at + c.len_utf8())
        };
        let fitting = ends().rfind(|end| rest.get(..*end).is_some_and(|piece| text::width(piece) <= room));
        let Some(end) = fitting.or_else(|| ends().next()).filter(|end| *end < rest.len()) else { break };
        let (piece, behind) = rest.split_at(end);
        pieces.push(piece.trim_end());
        rest = behind;
    }
    pieces.push(rest);
    pieces
}

/// Appends words on lines that keep to the room.
pub(super) fn push_wrapped(out: &mut Vec<u8>, words: impl Iterator<Item = String>, room: usize) {
    let mut line = Line { out, used: 0 };
    for word in words {
        let width = text::width(&word);
        if line.used > 0 && line.used + 2 + width <= room {
            line.push("  ", 2);
        } else {
            if line.used > 0 {
                line.end();
            }
            line.go_to(INDENT);
        }
        line.push(&word, width);
    }
    if line.used > 0 {
        line.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_break_between_names_only() {
        assert_eq!(pieces("/system.slice/nginx.service", 16), ["/system.slice/", "nginx.service"]);
        assert_eq!(pieces("10/nginx[4],11/nginx[4]", 12), ["10/nginx[4],", "11/nginx[4]"]);
        assert_eq!(pieces("averylongname", 5), ["averylongname"]);
        assert_eq!(pieces("short", 5), ["short"]);
    }
}
