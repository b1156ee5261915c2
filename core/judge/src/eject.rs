//! Writes shipped rules out for editing: all, one file, one rule, or an example pack. Nothing is overwritten.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use convwise_types::did_you_mean;

use crate::ejected::{EJECTED_FILE, Ejected, EjectedRule};
use crate::folder::{RuleFolder, is_rules};
use crate::layer::Layer;
use crate::reference::{DEFINITIONS_FILE, definitions};
use crate::rule::Rule;
use crate::ruleset::RuleSet;
use crate::settle::place;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum EjectError {
    /// Nothing shipped is called so.
    #[error(
        "there is no shipped file, rule or pack `{0}`{1}; `convwise rules list --layer shipped` and `--packs` list them"
    )]
    Unknown(String, String),
    /// A file is there already.
    #[error("{} is already there; nothing was written", .0.display())]
    Taken(PathBuf),
    /// A rule is there already.
    #[error(
        "`{id}` is already declared at {at}; nothing was written; delete it there, or eject other files or rules by name"
    )]
    Declared {
        /// The rule.
        id: String,
        /// Where it stands.
        at: String,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ejection {
    /// The files, in order of name.
    pub written: Vec<PathBuf>,
    /// The folder of the pack, if it is an example pack: its rules are in force from now on.
    pub pack: Option<PathBuf>,
}

/// What is to be written.
struct Plan {
    /// Text by path below the folder.
    files: BTreeMap<PathBuf, String>,
    /// Each shipped rule in it, with the file it goes to.
    rules: BTreeMap<String, String>,
    pack: Option<PathBuf>,
}

/// Writes shipped rules and their cases into a folder: all, or what is called `what`: a file, a rule, or an example pack.
///
/// What the shipped rules were is recorded beside them, so that `rules diff` can tell later who changed what; and the
/// definitions for editors are written anew.
///
/// # Errors
/// Nothing is called so, a file or a rule is already there, or the folder cannot be written.
pub fn eject(folder: &Path, what: Option<&str>) -> Result<Ejection, EjectError> {
    let (shipped, _) = RuleSet::load(&[]);
    let plan = match what {
        None => files(&shipped, |_| true),
        Some(name) => pack(name)
            .or_else(|| file(&shipped, name))
            .or_else(|| rule(&shipped, name))
            .ok_or_else(|| unknown(&shipped, name))?,
    };
    let there = RuleFolder::read(folder, Layer::Named);
    nothing_is_lost(folder, &there, &plan)?;
    for (name, text) in &plan.files {
        write(&folder.join(name), text)?;
    }
    write(&folder.join(DEFINITIONS_FILE), &definitions())?;
    if !plan.rules.is_empty() {
        record(folder, there.ejected.unwrap_or_default(), &shipped, &plan.rules)?;
    }
    let written = plan.files.keys().map(|name| folder.join(name)).collect();
    Ok(Ejection { written, pack: plan.pack.map(|name| folder.join(name)) })
}

/// The shipped files of some stems, with the rules in them.
fn files(shipped: &RuleSet, wanted: impl Fn(&str) -> bool) -> Plan {
    let stem = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let folder = RuleFolder::shipped();
    let texts = folder.files.iter().filter(|(name, _)| wanted(&stem(name)));
    let in_file = |rule: &&Rule| shipped.file_of(rule).is_some_and(|file| wanted(&stem(&file.name)));
    let rules = shipped.rules.iter().filter(in_file);
    let file_name = |rule: &Rule| shipped.file_of(rule).map(|file| file.name.clone()).unwrap_or_default();
    Plan {
        files: texts.map(|(name, text)| (PathBuf::from(name), text.to_string())).collect(),
        rules: rules.map(|rule| (rule.id.to_string(), file_name(rule))).collect(),
        pack: None,
    }
}

fn file(shipped: &RuleSet, name: &str) -> Option<Plan> {
    let stem = name.strip_suffix(".rhai").unwrap_or(name);
    let plan = files(shipped, |one| one == stem);
    (!plan.files.is_empty()).then_some(plan)
}

/// One rule in a file of its own, with what it needs and its cases.
fn rule(shipped: &RuleSet, id: &str) -> Option<Plan> {
    let text = shipped.written(shipped.rule(id)?)?.file();
    let cases: String = shipped.cases.iter().map(|file| cases_of(&file.text, id)).collect();
    let rules_file = format!("{id}.rhai");
    let mut files = BTreeMap::from([(PathBuf::from(&rules_file), text)]);
    if !cases.is_empty() {
        files.insert(PathBuf::from(format!("{id}.cases.toml")), cases);
    }
    Some(Plan { files, rules: BTreeMap::from([(id.to_owned(), rules_file)]), pack: None })
}

/// The cases about a rule, as they are written.
fn cases_of(text: &str, id: &str) -> String {
    let starts = text.match_indices("[[case]]").map(|(at, _)| at);
    let starts: Vec<usize> =
        starts.filter(|at| *at == 0 || text.get(..*at).is_some_and(|t| t.ends_with('\n'))).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let chunks = starts.iter().zip(ends).filter_map(|(from, to)| text.get(*from..to));
    let is_about = |chunk: &&str| {
        let table = toml::from_str::<toml::Table>(chunk).ok();
        let rule = table.as_ref().and_then(|t| t.get("case")?.get(0)?.get("rule")?.as_str());
        rule == Some(id)
    };
    chunks
        .filter(is_about)
        .map(|chunk| format!("{}\n\n", chunk.trim_end()))
        .collect::<String>()
        .trim_end()
        .to_owned()
        + "\n"
}

fn pack(name: &str) -> Option<Plan> {
    let files = RuleFolder::example_files(name)?;
    let below = PathBuf::from(name);
    let files = files.into_iter().map(|(path, text)| (below.join(path), text.to_owned())).collect();
    Some(Plan { files, rules: BTreeMap::new(), pack: Some(below) })
}

fn unknown(shipped: &RuleSet, name: &str) -> EjectError {
    let packs: Vec<_> =
        RuleFolder::examples().into_iter().filter_map(|p| p.manifest.map(|m| m.name)).collect();
    let files: Vec<String> = RuleFolder::shipped().files.into_keys().filter(|name| is_rules(name)).collect();
    let stems = files.iter().filter_map(|name| name.strip_suffix(".rhai"));
    let ids = shipped.rules.iter().map(|r| r.id.as_str());
    let near = did_you_mean(name, ids.chain(stems).chain(packs.iter().map(String::as_str)));
    EjectError::Unknown(name.to_owned(), near)
}

fn nothing_is_lost(folder: &Path, there: &RuleFolder, plan: &Plan) -> Result<(), EjectError> {
    if let Some(taken) = plan.files.keys().map(|name| folder.join(name)).find(|path| path.exists()) {
        return Err(EjectError::Taken(taken));
    }
    let (declared, _) = RuleSet::load_layers(std::slice::from_ref(there));
    match plan.rules.keys().find_map(|id| declared.rule(id)) {
        Some(rule) => Err(EjectError::Declared { id: rule.id.to_string(), at: place(&declared.files, rule) }),
        None => Ok(()),
    }
}

/// Records what the rules are now, beside what was recorded before.
fn record(
    folder: &Path,
    mut before: Ejected,
    shipped: &RuleSet,
    rules: &BTreeMap<String, String>,
) -> Result<(), EjectError> {
    for (id, file) in rules {
        let Some(written) = shipped.rule(id).and_then(|rule| shipped.written(rule)) else { continue };
        let version = env!("CARGO_PKG_VERSION").to_owned();
        before.rules.insert(id.clone(), EjectedRule { version, file: file.clone(), parts: written.parts() });
    }
    let path = folder.join(EJECTED_FILE);
    let text =
        before.write().map_err(|e| EjectError::Write { path: path.clone(), source: io::Error::other(e) })?;
    write(&path, &text)
}

fn write(path: &Path, text: &str) -> Result<(), EjectError> {
    let problem = |source| EjectError::Write { path: path.to_owned(), source };
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(problem)?;
    fs::write(path, text).map_err(problem)
}
