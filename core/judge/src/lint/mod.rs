//! What is probably wrong with a rule set, found without judging anybody.

mod advice;
pub(crate) mod expressions;

use convwise_types::{Diagnostic, Severity};

use crate::cases;
use crate::clauses::RuleKind;
use crate::rule::{Rule, Status};
use crate::ruleset::RuleSet;

impl RuleSet {
    /// Everything that is wrong or doubtful: what loading found, misspelt fields, comparisons that can never
    /// hold, whole-number division, missing documentation, sources and cases, contradictory advice.
    /// By file and place.
    #[must_use]
    pub fn check(&self) -> Vec<Diagnostic> {
        let mut found = self.load_diagnostics.clone();
        for file in &self.files {
            found.extend(expressions::check(&file.ast, &expressions::Roots::Rules, &file.shown, &file.text));
        }
        for rule in &self.rules {
            found.extend(self.documentation(rule));
        }
        found.extend(advice::check(self));
        found.extend(self.uncovered());
        found.extend(cases::problems(self));
        found.sort_by(|a, b| key(a).cmp(&key(b)));
        found.dedup();
        found
    }

    fn documentation(&self, rule: &Rule) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let mut note = |code: &str, message: String, help: &str| {
            let problem =
                Diagnostic::error(code, "", message).with_severity(Severity::Warning).with_help(help);
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
            let problem =
                Diagnostic::error("no-case", "", message).with_severity(Severity::Warning).with_help(help);
            self.at_rule(rule, None, problem, "this rule")
        })
        .collect()
    }
}

fn key(d: &Diagnostic) -> (&str, usize, &str, &str) {
    (d.file.as_str(), d.label.as_ref().map_or(0, |l| l.span.bytes.start), d.code.as_str(), d.message.as_str())
}

/// Rules that advise.
fn advising(rules: &RuleSet) -> impl Iterator<Item = &Rule> {
    [RuleKind::Train, RuleKind::Optimise].into_iter().flat_map(|kind| rules.rules_of(kind))
}
