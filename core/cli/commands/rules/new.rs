//! `rules new`: a rule or a pack to start from.

use std::path::PathBuf;

use convwise_judge::{DEFINITIONS_FILE, RuleKind, definitions, scaffold, scaffold_pack};
use convwise_types::nearest;

use super::lines;
use crate::args::NewArgs;
use crate::commands::{plain_name, write_new};
use crate::context::Context;
use crate::error::CliError;

pub(super) fn new(context: &Context, args: &NewArgs) -> Result<(), CliError> {
    let (folder, files) = match &args.pack {
        Some(name) => {
            plain_name(name)?;
            (args.dir.join(name), scaffold_pack(name))
        }
        None => (args.dir.clone(), rule(&args.words)?),
    };
    write_new(&folder, &files)?;
    let written: Vec<PathBuf> = files.iter().map(|(name, _)| folder.join(name)).collect();
    let definitions_file = args.dir.join(DEFINITIONS_FILE);
    std::fs::write(&definitions_file, definitions())
        .map_err(|e| CliError::failed(format!("cannot write {}: {e}", definitions_file.display())))?;
    context.screen.result(&lines(&written))?;
    context.screen.remark(format!(
        "edit it, then run `convwise rules check --rules {0}` and `convwise rules test --rules {0}`",
        args.dir.display()
    ));
    Ok(())
}

/// The files of a rule: its kind and name, or its name alone for a preference.
fn rule(words: &[String]) -> Result<Vec<(String, String)>, CliError> {
    let (kind, name) = match words {
        [kind, name] => (kind_of(kind)?, name),
        [name] if RuleKind::ALL.iter().any(|kind| kind.as_str() == name) => {
            let message =
                format!("a rule is called by the condition that it finds: `convwise rules new {name} NAME`");
            return Err(CliError::invalid(message));
        }
        [name] => (RuleKind::Prefer, name),
        _ => return Err(CliError::invalid("say the kind and the name of one rule")),
    };
    plain_name(name)?;
    let new = scaffold(kind, &name.replace('_', "-"));
    Ok(vec![(format!("{name}.rhai"), new.rule), (format!("{name}.cases.toml"), new.cases)])
}

fn kind_of(word: &str) -> Result<RuleKind, CliError> {
    let kinds = || RuleKind::ALL.into_iter();
    kinds().find(|kind| kind.as_str() == word).ok_or_else(|| {
        let names: Vec<&str> = kinds().map(RuleKind::as_str).collect();
        let near = nearest(word, names.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
        let near = near.unwrap_or_else(|| format!("; use one of {}", names.join(", ")));
        CliError::invalid(format!("`{word}` is not a kind of rule{near}"))
    })
}
