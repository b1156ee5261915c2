//! Arguments of a variant, from TOML values to script values.

use rhai::{Array, Dynamic, Map};
use toml::{Table, Value};

/// A table as a map of the script.
pub(crate) fn map(table: &Table) -> Map {
    table.iter().map(|(key, value)| (key.as_str().into(), dynamic(value))).collect()
}

fn dynamic(value: &Value) -> Dynamic {
    match value {
        Value::String(text) => text.clone().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Boolean(flag) => (*flag).into(),
        Value::Datetime(when) => when.to_string().into(),
        Value::Array(values) => values.iter().map(dynamic).collect::<Array>().into(),
        Value::Table(table) => map(table).into(),
    }
}
