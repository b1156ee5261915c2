//! `rules show`: one rule as its author wrote it.

use std::fmt::Write as _;

use serde_json::json;

use crate::context::Context;
use crate::error::CliError;
use crate::screen::{NAME, styled};

pub(super) fn show(context: &Context, id: &str, as_json: bool) -> Result<(), CliError> {
    let rule = context.rules()?.show(id).map_err(CliError::invalid)?;
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.rule/1", "rule": rule}));
    }
    let mut out = format!("{} ({}, {})\n", styled(NAME, &rule.id), rule.kind, rule.status);
    let _ = writeln!(out, "{}\n", rule.doc);
    let _ = writeln!(out, "source  {}", rule.source);
    let _ = writeln!(out, "at      {}:{} ({})\n", rule.file, rule.line, rule.origin);
    let _ = writeln!(out, "{}", rule.text);
    context.screen.result(&out)
}
