//! `convwise rules`: the decision logic, as its authors see it.

use std::fmt::Write as _;
use std::path::Path;

use convwise_judge::{CaseOutcome, CaseResult, RuleInfo, RuleKind, TestReport, eject, scaffold};
use convwise_types::Severity;
use serde_json::{Value, json};

use crate::args::RulesCommand;
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;
use crate::render::table::{table, text};
use crate::screen::{BAD, FAINT, GOOD, NAME, styled};

pub(crate) fn run(context: &Context, command: &RulesCommand) -> Result<(), CliError> {
    match command {
        RulesCommand::List(args) => list(context, args.json),
        RulesCommand::Show { id, output } => show(context, id, output.json),
        RulesCommand::Check(args) => check(context, args.json),
        RulesCommand::Test { filter, output } => test(context, filter.as_deref(), output.json),
        RulesCommand::New { name, dir } => new(context, name, dir),
        RulesCommand::Eject { dir } => write_out(context, dir),
    }
}

fn list(context: &Context, as_json: bool) -> Result<(), CliError> {
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

fn show(context: &Context, id: &str, as_json: bool) -> Result<(), CliError> {
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

fn check(context: &Context, as_json: bool) -> Result<(), CliError> {
    let (rules, mut found) = context.load_rules()?;
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

fn test(context: &Context, filter: Option<&str>, as_json: bool) -> Result<(), CliError> {
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

fn new(context: &Context, name: &str, dir: &Path) -> Result<(), CliError> {
    let skeleton = scaffold(RuleKind::Prefer, name);
    let files = [(format!("{name}.rhai"), skeleton.rule), (format!("{name}.cases.toml"), skeleton.cases)];
    super::plain_name(name)?;
    super::write_new(dir, &files)?;
    let written = files.iter().map(|(f, _)| dir.join(f).display().to_string()).collect::<Vec<_>>().join("\n");
    context.screen.result(&written)?;
    context.screen.remark(format!(
        "edit it, then run `convwise rules check --rules {0}` and `convwise rules test --rules {0}`",
        dir.display()
    ));
    Ok(())
}

fn write_out(context: &Context, dir: &Path) -> Result<(), CliError> {
    let written = eject(dir)
        .map_err(|e| CliError::failed(format!("cannot write the rules to {}: {e}", dir.display())))?;
    context.screen.result(&written.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join("\n"))
}
