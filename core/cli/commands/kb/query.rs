//! `convwise kb query`: rows that fulfil an expression.

use convwise_advisor::catalogue::{Catalogue, Form};
use convwise_judge::{QueryRow, query};
use serde_json::json;

use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;
use crate::render::rows::{Rows, shown};

pub(super) fn ask(
    context: &Context,
    expression: &str,
    from: &str,
    wanted: &Rows,
    as_json: bool,
) -> Result<(), CliError> {
    let candidates =
        if from == "measurements" { measurement_rows(context)? } else { architecture_rows(context)? };
    let found = query(expression, &candidates).map_err(|d| CliError::Source(vec![d]))?;
    if found.unknown > 0 {
        context
            .screen
            .remark(format!("{} left out: a field they need is unknown", count_of(found.unknown, "row")));
    }
    let matched =
        found.matched.iter().filter_map(|i| candidates.get(*i)?.to_json().as_object().cloned()).collect();
    let rows = wanted.arrange(matched).map_err(CliError::invalid)?;
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.rows/1", "rows": rows}));
    }
    context.screen.result(&shown(&rows, &wanted.columns))
}

fn measurement_rows(context: &Context) -> Result<Vec<QueryRow>, CliError> {
    let measurements = context.store()?.all_measurements().map_err(CliError::failed)?;
    Ok(measurements.iter().map(QueryRow::measurement).collect())
}

/// One row an architecture and its weights; one without weights for a network that has none.
fn architecture_rows(context: &Context) -> Result<Vec<QueryRow>, CliError> {
    let catalogue =
        Catalogue::load(context.zoo(), context.store()?, Form::default()).map_err(CliError::failed)?;
    let mut rows = Vec::new();
    for architecture in catalogue.architectures {
        if architecture.weights.is_empty() {
            rows.push(QueryRow::architecture(&architecture, None));
        }
        rows.extend(architecture.weights.iter().map(|w| QueryRow::architecture(&architecture, Some(w))));
    }
    Ok(rows)
}
