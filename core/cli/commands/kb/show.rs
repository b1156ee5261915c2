//! `convwise kb show`: one record or architecture with where it comes from.

use convwise_store::Record;
use convwise_types::did_you_mean;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::CliError;

pub(super) fn show(context: &Context, id: &str, as_json: bool) -> Result<(), CliError> {
    let store = context.store()?;
    if let Ok(variant) = context.zoo().find(id) {
        let architecture = context.zoo().architecture(variant);
        return document(context, &json!(architecture), as_json);
    }
    let record = store.record(id).map_err(|error| {
        let hint = did_you_mean(id, context.zoo().variants().map(|v| v.id().as_str()));
        CliError::invalid(format!("{error}{hint}"))
    })?;
    let body = match &record {
        Record::Measurement(m) => json!(m),
        Record::Result(r) => json!(r),
        Record::Timing(t) => json!(t),
        Record::Cost(c) => json!(c),
        Record::Fact(f) => json!(f),
        Record::Failure(f) => json!(f),
        _ => Value::Null,
    };
    document(
        context,
        &json!({"schema": "convwise.record/1", "kind": record.kind(), "id": record.id(), "body": body}),
        as_json,
    )
}

/// A record is a document; a person reads it as indented JSON too, without the raw samples.
fn document(context: &Context, value: &Value, as_json: bool) -> Result<(), CliError> {
    if as_json {
        return context.screen.json(value);
    }
    let mut short = value.clone();
    shorten(&mut short);
    context.screen.json(&short)
}

fn shorten(value: &mut Value) {
    match value {
        Value::Array(items) if items.len() > 24 && items.iter().all(Value::is_number) => {
            *value = json!(format!("{} numbers; --json lists them", items.len()));
        }
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}
