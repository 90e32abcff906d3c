//! Tables without boxes, for people.

use anstyle::{Ansi256Color, Effects, Style};
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, ContentLineStyle,
    Table as Grid, TableStyle, Width,
};

use super::report::state_style;
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

/// The cell in the state's style.
pub(crate) fn coloured(cell: Cell, state: TcpState) -> Cell {
    styled(cell, state_style(state))
}

/// The cell in this style: its colour, bold and dim.
pub(super) fn styled(mut cell: Cell, style: Style) -> Cell {
    let effects = [(Effects::BOLD, Attribute::Bold), (Effects::DIMMED, Attribute::Dim)];
    for (_, attribute) in effects.into_iter().filter(|(effect, _)| style.get_effects().contains(*effect)) {
        cell = cell.add_attribute(attribute);
    }
    match style.get_fg_color() {
        Some(anstyle::Color::Ansi(colour)) => cell.fg(Color::AnsiValue(Ansi256Color::from(colour).0)),
        _ => cell,
    }
}
