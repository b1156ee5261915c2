//! The feasible candidates as the rank formula sees them: best and worst of a field.

use std::sync::{Arc, OnceLock};

use convwise_script::Complaint;
use convwise_types::Missing;
use rhai::{Dynamic, EvalAltResult};

use crate::fields::{Better, Cell, Kind, NET};
use crate::row::{Row, number};
use crate::vocabulary::{MissingFact, field_complaint};

/// A shared handle to the feasible candidates and the extremes that were asked for so far.
#[derive(Clone, Debug)]
pub(crate) struct Pool(Arc<Extremes>);

#[derive(Debug)]
struct Extremes {
    rows: Vec<Arc<Row>>,
    fields: Vec<Extreme>,
}

/// Least and greatest known value of a numeric field; looked for when a formula first asks, which asks for few.
#[derive(Debug)]
struct Extreme {
    /// Dotted path of the field.
    path: String,
    better: Better,
    range: OnceLock<Option<(f64, f64)>>,
}

impl Pool {
    /// The pool of the feasible rows.
    pub fn new(rows: &[Arc<Row>]) -> Self {
        let field = |(path, better)| Extreme { path, better, range: OnceLock::new() };
        let fields = numeric_paths().into_iter().map(field).collect();
        Self(Arc::new(Extremes { rows: rows.to_vec(), fields }))
    }

    /// How many candidates are feasible.
    pub fn size(&self) -> i64 {
        i64::try_from(self.0.rows.len()).unwrap_or(i64::MAX)
    }

    /// The best known value of a field.
    pub fn best(&self, path: &str) -> Result<Dynamic, Box<EvalAltResult>> {
        self.extreme(path, Better::Higher)
    }

    /// The worst known value of a field.
    pub fn worst(&self, path: &str) -> Result<Dynamic, Box<EvalAltResult>> {
        self.extreme(path, Better::Lower)
    }

    /// Whether the value of a field is known of any.
    pub fn has(&self, path: &str) -> Result<bool, Box<EvalAltResult>> {
        let field = self.0.fields.iter().find(|e| e.path == path);
        field.map(|e| self.range(e).is_some()).ok_or_else(|| no_direction(path).into())
    }

    /// The greatest value where `wanted` is the field's own direction, else the least.
    fn extreme(&self, path: &str, wanted: Better) -> Result<Dynamic, Box<EvalAltResult>> {
        let Some(field) = self.0.fields.iter().find(|e| e.path == path) else {
            return Err(no_direction(path).into());
        };
        match self.range(field) {
            Some((_, high)) if field.better == wanted => Ok(Dynamic::from(high)),
            Some((low, _)) => Ok(Dynamic::from(low)),
            None => {
                let need = "no feasible candidate's is known";
                Err(MissingFact::raise(Arc::new(Missing::new(path, need))))
            }
        }
    }

    fn range(&self, field: &Extreme) -> Option<(f64, f64)> {
        *field.range.get_or_init(|| range(&self.0.rows, &field.path))
    }
}

fn no_direction(path: &str) -> Complaint {
    let name = path.rsplit('.').next().unwrap_or(path);
    match NET.field(path) {
        Some(_) => Complaint::new("wrong-type", format!("`{path}` has no better or worse"))
            .with_help("ask for a number in which a direction is better, e.g. `latency.ms` or `size_bytes`"),
        None => field_complaint(&NET, name),
    }
}

/// Dotted paths of all fields that have a direction.
fn numeric_paths() -> Vec<(String, Better)> {
    NET.fields
        .iter()
        .flat_map(|f| match f.kind {
            Kind::Object(table) => table
                .fields
                .iter()
                .map(|inner| (format!("{}.{}", f.name, inner.name), inner.better))
                .collect(),
            _ => vec![(f.name.to_owned(), f.better)],
        })
        .filter(|(_, better)| *better != Better::Neither)
        .collect()
}

fn range(rows: &[Arc<Row>], path: &str) -> Option<(f64, f64)> {
    let values = rows.iter().filter_map(|row| match row.at(path) {
        Some(Cell::Known(value, _)) => number(&value).filter(|v| v.is_finite()),
        _ => None,
    });
    values.fold(None, |range, v| {
        Some(range.map_or((v, v), |(low, high): (f64, f64)| (low.min(v), high.max(v))))
    })
}
