//! `rules show`: one rule as its author wrote it, or the page of one lint; `rules list --lints`: all lints.

use std::fmt::Write as _;

use convwise_judge::{LINTS, Lint, RuleInfo};
use convwise_types::did_you_mean;
use serde_json::json;

use crate::context::Context;
use crate::error::CliError;
use crate::render::table::{table, text};
use crate::screen::{NAME, styled};

pub(super) fn show(context: &Context, id: &str, as_json: bool) -> Result<(), CliError> {
    let rules = context.rules()?;
    match (rules.show(id), Lint::find(id)) {
        (Ok(rule), _) => show_rule(context, &rule, as_json),
        (Err(_), Ok(lint)) => show_lint(context, lint, as_json),
        (Err(_), Err(_)) => {
            let ids: Vec<String> = rules.list().into_iter().map(|rule| rule.id).collect();
            let names = ids.iter().map(String::as_str).chain(LINTS.iter().map(|lint| lint.name));
            let near = did_you_mean(id, names);
            Err(CliError::invalid(format!(
                "there is no rule or lint `{id}` (`convwise rules list` shows the rules, `convwise rules list --lints` \
                 the lints){near}"
            )))
        }
    }
}

fn show_rule(context: &Context, rule: &RuleInfo, as_json: bool) -> Result<(), CliError> {
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

fn show_lint(context: &Context, lint: &Lint, as_json: bool) -> Result<(), CliError> {
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.lint/1", "lint": lint}));
    }
    context.screen.result(lint.page)
}

pub(super) fn lints(context: &Context, as_json: bool) -> Result<(), CliError> {
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.lints/1", "lints": LINTS.as_slice()}));
    }
    let level = |lint: &Lint| match lint.fixed {
        true => format!("{}, always", lint.level.as_str()),
        false => lint.level.as_str().to_owned(),
    };
    let row = |lint: &Lint| vec![styled(NAME, lint.name), level(lint), lint.summary.to_owned()];
    let columns = [text("lint"), text("level"), text("finds")];
    context.screen.result(&table(&columns, LINTS.iter().map(row)))
}
