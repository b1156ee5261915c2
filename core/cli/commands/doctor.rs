//! `convwise doctor`: what is found, what is missing, and the one command that mends it.

use std::fmt::Write as _;
use std::path::PathBuf;

use convwise_host::{Native, Origin, RunnerEntry};
use serde::Serialize;

use crate::args::JsonArgs;
use crate::context::{Context, VERSION};
use crate::error::CliError;
use crate::render::table::{table, text};
use crate::screen::{BAD, FAINT, GOOD, NAME, styled};

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    what: String,
    ok: bool,
    /// Nothing is wrong without it: it can be had.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    optional: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
    /// The library of a runner.
    #[serde(skip_serializing_if = "Option::is_none")]
    library: Option<PathBuf>,
    /// The native libraries of a runner.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    native: Vec<Native>,
}

impl Check {
    fn new(what: impl Into<String>, ok: bool, found: impl Into<String>) -> Self {
        let (what, found) = (what.into(), found.into());
        Self { what, ok, optional: false, found, mend: None, library: None, native: Vec::new() }
    }

    /// The same, as something that this machine can do without.
    fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    fn mended_by(self, command: Option<String>) -> Self {
        Self { mend: command, ..self }
    }

    /// What was found, in lines.
    fn lines(&self) -> String {
        let library = self.library.iter().map(|path| path.display().to_string());
        let native = self.native.iter().flat_map(native_in_words);
        [self.found.clone()].into_iter().chain(library).chain(native).collect::<Vec<_>>().join("\n")
    }
}

#[derive(Debug, Serialize)]
struct Report {
    schema: &'static str,
    version: &'static str,
    ok: bool,
    checks: Vec<Check>,
}

pub(crate) fn run(context: &Context, args: &JsonArgs) -> Result<(), CliError> {
    let mut checks = vec![
        home(context),
        knowledge_base(context),
        rules(context),
        architectures(context),
        machine(context),
    ];
    checks.extend(context.runners().runners.iter().map(|r| runner(context, r)));
    let runners = context.runners();
    checks.extend(runners.problems.iter().map(|p| Check::new("runner manifest", false, p.to_string())));
    // Nothing is wrong with what is merely not read.
    checks.extend(runners.skipped.iter().map(|skipped| {
        Check::new("runner manifest", true, format!("{}: skipped, {}", skipped.path.display(), skipped.why))
    }));
    let ok = checks.iter().all(|c| c.ok || c.optional);
    let report = Report { schema: "convwise.doctor/1", version: VERSION, ok, checks };
    if args.json {
        return context.screen.json(&report);
    }
    context.screen.result(&shown(&report))
}

fn shown(report: &Report) -> String {
    let mark = |check: &Check| match (check.ok, check.optional) {
        (true, _) => styled(GOOD, "✓"),
        (false, true) => styled(FAINT, "–"),
        (false, false) => styled(BAD, "✗"),
    };
    let rows = report.checks.iter().map(|c| vec![mark(c), c.what.clone(), c.lines()]);
    let mut out = table(&[text(""), text("what"), text("found")], rows);
    for check in &report.checks {
        if let Some(mend) = &check.mend {
            let verb = if check.optional { "can be had with" } else { "is mended by" };
            let _ = writeln!(out, "\n{} {verb}\n  {}", check.what, styled(NAME, mend));
        }
    }
    out
}

fn home(context: &Context) -> Check {
    Check::new("home", true, context.paths.home.display().to_string())
}

fn knowledge_base(context: &Context) -> Check {
    let check = |ok, found: String| Check::new("knowledge base", ok, found);
    match context.store().and_then(|s| s.check().map_err(CliError::failed)) {
        Ok(report) if report.is_sound() => check(true, format!("{} records, sound", report.records)),
        Ok(_) => check(false, "damaged".to_owned()).mended_by(Some("convwise kb check".to_owned())),
        Err(CliError::Failed(why) | CliError::Invalid(why)) => check(false, why),
        Err(_) => check(false, "cannot be opened".to_owned()),
    }
}

fn rules(context: &Context) -> Check {
    let (rules, found) = context.load_rules();
    let errors = found.iter().filter(|d| d.severity == convwise_types::Severity::Error).count();
    let mend = (errors > 0).then(|| "convwise rules check".to_owned());
    Check::new("rules", errors == 0, format!("{} rules, {errors} errors", rules.len())).mended_by(mend)
}

fn architectures(context: &Context) -> Check {
    let count = context.zoo().variants().count();
    Check::new("architectures", count > 0, format!("{count} known"))
}

fn machine(context: &Context) -> Check {
    let here = context.here();
    let isa = here.isa.iter().cloned().collect::<Vec<_>>().join(" ");
    let found = format!("{} ({}), {} processors, {}, {isa}", here.cpu, here.id, here.cores, here.ram);
    Check::new("machine", true, found)
}

/// What a device calls itself, or else its id.
pub(crate) fn device_name(device: &convwise_host::Device) -> String {
    if device.name.is_empty() { device.id.clone() } else { device.name.clone() }
}

/// Where a native library was found or what brings it, and what was passed over.
pub(crate) fn native_in_words(native: &Native) -> Vec<String> {
    let only = native.only_for.as_ref().map(|option| format!(" (only for {option})")).unwrap_or_default();
    let what = format!("{}{only}", native.what);
    let first = match (&native.path, &native.from) {
        (Some(path), Some(from)) => {
            let version = native.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
            format!("{what}:{version} from {from}, {}", path.display())
        }
        _ if native.problem.is_some() => format!("{what}: not found"),
        _ => format!("{what}: not found; `{}` brings it", native.mend),
    };
    let problem = native.problem.clone();
    let passed_over = native.passed_over.iter().map(|why| format!("not taken: {why}"));
    [first].into_iter().chain(problem).chain(passed_over).collect()
}

fn runner(context: &Context, runner: &RunnerEntry) -> Check {
    let check = state(context, runner);
    let library = runner.path.clone().filter(|_| runner.library_is_there);
    Check { library, native: runner.native.clone(), ..check }
}

fn state(context: &Context, runner: &RunnerEntry) -> Check {
    let check = |ok, found: String| Check::new(format!("runner {}", runner.name), ok, found);
    if let Some(why) = &runner.why_not {
        let unusable = check(false, why.clone()).mended_by(build(runner));
        return if runner.library_is_there { unusable } else { unusable.optional() };
    }
    let needed = runner.native.iter().find(|native| native.path.is_none() && native.only_for.is_none());
    let fetch = needed.map(|native| native.mend.clone());
    let probed = context
        .worker(runner)
        .and_then(|mut w| w.probe(&Context::runner_options(runner)).map_err(CliError::failed));
    match probed {
        Ok(probe) if probe.usable => {
            let devices = probe.devices.iter().map(device_name).collect::<Vec<_>>().join(", ");
            check(true, format!("usable on {devices}"))
        }
        Ok(probe) => {
            let missing = probe.missing.iter().map(|m| m.what.clone()).collect::<Vec<_>>().join(", ");
            let mend = probe.missing.first().map(|m| m.how.clone()).or(fetch);
            check(false, missing).mended_by(mend).optional()
        }
        Err(CliError::Failed(why) | CliError::Invalid(why)) => check(false, why).mended_by(fetch),
        Err(_) => check(false, "cannot be started".to_owned()),
    }
}

/// The command that builds the library of a runner that ships with this program, where it is not there.
fn build(runner: &RunnerEntry) -> Option<String> {
    let ours = matches!(runner.origin, Origin::Embedded(_)) && !runner.library_is_there;
    // Its own package, because it builds only where libtorch is.
    let package = match runner.name.as_str() {
        "libtorch" => "--manifest-path runners/libtorch/Cargo.toml".to_owned(),
        name => format!("-p convwise-{name}"),
    };
    ours.then(|| format!("cargo build --release {package}"))
}
