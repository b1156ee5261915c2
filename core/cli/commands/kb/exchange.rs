//! `convwise kb export` and `merge`: taking records elsewhere and over from there.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use convwise_store::{ExportFilter, Exported, Store, StoreError, replace_file};
use serde_json::json;

use super::{amount, classified};
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;

pub(super) fn export(
    context: &Context,
    filter: ExportFilter,
    format: &str,
    file: Option<&Path>,
) -> Result<(), CliError> {
    let exported = match (format, file) {
        ("parquet", Some(path)) => table(context.store()?, filter, path)?,
        ("parquet", None) => {
            return Err(CliError::invalid("a Parquet table is no text: name a file with -o FILE"));
        }
        (_, file) => lines(context.store()?, &filter, file).map_err(CliError::failed)?,
    };
    context.screen.remark(count_of(amount(exported.records), "record"));
    if exported.undated > 0 {
        let records = count_of(amount(exported.undated), "record");
        context.screen.remark(format!("{records} left out: when they arrived is not known"));
    }
    if exported.damaged > 0 {
        let lines = count_of(amount(exported.damaged), "damaged line");
        context.screen.warning(format!("{lines} left out; look at them with `convwise kb check`"));
    }
    Ok(())
}

fn lines(store: &Store, filter: &ExportFilter, file: Option<&Path>) -> Result<Exported, StoreError> {
    match file {
        Some(path) => replace_file(path, |out| store.export_some(filter, out)),
        None => {
            let mut out = std::io::stdout().lock();
            let exported = store.export_some(filter, &mut out)?;
            let path = PathBuf::from("standard output");
            out.flush().map_err(|source| StoreError::Io { doing: "write", path, source })?;
            Ok(exported)
        }
    }
}

#[cfg(feature = "parquet")]
fn table(store: &Store, filter: ExportFilter, path: &Path) -> Result<Exported, CliError> {
    super::parquet::table(store, filter, path).map_err(CliError::failed)
}

#[cfg(not(feature = "parquet"))]
fn table(_: &Store, _: ExportFilter, _: &Path) -> Result<Exported, CliError> {
    Err(CliError::invalid(
        "this program was built without Parquet; build it with `cargo install --path . --features parquet`, or export JSON \
         Lines, which DuckDB and pandas read too",
    ))
}

pub(super) fn merge(context: &Context, paths: &[PathBuf], as_json: bool) -> Result<(), CliError> {
    let report = context.store()?.merge_files(paths).map_err(classified)?;
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.kb-merge/1", "report": report}));
    }
    context.screen.result(&format!("{} new, {} known already", report.new, report.known))
}
