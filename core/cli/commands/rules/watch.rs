//! `rules test --watch`: the cases run again whenever a file of the rules changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use super::test::run;
use crate::args::TestArgs;
use crate::context::Context;
use crate::error::CliError;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_millis(200);
/// Depth of folders below a rule folder that are watched: its packs, and their scenarios.
const DEPTH: usize = 3;

pub(super) fn watch(context: &Context, args: &TestArgs) -> Result<(), CliError> {
    let named = context.paths.rules.iter().map(|(path, _)| path.clone());
    let folders: Vec<PathBuf> = named.filter(|path| path.is_dir()).collect();
    if folders.is_empty() {
        let text = "there is no rule folder to watch: the shipped rules are part of the program";
        return Err(CliError::invalid(format!("{text}; name one with --rules DIR, or make convwise/rules")));
    }
    loop {
        let seen = state(&folders);
        let (rules, problems) = context.load_rules();
        context.warn(&problems);
        match run(context, &rules, args) {
            Ok(()) | Err(CliError::Reported(_)) => {}
            Err(CliError::Failed(text)) => context.screen.remark(text),
            Err(error) => return Err(error),
        }
        context.screen.remark("waiting for a change; Ctrl-C ends");
        while state(&folders) == seen {
            thread::sleep(EVERY);
        }
    }
}

/// Every file below the folders with what a change of it changes.
fn state(folders: &[PathBuf]) -> BTreeMap<PathBuf, (u64, Option<SystemTime>)> {
    let mut found = BTreeMap::new();
    folders.iter().for_each(|folder| look(folder, DEPTH, &mut found));
    found
}

fn look(folder: &Path, depth: usize, found: &mut BTreeMap<PathBuf, (u64, Option<SystemTime>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match fs::metadata(&path) {
            Ok(about) if about.is_dir() && depth > 1 => look(&path, depth - 1, found),
            Ok(about) => drop(found.insert(path, (about.len(), about.modified().ok()))),
            Err(_) => {}
        }
    }
}
