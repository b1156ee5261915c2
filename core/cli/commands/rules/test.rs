//! `rules test`: the cases beside the rules, and the scenarios.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use convwise_advisor::scenario::{self, ScenarioReport};
use convwise_judge::{Blessed, CaseOutcome, CaseResult, RuleCoverage, RuleSet, TestReport, covered_percent};
use serde_json::{Value, json};

use super::scenarios;
use crate::args::TestArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::render::table::{table, text};
use crate::screen::{BAD, GOOD, NAME, styled};

pub(super) fn test(context: &Context, args: &TestArgs) -> Result<(), CliError> {
    let rules = context.rules()?;
    if args.bless { bless(context, rules, args.filter.as_deref()) } else { run(context, rules, args) }
}

/// How cases and scenarios went.
struct Outcome {
    cases: TestReport,
    scenarios: ScenarioReport,
    coverage: Vec<RuleCoverage>,
}

impl Outcome {
    fn of(rules: &RuleSet, filter: Option<&str>) -> Self {
        let cases = rules.test(filter);
        Self { coverage: rules.coverage(&cases), cases, scenarios: scenario::run(rules, filter) }
    }

    fn is_success(&self) -> bool {
        self.cases.is_success() && self.scenarios.is_success()
    }

    fn percent(&self) -> f64 {
        covered_percent(&self.coverage)
    }

    fn json(&self) -> Value {
        let cases = self.cases.results.iter().map(case_line);
        let problems = self.cases.problems.iter().chain(&self.scenarios.problems);
        json!({
            "schema": "convwise.rules-test/1",
            "ok": self.is_success(),
            "results": cases.chain(self.scenarios.results.iter().map(scenarios::line)).collect::<Vec<_>>(),
            "coverage": self.cases.coverage,
            "covered": {"percent": self.percent(), "rules": self.coverage},
            "problems": problems.collect::<Vec<_>>(),
        })
    }
}

/// Runs cases and scenarios once and says how they went.
pub(super) fn run(context: &Context, rules: &RuleSet, args: &TestArgs) -> Result<(), CliError> {
    let outcome = Outcome::of(rules, args.filter.as_deref());
    if args.output.json {
        context.screen.json(&outcome.json())?;
    } else {
        let table = if args.coverage { covered(&outcome.coverage, outcome.percent()) } else { String::new() };
        context.screen.result(&format!("{table}{}", tested(&outcome)))?;
    }
    let percent = outcome.percent();
    if let Some(least) = args.min_coverage.filter(|least| percent < whole(*least)) {
        let text = format!("the cases try {percent:.1} % of what the rules can say; {least} % is asked for");
        return Err(CliError::failed(format!("{text} (--coverage lists what is missing)")));
    }
    if outcome.is_success() { Ok(()) } else { Err(CliError::Reported(1)) }
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

/// Rewrites what is on disk; what is part of the program is not.
fn bless(context: &Context, rules: &RuleSet, filter: Option<&str>) -> Result<(), CliError> {
    let all = rules.bless(filter).into_iter().chain(scenario::bless(rules, filter));
    let (mine, others): (Vec<Blessed>, Vec<_>) = all.partition(is_on_disk);
    for file in &mine {
        overwrite(Path::new(&file.file), &file.text)?;
    }
    for file in others {
        context.screen.remark(format!("{} is part of the program and stays as it is", file.file));
    }
    let said = mine.iter().flat_map(|file| file.names.iter().map(|name| format!("{}: {name}", file.file)));
    let said = said.collect::<Vec<_>>().join("\n");
    context.screen.result(if said.is_empty() { "nothing to rewrite" } else { &said })
}

/// Whether the very text that was tested stands there: another file of that name is somebody's own.
fn is_on_disk(blessed: &Blessed) -> bool {
    fs::read_to_string(&blessed.file).is_ok_and(|text| text == blessed.before)
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
        "kind": "case", "file": case.file, "line": case.line, "rule": case.rule, "name": case.name,
        "outcome": outcome, "difference": difference,
    })
}

/// What failed, in full; what passed, in number.
fn tested(outcome: &Outcome) -> String {
    let Outcome { cases, scenarios, .. } = outcome;
    let mut out = String::new();
    for problem in &cases.problems {
        let _ = writeln!(out, "{}\n", problem.render(true));
    }
    for result in &cases.results {
        if let CaseOutcome::Failed(difference) = &result.outcome {
            out.push_str(&scenarios::failure(&result.file, result.line, &result.name, difference));
        }
    }
    out.push_str(&scenarios::failed(scenarios));
    let todo = cases.results.iter().filter(|r| r.outcome == CaseOutcome::Todo);
    for result in todo.clone() {
        let _ = writeln!(out, "to do: {} ({}:{})", result.name, result.file, result.line);
    }
    let failed = cases.failures().count() + scenarios.failures().count();
    let broken = cases.problems.len() + scenarios.problems.len();
    let passed = cases.passed() + scenarios.results.iter().filter(|r| r.difference.is_none()).count();
    let mark = if failed + broken == 0 { styled(GOOD, "✓") } else { styled(BAD, "✗") };
    let _ = writeln!(out, "{mark} {passed} passed, {} failed, {} to do", failed + broken, todo.count());
    out
}
