//! One row of a table: its cells, and the problems they may have.

use crate::desk::Problem;
use crate::number::{self, Style};

/// One row below the header.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    /// Line on which it begins, from 1.
    pub line: u64,
    /// Bytes of the file up to its end.
    pub read: u64,
    /// Names of the columns.
    pub columns: &'a [String],
    /// Cells one after the other.
    pub text: &'a str,
    /// Where each cell ends.
    pub ends: &'a [usize],
}

impl<'a> Row<'a> {
    /// The cells as they stand.
    pub fn cells(self) -> impl Iterator<Item = &'a str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends).map(move |(start, end)| self.text.get(start..*end).unwrap_or_default())
    }

    /// A cell without the blanks around it.
    pub fn cell(self, at: usize) -> &'a str {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(start);
        self.text.get(start..end).unwrap_or_default().trim()
    }

    /// A cell, absent where it is blank.
    pub fn filled(self, at: Option<usize>) -> Option<&'a str> {
        at.map(|at| self.cell(at)).filter(|text| !text.is_empty())
    }

    /// Name of a column.
    pub fn name(self, at: usize) -> &'a str {
        self.columns.get(at).map_or("", String::as_str)
    }

    /// A problem of a cell.
    pub fn wrong(self, at: usize, text: impl Into<String>) -> Problem {
        Problem::at(self.line, text).in_column(self.name(at))
    }

    /// The text of a cell that must not be blank.
    pub fn text(self, at: usize) -> Result<&'a str, Problem> {
        self.filled(Some(at)).ok_or_else(|| self.wrong(at, "is empty"))
    }

    /// The number in a cell.
    pub fn real(self, at: usize, style: Style) -> Result<f64, Problem> {
        number::real(self.cell(at), style).map_err(|why| self.wrong(at, why))
    }

    /// The number in a cell, which must be above 0.
    pub fn above_zero(self, at: usize, style: Style) -> Result<f64, Problem> {
        let number = self.real(at, style)?;
        if number > 0.0 {
            Ok(number)
        } else {
            Err(self.wrong(at, format!("`{}` is not above 0", self.cell(at))))
        }
    }

    /// The percentage in a cell.
    pub fn percent(self, at: usize, style: Style) -> Result<f64, Problem> {
        let number = self.real(at, style)?;
        if (0.0..=100.0).contains(&number) {
            return Ok(number);
        }
        Err(self.wrong(at, format!("`{}` is outside 0 to 100 percent", self.cell(at))))
    }

    /// The count in a cell.
    pub fn whole(self, at: usize, style: Style) -> Result<u64, Problem> {
        number::whole(self.cell(at), style).map_err(|why| self.wrong(at, why))
    }
}
