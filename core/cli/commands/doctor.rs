//! `convwise doctor`: what is found, what is missing, and the one command that mends it.

use std::fmt::Write as _;

use convwise_host::RunnerEntry;
use serde::Serialize;

use crate::args::JsonArgs;
use crate::context::{Context, VERSION};
use crate::error::CliError;
use crate::render::table::{table, text};
use crate::screen::{BAD, GOOD, NAME, styled};

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    what: String,
    ok: bool,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
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
    checks.extend(context.runners().problems.iter().map(|problem| Check {
        what: "runner manifest".to_owned(),
        ok: false,
        found: problem.to_string(),
        mend: None,
    }));
    let report =
        Report { schema: "convwise.doctor/1", version: VERSION, ok: checks.iter().all(|c| c.ok), checks };
    if args.json {
        return context.screen.json(&report);
    }
    context.screen.result(&shown(&report))
}

fn shown(report: &Report) -> String {
    let mark = |ok: bool| if ok { styled(GOOD, "✓") } else { styled(BAD, "✗") };
    let rows = report.checks.iter().map(|c| vec![mark(c.ok), c.what.clone(), c.found.clone()]);
    let mut out = table(&[text(""), text("what"), text("found")], rows);
    for check in &report.checks {
        if let Some(mend) = &check.mend {
            let _ = writeln!(out, "\n{} is mended by\n  {}", check.what, styled(NAME, mend));
        }
    }
    out
}

fn home(context: &Context) -> Check {
    Check { what: "home".to_owned(), ok: true, found: context.paths.home.display().to_string(), mend: None }
}

fn knowledge_base(context: &Context) -> Check {
    let what = "knowledge base".to_owned();
    let report = context.store().and_then(|s| s.check().map_err(CliError::failed));
    match report {
        Ok(report) if report.is_sound() => {
            Check { what, ok: true, found: format!("{} records, sound", report.records), mend: None }
        }
        Ok(_) => {
            Check { what, ok: false, found: "damaged".to_owned(), mend: Some("convwise kb check".to_owned()) }
        }
        Err(CliError::Failed(why) | CliError::Invalid(why)) => {
            Check { what, ok: false, found: why, mend: None }
        }
        Err(_) => Check { what, ok: false, found: "cannot be opened".to_owned(), mend: None },
    }
}

fn rules(context: &Context) -> Check {
    let what = "rules".to_owned();
    match context.load_rules() {
        Ok((rules, found)) => {
            let errors = found.iter().filter(|d| d.severity == convwise_types::Severity::Error).count();
            Check {
                what,
                ok: errors == 0,
                found: format!("{} rules, {errors} errors", rules.len()),
                mend: (errors > 0).then(|| "convwise rules check".to_owned()),
            }
        }
        Err(_) => Check { what, ok: false, found: "cannot be read".to_owned(), mend: None },
    }
}

fn architectures(context: &Context) -> Check {
    let count = context.zoo().variants().count();
    Check { what: "architectures".to_owned(), ok: count > 0, found: format!("{count} known"), mend: None }
}

fn machine(context: &Context) -> Check {
    let here = context.here();
    let isa = here.isa.iter().cloned().collect::<Vec<_>>().join(" ");
    Check {
        what: "machine".to_owned(),
        ok: true,
        found: format!("{} ({}), {} processors, {}, {isa}", here.cpu, here.id, here.cores, here.ram),
        mend: None,
    }
}

/// What a device calls itself, or else its id.
pub(crate) fn device_name(device: &convwise_host::Device) -> String {
    if device.name.is_empty() { device.id.clone() } else { device.name.clone() }
}

fn runner(context: &Context, runner: &RunnerEntry) -> Check {
    let what = format!("runner {}", runner.name);
    let install = || Some(format!("convwise runner install {}", runner.name));
    let mend_library = || Some(format!("cargo build --release -p convwise-{}", runner.name));
    if let Some(why) = &runner.why_not {
        return Check { what, ok: false, found: why.clone(), mend: mend_library() };
    }
    let probed = context
        .worker(runner)
        .and_then(|mut w| w.probe(&Context::runner_options(runner)).map_err(CliError::failed));
    match probed {
        Ok(probe) if probe.usable => {
            let devices = probe.devices.iter().map(device_name).collect::<Vec<_>>().join(", ");
            Check { what, ok: true, found: format!("usable on {devices}"), mend: None }
        }
        Ok(probe) => Check {
            what,
            ok: false,
            found: probe.missing.iter().map(|m| m.what.clone()).collect::<Vec<_>>().join(", "),
            mend: probe.missing.first().map(|m| m.how.clone()).or_else(install),
        },
        Err(CliError::Failed(why) | CliError::Invalid(why)) => {
            Check { what, ok: false, found: why, mend: None }
        }
        Err(_) => Check { what, ok: false, found: "cannot be started".to_owned(), mend: None },
    }
}
