//! Architectures, row by row.

use std::sync::Arc;

use convwise_types::{Architecture, Candidate, Diagnostic, Weights};
use serde_json::{Map, Value};

use super::Question;
use crate::fields::{Cell, NET, published_candidate};
use crate::row::{Row, View, Words};

/// A row that can be queried: an architecture with one of its weights, or a candidate.
#[derive(Clone, Debug)]
pub struct QueryRow(Arc<Row>);

impl QueryRow {
    /// A variant with one of its weights, or without any: what is published, nothing measured.
    #[must_use]
    pub fn architecture(architecture: &Arc<Architecture>, weights: Option<&Weights>) -> Self {
        Self(Arc::new(Row::candidate(&published_candidate(architecture, weights))))
    }

    /// A candidate.
    #[must_use]
    pub fn candidate(candidate: &Candidate) -> Self {
        Self(Arc::new(Row::candidate(candidate)))
    }

    /// Every field by name; what is unknown is `null`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        row_json(&self.0)
    }
}

fn row_json(row: &Row) -> Value {
    let named = row.table.fields.iter().zip(&row.cells);
    let entries =
        named.filter(|(f, _)| f.name != "preference").map(|(f, cell)| (f.name.to_owned(), cell_json(cell)));
    Value::Object(entries.collect::<Map<String, Value>>())
}

fn cell_json(cell: &Cell) -> Value {
    let Cell::Known(value, _) = cell else { return Value::Null };
    if let Some(view) = value.read_lock::<View>() {
        return row_json(&view.0);
    }
    if let Some(words) = value.read_lock::<Words>() {
        return words.0.iter().map(|w| Value::from(w.as_str())).collect();
    }
    let number = value.as_int().map(Value::from).or_else(|_| value.as_float().map(Value::from));
    number.or_else(|_| value.as_bool().map(Value::from)).unwrap_or_else(|_| Value::from(value.to_string()))
}

/// What a query found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryAnswer {
    /// Positions of the rows that match, in their order.
    pub matched: Vec<usize>,
    /// Rows that were left out because a field that the expression needs is unknown.
    pub unknown: usize,
}

/// Filters rows; text and numbers are never compared.
///
/// # Errors
/// A syntax error, an unknown field (with the nearest one), a comparison of text with a number, or a result that is not
/// true or false; each with its place.
pub fn query(expression: &str, rows: &[QueryRow]) -> Result<QueryAnswer, Diagnostic> {
    let question = Question::new(expression, &NET)?;
    let mut answer = QueryAnswer::default();
    for (at, QueryRow(row)) in rows.iter().enumerate() {
        let row = Arc::clone(row);
        match question.matches(&question.ast, Arc::new(move |name| row.cell(name).cloned()))? {
            Some(true) => answer.matched.push(at),
            Some(false) => {}
            None => answer.unknown += 1,
        }
    }
    Ok(answer)
}
