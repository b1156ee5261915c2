//! What is said of tables and rows that are not as they should be.

use convwise_types::did_you_mean;

use super::{Raw, Rows};
use crate::desk::Problem;
use crate::{number, sniff};

impl Rows {
    /// What is said of columns that are not there: their names, what may have been meant, and what the file looks like.
    pub fn lacks(&self, missing: &[&str], what: &str) -> Problem {
        let list = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let hint = match missing {
            [one] => did_you_mean(one, self.columns.iter().map(String::as_str)),
            _ => String::new(),
        };
        let columns = number::shortened(&self.columns.join(", "));
        let also = match (self.other_separator(), sniff::looks_like(&self.columns)) {
            (Some(found), _) => format!("; its cells seem to be separated by {}", shown(found)),
            (None, Some(other)) => format!("; {other}"),
            (None, None) => String::new(),
        };
        let noun = if missing.len() == 1 { "column" } else { "columns" };
        Problem::at(
            1,
            format!("{what} has the {noun} {list}, which this header has not ({columns}){hint}{also}"),
        )
    }

    /// Another separator that the header's only cell is full of.
    fn other_separator(&self) -> Option<u8> {
        let [only] = self.columns.as_slice() else { return None };
        [b';', b'\t', b',', b'|'].into_iter().find(|b| *b != self.separator && only.as_bytes().contains(b))
    }

    /// A problem of a cell of a row that could not be read.
    pub(super) fn in_cell(&self, line: u64, at: usize, text: String) -> Problem {
        let problem = Problem::at(line, text);
        match self.columns.get(at) {
            Some(column) => problem.in_column(column),
            None => problem,
        }
    }

    /// What is said of a row that has not one cell for each column.
    pub(super) fn uneven(&self, raw: &Raw) -> Problem {
        let (has, wanted) = (raw.count, self.columns.len());
        let separator = shown(self.separator);
        let text = if raw.lines > 1 {
            format!(
                "the row that begins here has {has} cells of {wanted} and goes on to another line; is a quote not closed?"
            )
        } else if has > wanted {
            format!(
                "the row has {has} cells, the header {wanted}; a cell with {separator} in it must be quoted"
            )
        } else if raw.ended {
            format!("the row has {has} cells, the header {wanted}")
        } else {
            format!("the file ends after {has} of {wanted} cells of its last row; was it cut off?")
        };
        Problem::at(raw.line, text)
    }
}

/// A separator as people call it.
fn shown(separator: u8) -> String {
    if separator == b'\t' { "tabs".to_owned() } else { format!("`{}`", char::from(separator)) }
}
