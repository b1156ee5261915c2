//! `convwise kb stats` and `check`: how much is known, and whether it is sound.

use std::fmt::Write as _;

use convwise_store::CheckReport;
use convwise_types::Bytes;
use serde_json::json;

use super::amount;
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;
use crate::screen::{BAD, GOOD, styled};

pub(super) fn stats(context: &Context, as_json: bool) -> Result<(), CliError> {
    let stats = context.store()?.stats().map_err(CliError::failed)?;
    let architectures = context.zoo().variants().count();
    if as_json {
        return context
            .screen
            .json(&json!({"schema": "convwise.kb-stats/1", "architectures": architectures, "store": stats}));
    }
    let mut out = format!("{:<15}{architectures}\n", "architectures");
    for (what, count) in [
        ("measurements", stats.measurements),
        ("results", stats.results),
        ("facts", stats.facts),
        ("failures", stats.failures),
        ("devices", stats.devices),
        ("quarantined", stats.quarantined),
    ] {
        let _ = writeln!(out, "{what:<15}{count}");
    }
    let _ = writeln!(out, "{:<15}{}", "journal", Bytes(stats.journal_bytes));
    let _ = writeln!(out, "{:<15}{}", "index", Bytes(stats.index_bytes));
    let _ = writeln!(out, "{:<15}{} ({})", "version", stats.version, stats.path.display());
    context.screen.result(&out)
}

pub(super) fn check(context: &Context, as_json: bool) -> Result<(), CliError> {
    let report = context.store()?.check().map_err(CliError::failed)?;
    let sound = report.is_sound();
    if as_json {
        context.screen.json(&json!({"schema": "convwise.kb-check/1", "ok": sound, "report": report}))?;
    } else {
        context.screen.result(&checked(&report))?;
    }
    if sound { Ok(()) } else { Err(CliError::Reported(1)) }
}

fn checked(report: &CheckReport) -> String {
    let mut out = format!(
        "{} in {}\n",
        count_of(amount(report.records), "record"),
        count_of(amount(report.lines), "line")
    );
    for damage in &report.damaged {
        let _ = writeln!(out, "{} line {} of the journal: {}", styled(BAD, "✗"), damage.line, damage.why);
    }
    for (what, ids) in
        [("not in the index", &report.not_indexed), ("only in the index", &report.only_indexed)]
    {
        for id in ids {
            let _ = writeln!(out, "{} record {id} is {what}", styled(BAD, "✗"));
        }
    }
    let end = if report.is_sound() { styled(GOOD, "sound") } else { styled(BAD, "damaged") };
    let _ = writeln!(out, "{end}");
    out
}
