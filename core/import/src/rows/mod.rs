//! Rows of a table: cells between separators, quoted where they must be, each row with its line.

mod complaint;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::desk::{Desk, Problem};
use crate::input::{Input, LONGEST_ROW};
use crate::row::Row;
use crate::sniff;

/// The most columns that a table may have.
const MOST_COLUMNS: usize = 4096;

/// The most bytes that one cell may have.
const LONGEST_CELL: usize = 1 << 16;

/// A table being read.
pub(crate) struct Rows {
    input: Input,
    parser: Reader,
    /// Names of the columns, from the header.
    pub columns: Vec<String>,
    separator: u8,
    cells: Vec<u8>,
    ends: Vec<usize>,
    line: u64,
    read: u64,
    whole: bool,
}

/// What came of reading one row.
struct Raw {
    line: u64,
    length: usize,
    count: usize,
    /// A line end follows it.
    ended: bool,
    lines: u64,
}

impl Rows {
    /// Reads the header of a table.
    pub fn open(input: Input, separator: u8) -> Result<Self, Problem> {
        let mut rows = Self {
            input,
            parser: ReaderBuilder::new().delimiter(separator).build(),
            columns: Vec::new(),
            separator,
            cells: vec![0; 4096],
            ends: vec![0; 64],
            line: 1,
            read: 0,
            whole: true,
        };
        let Some(raw) = rows.raw()? else { return Err(Problem::of_file("has no header: it is blank")) };
        rows.columns = rows.row(&raw)?.cells().map(|cell| cell.trim().to_owned()).collect();
        rows.refuse_twins(raw.line)?;
        Ok(rows)
    }

    /// The next row; `None` at the end. A problem for which the rest of the file cannot be read is the second kind of
    /// error.
    pub fn next(&mut self) -> Result<Option<Result<Row<'_>, Problem>>, Problem> {
        let Some(raw) = self.raw()? else { return Ok(None) };
        self.whole = raw.ended;
        Ok(Some(self.row(&raw)))
    }

    /// The file does not end in a line end: it may have been cut off in its last cell.
    pub fn may_be_cut(&self) -> bool {
        !self.whole
    }

    /// Place of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    fn refuse_twins(&self, line: u64) -> Result<(), Problem> {
        for (at, name) in self.columns.iter().enumerate() {
            let twin = self.columns.iter().skip(at + 1).any(|other| other == name);
            if twin && !name.is_empty() {
                return Err(Problem::at(line, "the header names this column twice").in_column(name));
            }
        }
        Ok(())
    }

    /// Reads one record into the buffers.
    fn raw(&mut self) -> Result<Option<Raw>, Problem> {
        if !self.skip_blank()? {
            return Ok(None);
        }
        let newline = self.input.newline;
        let (line, mut length, mut count) = (self.line, 0, 0);
        loop {
            let chunk = self.input.peek(self.line)?;
            let at_end = chunk.is_empty();
            let cells = self.cells.get_mut(length..).unwrap_or_default();
            let ends = self.ends.get_mut(count..).unwrap_or_default();
            let (result, taken, written, ended) = self.parser.read_record(chunk, cells, ends);
            let seen = chunk.get(..taken).unwrap_or_default();
            self.line += seen.iter().filter(|b| **b == newline).count() as u64;
            self.read += taken as u64;
            self.input.skip(taken);
            length += written;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.grow_cells(line, count)?,
                ReadRecordResult::OutputEndsFull => self.grow_ends(line)?,
                ReadRecordResult::Record => {
                    let lines = self.line - line;
                    return Ok(Some(Raw { line, length, count, ended: !at_end, lines }));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    /// Goes on to the next line that is not empty; whether there is one.
    fn skip_blank(&mut self) -> Result<bool, Problem> {
        let newline = self.input.newline;
        loop {
            let chunk = self.input.peek(self.line)?;
            let blank = chunk.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            let lines = chunk.iter().take(blank).filter(|b| **b == newline).count();
            if blank == 0 {
                return Ok(!chunk.is_empty());
            }
            self.input.skip(blank);
            self.line += lines as u64;
            self.read += blank as u64;
        }
    }

    fn grow_cells(&mut self, line: u64, count: usize) -> Result<(), Problem> {
        let length = self.cells.len() * 2;
        if length > LONGEST_ROW {
            let text = format!(
                "a row has more than the {LONGEST_ROW} bytes that it may have; is a quote not closed?"
            );
            let problem = Problem::at(line, text);
            return Err(match self.columns.get(count) {
                Some(column) => problem.in_column(column),
                None => problem,
            });
        }
        self.cells.resize(length, 0);
        Ok(())
    }

    fn grow_ends(&mut self, line: u64) -> Result<(), Problem> {
        let length = self.ends.len() * 2;
        if length > MOST_COLUMNS {
            return Err(Problem::at(line, format!("a row has more than {MOST_COLUMNS} cells")));
        }
        self.ends.resize(length, 0);
        Ok(())
    }

    /// The record in the buffers, if every cell of it is text and there is one for each column.
    fn row(&self, raw: &Raw) -> Result<Row<'_>, Problem> {
        let bytes = self.cells.get(..raw.length).unwrap_or_default();
        let ends = self.ends.get(..raw.count).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let at = ends.iter().take_while(|end| **end <= e.valid_up_to()).count();
            self.in_cell(raw.line, at, sniff::not_utf8())
        })?;
        if let Some(at) = ends.iter().position(|end| !text.is_char_boundary(*end)) {
            return Err(self.in_cell(raw.line, at, sniff::not_utf8()));
        }
        let row = Row { line: raw.line, read: self.read, columns: &self.columns, text, ends };
        if !self.columns.is_empty() && ends.len() != self.columns.len() {
            return Err(self.uneven(raw));
        }
        if !raw.ended && raw.lines > 0 {
            let text = "the row that begins here goes on to the end of the file; is a quote not closed?";
            return Err(Problem::at(raw.line, text));
        }
        for (at, cell) in row.cells().enumerate() {
            if cell.len() > LONGEST_CELL {
                return Err(self.in_cell(
                    raw.line,
                    at,
                    format!("the cell has more than {LONGEST_CELL} bytes"),
                ));
            }
        }
        match bytes.iter().position(|b| *b == 0) {
            Some(zero) => {
                let at = ends.iter().take_while(|end| **end <= zero).count();
                Err(self.in_cell(raw.line, at, "the cell has a NUL byte".to_owned()))
            }
            None => Ok(row),
        }
    }
}

/// Calls `each` with every sound row, and notes the problems of the others.
pub(crate) fn for_each(
    rows: &mut Rows,
    desk: &mut Desk<'_, '_>,
    mut each: impl FnMut(Row<'_>, &mut Desk<'_, '_>),
) -> Result<(), Problem> {
    while let Some(row) = rows.next()? {
        desk.report.rows += 1;
        match row {
            Ok(row) => each(row, desk),
            Err(problem) => desk.problem(problem),
        }
    }
    if desk.report.rows == 0 {
        return Err(Problem::of_file("has a header and no rows"));
    }
    if rows.may_be_cut() {
        desk.report.remarks.push(
            "its last line has no line end: if the file was cut off, the last cell is not whole".to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
