//! `convwise kb import`: tables that others published, as one transaction.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use convwise_import::{
    EXAMPLE, Entry, Format, Input, Mapping, Place, Report, TimmOptions, TorchvisionOptions, import,
};
use convwise_store::{Intake, Record, TakenOver};
use serde_json::{Value, json};

use super::amount;
use super::names::{DESCRIBE, undescribed};
use super::taken::{self, Stop};
use crate::args::intake::{ImportCommand, ImportFiles};
use crate::context::Context;
use crate::error::CliError;
use crate::progress::Progress;
use crate::render::advice::count_of;

/// Entries between two looks at the progress.
const STRIDE: u64 = 4096;

pub(super) fn run(context: &Context, command: &ImportCommand) -> Result<(), CliError> {
    match command {
        ImportCommand::Timm { files, dataset, device, precision, layout, runtime, options } => {
            let options = TimmOptions {
                dataset: dataset.clone(),
                device: device.clone(),
                precision: precision.clone(),
                layout: layout.clone(),
                runtime: runtime.clone(),
                options: options.clone(),
                devices: context.shipped().devices.iter().map(|entry| entry.value.id.to_string()).collect(),
            };
            Job::of(files).run(context, &Format::Timm(options))
        }
        ImportCommand::Torchvision { files, input_size } => {
            let options = TorchvisionOptions { input_size: *input_size };
            Job::of(files).run(context, &Format::Torchvision(options))
        }
        ImportCommand::Csv { example: true, .. } => context.screen.result(EXAMPLE),
        ImportCommand::Csv { files, mapping, source, dry_run, output, .. } => {
            let job = Job { files, source: source.as_deref(), dry: *dry_run, as_json: output.json };
            job.run(context, &Format::Table(read_mapping(mapping.as_deref())?))
        }
        ImportCommand::Jsonl { files } => Job::of(files).run(context, &Format::Lines),
    }
}

fn read_mapping(path: Option<&Path>) -> Result<Mapping, CliError> {
    let path = path.ok_or_else(|| CliError::invalid("name the mapping with --mapping"))?;
    let text = std::fs::read_to_string(path)
        .map_err(|e| CliError::invalid(format!("cannot read {}: {e}", path.display())))?;
    Mapping::parse(&path.display().to_string(), &text).map_err(|found| CliError::Source(vec![*found]))
}

/// Files to import and how.
struct Job<'a> {
    files: &'a [PathBuf],
    source: Option<&'a str>,
    dry: bool,
    as_json: bool,
}

impl<'a> Job<'a> {
    fn of(files: &'a ImportFiles) -> Self {
        let ImportFiles { files, source, dry_run, output } = files;
        Self { files, source: source.as_deref(), dry: *dry_run, as_json: output.json }
    }

    fn run(&self, context: &Context, format: &Format) -> Result<(), CliError> {
        let mut reports = Vec::new();
        let mut remarks = BTreeSet::new();
        let taken = context
            .store()?
            .take_over(self.dry, |intake| self.read_all(context, format, intake, &mut reports, &mut remarks));
        for remark in remarks {
            context.screen.warning(remark);
        }
        match taken {
            Ok(taken) => self.show(context, &reports, Some(&taken)),
            Err(Stop::Refused(_)) => self.show(context, &reports, None),
            Err(Stop::Store(error)) => Err(CliError::failed(error)),
        }
    }

    fn read_all(
        &self,
        context: &Context,
        format: &Format,
        intake: &mut Intake,
        reports: &mut Vec<Report>,
        remarks: &mut BTreeSet<String>,
    ) -> Result<(), Stop> {
        let progress = Progress::new(context.screen);
        for (at, path) in self.files.iter().enumerate() {
            let size = std::fs::metadata(path).map_or(0, |m| m.len());
            let mut seen = 0;
            let mut sink = |entry: Entry, place: Place<'_>| {
                seen += 1;
                if seen % STRIDE == 0 {
                    progress.show(self.share(at, place.read, size), &path.display().to_string(), None);
                }
                remarks.extend(remark(context, &entry));
                intake.take(record(entry))
            };
            let report = match Input::open(path) {
                Ok(input) => import(format, input, self.source, &mut sink),
                Err(problem) => Report::refused(path, problem),
            };
            remarks.extend(report.remarks.iter().map(|remark| format!("{}: {remark}", report.file)));
            reports.push(report);
        }
        if reports.iter().all(|report| report.problems.is_empty()) {
            Ok(())
        } else {
            Err(Stop::Refused(String::new()))
        }
    }

    /// How much of all files is read, each counted as one.
    #[expect(clippy::cast_precision_loss, reason = "shown in percent")]
    fn share(&self, at: usize, read: u64, size: u64) -> f64 {
        (at as f64 + read as f64 / size.max(1) as f64) / self.files.len().max(1) as f64
    }

    fn show(&self, context: &Context, reports: &[Report], taken: Option<&TakenOver>) -> Result<(), CliError> {
        if self.as_json {
            context.screen.json(&self.document(reports, taken))?;
            return if taken.is_some() { Ok(()) } else { Err(CliError::Reported(3)) };
        }
        match taken {
            Some(taken) => {
                if let Some(warning) = taken::warning(taken) {
                    context.screen.warning(warning);
                }
                context.screen.result(&summary(reports, taken, self.dry))
            }
            None => Err(CliError::invalid(refusal(reports))),
        }
    }

    fn document(&self, reports: &[Report], taken: Option<&TakenOver>) -> Value {
        let files: Vec<_> = reports.iter().map(described).collect();
        json!({
            "schema": "convwise.kb-import/1",
            "dry_run": self.dry,
            "files": files,
            "rows": reports.iter().map(|r| r.rows).sum::<u64>(),
            "records": reports.iter().map(|r| r.entries).sum::<u64>(),
            "taken": taken.map(taken::document),
            "problems": reports.iter().map(Report::count_of_problems).sum::<u64>(),
        })
    }
}

fn record(entry: Entry) -> Record {
    match entry {
        Entry::Result(result) => result.into(),
        Entry::Timing(timing) => timing.into(),
        Entry::Cost(cost) => cost.into(),
        Entry::Fact(fact) => fact.into(),
    }
}

/// A dataset that nobody described is no mistake: said once.
fn remark(context: &Context, entry: &Entry) -> Option<String> {
    let Entry::Result(result) = entry else { return None };
    undescribed(context.shipped(), &result.result).map(|what| format!("{what}; {DESCRIBE}"))
}

fn described(report: &Report) -> Value {
    let problems =
        report.problems.iter().map(|p| json!({"line": p.line, "column": p.column, "text": p.text}));
    json!({
        "file": report.file,
        "rows": report.rows,
        "records": report.entries,
        "blank": report.blank,
        "problems": problems.collect::<Vec<_>>(),
        "more_problems": report.more_problems,
        "remarks": report.remarks,
    })
}

fn summary(reports: &[Report], taken: &TakenOver, dry: bool) -> String {
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    let mut out = format!(
        "{} in {}: {}",
        count_of(amount(sum(|r| r.rows)), "row"),
        count_of(reports.len(), "file"),
        taken::counts(taken)
    );
    let blank = sum(|r| r.blank);
    if blank > 0 {
        out.push_str(&format!(
            "; {} left out, blank or not of a kind that is kept",
            count_of(amount(blank), "figure")
        ));
    }
    if dry {
        out.push_str("; nothing was stored (--dry-run)");
    }
    out
}

fn refusal(reports: &[Report]) -> String {
    let wrong = reports.iter().filter(|report| !report.problems.is_empty());
    let total: u64 = reports.iter().map(Report::count_of_problems).sum();
    let mut out = format!("nothing was imported: {}", count_of(amount(total), "problem"));
    for report in wrong {
        for problem in &report.problems {
            let joint = if problem.line.is_some() || problem.column.is_some() { ", " } else { " " };
            out.push_str(&format!("\n  {}{joint}{problem}", report.file));
        }
        if report.more_problems > 0 {
            out.push_str(&format!("\n  {}: and {} more", report.file, report.more_problems));
        }
    }
    out
}
