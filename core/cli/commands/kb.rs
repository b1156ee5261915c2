//! `convwise kb`: what is known, and looking after it.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use convwise_advisor::catalogue::{Catalogue, Form};
use convwise_judge::{QueryRow, query};
use convwise_store::{CheckReport, Record, Store};
use convwise_types::{Bytes, did_you_mean};
use serde_json::{Value, json};

use crate::args::KbCommand;
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;
use crate::render::rows::{Rows, shown};
use crate::screen::{BAD, GOOD, styled};

pub(crate) fn run(context: &Context, command: &KbCommand) -> Result<(), CliError> {
    match command {
        KbCommand::Query { expression, from, columns, sort, limit, output } => {
            let rows = Rows { columns: columns.clone(), sort: sort.clone(), limit: *limit };
            ask(context, expression, from, &rows, output.json)
        }
        KbCommand::Show { id, output } => show(context, id, output.json),
        KbCommand::Stats(args) => stats(context, args.json),
        KbCommand::Check(args) => check(context, args.json),
        KbCommand::Export { output } => export(context, output.as_deref()),
        KbCommand::Merge { file, output } => merge(context, file, output.json),
    }
}

fn ask(
    context: &Context,
    expression: &str,
    from: &str,
    wanted: &Rows,
    as_json: bool,
) -> Result<(), CliError> {
    let candidates =
        if from == "measurements" { measurement_rows(context)? } else { architecture_rows(context)? };
    let found = query(expression, &candidates).map_err(|d| CliError::Source(vec![d]))?;
    if found.unknown > 0 {
        context
            .screen
            .remark(format!("{} left out: a field they need is unknown", count_of(found.unknown, "row")));
    }
    let matched =
        found.matched.iter().filter_map(|i| candidates.get(*i)?.to_json().as_object().cloned()).collect();
    let rows = wanted.arrange(matched).map_err(CliError::invalid)?;
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.rows/1", "rows": rows}));
    }
    context.screen.result(&shown(&rows, &wanted.columns))
}

fn measurement_rows(context: &Context) -> Result<Vec<QueryRow>, CliError> {
    let measurements = context.store()?.all_measurements().map_err(CliError::failed)?;
    Ok(measurements.iter().map(QueryRow::measurement).collect())
}

/// One row an architecture and its weights; one without weights for a network that has none.
fn architecture_rows(context: &Context) -> Result<Vec<QueryRow>, CliError> {
    let catalogue =
        Catalogue::load(context.zoo(), context.store()?, Form::default()).map_err(CliError::failed)?;
    let mut rows = Vec::new();
    for architecture in catalogue.architectures.into_iter().map(Arc::new) {
        if architecture.weights.is_empty() {
            rows.push(QueryRow::architecture(&architecture, None));
        }
        rows.extend(architecture.weights.iter().map(|w| QueryRow::architecture(&architecture, Some(w))));
    }
    Ok(rows)
}

fn show(context: &Context, id: &str, as_json: bool) -> Result<(), CliError> {
    let store = context.store()?;
    if let Ok(variant) = context.zoo().find(id) {
        let architecture = context.zoo().architecture(variant);
        return document(context, &json!(architecture), as_json);
    }
    let record = store.record(id).map_err(|error| {
        let hint = did_you_mean(id, context.zoo().variants().map(|v| v.id().as_str()));
        CliError::invalid(format!("{error}{hint}"))
    })?;
    let body = match &record {
        Record::Measurement(m) => json!(m),
        Record::Result(r) => json!(r),
        Record::Timing(t) => json!(t),
        Record::Cost(c) => json!(c),
        Record::Fact(f) => json!(f),
        Record::Failure(f) => json!(f),
        _ => Value::Null,
    };
    document(
        context,
        &json!({"schema": "convwise.record/1", "kind": record.kind(), "id": record.id(), "body": body}),
        as_json,
    )
}

/// A record is a document; a person reads it as indented JSON too, without the raw samples.
fn document(context: &Context, value: &Value, as_json: bool) -> Result<(), CliError> {
    if as_json {
        return context.screen.json(value);
    }
    let mut short = value.clone();
    shorten(&mut short);
    context.screen.json(&short)
}

fn shorten(value: &mut Value) {
    match value {
        Value::Array(items) if items.len() > 24 && items.iter().all(Value::is_number) => {
            *value = json!(format!("{} numbers; --json lists them", items.len()));
        }
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

fn stats(context: &Context, as_json: bool) -> Result<(), CliError> {
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

fn check(context: &Context, as_json: bool) -> Result<(), CliError> {
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

fn amount(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn export(context: &Context, file: Option<&Path>) -> Result<(), CliError> {
    let store = context.store()?;
    let count = match file {
        None => {
            let mut out = std::io::stdout().lock();
            store.export(&mut out).map_err(CliError::failed)?
        }
        Some(path) => export_to(store, path)?,
    };
    context.screen.remark(count_of(amount(count), "record"));
    Ok(())
}

fn export_to(store: &Store, path: &Path) -> Result<u64, CliError> {
    let problem = |e: std::io::Error| CliError::failed(format!("cannot write {}: {e}", path.display()));
    let mut out = BufWriter::new(File::create(path).map_err(problem)?);
    let count = store.export(&mut out).map_err(CliError::failed)?;
    out.flush().map_err(problem)?;
    Ok(count)
}

fn merge(context: &Context, file: &Path, as_json: bool) -> Result<(), CliError> {
    let reader =
        File::open(file).map_err(|e| CliError::invalid(format!("cannot read {}: {e}", file.display())))?;
    let report = context.store()?.merge(BufReader::new(reader)).map_err(CliError::invalid)?;
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.kb-merge/1", "report": report}));
    }
    context.screen.result(&format!("{} new, {} known already", report.new, report.known))
}
