//! `rules test`: the cases beside the rules.

use std::fmt::Write as _;

use convwise_judge::{CaseOutcome, CaseResult, TestReport};
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::CliError;
use crate::screen::{BAD, FAINT, GOOD, styled};

pub(super) fn test(context: &Context, filter: Option<&str>, as_json: bool) -> Result<(), CliError> {
    let report = context.rules()?.test(filter);
    if as_json {
        let document = json!({
            "schema": "convwise.rules-test/1",
            "ok": report.is_success(),
            "results": report.results.iter().map(case_line).collect::<Vec<_>>(),
            "coverage": report.coverage,
            "problems": report.problems,
        });
        context.screen.json(&document)?;
    } else {
        context.screen.result(&tested(&report))?;
    }
    if report.is_success() { Ok(()) } else { Err(CliError::Reported(1)) }
}

fn case_line(case: &CaseResult) -> Value {
    let (outcome, difference) = match &case.outcome {
        CaseOutcome::Passed => ("passed", None),
        CaseOutcome::Todo => ("todo", None),
        CaseOutcome::Failed(difference) => ("failed", Some(difference)),
    };
    json!({
        "file": case.file, "line": case.line, "rule": case.rule, "name": case.name,
        "outcome": outcome, "difference": difference,
    })
}

/// What failed, in full; what passed, in number.
fn tested(report: &TestReport) -> String {
    let mut out = String::new();
    for problem in &report.problems {
        let _ = writeln!(out, "{}\n", problem.render(true));
    }
    for result in &report.results {
        if let CaseOutcome::Failed(difference) = &result.outcome {
            let place = styled(FAINT, format!("{}:{}", result.file, result.line));
            let _ = writeln!(out, "{} {} {place}\n{difference}\n", styled(BAD, "✗"), result.name);
        }
    }
    let todo = report.results.iter().filter(|r| r.outcome == CaseOutcome::Todo).count();
    let failed = report.failures().count() + report.problems.len();
    let mark = if failed == 0 { styled(GOOD, "✓") } else { styled(BAD, "✗") };
    let _ = writeln!(out, "{mark} {} passed, {failed} failed, {todo} to do", report.passed());
    out
}
