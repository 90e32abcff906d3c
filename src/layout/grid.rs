//! Tables without boxes, for people.

use anstyle::Ansi256Color;
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, ContentLineStyle,
    Table as Grid, TableStyle, Width,
};

use super::report::{is_bold, state_colour};
use crate::model::TcpState;

/// Rows laid out at once: a laid-out row takes up to 2 KB, and nobody compares rows this far apart.
pub(super) const BLOCK: usize = 2_000;

/// An empty grid with only blanks between its columns.
pub(crate) fn new_grid(color: bool) -> Grid {
    let mut grid = Grid::new();
    let blank = ContentLineStyle::none().junction(' ');
    grid.load_style(TableStyle::new().header_lines(blank).content_lines(blank));
    grid.set_content_arrangement(ContentArrangement::Disabled);
    if color {
        grid.enforce_styling();
        // Unstyled blanks can be trimmed from the end of a line.
        grid.style_text_only();
    } else {
        grid.force_no_tty();
    }
    grid
}

/// Appends a grid's lines; columns without a width take what they need.
pub(crate) fn push_grid(out: &mut Vec<u8>, mut grid: Grid, widths: &[usize]) {
    grid.discover_columns();
    for (index, column) in grid.column_iter_mut().enumerate() {
        // One blank of the gap is the grid's own.
        column.set_padding((0, 1));
        if let Some(width) = widths.get(index) {
            let width = u16::try_from(width + 1).unwrap_or(u16::MAX);
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        }
    }
    for line in grid.lines() {
        out.extend_from_slice(line.trim_end().as_bytes());
        out.push(b'\n');
    }
}

/// Makes the grid wrap texts if its columns do not fit in the width.
pub(crate) fn fit(grid: &mut Grid, width: u16) {
    grid.set_width(width);
    grid.set_content_arrangement(ContentArrangement::Dynamic);
}

/// A heading's cells.
pub(crate) fn title_cells(titles: impl IntoIterator<Item = impl Into<Cell>>) -> Vec<Cell> {
    titles.into_iter().map(|title| title.into().add_attribute(Attribute::Bold)).collect()
}

/// A number's cell.
pub(crate) fn number_cell(number: impl ToString) -> Cell {
    Cell::new(number).set_alignment(CellAlignment::Right)
}

/// The terminal's colour of this name.
pub(super) fn colour_of(colour: anstyle::AnsiColor) -> Color {
    Color::AnsiValue(Ansi256Color::from(colour).0)
}

/// The cell in the state's style.
pub(crate) fn coloured(cell: Cell, state: TcpState) -> Cell {
    // Red alone is not seen by everybody.
    let cell = if is_bold(state) { cell.add_attribute(Attribute::Bold) } else { cell };
    match state_colour(state) {
        Some(colour) => cell.fg(colour_of(colour)),
        None => cell.add_attribute(Attribute::Dim),
    }
}
