//! Where the columns of a block of rows begin, so that most rows take one line.

/// Blanks between two columns.
pub(super) const GAP: usize = 2;
/// On a narrower screen, rows that do not fit are stacked: a line for each column.
pub(super) const NARROW: usize = 50;

/// How a block of rows is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Columns of these widths. A row with a wider cell takes several lines.
    Beside(Vec<usize>),
    /// Each row below the other, a line for each column.
    Stacked,
}

impl Plan {
    /// How many of these rows need more than one line.
    pub(super) fn long_rows(&self, rows: &[Vec<usize>]) -> usize {
        match self {
            Self::Beside(widths) => rows.iter().filter(|row| !fits(row, widths)).count(),
            Self::Stacked => rows.len(),
        }
    }
}

/// Whether each cell fits in its column.
pub(super) fn fits(row: &[usize], widths: &[usize]) -> bool {
    row.iter().zip(widths).all(|(cell, width)| cell <= width)
}

/// A column before its width is chosen.
pub(super) struct Wish {
    /// The title's width, below which the column does not go.
    pub(super) title: usize,
    /// Whether some of its cells may be wider than the column.
    pub(super) is_flexible: bool,
}

/// The plan for rows whose cells have these widths, in a room of so many columns.
pub(super) fn plan(wishes: &[Wish], rows: &[Vec<usize>], room: Option<usize>) -> Plan {
    let natural = |(at, wish): (usize, &Wish)| {
        rows.iter().filter_map(|row| row.get(at)).copied().max().unwrap_or(0).max(wish.title)
    };
    let mut widths: Vec<usize> = wishes.iter().enumerate().map(natural).collect();
    let Some(room) = room else { return Plan::Beside(widths) };
    if total(&widths) <= room {
        return Plan::Beside(widths);
    }
    if room < NARROW {
        return Plan::Stacked;
    }
    while let Some(excess) = total(&widths).checked_sub(room).filter(|excess| *excess > 0) {
        let Some(Narrowing { column, to, .. }) = cheapest(wishes, rows, &widths) else {
            return Plan::Stacked;
        };
        let Some(width) = widths.get_mut(column) else { return Plan::Stacked };
        // No narrower than is needed.
        *width = to.max(width.saturating_sub(excess));
    }
    Plan::Beside(widths)
}

/// A column made narrower.
struct Narrowing {
    column: usize,
    to: usize,
    /// The rows that then have a cell too wide for this column.
    rows: usize,
    /// By how much it is narrower.
    saved: usize,
}

/// The narrowing that makes the fewest rows long for what it saves; `None` if no column can be narrower.
fn cheapest(wishes: &[Wish], rows: &[Vec<usize>], widths: &[usize]) -> Option<Narrowing> {
    let narrowings = wishes.iter().zip(widths).enumerate().filter_map(|(column, (wish, width))| {
        if !wish.is_flexible || *width <= wish.title {
            return None;
        }
        let cells = || rows.iter().filter_map(|row| row.get(column)).copied();
        let to = cells().filter(|cell| cell < width).max().unwrap_or(0).max(wish.title);
        let long = cells().filter(|cell| *cell > to && cell <= width).count();
        Some(Narrowing { column, to, rows: long, saved: width - to })
    });
    narrowings.min_by_key(|narrowing| narrowing.rows * 1_000 / narrowing.saved.max(1))
}

/// The width of a line with these columns.
fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// Where each column begins.
pub(super) fn starts(widths: &[usize]) -> Vec<usize> {
    widths
        .iter()
        .scan(0, |start, width| {
            let this = *start;
            *start += width + GAP;
            Some(this)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(titles: &[(usize, bool)]) -> Vec<Wish> {
        titles.iter().map(|&(title, is_flexible)| Wish { title, is_flexible }).collect()
    }

    #[test]
    fn what_fits_keeps_its_width() {
        let wishes = wishes(&[(5, false), (5, true)]);
        assert_eq!(plan(&wishes, &[vec![11, 20]], Some(60)), Plan::Beside(vec![11, 20]));
        assert_eq!(plan(&wishes, &[vec![11, 200]], None), Plan::Beside(vec![11, 200]));
    }

    #[test]
    fn one_long_row_does_not_narrow_the_others() {
        let wishes = wishes(&[(5, false), (13, true), (12, true)]);
        let mut rows = vec![vec![11, 18, 20]; 9];
        rows.push(vec![11, 45, 20]);
        let plan = plan(&wishes, &rows, Some(70));
        assert_eq!(plan, Plan::Beside(vec![11, 35, 20]));
        assert_eq!(plan.long_rows(&rows), 1);
    }

    #[test]
    fn the_column_with_the_fewest_wide_cells_is_narrowed() {
        let wishes = wishes(&[(5, true), (5, true)]);
        let rows = vec![vec![30, 40], vec![30, 10], vec![30, 10]];
        assert_eq!(plan(&wishes, &rows, Some(50)), Plan::Beside(vec![30, 18]));
    }

    #[test]
    fn rows_are_stacked_where_columns_have_no_room() {
        let narrow = wishes(&[(5, false), (13, true)]);
        assert_eq!(plan(&narrow, &[vec![11, 40]], Some(40)), Plan::Stacked);
        assert_eq!(plan(&narrow, &[vec![11, 20]], Some(40)), Plan::Beside(vec![11, 20]));
        let many = wishes(&[(30, false), (31, false)]);
        assert_eq!(plan(&many, &[vec![30, 31]], Some(60)), Plan::Stacked);
    }
}
