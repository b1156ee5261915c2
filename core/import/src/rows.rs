//! Rows of a table: cells between separators, quoted where they must be, each row with its line.

use convwise_types::did_you_mean;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::desk::{Desk, Problem};
use crate::input::{Input, LONGEST_ROW};
use crate::number;
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

    fn in_cell(&self, line: u64, at: usize, text: String) -> Problem {
        let problem = Problem::at(line, text);
        match self.columns.get(at) {
            Some(column) => problem.in_column(column),
            None => problem,
        }
    }

    fn uneven(&self, raw: &Raw) -> Problem {
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
mod tests {
    use super::*;

    /// Every row as `line: cells`, or the problem.
    fn read(text: &[u8], separator: u8) -> Vec<String> {
        let input = match Input::of("x.csv", std::io::Cursor::new(text.to_vec())) {
            Ok(input) => input,
            Err(problem) => return vec![problem.to_string()],
        };
        let mut rows = match Rows::open(input, separator) {
            Ok(rows) => rows,
            Err(problem) => return vec![problem.to_string()],
        };
        let mut found = Vec::new();
        loop {
            match rows.next() {
                Ok(None) => return found,
                Ok(Some(Ok(row))) => {
                    found.push(format!("{}: {}", row.line, row.cells().collect::<Vec<_>>().join("|")));
                }
                Ok(Some(Err(problem))) => found.push(problem.to_string()),
                Err(problem) => {
                    found.push(problem.to_string());
                    return found;
                }
            }
        }
    }

    fn check(text: &str, expect: &[&str]) {
        assert_eq!(read(text.as_bytes(), b','), expect, "{text:?}");
    }

    #[test]
    fn rows_know_their_lines_however_lines_end() {
        check("a,b\n1,2\n3,4\n", &["2: 1|2", "3: 3|4"]);
        check("a,b\r\n1,2\r\n\r\n3,4", &["2: 1|2", "4: 3|4"]);
        check("a,b\r1,2\r3,4\r", &["2: 1|2", "3: 3|4"]);
        check("\u{feff}a,b\n\n\n1,2\n", &["4: 1|2"]);
        check("a,b\n\"1\n1\",2\n3,4\n", &["2: 1\n1|2", "4: 3|4"]);
        check("a,b\n\"1,013.01\",\"say \"\"x\"\"\"\n", &["2: 1,013.01|say \"x\""]);
    }

    #[test]
    fn broken_rows_are_named_and_the_others_read() {
        check("a,b\n1\n3,4\n", &["line 2: the row has 1 cells, the header 2", "3: 3|4"]);
        check(
            "a,b\n1,2,3\n",
            &["line 2: the row has 3 cells, the header 2; a cell with `,` in it must be quoted"],
        );
        check(
            "a,b\n3,4\n5",
            &["2: 3|4", "line 3: the file ends after 1 of 2 cells of its last row; was it cut off?"],
        );
        check("a,a\n", &["line 1, column a: the header names this column twice"]);
        check("\n\n", &["has no header: it is blank"]);
        let late = format!("a,b\n1,{}\0\n", "x".repeat(80));
        check(&late, &["line 2, column b: the cell has a NUL byte"]);
        let latin1 = read(b"a,b\n1,caf\xe9\n", b',');
        assert!(latin1[0].starts_with("line 2, column b: is not UTF-8; convert"), "{latin1:?}");
        let split = read(b"a,b\n\xc3,\xa9\n", b',');
        assert!(split[0].starts_with("line 2, column a: is not UTF-8"), "{split:?}");
        let open = read(b"a,b\n1,\"2\n3,4\n5,6\n7", b',');
        assert_eq!(
            open,
            ["line 2: the row that begins here goes on to the end of the file; is a quote not closed?"]
        );
        let open = read(b"a,b\n\"1,2\n3,4\n5,6\n", b',');
        assert!(
            open[0].contains("has 1 cells of 2 and goes on to another line; is a quote not closed?"),
            "{open:?}"
        );
    }

    #[test]
    fn huge_rows_and_cells_are_refused_at_their_column() {
        let cell = format!("a,b\n1,{}\n3,4\n", "x".repeat(70_000));
        check(&cell, &["line 2, column b: the cell has more than 65536 bytes", "3: 3|4"]);
        let row = format!("a,b\n1,\"{}\n3,4\n", "x".repeat(2 << 20));
        let found = read(row.as_bytes(), b',');
        assert!(found[0].starts_with("line 2, column b: a row has more than the 1048576 bytes"), "{found:?}");
        let many = format!("a,b\n{}\n", ",".repeat(10_000));
        check(&many, &["line 2: a row has more than 4096 cells"]);
    }

    #[test]
    fn what_is_missing_is_said_with_what_the_file_looks_like() {
        let lacks = |text: &str, missing: &[&str]| {
            let input = Input::of("x.csv", std::io::Cursor::new(text.as_bytes().to_vec())).unwrap();
            Rows::open(input, b',').unwrap().lacks(missing, "such a table").text
        };
        assert_eq!(
            lacks("modle,top1\n", &["model"]),
            "such a table has the column `model`, which this header has not (modle, top1); did you mean `modle`?"
        );
        assert!(lacks("model;top1\n", &["model"]).ends_with("; its cells seem to be separated by `;`"));
        assert!(lacks("model\ttop1\n", &["model"]).ends_with("; its cells seem to be separated by tabs"));
        assert!(lacks("model,pretrain\n", &["top1"]).contains("what weights were trained on"));
    }
}
