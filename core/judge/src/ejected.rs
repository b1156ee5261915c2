//! `ejected.toml`: what the shipped rules were when they were written out for editing, so that a later program can tell
//! what changed since then, and who changed it.

use std::collections::BTreeMap;
use std::sync::Arc;

use convwise_types::{Diagnostic, Severity, Span};
use serde::{Deserialize, Serialize};

use crate::pack::Pack;
use crate::ruleset::RuleFile;
use crate::settle::Settled;

/// Name of the file.
pub(crate) const EJECTED_FILE: &str = "ejected.toml";

const SCHEMA: u32 = 1;

const OPENING: &str = "# What the shipped rules were when they were written out, for `convwise rules diff`. Written by the program.\n";

/// The shipped rules as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ejected {
    schema: u32,
    /// By id.
    #[serde(default)]
    pub rules: BTreeMap<String, EjectedRule>,
}

/// A shipped rule as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EjectedRule {
    /// Version of the program that wrote it out.
    pub version: String,
    /// File that it was written to.
    pub file: String,
    /// Its parts: clauses, and the constants and functions that it needs.
    pub parts: BTreeMap<String, String>,
}

impl Ejected {
    pub fn read(shown: &str, text: &Arc<str>) -> Result<Self, Box<Diagnostic>> {
        let wrong = |message: &str, bytes: Option<std::ops::Range<usize>>| {
            let problem = Diagnostic::error("bad-ejected", shown, message.trim())
                .with_help("delete the file: `rules diff` then no longer knows who changed what");
            Box::new(match bytes {
                Some(bytes) => problem.at(text, Span::of_bytes(text, bytes), "here"),
                None => problem,
            })
        };
        let read: Self = toml::from_str(text).map_err(|e| wrong(e.message(), e.span()))?;
        if read.schema > SCHEMA {
            return Err(wrong("it was written by a later program", None));
        }
        Ok(read)
    }

    /// The file.
    pub fn write(&self) -> Result<String, toml::ser::Error> {
        let document = Self { schema: SCHEMA, rules: self.rules.clone() };
        Ok(format!("{OPENING}{}", toml::to_string_pretty(&document)?))
    }
}

/// Name of the finding that a rule was taken out of a file that it was ejected to.
pub(crate) const DELETED: &str = "ejected-rule-deleted";

/// Rules that were ejected to a file which is still there, and are not in it: whoever deletes one there may believe
/// that it is gone.
pub(crate) fn deleted(packs: &[Pack], files: &[RuleFile], settled: &Settled) -> Vec<Diagnostic> {
    let all = || settled.rules.iter().chain(settled.set_aside.iter().map(|one| &one.rule));
    let of_pack = |at: usize, file: usize| files.get(file).is_some_and(|f| f.pack == at);
    let is_there = |at: usize, name: &str| files.iter().any(|f| f.pack == at && f.name == name);
    let mut found = Vec::new();
    for (at, pack) in packs.iter().enumerate() {
        for (id, one) in pack.ejected.iter().flat_map(|ejected| &ejected.rules) {
            let declared = all().any(|rule| rule.id.as_str() == id && of_pack(at, rule.file));
            let lost = settled.lost.iter().any(|lost| lost.id.as_str() == id);
            let in_force = settled.rules.iter().any(|rule| rule.id.as_str() == id);
            if in_force && !declared && !lost && is_there(at, &one.file) {
                found.push(deletion(pack, id, &one.file));
            }
        }
    }
    found
}

fn deletion(pack: &Pack, id: &str, file: &str) -> Diagnostic {
    let shown = format!("{}/{file}", pack.folder);
    let message =
        format!("`{id}` was ejected to {shown} and is not there any more: the shipped rule is in force");
    let help = format!("to switch it off, write `disable = [\"{id}\"]` into {}", pack.manifest_file());
    Diagnostic::error(DELETED, &shown, message).with_severity(Severity::Warning).with_help(help)
}
