//! `convwise runner`: what can run networks here.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use convwise_host::{Description, Native, Probe, RunnerEntry, RunnerList, file_digest};
use convwise_install::{InstallError, Step};
use convwise_types::{Bytes, did_you_mean};
use serde::Serialize;
use serde_json::json;

use super::doctor::{device_name, native_in_words};
use crate::args::RunnerCommand;
use crate::context::Context;
use crate::error::CliError;
use crate::progress::Progress;
use crate::render::table::{table, text};
use crate::screen::{BAD, GOOD, NAME, Screen, WARN, styled};

/// One runner as `runner list --json` prints it.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    version: Option<String>,
    backend: Option<String>,
    path: Option<String>,
    /// SHA-256 of the library.
    digest: Option<String>,
    usable: bool,
    why_not: Option<String>,
    mend: Option<String>,
    origin: String,
    overrides: Vec<String>,
    /// The native libraries that it needs, found or not.
    native: Vec<Native>,
}

/// A manifest that is not used.
#[derive(Debug, Serialize)]
struct Unused {
    path: String,
    why_not: String,
}

pub(crate) fn run(context: &Context, command: &RunnerCommand) -> Result<(), CliError> {
    match command {
        RunnerCommand::List(args) => list(context, args.json),
        RunnerCommand::Show { name, output } => show(context, name, output.json),
        RunnerCommand::Check { runner, only, output } => {
            super::runner_check::run(context, runner, only, output.json)
        }
        RunnerCommand::New { name, dir } => new(context, name, dir),
        RunnerCommand::Install { name, output } => install(context, name, output.json),
    }
}

/// What a runner says of itself, from a worker process.
fn ask(context: &Context, runner: &RunnerEntry) -> Result<(Description, Probe), CliError> {
    let mut worker = context.worker(runner)?;
    let description = worker.describe().map_err(CliError::failed)?;
    let probe = worker.probe(&Context::runner_options(runner)).map_err(CliError::failed)?;
    Ok((description, probe))
}

fn line(context: &Context, runner: &RunnerEntry) -> Line {
    let mut line = Line {
        name: runner.name.clone(),
        version: runner.version.clone(),
        backend: None,
        path: runner.path.as_ref().map(|p| p.display().to_string()),
        digest: runner.path.as_ref().and_then(|path| file_digest(path).ok()),
        usable: false,
        why_not: runner.why_not.clone(),
        mend: None,
        origin: runner.origin.to_string(),
        overrides: runner.overrides.iter().map(ToString::to_string).collect(),
        native: runner.native.clone(),
    };
    if line.why_not.is_some() {
        return line;
    }
    match ask(context, runner) {
        Ok((description, probe)) => {
            line.version = Some(description.version);
            line.backend = probe.backend.or(description.backend);
            line.usable = probe.usable;
            if !probe.usable {
                line.why_not =
                    Some(probe.missing.iter().map(|m| m.what.clone()).collect::<Vec<_>>().join(", "));
                line.mend = probe.missing.first().map(|m| m.how.clone());
            }
        }
        Err(CliError::Failed(why)) => line.why_not = Some(why),
        Err(_) => line.why_not = Some("it cannot be started".to_owned()),
    }
    line
}

/// Manifests that are broken, not trusted, or not to be read.
fn unused(list: &RunnerList) -> Vec<Unused> {
    let broken = list.problems.iter().map(|p| Unused { path: p.path.clone(), why_not: p.to_string() });
    let skipped =
        list.skipped.iter().map(|s| Unused { path: s.path.display().to_string(), why_not: s.why.clone() });
    broken.chain(skipped).collect()
}

fn list(context: &Context, as_json: bool) -> Result<(), CliError> {
    let list = context.runners();
    let lines: Vec<_> = list.runners.iter().map(|r| line(context, r)).collect();
    let skipped = unused(list);
    if as_json {
        list.problems.iter().for_each(|problem| context.screen.warning(problem));
        return context
            .screen
            .json(&json!({"schema": "convwise.runners/1", "runners": lines, "skipped": skipped}));
    }
    context.screen.result(&shown(&lines, &skipped))
}

fn shown(lines: &[Line], skipped: &[Unused]) -> String {
    let mark = |usable: bool| if usable { styled(GOOD, "✓") } else { styled(BAD, "✗") };
    let known = |value: Option<&str>| value.unwrap_or("–").to_owned();
    let rows = lines.iter().map(|l| {
        vec![
            mark(l.usable),
            styled(NAME, &l.name),
            known(l.version.as_deref()),
            known(l.backend.as_deref()),
            known(l.path.as_deref()),
            known(l.digest.as_deref().and_then(|digest| digest.get(..12))),
            l.origin.clone(),
            l.why_not.clone().unwrap_or_else(|| "usable".to_owned()),
        ]
    });
    let columns = ["", "runner", "version", "engine", "library", "sha256", "from", "state"].map(text);
    let mut out = table(&columns, rows);
    for l in lines.iter().filter(|l| l.mend.is_some()) {
        let _ = writeln!(out, "{}: {}", l.name, l.mend.as_deref().unwrap_or_default());
    }
    for Unused { path, why_not } in skipped {
        // What is wrong inside a file names that file itself.
        let named = if why_not.starts_with(path.as_str()) { String::new() } else { format!("{path}: ") };
        let _ = writeln!(out, "{} {named}{why_not}", styled(WARN, "skipped"));
    }
    out
}

pub(super) fn find<'a>(context: &'a Context, name: &str) -> Result<&'a RunnerEntry, CliError> {
    let list = context.runners();
    list.get(name).ok_or_else(|| {
        let hint = did_you_mean(name, list.runners.iter().map(|r| r.name.as_str()));
        CliError::invalid(format!("there is no runner `{name}` (`convwise runner list` shows them){hint}"))
    })
}

fn show(context: &Context, name: &str, as_json: bool) -> Result<(), CliError> {
    let runner = find(context, name)?;
    let (description, probe) = ask(context, runner)?;
    if as_json {
        return context.screen.json(&json!({
            "schema": "convwise.runner/1",
            "name": runner.name,
            "origin": runner.origin.to_string(),
            "path": runner.path,
            "native": runner.native,
            "description": description,
            "probe": probe,
        }));
    }
    let mut out = format!("{} {}\n", styled(NAME, &runner.name), description.version);
    let _ = writeln!(out, "from        {}", runner.origin);
    if let Some(path) = &runner.path {
        let _ = writeln!(out, "library     {}", path.display());
    }
    for native in &runner.native {
        let _ = writeln!(out, "needs       {}", native_in_words(native).join("; "));
    }
    let _ = writeln!(out, "formats     {}", description.formats.join(", "));
    let _ = writeln!(out, "precisions  {}", description.precisions.join(", "));
    for device in &probe.devices {
        let _ = writeln!(out, "device      {} ({})", device_name(device), device.kind);
    }
    for missing in &probe.missing {
        let _ = writeln!(out, "missing     {}: {}", missing.what, missing.how);
    }
    for option in &description.options {
        let _ = writeln!(out, "option      {} = {}: {}", option.name, option.default, option.doc);
    }
    context.screen.result(&out)
}

fn new(context: &Context, name: &str, dir: &Path) -> Result<(), CliError> {
    super::plain_name(name)?;
    if name.contains('_') {
        let better = name.replace('_', "-");
        return Err(CliError::invalid(format!("`{name}` is not a runner's name; use `{better}`")));
    }
    if let Some(taken) = context.runners().get(name) {
        let origin = &taken.origin;
        return Err(CliError::invalid(format!(
            "there is a runner `{name}` already ({origin}); choose another name"
        )));
    }
    let folder = dir.join(name);
    super::write_new(&folder, &crate::runner_package::files(name).map_err(CliError::failed)?)?;
    let folder = folder.display();
    context.screen.result(&folder.to_string())?;
    context.screen.remark(format!(
        "build it with `cargo build --release --manifest-path {folder}/Cargo.toml`, then run `convwise runner check {folder}/runners/{name}.toml`"
    ));
    Ok(())
}

/// Shows how an installation goes: a bar on a terminal, a line for each step elsewhere.
struct Installing {
    screen: Screen,
    progress: Progress,
    /// What is being done, when it began, and how much was done then.
    stage: Option<(String, Instant, Bytes)>,
}

impl Installing {
    fn show(&mut self, step: &Step) {
        match step {
            Step::Waiting => self.begin("another process is installing; waiting for it", Bytes(0)),
            Step::Downloading { package, done, of } => {
                self.advance(&format!("pip downloads {package}"), *done, *of)
            }
            Step::Unpacking { done, of } => {
                self.advance("checking digests, taking the libraries out", *done, *of)
            }
        }
    }

    fn begin(&mut self, what: &str, done: Bytes) {
        if self.stage.as_ref().is_none_or(|(now, ..)| now != what) {
            self.stage = Some((what.to_owned(), Instant::now(), done));
            self.progress.line(self.screen, what);
        }
    }

    fn advance(&mut self, what: &str, done: Bytes, of: Bytes) {
        self.begin(what, done);
        let Some((_, since, before)) = &self.stage else { return };
        #[expect(clippy::cast_precision_loss, reason = "sizes of files")]
        let (done_now, left, share) = (
            done.0.saturating_sub(before.0) as f64,
            of.0.saturating_sub(done.0) as f64,
            done.0 as f64 / of.0.max(1) as f64,
        );
        let elapsed = since.elapsed();
        let known = done_now > 0.0 && elapsed > Duration::from_secs(1);
        let left = known.then(|| elapsed.mul_f64(left / done_now));
        self.progress.show(share, &format!("{done} of {of}"), left);
    }
}

fn install(context: &Context, name: &str, as_json: bool) -> Result<(), CliError> {
    let screen = context.screen;
    let mut shown = Installing { screen, progress: Progress::new(screen), stage: None };
    let stop = super::interruptible();
    let installed =
        convwise_install::install(name, &context.paths.home, &stop, &mut |step| shown.show(&step));
    drop(shown);
    let installed = installed.map_err(|error| match error {
        InstallError::Unknown { .. } => CliError::invalid(error),
        _ => CliError::failed(error),
    })?;
    if as_json {
        return context.screen.json(&json!({
            "schema": "convwise.install/1",
            "runner": name,
            "version": installed.version,
            "path": installed.path,
            "bytes": installed.bytes,
            "was_there": installed.was_there,
        }));
    }
    let state = if installed.was_there { "already there" } else { "installed" };
    let (version, path, bytes) = (installed.version, installed.path.display(), installed.bytes);
    context.screen.result(&format!("{name} {version}: {path} ({bytes}, {state})"))
}
