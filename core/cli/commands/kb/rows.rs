//! The rows that a question is asked of.

use convwise_advisor::draft::Draft;
use convwise_advisor::listing::listing;
use convwise_judge::{QueryRow, query};
use convwise_types::{Deploy, Request, Task};
use serde_json::Value;

use super::listing::Listing;
use crate::args::asking::{SettingArgs, Table};
use crate::commands::completed;
use crate::context::Context;
use crate::error::CliError;
use crate::render::rows::{First, Row, value_at};
use crate::tables::Fields;

/// What a question found.
pub(super) struct Found {
    pub(super) rows: Vec<Row>,
    /// How many rows there are, if not all are wanted.
    pub(super) matched: usize,
    /// Rows that were left out because a field that the expression needs is unknown.
    pub(super) unknown: usize,
    /// What latencies of architectures hold for.
    pub(super) setting: Option<String>,
}

/// The rows of a table that fulfil an expression, in the setting that flags state. Of records only the first ones are read.
pub(super) fn rows_of(
    context: &Context,
    from: Table,
    expression: &str,
    setting: &SettingArgs,
    first: First<'_>,
) -> Result<Found, CliError> {
    match from.records() {
        Some(table) => Listing::of(context, table)?.rows(expression, setting, first),
        None => architectures(context, expression, setting),
    }
}

fn architectures(context: &Context, expression: &str, setting: &SettingArgs) -> Result<Found, CliError> {
    let request = request(context, setting)?;
    let listing = listing(&context.world()?, &request)?;
    let rows: Vec<_> = listing.candidates.iter().map(QueryRow::candidate).collect();
    let expression = Fields::of(Table::Architectures).with_paths(expression);
    let found = query(&expression, &rows).map_err(|d| CliError::Source(vec![d]))?;
    let matched = found.matched.iter().filter_map(|i| rows.get(*i)?.to_json().as_object().cloned());
    let setting = Some(listing.setting(&request));
    let rows: Vec<_> = matched.collect();
    Ok(Found { matched: rows.len(), rows, unknown: found.unknown, setting })
}

/// The setting as a request without limits; its task does not matter.
pub(super) fn request(context: &Context, setting: &SettingArgs) -> Result<Request, CliError> {
    let SettingArgs { device, runner, threads, batch, precision, dataset } = setting.clone();
    let draft = Draft {
        task: Some(Task::Classify),
        deploy: Some(Deploy::CpuServer),
        device,
        runner,
        threads,
        batch,
        dataset,
        precision: precision.into_iter().collect(),
        ..Draft::default()
    };
    completed(context, draft)
}

/// The number at a path of a row, where it is known.
pub(super) fn number_at(row: &Row, path: &str) -> Option<f64> {
    value_at(row, path).and_then(Value::as_f64)
}
