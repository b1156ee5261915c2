//! Which fields may be unknown and why: those that are, in a request and a candidate that hold no more than they must.

use std::sync::Arc;

use convwise_types::{Architecture, Candidate, Deploy, Request};
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
        Some(Read::Column) | None => None,
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

fn bare<T: DeserializeOwned>(document: Value) -> Option<T> {
    serde_json::from_value(document).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::{NEED, NET};

    #[test]
    fn the_barest_things_can_be_made_and_still_have_something_known() {
        assert!(candidate().is_some() && inquiry().is_some());
        let check = |table: &'static Table, field: &str, unknown: bool| {
            let at = table.position(field).unwrap();
            assert_eq!(may_be_unknown(table)[at], unknown, "{}.{field}", table.path);
        };
        check(&NET, "id", false);
        check(&NET, "params", true);
        check(&NEED, "deploy", false);
        check(&NEED, "latency_ms", true);
    }
}
