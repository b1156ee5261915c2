//! `convwise kb show`: one record or architecture with where it comes from.

use convwise_advisor::listing::listing;
use convwise_store::{Record, StoreError};
use convwise_types::{Architecture, did_you_mean};
use serde_json::{Value, json};

use super::network;
use super::related::{Related, related};
use super::rows::request;
use crate::args::asking::{SettingArgs, ShowArgs};
use crate::context::Context;
use crate::error::CliError;
use crate::render::records;

pub(super) fn run(context: &Context, args: &ShowArgs) -> Result<(), CliError> {
    let (id, as_json) = (args.id.as_str(), args.output.json);
    // Records are found without reading a single definition.
    if is_record_id(id) {
        let _session = context.session()?;
        if let Ok(record) = context.store()?.record(id) {
            return show(context, &record, as_json);
        }
    }
    if let Ok(variant) = context.zoo().find(id) {
        return network(context, &context.zoo().architecture(variant), as_json);
    }
    match context.store()?.record(id) {
        Ok(record) => show(context, &record, as_json),
        Err(error) => match without_definition(context, id)? {
            Some(architecture) => network(context, &architecture, as_json),
            None => Err(not_found(context, id, &error)),
        },
    }
}

/// Whether a name can hardly be anything but the beginning of a record's id.
fn is_record_id(name: &str) -> bool {
    name.len() >= 8 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

fn not_found(context: &Context, id: &str, error: &StoreError) -> CliError {
    let hint = did_you_mean(id, context.zoo().variants().map(|v| v.id().as_str()));
    CliError::invalid(format!("{error}{hint}"))
}

/// A network that only records know.
fn without_definition(context: &Context, id: &str) -> Result<Option<Architecture>, CliError> {
    let listing = listing(&context.world()?, &request(context, &SettingArgs::default())?)?;
    let found = listing.candidates.iter().find(|c| c.key.architecture.as_str() == id);
    Ok(found.map(|c| c.architecture.as_ref().clone()))
}

fn network(context: &Context, architecture: &Architecture, as_json: bool) -> Result<(), CliError> {
    if as_json {
        return context.screen.json(architecture);
    }
    context.screen.result(&network::page(context, architecture)?)
}

fn show(context: &Context, record: &Record, as_json: bool) -> Result<(), CliError> {
    if as_json {
        let (kind, id) = (record.kind(), record.id());
        let document = json!({"schema": "convwise.record/1", "kind": kind, "id": id, "body": body(record)});
        return context.screen.json(&document);
    }
    let page = records::page(record);
    let others = related(context, record)?.iter().map(Related::shown).collect::<String>();
    context.screen.result(&format!("{page}{others}"))
}

fn body(record: &Record) -> Value {
    match record {
        Record::Measurement(m) => json!(m),
        Record::Result(r) => json!(r),
        Record::Timing(t) => json!(t),
        Record::Cost(c) => json!(c),
        Record::Fact(f) => json!(f),
        Record::Failure(f) => json!(f),
        _ => Value::Null,
    }
}
