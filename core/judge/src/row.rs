//! One thing's fields as scripts read them: values computed once, handed out as cheap handles.

use std::sync::Arc;

use convwise_types::Candidate;
use rhai::{Dynamic, ImmutableString};

use crate::fields::{Cell, NEED, NET, Read, Table};
use crate::inquiry::Inquiry;
use crate::trace::{bit, print};

/// The cells of one thing, in the order of its table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub table: &'static Table,
    pub cells: Vec<Cell>,
}

/// What a script holds when it holds `net`, `need` or a group of fields in one of them.
#[derive(Clone, Debug)]
pub(crate) struct View(pub Arc<Row>);

/// A set of words in a script; asked with `in`.
#[derive(Clone, Debug)]
pub(crate) struct Words(pub Arc<[ImmutableString]>);

impl Row {
    /// A candidate: `net`.
    pub fn candidate(candidate: &Candidate) -> Self {
        Self::inside_candidate(&NET, candidate)
    }

    /// One of a candidate's tables.
    pub fn inside_candidate(table: &'static Table, candidate: &Candidate) -> Self {
        Self::build(table, |read| match read {
            Read::Candidate(field) => field(candidate),
            Read::Inquiry(_) | Read::Column => elsewhere(),
        })
    }

    /// A request and its target: `need`.
    pub fn inquiry(inquiry: &Inquiry) -> Self {
        Self::inside_inquiry(&NEED, inquiry)
    }

    /// One of a request's tables.
    pub fn inside_inquiry(table: &'static Table, inquiry: &Inquiry) -> Self {
        Self::build(table, |read| match read {
            Read::Inquiry(field) => field(inquiry),
            Read::Candidate(_) | Read::Column => elsewhere(),
        })
    }

    /// A table of which nothing is known.
    pub fn blank(table: &'static Table, need: &str) -> Self {
        let cell = |name: &str| Cell::unknown(name, need);
        Self { table, cells: table.fields.iter().map(|f| cell(f.name)).collect() }
    }

    fn build(table: &'static Table, cell: impl Fn(Read) -> Cell) -> Self {
        Self { table, cells: table.fields.iter().map(|f| cell(f.read)).collect() }
    }

    /// The cell of a field by its name.
    pub fn cell(&self, name: &str) -> Option<&Cell> {
        self.cells.get(self.table.position(name)?)
    }

    /// Replaces a field's cell.
    pub fn set(&mut self, name: &str, cell: Cell) {
        let position = self.table.position(name);
        if let Some(place) = position.and_then(|p| self.cells.get_mut(p)) {
            *place = cell;
        }
    }

    /// The fields in which two rows of one table differ, one bit each, by their position. What is unknown in both
    /// is the same.
    pub fn differences(&self, other: &Self) -> u64 {
        let pairs = self.cells.iter().zip(&other.cells).enumerate();
        pairs.filter(|(_, (a, b))| !a.is_like(b)).fold(0, |bits, (at, _)| bits | bit(at))
    }

    /// The cell at a dotted path: `latency.ms`.
    pub fn at(&self, path: &str) -> Option<Cell> {
        let (first, rest) = path.split_once('.').map_or((path, None), |(a, b)| (a, Some(b)));
        let cell = self.cell(first)?;
        match (rest, cell) {
            (None, _) => Some(cell.clone()),
            (Some(rest), Cell::Known(value, _)) => value.read_lock::<View>()?.0.at(rest),
            (Some(_), Cell::Unknown(_)) => Some(cell.clone()),
        }
    }
}

impl Cell {
    fn is_like(&self, other: &Self) -> bool {
        let (Self::Known(a, grade), Self::Known(b, other_grade)) = (self, other) else {
            return matches!((self, other), (Self::Unknown(_), Self::Unknown(_)));
        };
        let values = match (a.read_lock::<View>(), b.read_lock::<View>()) {
            (Some(a), Some(b)) => a.0.differences(&b.0) == 0,
            (None, None) => print(a) == print(b),
            _ => false,
        };
        values && grade == other_grade
    }
}

/// The tables name their own readers; a reader of another thing has nothing to read.
fn elsewhere() -> Cell {
    Cell::unknown("field", "it belongs to another table")
}

impl Words {
    /// Whether a word is among them.
    pub fn contains(&self, word: &str) -> bool {
        self.0.iter().any(|w| w == word)
    }
}

/// A number in a cell, whole or real.
#[expect(clippy::cast_precision_loss, reason = "compared and printed, never summed")]
pub(crate) fn number(value: &Dynamic) -> Option<f64> {
    value.as_float().ok().or_else(|| value.as_int().ok().map(|n| n as f64))
}
