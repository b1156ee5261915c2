//! Which fields may be unknown and why: those that are, in a request, a candidate and a record that hold no more than they
//! must.

use std::sync::Arc;

use convwise_types::{Architecture, Candidate, Deploy, Measurement, Request};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fields::{Cell, Read, Table, published_candidate};
use crate::inquiry::{Inquiry, Target};
use crate::row::Row;

/// For each field of a table, whether it may be unknown.
pub(super) fn may_be_unknown(table: &'static Table) -> Vec<bool> {
    why_unknown(table).iter().map(Option::is_some).collect()
}

/// For each field of a table, what would make it known where it is not; `None` where it always is.
#[must_use]
pub fn why_unknown(table: &'static Table) -> Vec<Option<String>> {
    let why = |cell: &Cell| match cell {
        Cell::Unknown(missing) => Some(missing.need.clone()),
        Cell::Known(..) => None,
    };
    row(table).cells.iter().map(why).collect()
}

/// The table of the barest thing that has it; all unknown if even that cannot be.
fn row(table: &'static Table) -> Row {
    let reader = table.fields.first().map(|field| field.read);
    let row = match reader {
        Some(Read::Candidate(_)) => candidate().map(|c| Row::inside_candidate(table, &c)),
        Some(Read::Inquiry(_)) => inquiry().map(|i| Row::inside_inquiry(table, &i)),
        Some(Read::Measurement(_)) => bare::<Measurement>(measurement()).map(|m| Row::measurement(&m)),
        None => None,
    };
    row.unwrap_or_else(|| Row::blank(table, "nothing is known"))
}

fn candidate() -> Option<Candidate> {
    let architecture: Architecture = bare(json!({
        "id": "a", "family": "A", "title": "A", "task": "classify", "tags": [], "input": [3, 224, 224],
        "weights": [], "origin": "shipped", "plugin": "",
    }))?;
    Some(published_candidate(&Arc::new(architecture), None))
}

fn inquiry() -> Option<Inquiry> {
    let request: Request = bare(json!({
        "task": "classify", "deploy": "cpu-server", "limits": {"licence": "any", "real_time": false}, "situation": {}, "priority": "balanced",
        "here": false, "batch": 1, "threads": 1, "runner": "rten", "precisions": ["fp32"],
    }))?;
    Some(Inquiry { request, target: Target::undescribed(Deploy::CpuServer) })
}

fn measurement() -> Value {
    json!({
        "schema": 1, "id": "i",
        "subject": {"artifact": "", "weights": "", "input": [3, 224, 224], "batch": 1, "precision": "fp32"},
        "runner": {"name": "rten", "version": "1", "options": {}},
        "threads": 1, "scenario": "latency",
        "device": {
            "id": "d", "kind": "cpu", "cpu": "", "cores": 1, "isa": [], "ram": 1, "platform": "",
            "virtual_machine": false,
        },
        "launches": [],
        "statistics": {
            "samples": 1, "median": 1.0, "ci_low": 1.0, "ci_high": 1.0, "min": 1.0, "mean": 1.0, "p90": null,
            "p99": null, "mad": 0.0, "outliers": 0,
        },
        "verdict": "trusted", "remarks": [], "conditions": {}, "taken": "2026-01-01T00:00:00Z",
        "tool": {"version": "1", "command": ""},
    })
}

fn bare<T: DeserializeOwned>(document: Value) -> Option<T> {
    serde_json::from_value(document).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::{MEASUREMENT, NEED, NET};

    #[test]
    fn the_barest_things_can_be_made_and_still_have_something_known() {
        assert!(candidate().is_some() && inquiry().is_some() && bare::<Measurement>(measurement()).is_some());
        let check = |table: &'static Table, field: &str, unknown: bool| {
            let at = table.position(field).unwrap();
            assert_eq!(may_be_unknown(table)[at], unknown, "{}.{field}", table.path);
        };
        check(&NET, "id", false);
        check(&NET, "params", true);
        check(&NEED, "deploy", false);
        check(&NEED, "latency_ms", true);
        check(&MEASUREMENT, "median_ms", false);
        check(&MEASUREMENT, "file", true);
    }
}
