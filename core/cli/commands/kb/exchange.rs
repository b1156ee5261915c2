//! `convwise kb export` and `merge`: taking records elsewhere and over from there.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use convwise_store::Store;
use serde_json::json;

use super::amount;
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;

pub(super) fn export(context: &Context, file: Option<&Path>) -> Result<(), CliError> {
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

pub(super) fn merge(context: &Context, file: &Path, as_json: bool) -> Result<(), CliError> {
    let reader =
        File::open(file).map_err(|e| CliError::invalid(format!("cannot read {}: {e}", file.display())))?;
    let report = context.store()?.merge(BufReader::new(reader)).map_err(CliError::invalid)?;
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.kb-merge/1", "report": report}));
    }
    context.screen.result(&format!("{} new, {} known already", report.new, report.known))
}
