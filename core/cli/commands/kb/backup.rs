//! `convwise kb backup` and `restore`.

use std::fmt::Write as _;
use std::path::Path;

use convwise_types::Bytes;
use jiff::Timestamp;
use serde_json::json;

use super::{amount, classified};
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;

pub(super) fn back_up(context: &Context, to: Option<&Path>, as_json: bool) -> Result<(), CliError> {
    let made = context.store()?.backup(to).map_err(CliError::failed)?;
    if made.left_out > 0 {
        let lines = count_of(amount(made.left_out), "damaged line");
        context.screen.warning(format!("{lines} left out; look at them with `convwise kb check`"));
    }
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.kb-backup/1", "backup": made}));
    }
    context.screen.result(&format!(
        "{} of version {} in {} ({})",
        count_of(amount(made.lines), "record"),
        made.version,
        made.path.display(),
        Bytes(made.bytes)
    ))
}

pub(super) fn list(context: &Context, as_json: bool) -> Result<(), CliError> {
    let backups = context.store()?.backups().map_err(CliError::failed)?;
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.kb-backups/1", "backups": backups}));
    }
    if backups.is_empty() {
        context.screen.remark("there is no backup; `convwise kb backup` makes one");
    }
    let mut out = String::new();
    for backup in backups {
        let written = i64::try_from(backup.written).ok().and_then(|at| Timestamp::from_second(at).ok());
        let written = written.unwrap_or_default();
        let _ = writeln!(out, "{written}  {:>8}  {}", Bytes(backup.bytes), backup.path.display());
    }
    context.screen.result(&out)
}

pub(super) fn restore(context: &Context, file: &Path, as_json: bool) -> Result<(), CliError> {
    let restored = context.store()?.restore(file).map_err(classified)?;
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.kb-restore/1", "restored": restored}));
    }
    let mut out =
        format!("{} restored, version {}\n", count_of(amount(restored.lines), "record"), restored.version);
    if let Some(kept) = restored.kept {
        let _ = writeln!(out, "what was there before is kept in {}", kept.display());
    }
    context.screen.result(&out)
}
