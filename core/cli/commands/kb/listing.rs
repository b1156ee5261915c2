//! Records as rows: chosen and put in order by their columns, and only then read.

use convwise_judge::{SelectError, select};
use convwise_store::{Record, RecordKind, Session, Store, StoreError};
use convwise_types::listing::{Column, Columns, FieldInfo, Item, ListKind, RESULT_FIELDS, RecordTable};
use convwise_types::{AddedResult, Architecture, RecordId};
use serde_json::Value;

use super::rows::Found;
use crate::args::asking::SettingArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::render::rows::{First, Row};

/// The records of a kind, behind what stands in the architectures' definitions.
pub(super) struct Listing<'a> {
    store: &'a Store,
    /// One opening of the knowledge base serves the whole answer.
    _session: Session<'a>,
    table: &'static RecordTable,
    kind: RecordKind,
    /// Published accuracies that came with the program, each with where that stands: the first rows.
    shipped: Vec<(AddedResult, String)>,
}

impl<'a> Listing<'a> {
    pub(super) fn of(context: &'a Context, table: &'static RecordTable) -> Result<Self, CliError> {
        let kind = RecordKind::READABLE.into_iter().find(|kind| kind.word() == table.word);
        let kind = kind.ok_or_else(|| CliError::failed(format!("{} are no records", table.name)))?;
        let shipped = if kind == RecordKind::Result { shipped_results(context) } else { Vec::new() };
        let session = context.session()?;
        Ok(Self { store: context.store()?, _session: session, table, kind, shipped })
    }

    /// The first rows that fulfil an expression and what the flags of the setting ask for.
    pub(super) fn rows(
        &self,
        expression: &str,
        setting: &SettingArgs,
        first: First<'_>,
    ) -> Result<Found, CliError> {
        let asked = columns_asked(self.table, setting)?;
        let selection =
            select(expression, self.table, |names| self.columns(names)).map_err(|error| match error {
                SelectError::Question(diagnostic) => CliError::Source(vec![*diagnostic]),
                SelectError::Columns(error) => CliError::failed(error),
            })?;
        let mut rows = selection.rows;
        for (name, item) in asked {
            let columns = self.columns(&[name]).map_err(CliError::failed)?;
            rows.retain(|row| columns.item(name, *row) == item);
        }
        let matched = rows.len();
        if let Some((field, reverse)) = first.sort {
            let columns = self.columns(&[field]).map_err(CliError::failed)?;
            if let Some(column) = columns.get(field) {
                rows = column.sorted(rows, reverse, first.limit);
            }
        }
        rows.truncate(first.limit.unwrap_or(usize::MAX));
        let rows = self.read(&rows).map_err(CliError::failed)?;
        Ok(Found { rows, matched, unknown: selection.unknown, setting: None })
    }

    /// Some columns, of what was shipped first.
    fn columns(&self, names: &[&str]) -> Result<Columns, StoreError> {
        let stored = self.store.columns(self.kind, names)?;
        if self.kind != RecordKind::Result {
            return Ok(stored);
        }
        let results: Vec<_> = self.shipped.iter().map(|(result, _)| result.clone()).collect();
        let own = Columns::of(RESULT_FIELDS, &results);
        let shipped = names.iter().filter_map(|name| own.shared(name));
        let ids = Column::of_texts(self.shipped.iter().map(|_| ""));
        let origins = Column::of_texts(self.shipped.iter().map(|(_, origin)| origin.as_str()));
        let more = [("id", ids.into()), ("origin", origins.into())];
        let more = more.into_iter().filter(|(name, _)| names.contains(name));
        let added = Column::of_texts((0..stored.rows()).map(|_| "added"));
        let stored = Columns::new(
            stored.rows(),
            names.iter().filter_map(|name| stored.shared(name)).chain([("origin", added.into())]),
        );
        Ok(Columns::new(self.shipped.len(), shipped.chain(more)).and(&stored))
    }

    /// The rows at some places, whole.
    fn read(&self, places: &[usize]) -> Result<Vec<Row>, StoreError> {
        let own = self.shipped.len();
        let stored: Vec<usize> = places.iter().filter_map(|place| place.checked_sub(own)).collect();
        let mut records = self.store.records_at(self.kind, &stored)?.into_iter();
        let row = |place: &usize| match self.shipped.get(*place) {
            Some((result, origin)) => {
                Some(self.row(None, Record::from(result.clone()).items(), Some(origin)))
            }
            None => records.next().map(|(id, record)| self.row(Some(&id), record.items(), Some("added"))),
        };
        Ok(places.iter().filter_map(row).collect())
    }

    fn row(&self, id: Option<&RecordId>, items: Vec<Item>, origin: Option<&str>) -> Row {
        let ends = [id.map(|id| Item::from(id.as_str())).unwrap_or(Item::Unknown)];
        let items = ends.into_iter().chain(items).chain([origin.into()]);
        self.table
            .fields
            .iter()
            .zip(items)
            .map(|(field, item)| (field.name.to_owned(), value(field, item)))
            .collect()
    }
}

/// The columns that flags of the setting ask for, each with the value it must have.
fn columns_asked(table: &RecordTable, setting: &SettingArgs) -> Result<Vec<(&'static str, Item)>, CliError> {
    let SettingArgs { device, runner, threads, batch, precision, dataset } = setting;
    let of_device = if table.field("device_id").is_some() { "device_id" } else { "device" };
    let asked = [
        ("device", of_device, device.as_deref().map(Item::from)),
        ("runner", "runner", runner.as_deref().map(Item::from)),
        ("threads", "threads", threads.map(Item::from)),
        ("batch", "batch", batch.map(Item::from)),
        ("precision", "precision", precision.map(|p| p.as_str().into())),
        ("dataset", "dataset", dataset.as_deref().map(Item::from)),
    ];
    let stated = asked.into_iter().filter_map(|(flag, column, value)| Some((flag, column, value?)));
    stated
        .map(|(flag, column, value)| match table.field(column) {
            Some(_) => Ok((column, value)),
            None => {
                let name = table.name;
                Err(CliError::invalid(format!("--{flag} says nothing about {name}; leave it out")))
            }
        })
        .collect()
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
