//! The lints, each of which documents itself: a page in `lints/` with its name, its level, one sentence, why it
//! matters, a bad example and a good one.

use std::sync::LazyLock;

use convwise_types::{UnknownWord, did_you_mean};
use include_dir::{Dir, include_dir};
use serde::Serialize;

use super::levels::Level;

static PAGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/lints");

/// A check of rules, cases or scenarios, and its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lint {
    /// Its name, which states the condition found.
    pub name: &'static str,
    /// How bad it is unless somebody says otherwise.
    pub level: Level,
    /// Whether that can be changed: a file that cannot be read stays an error.
    pub fixed: bool,
    /// One sentence.
    pub summary: &'static str,
    /// The page, in Markdown.
    pub page: &'static str,
}

/// One file of an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExampleFile {
    /// Its name in a folder of rules.
    pub name: &'static str,
    /// What it holds.
    pub text: &'static str,
}

/// Every lint, by name.
pub static LINTS: LazyLock<Vec<Lint>> = LazyLock::new(|| {
    let pages = PAGES.files().filter_map(|file| Lint::read(file.contents_utf8()?));
    let mut lints: Vec<Lint> = pages.collect();
    lints.sort_by_key(|lint| lint.name);
    lints
});

impl Lint {
    /// The lint of a name.
    ///
    /// # Errors
    /// There is none; the error names the nearest one.
    pub fn find(name: &str) -> Result<&'static Self, UnknownWord> {
        LINTS.iter().find(|lint| lint.name == name).ok_or_else(|| {
            let names = || LINTS.iter().map(|lint| lint.name);
            UnknownWord {
                word: name.to_owned(),
                what: "lint",
                known: names().collect::<Vec<_>>().join(", "),
                hint: did_you_mean(name, names()),
            }
        })
    }

    /// Reads a page: `# name`, `level: one sentence`, the rest.
    fn read(page: &'static str) -> Option<Self> {
        let mut lines = page.lines().filter(|line| !line.is_empty());
        let name = lines.next()?.strip_prefix("# ")?;
        let (level, summary) = lines.next()?.split_once(": ")?;
        let (level, fixed) = match level {
            "always an error" => (Level::Error, true),
            word => (Level::read(word)?, false),
        };
        Some(Self { name, level, fixed, summary, page })
    }

    /// The files that it finds something in.
    pub fn bad(&self) -> impl Iterator<Item = ExampleFile> {
        files(self.section("\n## Bad\n"))
    }

    /// The same, put right.
    pub fn good(&self) -> impl Iterator<Item = ExampleFile> {
        files(self.section("\n## Good\n"))
    }

    fn section(&self, heading: &str) -> &'static str {
        let text = self.page.split_once(heading).map_or("", |(_, rest)| rest);
        text.split("\n## ").next().unwrap_or_default()
    }
}

/// The fenced blocks of a section, by their language.
fn files(section: &'static str) -> impl Iterator<Item = ExampleFile> {
    section.split("```").skip(1).step_by(2).filter_map(|block| {
        let (language, text) = block.split_once('\n')?;
        let name = match language.trim() {
            "rhai" => "example.rhai",
            "toml" => "example.cases.toml",
            "toml scenario" => "scenarios/example.toml",
            "toml pack" => "pack.toml",
            _ => return None,
        };
        Some(ExampleFile { name, text })
    })
}
