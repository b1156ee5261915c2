//! `rules check`: what is wrong or doubtful.

use convwise_types::Severity;
use serde_json::json;

use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;

pub(super) fn check(context: &Context, as_json: bool) -> Result<(), CliError> {
    let (rules, mut found) = context.load_rules();
    for diagnostic in rules.check() {
        if !found.contains(&diagnostic) {
            found.push(diagnostic);
        }
    }
    let errors = found.iter().filter(|d| d.severity == Severity::Error).count();
    if as_json {
        context
            .screen
            .json(&json!({"schema": "convwise.rules-check/1", "ok": errors == 0, "findings": found}))?;
    } else {
        let shown: Vec<_> = found.iter().map(|d| d.render(true)).collect();
        let end = format!(
            "{}: {}, {}",
            count_of(rules.len(), "rule"),
            count_of(errors, "error"),
            count_of(found.len() - errors, "warning")
        );
        context.screen.result(&[shown.as_slice(), &[end]].concat().join("\n\n"))?;
    }
    if errors == 0 { Ok(()) } else { Err(CliError::Reported(3)) }
}
