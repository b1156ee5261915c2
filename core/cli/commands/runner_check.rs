//! `convwise runner check`: the conformance suite on one runner.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use convwise_conformance::{Finding, Outcome, Report, Requirement, Subject, examine, requirements};
use convwise_host::{RunnerEntry, RunnerSource, WorkerSpec};
use serde::Serialize;

use super::runner::find;
use crate::context::Context;
use crate::error::CliError;
use crate::progress::Progress;
use crate::screen::{BAD, FAINT, GOOD, NAME, Screen, styled};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    runner: &'a str,
    ok: bool,
    steps: &'a [Finding],
}

/// Examines the runner of a name, a manifest or a library.
pub(crate) fn run(context: &Context, runner: &str, only: &[String], as_json: bool) -> Result<(), CliError> {
    let chosen = chosen(only)?;
    let report = examined(context.screen, &subject(context, runner)?, &chosen);
    if as_json {
        let (runner, ok) = (report.runner.as_str(), report.is_ok());
        let steps = &report.findings;
        context.screen.json(&Document { schema: "convwise.runner-check/1", runner, ok, steps })?;
    } else {
        context.screen.result(&shown(&report))?;
    }
    if report.is_ok() { Ok(()) } else { Err(CliError::Reported(1)) }
}

/// The requirements of these numbers; all where none is named.
fn chosen(only: &[String]) -> Result<Vec<&'static Requirement>, CliError> {
    let all = requirements();
    if only.is_empty() {
        return Ok(all);
    }
    let find = |number: &String| {
        let found = all.iter().find(|requirement| requirement.number().eq_ignore_ascii_case(number));
        found.copied().ok_or_else(|| {
            CliError::invalid(format!("there is no requirement `{number}`; they are C01 to C{}", all.len()))
        })
    };
    only.iter().map(find).collect()
}

fn examined(screen: Screen, subject: &Subject, chosen: &[&Requirement]) -> Report {
    let progress = Progress::new(screen);
    let (mut done, all) = (0.0, chosen.len() as f64);
    examine(subject, chosen, &mut |requirement| {
        progress.show(done / all, &format!("{} {}", requirement.number(), requirement.title), None);
        done += 1.0;
    })
}

fn subject(context: &Context, runner: &str) -> Result<Subject, CliError> {
    let path = Path::new(runner);
    if !path.is_file() {
        return of_entry(context, find(context, runner)?);
    }
    if path.extension().is_some_and(|extension| extension == "toml") {
        return of_entry(context, &of_manifest(context, path)?);
    }
    Ok(of_library(context, path))
}

fn of_entry(context: &Context, entry: &RunnerEntry) -> Result<Subject, CliError> {
    let manifest = entry.manifest.as_ref().map(|m| (m.name.clone(), m.version.clone()));
    Ok(Subject { spec: context.worker_spec(entry)?, options: Context::runner_options(entry), manifest })
}

fn of_library(context: &Context, path: &Path) -> Subject {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let source = RunnerSource::Library { path, digest: None };
    let spec = WorkerSpec::new(name, source, context.program());
    Subject { spec, options: std::collections::BTreeMap::new(), manifest: None }
}

fn of_manifest(context: &Context, manifest: &Path) -> Result<RunnerEntry, CliError> {
    let path = std::path::absolute(manifest).map_err(CliError::invalid)?;
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    let found = context.runners_in(folder);
    let entry = found.runners.iter().find(|r| r.origin.to_string() == path.display().to_string()).cloned();
    entry.ok_or_else(|| {
        let why = found
            .problems
            .first()
            .map_or_else(|| "it is not a runner manifest".to_owned(), ToString::to_string);
        CliError::invalid(format!("{}: {why}", manifest.display()))
    })
}

fn shown(report: &Report) -> String {
    let mut out = format!("{}\n", styled(NAME, &report.runner));
    for finding in &report.findings {
        let mark = match finding.outcome {
            Outcome::Met => styled(GOOD, "✓"),
            Outcome::Broken => styled(BAD, "✗"),
            Outcome::NotExamined => styled(FAINT, "–"),
        };
        let _ = writeln!(out, "{} {mark} {}", finding.number, finding.requirement);
        let style = if finding.ok { FAINT } else { BAD };
        for line in finding.found.lines() {
            let _ = writeln!(out, "      {}", styled(style, line));
        }
        if !finding.ok {
            let _ = writeln!(out, "      required: {}", finding.meaning);
        }
    }
    let count = |outcome| report.count(outcome);
    let _ = writeln!(
        out,
        "{} met, {} broken, {} not examined",
        count(Outcome::Met),
        count(Outcome::Broken),
        count(Outcome::NotExamined)
    );
    out
}
