//! Rows of a query: sorted, cut, and as a table.

use std::cmp::Ordering;

use convwise_types::did_you_mean;
use serde_json::{Map, Value};

use super::table::dynamic;

/// One row: values by field.
pub(crate) type Row = Map<String, Value>;

/// Columns of a table when none are asked for: the first of these that the rows have.
const USUAL: &[&str] = &[
    "id",
    "architecture",
    "family",
    "weights",
    "top1",
    "params",
    "macs",
    "size_bytes",
    "input_size",
    "runner",
    "threads",
    "batch",
    "median_ms",
    "ci_low_ms",
    "ci_high_ms",
    "samples",
    "verdict",
    "device",
    "year",
];

/// Which rows and columns are wanted, in which order.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) sort: Option<String>,
    pub(crate) limit: Option<usize>,
}

impl Rows {
    /// Sorts, cuts and projects.
    pub(crate) fn arrange(&self, mut rows: Vec<Row>) -> Result<Vec<Row>, String> {
        for field in self
            .columns
            .iter()
            .map(String::as_str)
            .chain(self.sort.as_deref().map(|s| s.trim_start_matches('-')))
        {
            self.known(field, &rows)?;
        }
        if let Some(sort) = &self.sort {
            let (field, reverse) = sort.strip_prefix('-').map_or((sort.as_str(), false), |f| (f, true));
            rows.sort_by(|a, b| order(a.get(field), b.get(field), reverse));
        }
        rows.truncate(self.limit.unwrap_or(usize::MAX));
        if !self.columns.is_empty() {
            for row in &mut rows {
                *row = self
                    .columns
                    .iter()
                    .map(|c| (c.clone(), row.get(c).cloned().unwrap_or(Value::Null)))
                    .collect();
            }
        }
        Ok(rows)
    }

    fn known(&self, field: &str, rows: &[Row]) -> Result<(), String> {
        let Some(first) = rows.first() else { return Ok(()) };
        if rows.iter().any(|r| r.contains_key(field)) {
            return Ok(());
        }
        let hint = did_you_mean(field, first.keys().map(String::as_str));
        Err(format!("there is no column `{field}`{hint}"))
    }
}

/// Numbers by value, text by letter; what is unknown comes last either way.
fn order(a: Option<&Value>, b: Option<&Value>, reverse: bool) -> Ordering {
    let known = |v: Option<&Value>| v.is_some_and(|v| !v.is_null());
    match (known(a), known(b)) {
        (false, false) => Ordering::Equal,
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (true, true) => {
            let natural = compare(a, b);
            if reverse { natural.reverse() } else { natural }
        }
    }
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a.and_then(Value::as_f64), b.and_then(Value::as_f64)) {
        (Some(x), Some(y)) => x.total_cmp(&y),
        _ => a.map(plain).cmp(&b.map(plain)),
    }
}

/// The rows as a table with the asked or the usual columns.
pub(crate) fn shown(rows: &[Row], columns: &[String]) -> String {
    let has = |name: &str| rows.iter().any(|r| r.get(name).is_some_and(|v| !v.is_null()));
    let columns: Vec<String> = if columns.is_empty() {
        USUAL.iter().filter(|c| has(c)).map(|c| (*c).to_owned()).collect()
    } else {
        columns.to_vec()
    };
    if rows.is_empty() {
        return "no rows".to_owned();
    }
    let cells =
        rows.iter().map(|row| columns.iter().map(|c| row.get(c).map(plain).unwrap_or_default()).collect());
    dynamic(&columns, cells, |i| {
        columns.get(i).is_some_and(|c| rows.iter().any(|r| r.get(c).is_some_and(Value::is_number)))
    })
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "unknown".to_owned(),
        Value::String(s) => s.clone(),
        Value::Number(n) => number(n.as_f64().unwrap_or_default()),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// Whole numbers as they are, others with enough digits to tell them apart.
fn number(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}
