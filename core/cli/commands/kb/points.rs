//! Rows as points of a plane: which may share one, what their figures are, and within what they cannot be told apart.

use std::collections::BTreeMap;

use convwise_advisor::front::{Aim, Figure, Point};
use convwise_store::shipped::Shipped;
use convwise_types::listing::Better;
use convwise_types::{Interval, Percent};
use serde_json::Value;

use super::rows::number_at;
use crate::args::asking::Table;
use crate::render::advice::count_of;
use crate::render::rows::{Row, plain, value_at};
use crate::tables::{FieldLine, Fields};

/// A field that is drawn, and which way it improves.
pub(super) struct Drawn<'a> {
    pub(super) field: &'a FieldLine,
    pub(super) aim: Aim,
}

/// The field of a name as an axis.
///
/// # Errors
/// There is no such field, it holds no numbers, or nothing says which way it improves.
pub(super) fn drawn_field<'a>(
    fields: &'a Fields,
    typed: &str,
    stated: Option<Aim>,
    flag: &str,
) -> Result<Drawn<'a>, String> {
    let field = fields.field(typed)?;
    if !field.is_number() {
        return Err(format!("`{typed}` is {}; an axis needs numbers", field.kind));
    }
    let own = match field.better {
        Better::Higher => Some(Aim::Higher),
        Better::Lower => Some(Aim::Lower),
        Better::Neither => None,
    };
    let aim = stated.or(own);
    let unclear = || format!("nothing says which way `{typed}` improves; add {flag} lower or {flag} higher");
    Ok(Drawn { field, aim: aim.ok_or_else(unclear)? })
}

impl Drawn<'_> {
    /// `latency_ms (milliseconds, lower is better)`.
    pub(super) fn title(&self) -> String {
        let unit = if self.field.unit.is_empty() { String::new() } else { format!("{}, ", self.field.unit) };
        format!("{} ({unit}{} is better)", self.field.name, self.aim.as_str())
    }
}

/// A row whose two figures are known.
pub(super) struct Spot {
    pub(super) row: Row,
    pub(super) point: Point,
}

/// Rows that may share a plane, and why others may not.
pub(super) struct Points {
    pub(super) spots: Vec<Spot>,
    /// What all of them have in common, as fields and values.
    pub(super) shared: Vec<(&'static str, Value)>,
    /// Rows without x, and rows with x without y.
    pub(super) unknown: [usize; 2],
    /// Rows that were left out since they were evaluated on something else.
    pub(super) left_out: Vec<String>,
}

/// What a plane shows of which rows.
#[derive(Clone, Copy)]
pub(super) struct Plane<'a> {
    pub(super) table: Table,
    pub(super) x: &'a FieldLine,
    pub(super) y: &'a FieldLine,
    /// The expression that chose the rows.
    pub(super) expression: &'a str,
    pub(super) shipped: &'a Shipped,
}

impl Plane<'_> {
    /// The rows that may share the plane.
    ///
    /// # Errors
    /// They were timed in several settings: which, and how to choose one.
    pub(super) fn points(&self, rows: Vec<Row>) -> Result<Points, String> {
        let total = rows.len();
        let rows: Vec<_> = rows.into_iter().filter(|row| number_at(row, &self.x.path).is_some()).collect();
        let with_x = rows.len();
        let rows: Vec<_> = rows.into_iter().filter(|row| number_at(row, &self.y.path).is_some()).collect();
        let unknown = [total - with_x, with_x - rows.len()];
        let (timed, compared) = (self.conditions(timed_by), self.conditions(compared_on));
        let settings = groups(&rows, &timed);
        if settings.len() > 1 {
            return Err(self.several(&timed, &settings));
        }
        let sets = groups(&rows, &compared);
        // Of equally many the first, so that the answer does not hang on anything else.
        let widest = sets.iter().rev().max_by_key(|(_, rows)| rows.len()).map(|(key, _)| key.clone());
        let left_out = sets.iter().filter(|(key, _)| Some(*key) != widest.as_ref());
        let left_out = left_out.map(|(key, rows)| Self::elsewhere(&compared, key, rows.len())).collect();
        let ours = |row: &Row| Some(key_of(row, &compared)) == widest;
        let spots: Vec<_> = rows.into_iter().filter(ours).map(|row| self.spot(row)).collect();
        let values = spots.first().map(|spot| &spot.row);
        let shared = timed.iter().chain(&compared);
        let shared = shared.filter_map(|path| Some((*path, value_at(values?, path)?.clone()))).collect();
        Ok(Points { spots, shared, unknown, left_out })
    }

    /// The fields that must be equal for figures of x and of y to be comparable.
    fn conditions(&self, of: fn(Table, &str) -> &'static [&'static str]) -> Vec<&'static str> {
        let mut paths: Vec<&str> = Vec::new();
        for path in of(self.table, &self.x.path).iter().chain(of(self.table, &self.y.path)) {
            if !paths.contains(path) && *path != self.x.path && *path != self.y.path {
                paths.push(path);
            }
        }
        paths
    }

    fn several(&self, paths: &[&str], groups: &BTreeMap<Vec<String>, Vec<&Row>>) -> String {
        let differing: Vec<_> = paths.iter().filter_map(|path| values_in_words(path, groups)).collect();
        let largest = groups.iter().rev().max_by_key(|(_, rows)| rows.len());
        let choice = largest.and_then(|(_, rows)| rows.first()).map(|row| self.choice(row, paths));
        format!(
            "figures that were timed differently never share a front; the rows have {}; choose, e.g. {}",
            differing.join(", "),
            choice.unwrap_or_default()
        )
    }

    fn elsewhere(paths: &[&str], key: &[String], rows: usize) -> String {
        let stated: Vec<_> =
            paths.iter().zip(key).map(|(p, v)| format!("{} {v}", p.replace('.', "_"))).collect();
        format!("{} of {}", count_of(rows, "row"), stated.join(", "))
    }

    /// The flag that chooses rows like this one.
    fn choice(&self, row: &Row, paths: &[&str]) -> String {
        let known = paths.iter().filter_map(|p| Some((p, value_at(row, p).filter(|v| !v.is_null())?)));
        let conditions: Vec<_> = known.map(|(path, value)| format!("{path} == {value}")).collect();
        let conditions = conditions.join(" && ");
        match self.expression {
            "true" => format!("--where '{conditions}'"),
            before => format!("--where '({before}) && {conditions}'"),
        }
    }

    fn spot(&self, row: Row) -> Spot {
        let point = Point { x: self.figure(&row, self.x), y: self.figure(&row, self.y) };
        Spot { row, point }
    }

    fn figure(&self, row: &Row, field: &FieldLine) -> Figure {
        let value = number_at(row, &field.path).unwrap_or_default();
        if let Some(interval) = interval_of(row, &field.path) {
            return Figure { value, interval };
        }
        let dataset = dataset_of(self.table, &field.path).and_then(|path| value_at(row, path)?.as_str());
        let dataset = dataset.and_then(|id| self.shipped.dataset(id));
        dataset.map_or(Figure::exact(value), |d| Figure::within(value, d.half_width(Percent(value)).0))
    }
}

/// How a network was timed, for figures that hang on it.
fn timed_by(table: Table, path: &str) -> &'static [&'static str] {
    match table {
        Table::Measurements if !matches!(path, "input_size" | "samples" | "outliers") => {
            &["device_id", "runner", "threads", "batch", "precision", "scenario", "postprocess"]
        }
        Table::Timings if matches!(path, "latency_ms" | "images_per_second") => {
            &["workload", "device", "runtime", "options", "layout", "precision", "threads", "batch"]
        }
        Table::Architectures if path.starts_with("latency.") || path.starts_with("throughput.") => {
            &["latency.device", "latency.runner", "precision"]
        }
        _ => &[],
    }
}

/// On what an accuracy was evaluated.
fn compared_on(table: Table, path: &str) -> &'static [&'static str] {
    match (table, path) {
        (Table::Architectures, "top1" | "accuracy.value") => &["accuracy.dataset", "accuracy.metric"],
        (Table::Results, "value") => &["dataset", "metric"],
        _ => &[],
    }
}

fn dataset_of(table: Table, path: &str) -> Option<&'static str> {
    compared_on(table, path).first().copied()
}

/// The interval that rows state of a figure.
pub(super) fn interval_of(row: &Row, path: &str) -> Option<Interval> {
    let [low, high] = match path {
        "latency.ms" => ["latency.low_ms", "latency.high_ms"],
        "throughput.per_second" => ["throughput.low", "throughput.high"],
        "median_ms" => ["ci_low_ms", "ci_high_ms"],
        _ => return None,
    };
    Some(Interval { low: number_at(row, low)?, high: number_at(row, high)? })
}

/// How good the evidence for a figure is, where rows say.
pub(super) fn grade_of(table: Table, row: &Row, path: &str) -> Option<String> {
    let at = match (table, path) {
        (Table::Measurements, _) => return Some("measured".to_owned()),
        (Table::Architectures, "top1") => "accuracy.grade".to_owned(),
        (Table::Architectures, path) => format!("{}.grade", path.split_once('.')?.0),
        _ => return Some("published".to_owned()),
    };
    value_at(row, &at).filter(|v| !v.is_null()).map(plain)
}

/// How a row is called.
pub(super) fn name_of(row: &Row) -> String {
    let named = ["architecture", "file", "about", "id"].iter().filter_map(|field| row.get(*field));
    let named = named.map(plain).find(|name| name != "unknown").unwrap_or_default();
    match row.get("input_size").filter(|v| !v.is_null()) {
        Some(size) => format!("{named} @{}", plain(size)),
        None => named,
    }
}

fn key_of(row: &Row, paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| value_at(row, path).map_or_else(|| "unknown".to_owned(), plain)).collect()
}

/// Rows by the values of some fields.
fn groups<'r>(rows: &'r [Row], paths: &[&str]) -> BTreeMap<Vec<String>, Vec<&'r Row>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows {
        found.entry(key_of(row, paths)).or_default().push(row);
    }
    found
}

/// The different values of a field, where there are several: `device_id a (3), b (1)`.
fn values_in_words(path: &str, groups: &BTreeMap<Vec<String>, Vec<&Row>>) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for row in groups.values().flatten() {
        *counts.entry(key_of(row, &[path]).concat()).or_default() += 1;
    }
    let values: Vec<_> = counts.iter().map(|(value, rows)| format!("{value} ({rows})")).collect();
    (values.len() > 1).then(|| format!("{path} {}", values.join(" or ")))
}
