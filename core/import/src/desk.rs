//! The work on one file: entries out, problems noted with their places.

use std::fmt;
use std::path::Path;

use crate::{Entry, Place, Sink};

/// Problems of one file that are kept with their text; more are counted.
const KEPT: usize = 10;

/// What is wrong with a file, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1, where there is one.
    pub line: Option<u64>,
    /// Column by its name in the header.
    pub column: Option<String>,
    /// What is wrong: lower case, no final stop.
    pub text: String,
}

impl Problem {
    /// A problem of the whole file.
    pub(crate) fn of_file(text: impl Into<String>) -> Self {
        Self { line: None, column: None, text: text.into() }
    }

    /// A problem of a line.
    pub(crate) fn at(line: u64, text: impl Into<String>) -> Self {
        Self { line: Some(line), column: None, text: text.into() }
    }

    /// The same in a column.
    pub(crate) fn in_column(self, column: &str) -> Self {
        Self { column: Some(column.to_owned()), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, &self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: {}", self.text),
            (Some(line), None) => write!(f, "line {line}: {}", self.text),
            (None, Some(column)) => write!(f, "column {column}: {}", self.text),
            (None, None) => f.write_str(&self.text),
        }
    }
}

/// What came of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The file, without its folder.
    pub file: String,
    /// Rows below the header.
    pub rows: u64,
    /// Entries handed over and taken.
    pub entries: u64,
    /// Figures left out because their cells are empty.
    pub blank: u64,
    /// The first problems.
    pub problems: Vec<Problem>,
    /// How many problems there are beyond those.
    pub more_problems: u64,
    /// What a person should know although nothing is wrong.
    pub remarks: Vec<String>,
}

impl Report {
    /// The report of a file that cannot be read at all.
    #[must_use]
    pub fn refused(path: &Path, problem: Problem) -> Self {
        Self { file: path.display().to_string(), problems: vec![problem], ..Self::default() }
    }

    /// How many problems there are.
    #[must_use]
    pub fn count_of_problems(&self) -> u64 {
        self.problems.len() as u64 + self.more_problems
    }
}

/// Takes what readers find in one file.
pub(crate) struct Desk<'s, 'k> {
    pub report: Report,
    source: String,
    sink: &'s mut Sink<'k>,
}

impl<'s, 'k> Desk<'s, 'k> {
    pub fn new(file: &str, source: Option<&str>, sink: &'s mut Sink<'k>) -> Self {
        let source = source.unwrap_or(file).to_owned();
        Self { report: Report { file: file.to_owned(), ..Report::default() }, source, sink }
    }

    /// The source that a record of a line names.
    pub fn source_at(&self, line: u64) -> String {
        format!("{}, line {line}", self.source)
    }

    /// The source that a record of an entry of a document names.
    pub fn source_of(&self, entry: &str) -> String {
        format!("{}, {entry}", self.source)
    }

    /// Hands an entry over; a refusal becomes a problem at its place.
    pub fn hand(&mut self, entry: Entry, place: Place<'_>) {
        match (self.sink)(entry, place) {
            Ok(()) => self.report.entries += 1,
            Err(text) => {
                let column = place.column.map(str::to_owned);
                self.problem(Problem { line: place.line, column, text });
            }
        }
    }

    /// Notes a problem.
    pub fn problem(&mut self, problem: Problem) {
        if self.report.problems.len() < KEPT {
            self.report.problems.push(problem);
        } else {
            self.report.more_problems += 1;
        }
    }
}
