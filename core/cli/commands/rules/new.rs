//! `rules new` and `rules eject`: files to start from.

use std::path::Path;

use convwise_judge::{RuleKind, eject, scaffold};

use crate::commands::{plain_name, write_new};
use crate::context::Context;
use crate::error::CliError;

pub(super) fn new(context: &Context, name: &str, dir: &Path) -> Result<(), CliError> {
    let skeleton = scaffold(RuleKind::Prefer, name);
    let files = [(format!("{name}.rhai"), skeleton.rule), (format!("{name}.cases.toml"), skeleton.cases)];
    plain_name(name)?;
    write_new(dir, &files)?;
    let written = files.iter().map(|(f, _)| dir.join(f).display().to_string()).collect::<Vec<_>>().join("\n");
    context.screen.result(&written)?;
    context.screen.remark(format!(
        "edit it, then run `convwise rules check --rules {0}` and `convwise rules test --rules {0}`",
        dir.display()
    ));
    Ok(())
}

pub(super) fn write_out(context: &Context, dir: &Path) -> Result<(), CliError> {
    let written = eject(dir)
        .map_err(|e| CliError::failed(format!("cannot write the rules to {}: {e}", dir.display())))?;
    context.screen.result(&written.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join("\n"))
}
