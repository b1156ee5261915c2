//! `rules list`: every rule, where it stands and what overrides what.

use std::fmt::Write as _;

use convwise_judge::RuleInfo;
use serde_json::json;

use crate::context::Context;
use crate::error::CliError;
use crate::render::table::{table, text};
use crate::screen::{NAME, styled};

pub(super) fn list(context: &Context, as_json: bool) -> Result<(), CliError> {
    let rules = context.rules()?;
    let infos = rules.list();
    if as_json {
        let document = json!({
            "schema": "convwise.rules/1",
            "rules": infos,
            "overrides": rules.overrides(),
            "fingerprint": rules.stamp().fingerprint,
        });
        return context.screen.json(&document);
    }
    let row = |r: &RuleInfo| {
        vec![
            styled(NAME, &r.id),
            r.kind.clone(),
            r.doc.clone(),
            format!("{}:{}", r.file, r.line),
            r.origin.to_string(),
        ]
    };
    let columns = [text("rule"), text("kind"), text("says"), text("at"), text("from")];
    let mut out = table(&columns, infos.iter().map(row));
    for line in rules.overrides() {
        let _ = writeln!(out, "{line}");
    }
    context.screen.result(&out)
}
