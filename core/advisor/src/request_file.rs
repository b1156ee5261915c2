//! A request in TOML: the flags' names without the dashes in front. Problems are shown at their place.

use std::borrow::Cow;

use convwise_types::{Diagnostic, Span, did_you_mean};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::draft::Draft;

/// Reads the text of a request file, which people know as `file`.
///
/// # Errors
/// It is not TOML, or a key or value is not one that a request has.
pub fn parse(file: &str, source: &str) -> Result<Draft, Box<Diagnostic>> {
    let table = DeTable::parse(source).map_err(|e| {
        let place = Span::of_bytes(source, e.span().unwrap_or(0..0));
        let problem = Diagnostic::error("broken-request", file, "the request file is not valid TOML");
        problem.at(source, place, e.message())
    })?;
    read_table(file, source, table.get_ref())
}

/// Reads a table of a file that is TOML.
pub(crate) fn read_table(file: &str, source: &str, table: &DeTable<'_>) -> Result<Draft, Box<Diagnostic>> {
    let mut draft = Draft::default();
    for (key, value) in table {
        set(&mut draft, file, source, key, value)?;
    }
    Ok(draft)
}

fn set(
    draft: &mut Draft,
    file: &str,
    source: &str,
    key: &Spanned<Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
) -> Result<(), Box<Diagnostic>> {
    let name = Draft::name_of(key.get_ref()).ok_or_else(|| unknown_key(file, source, key))?;
    draft.set(name, &text_of(value.get_ref())).map_err(|why| {
        let problem = Diagnostic::error("bad-value", file, format!("`{name}` cannot be used: {why}"));
        Box::new(problem.at(source, Span::of_bytes(source, value.span()), "this value"))
    })
}

fn unknown_key(file: &str, source: &str, key: &Spanned<Cow<'_, str>>) -> Box<Diagnostic> {
    let hint = did_you_mean(&key.get_ref().replace('_', "-"), Draft::names());
    let known = Draft::names().collect::<Vec<_>>().join(", ");
    let problem =
        Diagnostic::error("unknown-key", file, format!("a request has no `{}`{hint}", key.get_ref()))
            .at(source, Span::of_bytes(source, key.span()), "not known")
            .with_help(format!("known are {known}"));
    Box::new(problem)
}

/// The text that a flag would have had.
fn text_of(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(s) => s.to_string(),
        DeValue::Integer(i) => i.as_str().to_owned(),
        DeValue::Float(f) => f.as_str().to_owned(),
        DeValue::Boolean(b) => b.to_string(),
        DeValue::Datetime(d) => d.to_string(),
        DeValue::Array(items) => items.iter().map(|i| text_of(i.get_ref())).collect::<Vec<_>>().join(","),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
