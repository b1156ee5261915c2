//! `rules test`: the cases beside the rules.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use convwise_judge::{CaseOutcome, CaseResult, RuleCoverage, RuleSet, TestReport, covered_percent};
use serde_json::{Value, json};

use crate::args::TestArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::render::table::{table, text};
use crate::screen::{BAD, FAINT, GOOD, NAME, styled};

pub(super) fn test(context: &Context, args: &TestArgs) -> Result<(), CliError> {
    let rules = context.rules()?;
    if args.bless {
        return bless(context, rules, args.filter.as_deref());
    }
    run(context, rules, args)
}

/// Runs the cases once and says how they went.
pub(super) fn run(context: &Context, rules: &RuleSet, args: &TestArgs) -> Result<(), CliError> {
    let report = rules.test(args.filter.as_deref());
    let coverage = rules.coverage(&report);
    let percent = covered_percent(&coverage);
    if args.output.json {
        context.screen.json(&json!({
            "schema": "convwise.rules-test/1",
            "ok": report.is_success(),
            "results": report.results.iter().map(case_line).collect::<Vec<_>>(),
            "coverage": report.coverage,
            "covered": {"percent": percent, "rules": coverage},
            "problems": report.problems,
        }))?;
    } else {
        let table = if args.coverage { covered(&coverage, percent) } else { String::new() };
        context.screen.result(&format!("{table}{}", tested(&report)))?;
    }
    if let Some(least) = args.min_coverage.filter(|least| percent < whole(*least)) {
        let text = format!("the cases try {percent:.1} % of what the rules can say; {least} % is asked for");
        return Err(CliError::failed(format!("{text} (--coverage lists what is missing)")));
    }
    if report.is_success() { Ok(()) } else { Err(CliError::Reported(1)) }
}

#[expect(clippy::cast_precision_loss, reason = "at most 100")]
fn whole(percent: u64) -> f64 {
    percent as f64
}

/// What is tried of each rule, those with gaps first.
fn covered(coverage: &[RuleCoverage], percent: f64) -> String {
    let mut rows: Vec<&RuleCoverage> = coverage.iter().collect();
    rows.sort_by_key(|c| c.missing.is_empty());
    let row = |c: &&RuleCoverage| {
        let missing = if c.missing.is_empty() { String::new() } else { styled(BAD, c.missing.join(", ")) };
        vec![styled(NAME, &c.rule), c.kind.to_owned(), c.tried.join(", "), missing]
    };
    let columns = [text("rule"), text("kind"), text("tried"), text("not tried")];
    let table = table(&columns, rows.iter().map(row));
    format!("{table}\n{percent:.1} % of what the rules can say is tried\n\n")
}

/// Rewrites what is on disk; what ships with the program is not.
fn bless(context: &Context, rules: &RuleSet, filter: Option<&str>) -> Result<(), CliError> {
    let blessed = rules.bless(filter);
    let mut said = Vec::new();
    for file in blessed.iter().filter(|b| Path::new(&b.file).is_file()) {
        overwrite(Path::new(&file.file), &file.text)?;
        said.extend(file.cases.iter().map(|case| format!("{}: {case}", file.file)));
    }
    let left = blessed.iter().filter(|b| !Path::new(&b.file).is_file());
    for file in left {
        context.screen.remark(format!("{} ships with the program and stays as it is", file.file));
    }
    context.screen.result(&match said.len() {
        0 => "nothing to rewrite".to_owned(),
        _ => said.join("\n"),
    })
}

/// Replaces a file as a whole, so that no half of it is ever there.
fn overwrite(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |e: std::io::Error| CliError::failed(format!("cannot rewrite {}: {e}", path.display()));
    let half = path.with_extension("toml.new");
    fs::write(&half, text).and_then(|()| fs::rename(&half, path)).map_err(failed)
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
