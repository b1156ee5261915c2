//! `pack.toml`: what a folder of rules says about itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use convwise_types::{Diagnostic, Span};
use serde::Deserialize;
use toml::Spanned;

/// Name of the file.
pub const PACK_FILE: &str = "pack.toml";

/// Version of the rules' language: kinds, clauses, functions and the meaning of fields. A new field alone does not raise it.
pub const RULES_SCHEMA: u32 = 1;

/// A version of a pack: up to three numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    text: String,
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a version; write numbers joined by dots, as in 1.2.0");
        let read = text.split('.').map(str::parse::<u64>).collect::<Result<Vec<_>, _>>();
        let read = read.map_err(|_| wrong())?;
        if read.is_empty() || read.len() > 3 {
            return Err(wrong());
        }
        let mut numbers = [0; 3];
        for (place, number) in numbers.iter_mut().zip(read) {
            *place = number;
        }
        Ok(Self { numbers, text: text.to_owned() })
    }
}

impl Version {
    /// Whether it is `least` or later.
    #[must_use]
    pub fn reaches(&self, least: &Self) -> bool {
        self.numbers >= least.numbers
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// What a pack says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// What it is for; may be empty.
    pub description: String,
    /// Digest that its rule files must have, if it says one.
    pub digest: Option<String>,
    /// Packs that it builds on, with the least version of each.
    pub extends: BTreeMap<String, Version>,
    /// Rules of weaker layers that it switches off.
    pub disable: BTreeSet<String>,
    /// Levels of lints by name.
    pub lints: BTreeMap<String, String>,
    /// The file, to show a place in it.
    pub(crate) text: Arc<str>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: Spanned<String>,
    version: Spanned<String>,
    #[serde(rename = "schema")]
    _schema: u32,
    #[serde(default)]
    description: String,
    digest: Option<String>,
    #[serde(default)]
    extends: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    disable: BTreeSet<String>,
    #[serde(default)]
    lints: BTreeMap<String, String>,
}

/// What is read before anything else: a later schema may have other fields.
#[derive(Deserialize)]
struct Schema {
    schema: Spanned<u32>,
}

impl Manifest {
    /// Reads a `pack.toml`; `shown` is its name in messages.
    pub(crate) fn read(shown: &str, text: &Arc<str>) -> Result<Self, Box<Diagnostic>> {
        let Schema { schema } = parse(shown, text)?;
        if *schema.get_ref() > RULES_SCHEMA {
            return Err(newer(shown, text, &schema));
        }
        let read: Document = parse(shown, text)?;
        let version = |word: &Spanned<String>| {
            word.get_ref().parse().map_err(|e: String| wrong(shown, text, word.span(), &e))
        };
        let extends = read.extends.iter().map(|(name, least)| Ok((name.clone(), version(least)?)));
        Ok(Self {
            name: plain_name(shown, text, &read.name)?,
            version: version(&read.version)?,
            extends: extends.collect::<Result<_, Box<Diagnostic>>>()?,
            description: read.description,
            digest: read.digest,
            disable: read.disable,
            lints: read.lints,
            text: Arc::clone(text),
        })
    }

    /// A problem with the word that stands in quotes in the file.
    pub(crate) fn at(&self, shown: &str, code: &str, word: &str, message: String) -> Diagnostic {
        let problem = Diagnostic::error(code, shown, message);
        let quoted = [format!("\"{word}\""), word.to_owned()];
        let found = quoted.iter().find_map(|q| self.text.find(q.as_str()).map(|at| at..at + q.len()));
        match found {
            Some(bytes) => problem.at(&self.text, Span::of_bytes(&self.text, bytes), "here"),
            None => problem,
        }
    }
}

/// The text of a `pack.toml` with another digest; comments and order stay.
#[must_use]
pub fn with_digest(text: &str, digest: &str) -> String {
    let line = format!("digest = \"{digest}\"");
    let is_table = |line: &str| line.trim_start().starts_with('[');
    let is_digest = |line: &str| line.split_once('=').is_some_and(|(key, _)| key.trim() == "digest");
    let mut lines: Vec<&str> = text.lines().collect();
    let root = lines.iter().position(|line| is_table(line)).unwrap_or(lines.len());
    match lines.iter_mut().take(root).find(|line| is_digest(line)) {
        Some(old) => *old = &line,
        None => {
            let filled = lines.iter().take(root).rposition(|line| !line.trim().is_empty());
            lines.insert(filled.map_or(0, |at| at + 1), &line);
        }
    }
    lines.join("\n") + "\n"
}

fn parse<T: for<'d> Deserialize<'d>>(shown: &str, text: &str) -> Result<T, Box<Diagnostic>> {
    toml::from_str(text).map_err(|error| {
        let problem = Diagnostic::error("bad-pack", shown, error.message().trim().to_owned());
        let problem = match error.span() {
            Some(bytes) => problem.at(text, Span::of_bytes(text, bytes), "here"),
            None => problem,
        };
        Box::new(problem.with_help("a pack has `name`, `version` and `schema = 1`, and may have `description`, `digest`, `extends`, `disable` and `[lints]`"))
    })
}

fn wrong(shown: &str, text: &str, bytes: std::ops::Range<usize>, message: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::error("bad-pack", shown, message).at(text, Span::of_bytes(text, bytes), "here"))
}

fn newer(shown: &str, text: &str, schema: &Spanned<u32>) -> Box<Diagnostic> {
    let name = toml::from_str::<toml::Table>(text).ok();
    let name = name.and_then(|t| Some(format!(" `{}`", t.get("name")?.as_str()?))).unwrap_or_default();
    let schema_number = schema.get_ref();
    let message = format!(
        "the pack{name} is written for schema {schema_number} of the rules; this program knows up to {RULES_SCHEMA}"
    );
    let mut problem = wrong(shown, text, schema.span(), &message);
    problem.help = Some("update convwise, or take an older version of the pack".to_owned());
    problem
}

/// Names are typed on command lines and shown in lists.
fn plain_name(shown: &str, text: &str, name: &Spanned<String>) -> Result<String, Box<Diagnostic>> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let word = name.get_ref();
    if (1..=64).contains(&word.len()) && word.chars().all(plain) {
        return Ok(word.clone());
    }
    let message = format!("`{word}` is not a name of a pack; use small letters, digits, - and _");
    Err(wrong(shown, text, name.span(), &message))
}

/// Digest of rule files, which `pack.toml` may state: names and texts, in order of name.
pub(crate) fn digest<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let files: BTreeMap<&str, &str> = files.into_iter().collect();
    let mut hasher = blake3::Hasher::new();
    for part in files.iter().flat_map(|(name, text)| [name, text]) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_put_where_it_belongs() {
        let check = |text: &str, expect: &str| {
            let written = with_digest(text, "abc");
            assert_eq!(written, expect);
            assert_eq!(with_digest(&written, "abc"), written);
        };
        check("name = \"a\"\n", "name = \"a\"\ndigest = \"abc\"\n");
        check("# x\ndigest=\"old\"  # y\nschema = 1\n", "# x\ndigest = \"abc\"\nschema = 1\n");
        check(
            "schema = 1\n\n[lints]\ndigest = \"warn\"\n",
            "schema = 1\ndigest = \"abc\"\n\n[lints]\ndigest = \"warn\"\n",
        );
        check("", "digest = \"abc\"\n");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = |text: &str| text.parse::<Version>();
        let reaches = |a: &str, b: &str| version(a).unwrap().reaches(&version(b).unwrap());
        assert!(reaches("1.10", "1.9.3") && reaches("1.0.0", "1") && !reaches("0.9.9", "1.0"));
        for wrong in ["", "1.", "1.2.3.4", "v1", "1.x", "-1"] {
            assert!(version(wrong).unwrap_err().contains("is not a version"), "{wrong}");
        }
    }
}
