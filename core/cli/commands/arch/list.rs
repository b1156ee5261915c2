//! `convwise arch list`: every network in a line.

use convwise_advisor::catalogue::{Catalogue, Form};
use convwise_types::{Architecture, ComparisonSet};
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::CliError;
use crate::render::table::{figures, table, text};
use crate::screen::{NAME, styled};

pub(super) fn run(context: &Context, words: &[String], as_json: bool) -> Result<(), CliError> {
    let catalogue =
        Catalogue::of_plugins(context.zoo(), context.store()?, Form::default()).map_err(CliError::failed)?;
    let all = catalogue.architectures.iter().map(AsRef::as_ref);
    let listed: Vec<&Architecture> = all.filter(|a| has_words(a, words)).collect();
    if listed.is_empty() && !words.is_empty() {
        context
            .screen
            .remark(format!("no architecture has {}; `convwise arch list` shows all", words.join(", ")));
    }
    if as_json {
        let lines: Vec<_> = listed.iter().map(|a| summary(a)).collect();
        return context.screen.json(&json!({"schema": "convwise.architectures/1", "architectures": lines}));
    }
    let unknown = || "unknown".to_owned();
    let row = |a: &Architecture| {
        let best = best_accuracy(a);
        vec![
            styled(NAME, &a.id),
            a.family.clone(),
            a.task.to_string(),
            a.params().map_or_else(unknown, |p| p.to_string()),
            a.macs().map_or_else(unknown, |m| m.to_string()),
            if a.is_buildable() { String::new() } else { "no".to_owned() },
            a.input.to_string(),
            best.map_or_else(unknown, |v| format!("{v:.1} %")),
            a.paper.as_ref().map_or_else(unknown, |p| p.year.to_string()),
            a.origin.to_string(),
        ]
    };
    let columns = [
        text("network"),
        text("family"),
        text("task"),
        figures("params"),
        figures("MACs"),
        text("builds"),
        text("input"),
        figures("best published"),
        figures("year"),
        text("from"),
    ];
    context.screen.result(&table(&columns, listed.into_iter().map(row)))
}

/// Whether every word stands somewhere in what an architecture is called, whatever its case.
fn has_words(a: &Architecture, words: &[String]) -> bool {
    let tags = a.tags.iter().cloned().collect::<Vec<_>>().join(" ");
    let text = format!("{} {} {} {} {tags} {}", a.id, a.family, a.title, a.task, a.origin).to_lowercase();
    words.iter().all(|word| text.contains(&word.to_lowercase()))
}

/// The best published value of the task's own metric.
fn best_accuracy(a: &Architecture) -> Option<f64> {
    let comparison = ComparisonSet::of(a.task);
    a.weights
        .iter()
        .flat_map(|w| &w.results)
        .filter(|r| comparison.covers(r))
        .map(|r| r.value.0)
        .max_by(f64::total_cmp)
}

/// A network as the list has it.
pub(super) fn summary(a: &Architecture) -> Value {
    json!({
        "id": a.id,
        "family": a.family,
        "title": a.title,
        "task": a.task,
        "params": a.params(),
        "macs": a.macs(),
        "buildable": a.is_buildable(),
        "input": a.input,
        "best_accuracy": best_accuracy(a),
        "year": a.paper.as_ref().map(|p| p.year),
        "maturity": a.maturity,
        "tags": a.tags,
        "origin": a.origin.to_string(),
    })
}
