//! Rows of a query: sorted, cut, and written in the format that is asked for.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::table::dynamic;
use crate::args::asking::{Format, Table};
use crate::tables::{FieldLine, Fields};

/// One row: values by field, those of a group one level further down.
pub(crate) type Row = Map<String, Value>;

/// Columns of a table when none are asked for: the first of these that the rows have.
const USUAL: &[&str] = &[
    "id",
    "about",
    "name",
    "package",
    "architecture",
    "file",
    "family",
    "weights",
    "workload",
    "dataset",
    "metric",
    "value",
    "top1",
    "accuracy_value",
    "accuracy_metric",
    "params",
    "macs",
    "size_bytes",
    "input_size",
    "runner",
    "runtime",
    "precision",
    "threads",
    "batch",
    "median_ms",
    "ci_low_ms",
    "ci_high_ms",
    "images_per_second",
    "samples",
    "verdict",
    "device",
    "year",
    "kind",
    "phase",
    "reason",
    "unit",
    "source",
    "line",
];

/// The same in every row of architectures, since they stand in one setting.
const OF_SETTING: [&str; 2] = ["runner", "precision"];

/// What makes room for a latency with its evidence.
const LESS_USUAL: [&str; 3] = ["macs", "size_bytes", "year"];

/// What a latency brings along wherever it is shown.
const WITH_LATENCY: [&str; 3] = ["latency.low_ms", "latency.high_ms", "latency.grade"];

/// Which of the rows are wanted: the first ones by a field.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct First<'a> {
    /// The field, and whether the order is reversed.
    pub(crate) sort: Option<(&'a str, bool)>,
    /// How many; all without one.
    pub(crate) limit: Option<usize>,
}

/// Which rows and columns are wanted, in which order.
pub(crate) struct Wanted<'a> {
    fields: &'a Fields,
    /// Empty for the usual ones.
    columns: Vec<&'a FieldLine>,
    sort: Option<(&'a FieldLine, bool)>,
    limit: usize,
}

impl<'a> Wanted<'a> {
    /// Reads names of fields as they were typed.
    ///
    /// # Errors
    /// A field is not one of the table's.
    pub(crate) fn new(
        fields: &'a Fields,
        columns: &[String],
        sort: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Self, String> {
        let mut chosen = Vec::new();
        for typed in columns {
            chosen.extend(fields.fields(typed.trim())?);
        }
        let sort = sort.map(|sort| sort.strip_prefix('-').map_or((sort, false), |field| (field, true)));
        let sort =
            sort.map(|(field, reverse)| Ok::<_, String>((fields.field(field)?, reverse))).transpose()?;
        let columns = with_evidence(fields, chosen);
        Ok(Self { fields, columns, sort, limit: limit.unwrap_or(usize::MAX) })
    }

    /// Which rows are wanted, for records, whose fields are no paths.
    pub(crate) fn first(&self) -> First<'a> {
        let limit = Some(self.limit).filter(|limit| *limit < usize::MAX);
        First { sort: self.sort.map(|(field, reverse)| (field.path.as_str(), reverse)), limit }
    }

    /// Sorted and cut.
    pub(crate) fn arranged(&self, mut rows: Vec<Row>) -> Vec<Row> {
        if let Some((field, reverse)) = self.sort {
            rows.sort_by(|a, b| order(value_at(a, &field.path), value_at(b, &field.path), reverse));
        }
        rows.truncate(self.limit);
        rows
    }

    /// Whether a latency that holds for a setting is among what is shown or sorted by.
    pub(crate) fn shows_latency(&self) -> bool {
        let of_setting = |f: &FieldLine| f.path.starts_with("latency.") || f.path.starts_with("throughput.");
        self.columns.iter().any(|f| of_setting(f)) || self.sort.is_some_and(|(f, _)| of_setting(f))
    }

    /// The columns of a table for people.
    fn usual(&self, rows: &[Row]) -> Vec<&'a FieldLine> {
        let known = |f: &FieldLine| rows.iter().any(|row| !value_at(row, &f.path).is_none_or(Value::is_null));
        let mut columns: Vec<_> = USUAL
            .iter()
            .filter_map(|name| self.fields.lines.iter().find(|f| f.name == **name))
            .filter(|f| self.fields.table != Table::Architectures || !OF_SETTING.contains(&f.path.as_str()))
            .filter(|f| !(self.shows_latency() && LESS_USUAL.contains(&f.path.as_str())))
            .filter(|f| known(f) && !(f.path.starts_with("accuracy.") && all_have_top1(rows)))
            .collect();
        if let Some((sort, _)) = self.sort
            && !columns.iter().any(|f| f.path == sort.path)
        {
            columns.insert(columns.len().min(3), sort);
        }
        with_evidence(self.fields, columns)
    }

    /// The columns for a format; all of them in CSV, which programs read.
    fn columns(&self, rows: &[Row], format: Format) -> Vec<&'a FieldLine> {
        match format {
            _ if !self.columns.is_empty() => self.columns.clone(),
            Format::Csv => self.fields.lines.iter().collect(),
            _ => self.usual(rows),
        }
    }

    /// A row as JSON: whole, or the columns that were asked for under their flat names.
    fn document(&self, row: &Row) -> Value {
        if self.columns.is_empty() {
            return Value::Object(row.clone());
        }
        let value = |f: &FieldLine| value_at(row, &f.path).cloned().unwrap_or(Value::Null);
        Value::Object(self.columns.iter().map(|f| (f.name.clone(), value(f))).collect())
    }
}

/// A latency never stands without its interval and its grade.
fn with_evidence<'a>(fields: &'a Fields, columns: Vec<&'a FieldLine>) -> Vec<&'a FieldLine> {
    let Some(at) = columns.iter().position(|f| f.path == "latency.ms") else { return columns };
    let missing: Vec<_> = WITH_LATENCY
        .iter()
        .filter(|path| fields.table == Table::Architectures && !columns.iter().any(|f| f.path == **path))
        .filter_map(|path| fields.field(path).ok())
        .collect();
    let mut columns = columns;
    columns.splice(at + 1..at + 1, missing);
    columns
}

fn all_have_top1(rows: &[Row]) -> bool {
    let has = |row: &Row, path: &str| !value_at(row, path).is_none_or(Value::is_null);
    rows.iter().all(|row| has(row, "top1") || !has(row, "accuracy.value"))
}

/// The value at a dotted path.
pub(crate) fn value_at<'r>(row: &'r Row, path: &str) -> Option<&'r Value> {
    let mut steps = path.split('.');
    let first = row.get(steps.next()?)?;
    steps.try_fold(first, |value, step| value.get(step))
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

/// The rows in a format.
pub(crate) fn written(rows: &[Row], wanted: &Wanted<'_>, format: Format) -> String {
    let columns = wanted.columns(rows, format);
    let cells = |row: &Row, cell: &dyn Fn(&Value) -> String| -> Vec<String> {
        columns.iter().map(|f| cell(value_at(row, &f.path).unwrap_or(&Value::Null))).collect()
    };
    let titles: Vec<_> = columns.iter().map(|f| f.name.clone()).collect();
    match format {
        Format::Json => {
            let rows: Vec<_> = rows.iter().map(|row| wanted.document(row)).collect();
            let document = json!({"schema": "convwise.rows/1", "rows": rows});
            serde_json::to_string_pretty(&document).unwrap_or_default()
        }
        Format::Jsonl => lines(rows.iter().map(|row| wanted.document(row).to_string())),
        Format::Csv => {
            let rows = rows.iter().map(|row| cells(row, &exact));
            lines(std::iter::once(titles).chain(rows).map(|row| csv_line(&row)))
        }
        Format::Markdown => {
            let rule = columns.iter().map(|f| if f.is_number() { "--:" } else { "---" }.to_owned()).collect();
            let rows = rows.iter().map(|row| cells(row, &plain));
            lines([titles, rule].into_iter().chain(rows).map(|row| markdown_line(&row)))
        }
        Format::Table if rows.is_empty() => "no rows".to_owned(),
        Format::Table => dynamic(&titles, rows.iter().map(|row| cells(row, &plain)), |i| {
            columns.get(i).is_some_and(|f| f.is_number())
        }),
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| format!("{line}\n")).collect()
}

/// Cells as RFC 4180 has them.
fn csv_line(cells: &[String]) -> String {
    let quoted = |cell: &String| match cell.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.clone(),
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",")
}

fn markdown_line(cells: &[String]) -> String {
    let escaped = |cell: &String| cell.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ");
    format!("| {} |", cells.iter().map(escaped).collect::<Vec<_>>().join(" | "))
}

/// A value with all its digits; nothing for what is unknown.
fn exact(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Number(n) => n.to_string(),
        other => plain(other),
    }
}

/// A value as people read it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "unknown".to_owned(),
        Value::String(s) => s.clone(),
        Value::Number(n) => number(n.as_f64().unwrap_or_default()),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// Whole numbers as they are, others with enough digits to tell them apart.
pub(crate) fn number(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, csv: &str, markdown: &str) {
        let cells = [value.to_owned(), "b".to_owned()];
        assert_eq!(csv_line(&cells), format!("{csv},b"));
        assert_eq!(markdown_line(&cells), format!("| {markdown} | b |"));
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        check("plain", "plain", "plain");
        check("a,b", "\"a,b\"", "a,b");
        check("say \"x\"", "\"say \"\"x\"\"\"", "say \"x\"");
        check("two\nlines", "\"two\nlines\"", "two lines");
        check("a|b\\", "a|b\\", "a\\|b\\\\");
    }

    #[test]
    fn what_is_unknown_comes_last_either_way() {
        let (two, ten, unknown) = (json!(2), json!(10.5), Value::Null);
        for reverse in [false, true] {
            assert_eq!(order(Some(&ten), Some(&unknown), reverse), Ordering::Less);
            assert_eq!(order(None, Some(&two), reverse), Ordering::Greater);
        }
        assert_eq!(order(Some(&two), Some(&ten), false), Ordering::Less);
        assert_eq!(order(Some(&two), Some(&ten), true), Ordering::Greater);
    }
}
