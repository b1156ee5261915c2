//! Expectations of cases rewritten to what the rules say now, in place: what a case does not state, it does not state
//! afterwards either, and comments stay.

use toml_edit::{Array, DocumentMut, InlineTable, Item, TableLike, Value};

use super::actual::Actual;
use super::{Case, CaseOutcome, Document, documents, selected};
use crate::ruleset::RuleSet;

/// A file of cases or scenarios with other expectations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blessed {
    /// The file, as findings show it.
    pub file: String,
    /// The text that was tested.
    pub before: String,
    /// Its new text.
    pub text: String,
    /// Names of what changed in it.
    pub names: Vec<String>,
}

impl RuleSet {
    /// The files whose cases fail, with those cases rewritten to what the rules say. Cases that cannot be read are left.
    #[must_use]
    pub fn bless(&self, filter: Option<&str>) -> Vec<Blessed> {
        let (documents, _) = documents(self);
        let chosen = |file: &str, case: &Case| !case.todo && selected(case, file, filter);
        let one = |file: &str, text: &str, document: &Document| {
            let failing =
                document.cases.iter().filter(|c| chosen(file, c)).filter_map(|c| Some((c, self.failing(c)?)));
            rewritten(file, text, &failing.collect::<Vec<_>>())
        };
        documents.iter().filter_map(|(file, document)| one(&file.shown, &file.text, document)).collect()
    }

    /// What the rule says, if that is not what the case expects.
    fn failing(&self, case: &Case) -> Option<Actual> {
        let actual = self.try_case(self.rule(case.rule.get_ref())?, case).ok()?;
        matches!(actual.against(case), CaseOutcome::Failed(_)).then_some(actual)
    }
}

fn rewritten(file: &str, text: &str, failing: &[(&Case, Actual)]) -> Option<Blessed> {
    let mut document: DocumentMut = text.parse().ok()?;
    let mut names = Vec::new();
    for table in document.get_mut("case")?.as_array_of_tables_mut()?.iter_mut() {
        let Some((case, actual)) = failing.iter().find(|(case, _)| is_of(table, case)) else { continue };
        rewrite(table, case, actual);
        names.push(case.name.get_ref().clone());
    }
    (!names.is_empty()).then(|| Blessed {
        file: file.to_owned(),
        before: text.to_owned(),
        text: document.to_string(),
        names,
    })
}

fn is_of(table: &dyn TableLike, case: &Case) -> bool {
    let is = |key: &str, text: &str| table.get(key).and_then(Item::as_str) == Some(text);
    is("name", case.name.get_ref()) && is("rule", case.rule.get_ref())
}

fn rewrite(table: &mut dyn TableLike, case: &Case, actual: &Actual) {
    replace_value(table, "expect", actual.word);
    if case.because.as_ref().is_some_and(|part| !actual.reason.contains(part)) {
        replace_value(table, "because", actual.reason.as_str());
    }
    if let Some(wanted) = &case.relax {
        match &actual.relax {
            Some(relax) if relax.contains(wanted) => {}
            Some(relax) => replace_value(table, "relax", relax.as_str()),
            None => drop(table.remove("relax")),
        }
    }
    if case.score.is_some() {
        match actual.score {
            Some(score) => replace_value(table, "score", (score * 1000.0).round() / 1000.0),
            None => drop(table.remove("score")),
        }
    }
    rewrite_step(table, case, actual);
}

fn rewrite_step(table: &mut dyn TableLike, case: &Case, actual: &Actual) {
    let Some(step) = &actual.step else {
        drop((table.remove("settings"), table.remove("steps")));
        return;
    };
    if !case.settings.is_empty() {
        let known = case.settings.keys().filter_map(|key| Some((key, step.settings.get(key)?)));
        let settings: InlineTable =
            known.map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
        replace_value(table, "settings", settings);
    }
    if case.steps.iter().any(|part| !step.actions.iter().any(|action| action.contains(part))) {
        replace_value(table, "steps", step.actions.iter().map(String::as_str).collect::<Array>());
    }
}

/// Replaces a value of a TOML document and keeps the blanks and comments around it.
pub fn replace_value(table: &mut dyn TableLike, key: &str, value: impl Into<Value>) {
    let mut value: Value = value.into();
    if let Some(old) = table.get(key).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    table.insert(key, Item::Value(value));
}
