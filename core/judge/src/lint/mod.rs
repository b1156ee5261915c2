//! What is probably wrong with a rule set: found in its text, in its cases, and in what it does over a corpus.
//!
//! One page a lint (`lints/*.md`) says what it finds and how bad that is; here is how it is found.

mod advice;
mod behaviour;
mod conditions;
pub(crate) mod expressions;
mod inline;
mod levels;
mod page;
mod scores;
mod syntax;
mod watch;

use convwise_types::Diagnostic;

use crate::cases;
use crate::clauses::RuleKind;
use crate::corpus::Corpus;
use crate::manifest::PACK_FILE;
use crate::rule::{Rule, Status};
use crate::ruleset::RuleSet;

pub use levels::{Level, LevelError, Levels};
pub use page::{ExampleFile, LINTS, Lint};

impl RuleSet {
    /// Everything that is wrong or doubtful, by file and place: what loading found, what the text of rules and cases
    /// shows, and what the rules do in the situations of `corpus`. What authors allow in a comment is left out.
    #[must_use]
    pub fn check(&self, corpus: &Corpus, levels: &Levels) -> Vec<Diagnostic> {
        let (of_packs, mut found) = self.levels();
        found.extend(self.load_diagnostics.iter().cloned());
        for file in &self.files {
            found.extend(expressions::check(&file.ast, &expressions::Roots::Rules, &file.shown, &file.text));
        }
        for rule in &self.rules {
            found.extend(self.documentation(rule));
        }
        found.extend(conditions::check(self));
        found.extend(scores::check(self));
        found.extend(advice::check(self));
        found.extend(self.uncovered());
        found.extend(cases::problems(self));
        // What the text shows already is not said again where a rule comes past it.
        let watched = behaviour::check(self, corpus);
        let is_new = |d: &Diagnostic| !found.iter().any(|f| same_line(f, d));
        let watched: Vec<_> = watched.into_iter().filter(is_new).collect();
        found.extend(watched);
        let levels = levels.over(&of_packs);
        let settled = inline::settle(self, sorted(found), !corpus.situations.is_empty()).into_iter();
        sorted(settled.filter_map(|finding| levels.apply(finding)).collect())
    }

    /// The levels that packs state, stronger over weaker, and what is wrong with them.
    fn levels(&self) -> (Levels, Vec<Diagnostic>) {
        let mut levels = Levels::default();
        let mut found = Vec::new();
        for pack in &self.packs {
            let Some(manifest) = pack.in_force() else { continue };
            for (lint, word) in &manifest.lints {
                if let Err(error) = levels.set_word(lint, word) {
                    let shown = format!("{}/{PACK_FILE}", pack.folder);
                    found.push(manifest.at(&shown, "unknown-lint", lint, error.to_string()));
                }
            }
        }
        (levels, found)
    }

    fn documentation(&self, rule: &Rule) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let mut note = |code: &str, message: String, help: &str| {
            let problem = Diagnostic::error(code, "", message).with_help(help);
            found.push(self.at_rule(rule, None, problem, "this rule"));
        };
        if rule.doc.trim().is_empty() {
            note(
                "missing-doc",
                format!("`{}` has no documentation", rule.id),
                "add `doc:`, one sentence on what it finds",
            );
        }
        if rule.source.trim().is_empty() {
            note(
                "missing-source",
                format!("`{}` names no source", rule.id),
                "add `source:`, a URL or a document",
            );
        }
        if rule.status == Status::Deprecated {
            note("deprecated", format!("`{}` is deprecated", rule.id), "replace it before it goes");
        }
        found
    }

    /// Rules that no case tries.
    fn uncovered(&self) -> Vec<Diagnostic> {
        let tried = cases::rules_with_cases(self);
        let bare = self.rules.iter().filter(|r| !tried.contains(r.id.as_str()));
        bare.map(|rule| {
            let message = format!("no case tries `{}`", rule.id);
            let stem =
                self.file_of(rule).map(|f| f.name.trim_end_matches(".rhai").to_owned()).unwrap_or_default();
            let help = format!("add a `[[case]]` with `rule = \"{}\"` to {stem}.cases.toml", rule.id);
            let problem = Diagnostic::error("no-case", "", message).with_help(help);
            self.at_rule(rule, None, problem, "this rule")
        })
        .collect()
    }
}

fn same_line(a: &Diagnostic, b: &Diagnostic) -> bool {
    a.code == b.code && a.file == b.file && a.line() == b.line()
}

/// By file and place, each once.
fn sorted(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    found.sort_by(|a, b| key(a).cmp(&key(b)));
    found.dedup();
    found
}

fn key(d: &Diagnostic) -> (&str, usize, &str, &str) {
    (d.file.as_str(), d.label.as_ref().map_or(0, |l| l.span.bytes.start), d.code.as_str(), d.message.as_str())
}

/// Rules that advise.
fn advising(rules: &RuleSet) -> impl Iterator<Item = &Rule> {
    [RuleKind::Train, RuleKind::Optimise].into_iter().flat_map(|kind| rules.rules_of(kind))
}
