//! `convwise kb stats`, `check`, `repair`, `rebuild` and `compact`: how much is known, whether it is sound, and making it so.

use std::fmt::Write as _;

use convwise_store::{CheckReport, DamagedLine, Repaired, Rewritten};
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
        ("timings", stats.timings),
        ("costs", stats.costs),
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
        let _ =
            writeln!(out, "{} {}, {}", styled(BAD, "✗"), said(damage), prospect(damage.whole, "would be"));
    }
    for (what, ids) in
        [("not in the index", &report.not_indexed), ("only in the index", &report.only_indexed)]
    {
        for id in ids {
            let _ = writeln!(out, "{} record {id} is {what}", styled(BAD, "✗"));
        }
    }
    let end = if report.is_sound() {
        styled(GOOD, "sound")
    } else {
        format!("{}: `convwise kb repair` puts it right", styled(BAD, "damaged"))
    };
    let _ = writeln!(out, "{end}");
    out
}

fn said(damage: &DamagedLine) -> String {
    format!("line {} of the journal is damaged ({})", damage.line, damage.why)
}

/// What becomes of a damaged line.
fn prospect(whole: u64, be: &str) -> String {
    match whole {
        0 => format!("and {be} left out"),
        1 => format!("but its record is proved whole and {be} kept"),
        more => format!("but its {more} records are proved whole and {be} kept"),
    }
}

pub(super) fn repair(context: &Context, as_json: bool) -> Result<(), CliError> {
    let repaired = context.store()?.repair().map_err(CliError::failed)?;
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.kb-repair/1", "report": repaired}));
    }
    context.screen.result(&mended(&repaired))
}

fn mended(repaired: &Repaired) -> String {
    let mut out = String::new();
    for aside in repaired.journal.iter().flat_map(|journal| &journal.damaged) {
        let _ = writeln!(out, "{}, {}", said(&aside.damage), prospect(aside.damage.whole, "was"));
        let _ = writeln!(out, "  the damaged line is kept in {}", aside.kept.display());
    }
    if let Some(journal) = &repaired.journal {
        out.push_str(&written_again(journal));
    }
    out.push_str(if repaired.index_rebuilt {
        "the index was made again\n"
    } else {
        "nothing is wrong, and nothing was done\n"
    });
    out
}

pub(super) fn rebuild(context: &Context, as_json: bool) -> Result<(), CliError> {
    let store = context.store()?;
    store.rebuild().map_err(CliError::failed)?;
    let version = store.version();
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.kb-rebuild/1", "version": version}));
    }
    context.screen.result(&format!("the index was made again from the journal, version {version}"))
}

pub(super) fn compact(context: &Context, as_json: bool) -> Result<(), CliError> {
    let report = context.store()?.compact().map_err(CliError::failed)?;
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.kb-compact/1", "report": report}));
    }
    let mut out = written_again(&report);
    for (what, before, after) in [
        ("journal", report.journal_before, report.journal_after),
        ("index", report.index_before, report.index_after),
    ] {
        let _ = writeln!(out, "{what:<8}{} before, {} now", Bytes(before), Bytes(after));
    }
    context.screen.result(&out)
}

fn written_again(report: &Rewritten) -> String {
    format!(
        "the journal was written again with {}; left out: {} and {}\n",
        count_of(amount(report.records), "record"),
        count_of(amount(report.repeated), "repeated line"),
        count_of(report.damaged.iter().filter(|aside| aside.damage.whole == 0).count(), "damaged line"),
    )
}
