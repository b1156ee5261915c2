//! The rows that a question is asked of.

use convwise_advisor::draft::Draft;
use convwise_advisor::listing::listing;
use convwise_judge::{QueryRow, query, select};
use convwise_store::Store;
use convwise_types::listing::{
    COST_FIELDS, Column, Columns, FACT_FIELDS, FAILURE_FIELDS, FieldInfo, Item, ListField, ListKind,
    MEASUREMENT_FIELDS, RESULT_FIELDS, TIMING_FIELDS,
};
use convwise_types::{AddedResult, Architecture, Deploy, Request, Task, content_id};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::args::asking::{SettingArgs, Table};
use crate::commands::completed;
use crate::context::Context;
use crate::error::CliError;
use crate::render::rows::{Row, value_at};
use crate::tables::Fields;

/// What a question found.
pub(super) struct Found {
    pub(super) rows: Vec<Row>,
    /// Rows that were left out because a field that the expression needs is unknown.
    pub(super) unknown: usize,
    /// What latencies of architectures hold for.
    pub(super) setting: Option<String>,
}

/// The rows of a table that fulfil an expression, in the setting that flags state.
pub(super) fn rows_of(
    context: &Context,
    from: Table,
    expression: &str,
    setting: &SettingArgs,
) -> Result<Found, CliError> {
    if from == Table::Architectures {
        return architectures(context, expression, setting);
    }
    let wanted = columns_asked(from, setting)?;
    let columns = columns_of(context, from)?;
    let fields = from.columns();
    let found = select(expression, &fields, &columns).map_err(|d| CliError::Source(vec![d]))?;
    let rows = found.matched.iter().map(|row| row_of(&fields, &columns, *row));
    let as_asked = |row: &Row| wanted.iter().all(|(column, value)| row.get(*column) == Some(value));
    Ok(Found { rows: rows.filter(as_asked).collect(), unknown: found.unknown, setting: None })
}

fn architectures(context: &Context, expression: &str, setting: &SettingArgs) -> Result<Found, CliError> {
    let request = request(context, setting)?;
    let listing = listing(&context.world()?, &request)?;
    let rows: Vec<_> = listing.candidates.iter().map(QueryRow::candidate).collect();
    let expression = Fields::of(Table::Architectures).with_paths(expression);
    let found = query(&expression, &rows).map_err(|d| CliError::Source(vec![d]))?;
    let matched = found.matched.iter().filter_map(|i| rows.get(*i)?.to_json().as_object().cloned());
    Ok(Found { rows: matched.collect(), unknown: found.unknown, setting: Some(listing.setting(&request)) })
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

/// The columns that flags of the setting ask for, each with the value it must have.
fn columns_asked(from: Table, setting: &SettingArgs) -> Result<Vec<(&'static str, Value)>, CliError> {
    let SettingArgs { device, runner, threads, batch, precision, dataset } = setting;
    let of_device = if from == Table::Timings { "device" } else { "device_id" };
    let asked = [
        ("device", of_device, device.clone().map(Value::from)),
        ("runner", "runner", runner.clone().map(Value::from)),
        ("threads", "threads", threads.map(Value::from)),
        ("batch", "batch", batch.map(Value::from)),
        ("precision", "precision", precision.map(|p| p.as_str().into())),
        ("dataset", "dataset", dataset.clone().map(Value::from)),
    ];
    let fields = from.columns();
    let has = |column: &str| fields.iter().any(|f| f.name == column);
    let stated = asked.into_iter().filter_map(|(flag, column, value)| Some((flag, column, value?)));
    stated
        .map(|(flag, column, value)| {
            let table = from.name();
            let problem = || CliError::invalid(format!("--{flag} says nothing about {table}; leave it out"));
            if has(column) { Ok((column, value)) } else { Err(problem()) }
        })
        .collect()
}

/// Every record of a kind, column by column, with its id in front.
fn columns_of(context: &Context, from: Table) -> Result<Columns, CliError> {
    let store = context.store()?;
    let failed = CliError::failed;
    Ok(match from {
        Table::Architectures => Columns::default(),
        Table::Measurements => listed(MEASUREMENT_FIELDS, &store.all_measurements().map_err(failed)?),
        Table::Results => results(context, store)?,
        Table::Timings => listed(TIMING_FIELDS, &store.timings(None).map_err(failed)?),
        Table::Costs => listed(COST_FIELDS, &store.costs().map_err(failed)?),
        Table::Facts => listed(FACT_FIELDS, &store.facts().map_err(failed)?),
        Table::Failures => listed(FAILURE_FIELDS, &store.failures().map_err(failed)?),
    })
}

fn listed<T: Serialize>(fields: &'static [ListField<T>], records: &[T]) -> Columns {
    let ids = texts(records.iter().map(|record| content_id(record).to_string()));
    with(fields, &Columns::of(fields, records), [("id", ids)])
}

/// Published accuracies: those of the architectures' definitions, then those that were added.
fn results(context: &Context, store: &Store) -> Result<Columns, CliError> {
    let shipped = shipped_results(context);
    let added = store.results(None).map_err(CliError::failed)?;
    let ids = shipped.iter().map(|_| String::new());
    let ids = texts(ids.chain(added.iter().map(|r| content_id(r).to_string())));
    let origins = shipped.iter().map(|(_, origin)| origin.clone());
    let origins = texts(origins.chain(added.iter().map(|_| "added".to_owned())));
    let all: Vec<_> = shipped.into_iter().map(|(result, _)| result).chain(added).collect();
    Ok(with(RESULT_FIELDS, &Columns::of(RESULT_FIELDS, &all), [("id", ids), ("origin", origins)]))
}

/// The accuracies that stand in the architectures' definitions, each with where that stands.
pub(super) fn shipped_results(context: &Context) -> Vec<(AddedResult, String)> {
    let zoo = context.zoo();
    zoo.variants().flat_map(|variant| results_in(&zoo.architecture(variant))).collect()
}

fn results_in(a: &Architecture) -> Vec<(AddedResult, String)> {
    let of = |weights: &convwise_types::Weights, result: &convwise_types::PublishedResult| AddedResult {
        package: None,
        architecture: a.id.clone(),
        weights: Some(weights.tag.clone()),
        result: result.clone(),
        note: None,
    };
    let all = a.weights.iter().flat_map(|w| w.results.iter().map(move |r| of(w, r)));
    all.map(|result| (result, a.origin.to_string())).collect()
}

fn texts(values: impl Iterator<Item = String>) -> Column {
    let (mut ends, mut text) = (Vec::new(), String::new());
    for value in values {
        text.push_str(&value);
        ends.push(text.len());
    }
    Column::Texts { ends, text }
}

/// Columns of records and some more of the same rows.
fn with<T, const N: usize>(
    fields: &'static [ListField<T>],
    columns: &Columns,
    more: [(&'static str, Column); N],
) -> Columns {
    let own = fields.iter().filter_map(|f| Some((f.name, columns.get(f.name)?.clone())));
    Columns::new(columns.rows(), own.chain(more).map(|(name, column)| (name, column.into())))
}

fn row_of(fields: &[FieldInfo], columns: &Columns, row: usize) -> Row {
    fields.iter().map(|f| (f.name.to_owned(), value(f, columns.item(f.name, row)))).collect::<Map<_, _>>()
}

fn value(field: &FieldInfo, item: Item) -> Value {
    match item {
        Item::Unknown => Value::Null,
        Item::Text(text) if matches!(field.kind, ListKind::Words) => text.split_whitespace().collect(),
        Item::Text(text) => text.into(),
        Item::Whole(number) => number.into(),
        Item::Real(number) => number.into(),
        Item::Flag(flag) => flag.into(),
    }
}

/// The number at a path of a row, where it is known.
pub(super) fn number_at(row: &Row, path: &str) -> Option<f64> {
    value_at(row, path).and_then(Value::as_f64)
}
