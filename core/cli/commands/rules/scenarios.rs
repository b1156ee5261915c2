//! The scenarios in the report of `rules test`.

use std::fmt::Write as _;

use convwise_advisor::scenario::{ScenarioReport, ScenarioResult};
use serde_json::{Value, json};

use crate::screen::{BAD, FAINT, styled};

/// The result of one scenario beside those of the cases.
pub(super) fn line(scenario: &ScenarioResult) -> Value {
    let outcome = if scenario.difference.is_none() { "passed" } else { "failed" };
    json!({
        "kind": "scenario", "file": scenario.file, "line": scenario.line, "name": scenario.name,
        "outcome": outcome, "difference": scenario.difference,
    })
}

/// One that failed, with expected against actual.
pub(super) fn failure(file: &str, line: usize, name: &str, difference: &str) -> String {
    let place = styled(FAINT, format!("{file}:{line}"));
    format!("{} {name} {place}\n{difference}\n\n", styled(BAD, "✗"))
}

/// What is wrong, in full.
pub(super) fn failed(report: &ScenarioReport) -> String {
    let mut out = String::new();
    for problem in &report.problems {
        let _ = writeln!(out, "{}\n", problem.render(true));
    }
    for result in &report.results {
        if let Some(difference) = &result.difference {
            out.push_str(&failure(&result.file, result.line, &result.name, difference));
        }
    }
    out
}
