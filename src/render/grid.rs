//! Tables without boxes, for people.

use comfy_table::{
    Attribute, Cell, Color, ColumnConstraint, ContentArrangement, ContentLineStyle, Table as Grid,
    TableStyle, Width,
};

use crate::model::TcpState;

/// An empty grid whose columns are apart by blanks alone.
pub(super) fn new_grid(color: bool) -> Grid {
    let mut grid = Grid::new();
    let blank = ContentLineStyle::none().junction(' ');
    grid.load_style(TableStyle::new().header_lines(blank).content_lines(blank));
    grid.set_content_arrangement(ContentArrangement::Disabled);
    if color {
        grid.enforce_styling();
        // Blanks without style can be taken from the end of a line.
        grid.style_text_only();
    } else {
        grid.force_no_tty();
    }
    grid
}

/// Appends a grid's lines; columns without a width take what they need.
pub(super) fn push_grid(out: &mut Vec<u8>, mut grid: Grid, widths: &[usize]) {
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

/// A heading's cells.
pub(super) fn title_cells(titles: impl IntoIterator<Item = &'static str>) -> Vec<Cell> {
    titles.into_iter().map(|title| Cell::new(title).add_attribute(Attribute::Bold)).collect()
}

/// Green works, blue waits for connections, yellow is opening or closing, red waits for a program of this host.
pub(super) fn coloured(cell: Cell, state: TcpState) -> Cell {
    match state.shown() {
        TcpState::Established => cell.fg(Color::Green),
        TcpState::Listen => cell.fg(Color::Blue),
        TcpState::CloseWait => cell.fg(Color::Red),
        TcpState::TimeWait | TcpState::Close => cell.add_attribute(Attribute::Dim),
        _ => cell.fg(Color::Yellow),
    }
}
