//! A loaded set of rules.

use std::collections::BTreeSet;
use std::sync::Arc;

use convwise_script::Sources;
use convwise_types::{Diagnostic, RuleId, Span};
use rhai::{AST, Engine};

use crate::clauses::RuleKind;
use crate::direct::Translations;
use crate::layer::Layer;
use crate::ledger::Ledger;
use crate::pack::Pack;
use crate::rule::Rule;
use crate::settle::SetAside;
use crate::text;

/// Rules from all layers, ready to judge. Every method gives the same result for the same files,
/// whatever their order.
#[derive(Debug)]
pub struct RuleSet {
    pub(crate) engine: Engine,
    pub(crate) sources: Sources,
    /// Every folder that was read, the weakest first.
    pub(crate) packs: Vec<Pack>,
    pub(crate) files: Vec<RuleFile>,
    /// Those in force, by id.
    pub(crate) rules: Vec<Rule>,
    /// Those that stronger layers replace or switch off.
    pub(crate) set_aside: Vec<SetAside>,
    /// Requirements that could not be loaded: nothing can be proven without them.
    pub(crate) lost: Vec<LostRequirement>,
    pub(crate) cases: Vec<CaseText>,
    pub(crate) scenarios: Vec<ScenarioText>,
    /// What loading found.
    pub(crate) load_diagnostics: Vec<Diagnostic>,
}

/// A rule file of one layer.
#[derive(Clone, Debug)]
pub(crate) struct RuleFile {
    /// File name: `deployment.rhai`.
    pub name: String,
    /// As findings show it.
    pub shown: String,
    /// Index of its pack in the rule set.
    pub pack: usize,
    pub text: Arc<str>,
    pub ast: AST,
    /// Its closures that need no engine.
    pub translations: Translations,
    /// What its clauses have cost.
    pub ledger: Arc<Ledger>,
}

/// A requirement, or a file with requirements, that did not load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LostRequirement {
    pub id: RuleId,
    pub file: String,
    pub line: usize,
    pub error: String,
}

impl LostRequirement {
    /// A file whose rules are not there.
    pub fn file(shown: &str, line: usize, error: &str) -> Self {
        Self { id: RuleId::from(shown), file: shown.to_owned(), line, error: error.to_owned() }
    }
}

/// A file of cases.
#[derive(Clone, Debug)]
pub(crate) struct CaseText {
    pub shown: String,
    pub text: Arc<str>,
    /// Of its pack; 0 is the weakest.
    pub strength: usize,
}

/// A file of scenarios: whole answers that the rules must give.
#[derive(Clone, Debug)]
pub struct ScenarioText {
    /// As findings show it.
    pub shown: String,
    /// What is in it.
    pub text: Arc<str>,
    pub(crate) layer: Layer,
}

impl RuleSet {
    /// The scenarios that count, in the order of the layers. Those that ship with the program speak of the shipped rules:
    /// they are left out once another layer has rules or switches some off, since it is there to change answers.
    pub fn scenarios(&self) -> impl Iterator<Item = &ScenarioText> {
        let changed = self.is_changed();
        self.scenarios.iter().filter(move |scenario| !changed || scenario.layer != Layer::Shipped)
    }

    /// Whether another layer than the shipped one has rules, or switches some off.
    pub(crate) fn is_changed(&self) -> bool {
        let beside = |pack: &Pack| pack.layer != Layer::Shipped;
        let rules = self.files.iter().filter_map(|file| self.packs.get(file.pack)).any(beside);
        let disables = |pack: &Pack| pack.in_force().is_some_and(|m| !m.disable.is_empty());
        rules || self.packs.iter().any(|pack| beside(pack) && disables(pack))
    }

    /// Number of rules.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether no rule was loaded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Ids of the preferences that only pass on what the decision framework advises.
    #[must_use]
    pub fn of_the_guide(&self) -> BTreeSet<RuleId> {
        let prior = |r: &&Rule| r.kind == RuleKind::Prefer && r.is_the_guides();
        self.rules.iter().filter(prior).map(|r| r.id.clone()).collect()
    }

    pub(crate) fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|r| r.id.as_str() == id)
    }

    pub(crate) fn rules_of(&self, kind: RuleKind) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |r| r.kind == kind)
    }

    pub(crate) fn file_of(&self, rule: &Rule) -> Option<&RuleFile> {
        self.files.get(rule.file)
    }

    /// The pack of a rule.
    pub(crate) fn pack_of(&self, rule: &Rule) -> Option<&Pack> {
        self.packs.get(self.file_of(rule)?.pack)
    }

    /// How strong the pack of a rule is; 0 is the weakest.
    pub(crate) fn strength(&self, rule: &Rule) -> usize {
        self.pack_of(rule).map_or(0, |pack| pack.strength)
    }

    /// A problem with a rule, where it first writes `what`; at its declaration if it does not.
    pub(crate) fn at_first_mention(
        &self,
        rule: &Rule,
        what: &str,
        mut problem: Diagnostic,
        label: &str,
    ) -> Diagnostic {
        let Some(file) = self.file_of(rule) else { return problem };
        let within = text::declaration(&file.text, rule.line, rule.column);
        match text::mention(&file.text, &within, what) {
            Some(span) => {
                problem.file.clone_from(&file.shown);
                problem.at(&file.text, span, label)
            }
            None => self.at_rule(rule, None, problem, label),
        }
    }

    /// A problem with a rule, at one of its clauses or at its declaration.
    pub(crate) fn at_rule(
        &self,
        rule: &Rule,
        clause: Option<&str>,
        problem: Diagnostic,
        label: &str,
    ) -> Diagnostic {
        let Some(file) = self.file_of(rule) else { return problem };
        at_declaration(file, (rule.line, rule.column), clause, problem, label)
    }
}

/// A problem with a declaration, placed.
pub(crate) fn at_declaration(
    file: &RuleFile,
    (line, column): (usize, usize),
    clause: Option<&str>,
    mut problem: Diagnostic,
    label: &str,
) -> Diagnostic {
    let within = text::declaration(&file.text, line, column);
    let span = clause.and_then(|name| text::clause(&file.text, &within, name));
    problem.file.clone_from(&file.shown);
    problem.at(&file.text, span.unwrap_or_else(|| Span::of_word(&file.text, line, column)), label)
}
