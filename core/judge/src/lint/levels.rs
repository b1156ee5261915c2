//! How bad each lint is: its page says, and a pack or the command line may say otherwise.

use std::collections::BTreeMap;

use convwise_types::{Diagnostic, Severity, UnknownWord};
use serde::Serialize;

use super::page::Lint;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Not reported.
    Allow,
    /// Reported.
    Warning,
    /// Reported, and the check fails.
    Error,
}

impl Level {
    /// The word on pages and in packs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The level of a word: of a page, or of the command line (`warn`, `deny`).
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        match word {
            "allow" => Some(Self::Allow),
            "warn" | "warning" => Some(Self::Warning),
            "deny" | "error" => Some(Self::Error),
            _ => None,
        }
    }

    fn severity(self) -> Option<Severity> {
        match self {
            Self::Allow => None,
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

/// Why a lint cannot have a level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// There is no such lint.
    #[error("there is no lint `{}` (`convwise rules list --lints` shows them){}", .0.word, .0.hint)]
    UnknownLint(UnknownWord),
    /// There is no such level.
    #[error("`{word}` is no level for `{lint}`; use allow, warn or deny")]
    UnknownLevel {
        /// The lint.
        lint: String,
        /// What was written.
        word: String,
    },
    /// What it finds keeps a file from being used.
    #[error("`{0}` is always an error: what it finds keeps a rule from running; mend it instead")]
    Fixed(&'static str),
}

/// The levels of all lints.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    stated: BTreeMap<&'static str, Level>,
    warnings_denied: bool,
}

impl Levels {
    /// States the level of a lint. The last statement counts.
    ///
    /// # Errors
    /// There is no such lint, or its level is fixed.
    pub fn set(&mut self, lint: &str, level: Level) -> Result<(), LevelError> {
        let lint = Lint::find(lint).map_err(LevelError::UnknownLint)?;
        if lint.fixed && level != Level::Error {
            return Err(LevelError::Fixed(lint.name));
        }
        self.stated.insert(lint.name, level);
        Ok(())
    }

    /// The same in words, as packs write it.
    ///
    /// # Errors
    /// There is no such lint or level, or the lint's level is fixed.
    pub fn set_word(&mut self, lint: &str, word: &str) -> Result<(), LevelError> {
        let unknown = || LevelError::UnknownLevel { lint: lint.to_owned(), word: word.to_owned() };
        self.set(lint, Level::read(word).ok_or_else(unknown)?)
    }

    /// These, and from `weaker` what they do not state.
    pub(crate) fn over(&self, weaker: &Self) -> Self {
        let mut stated = weaker.stated.clone();
        stated.extend(&self.stated);
        Self { stated, warnings_denied: self.warnings_denied || weaker.warnings_denied }
    }

    /// Makes an error of what would be a warning.
    pub fn deny_warnings(&mut self) {
        self.warnings_denied = true;
    }

    /// The level of a lint.
    #[must_use]
    pub fn of(&self, lint: &Lint) -> Level {
        let level = self.stated.get(lint.name).copied().unwrap_or(lint.level);
        if self.warnings_denied && level == Level::Warning { Level::Error } else { level }
    }

    /// A finding at its level; `None` if it is allowed.
    pub(crate) fn apply(&self, found: Diagnostic) -> Option<Diagnostic> {
        match Lint::find(&found.code) {
            Ok(lint) => self.of(lint).severity().map(|severity| found.with_severity(severity)),
            Err(_) => Some(found),
        }
    }
}
