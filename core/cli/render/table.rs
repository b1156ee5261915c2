//! Plain tables that fit the terminal.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use crate::screen::{HEADING, styled, width};

/// A column: its title, and whether it holds figures.
#[derive(Clone, Copy)]
pub(crate) struct Column<'a> {
    title: &'a str,
    figures: bool,
}

/// A column of text.
pub(crate) const fn text(title: &str) -> Column<'_> {
    Column { title, figures: false }
}

/// A column of figures, aligned to the right.
pub(crate) const fn figures(title: &str) -> Column<'_> {
    Column { title, figures: true }
}

/// Lays rows out under their titles. Rows shorter than the header end early.
pub(crate) fn table(columns: &[Column<'_>], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width()).unwrap_or(u16::MAX));
    table.set_header(columns.iter().map(|c| cell(c, styled(HEADING, c.title))));
    for row in rows {
        table.add_row(columns.iter().zip(row).map(|(c, value)| cell(c, value)));
    }
    let laid_out = table.to_string();
    let mut out = String::with_capacity(laid_out.len());
    for line in laid_out.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn cell(column: &Column<'_>, value: String) -> Cell {
    Cell::new(value).set_alignment(if column.figures { CellAlignment::Right } else { CellAlignment::Left })
}

/// The same for columns that are only known when the program runs.
pub(crate) fn dynamic(
    titles: &[String],
    rows: impl IntoIterator<Item = Vec<String>>,
    is_figures: impl Fn(usize) -> bool,
) -> String {
    let columns: Vec<_> =
        titles.iter().enumerate().map(|(i, title)| Column { title, figures: is_figures(i) }).collect();
    table(&columns, rows)
}
