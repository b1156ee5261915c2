//! Cases: a situation in TOML, the rule it is about, and what the rule must say, reason included.

mod actual;
mod bless;
mod coverage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use convwise_types::{Diagnostic, RuleId, Span, did_you_mean};
use rhai::Dynamic;
use serde::Deserialize;
use toml::{Spanned, Table as Toml};

pub use self::bless::{Blessed, replace_value};
pub use self::coverage::{RuleCoverage, covered_percent};

use self::actual::Actual;
use crate::clauses::RuleKind;
use crate::evaluate::Scene;
use crate::facts;
use crate::pool::Pool;
use crate::row::Row;
use crate::rule::Rule;
use crate::ruleset::{CaseText, RuleSet};

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default, rename = "case")]
    cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Which situation this is.
    name: Spanned<String>,
    /// The rule that it is about.
    rule: Spanned<String>,
    /// Fields of the request.
    #[serde(default)]
    need: Toml,
    /// Fields of the candidate.
    #[serde(default)]
    net: Toml,
    /// The feasible candidates, for a rank formula.
    #[serde(default)]
    pool: Vec<Toml>,
    /// What the rule says: see [`WORDS`].
    expect: Spanned<String>,
    /// Part of the reason.
    because: Option<String>,
    /// Part of what would admit the candidate.
    relax: Option<String>,
    /// The score of a preference or of the formula, to three digits.
    score: Option<f64>,
    /// Settings that a step makes.
    #[serde(default)]
    settings: BTreeMap<String, String>,
    /// Parts of the sentences of a step.
    #[serde(default)]
    steps: Vec<String>,
    /// Listed, but not run.
    #[serde(default)]
    todo: bool,
}

/// What a case may expect.
const WORDS: [&str; 10] =
    ["holds", "holds-weakly", "fails", "unknown", "error", "skips", "prefers", "notes", "advises", "ranks"];

/// How one case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    /// File of the case.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// The rule that it is about.
    pub rule: RuleId,
    /// Which situation it is.
    pub name: String,
    /// What happened.
    pub outcome: CaseOutcome,
}

/// What happened to a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseOutcome {
    /// As expected.
    Passed,
    /// Marked `todo`; not run.
    Todo,
    /// Expected against actual, readable.
    Failed(String),
}

/// How all cases went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestReport {
    /// Every case, by file and line.
    pub results: Vec<CaseResult>,
    /// What each rule was made to say by the cases that ran: `holds`, `fails`, `unknown`, ...
    pub coverage: BTreeMap<RuleId, BTreeSet<String>>,
    /// Files and cases that cannot be read.
    pub problems: Vec<Diagnostic>,
}

impl TestReport {
    /// Cases that went as expected.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.results.iter().filter(|r| r.outcome == CaseOutcome::Passed).count()
    }

    /// Cases that did not.
    pub fn failures(&self) -> impl Iterator<Item = &CaseResult> {
        self.results.iter().filter(|r| matches!(r.outcome, CaseOutcome::Failed(_)))
    }

    /// Whether every case ran as expected and every file could be read.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failures().next().is_none() && self.problems.is_empty()
    }
}

impl RuleSet {
    /// Runs the cases whose rule, name or file contains `filter`; all if there is none.
    #[must_use]
    pub fn test(&self, filter: Option<&str>) -> TestReport {
        let (documents, problems) = documents(self);
        let mut report = TestReport { problems, ..TestReport::default() };
        for (file, document) in &documents {
            for case in document.cases.iter().filter(|c| selected(c, &file.shown, filter)) {
                self.run_case(file, case, &mut report);
            }
        }
        report
    }

    fn run_case(&self, file: &CaseText, case: &Case, report: &mut TestReport) {
        let run = match (case.todo, self.rule(case.rule.get_ref())) {
            (true, _) => Ok(None),
            (false, None) => Err(unknown_rule(self, file, case)),
            (false, Some(rule)) => {
                self.try_case(rule, case).map(Some).map_err(|text| bad_case(file, case, text))
            }
        };
        let outcome = match run {
            Err(problem) => return report.problems.push(problem),
            Ok(None) => CaseOutcome::Todo,
            Ok(Some(actual)) => {
                let said = report.coverage.entry(RuleId::from(case.rule.get_ref().as_str())).or_default();
                said.insert(actual.word.to_owned());
                actual.against(case)
            }
        };
        report.results.push(CaseResult {
            file: file.shown.clone(),
            line: span(file, &case.name).line,
            rule: RuleId::from(case.rule.get_ref().as_str()),
            name: case.name.get_ref().clone(),
            outcome,
        });
    }

    fn try_case(&self, rule: &Rule, case: &Case) -> Result<Actual, String> {
        let scene = scene(case)?;
        Ok(match rule.kind {
            RuleKind::Require | RuleKind::Prefer | RuleKind::Note => self.actual_answer(rule, &scene),
            RuleKind::Train | RuleKind::Optimise => self.actual_step(rule, &scene),
            RuleKind::Rank => self.actual_rank(rule, &scene),
        })
    }
}

fn selected(case: &Case, file: &str, filter: Option<&str>) -> bool {
    let Some(wanted) = filter else { return true };
    [case.rule.get_ref().as_str(), case.name.get_ref().as_str(), file]
        .iter()
        .any(|text| text.contains(wanted))
}

fn scene(case: &Case) -> Result<Scene, String> {
    let need = Arc::new(facts::need(&case.need)?);
    let net = Arc::new(facts::net(&case.net)?);
    let mut rows: Vec<Arc<Row>> = vec![Arc::clone(&net)];
    for stated in &case.pool {
        rows.push(Arc::new(facts::net(stated)?));
    }
    let pool = Some(Dynamic::from(Pool::new(&rows)));
    Ok(Scene { pool, ..Scene::request(&need).with(net) })
}

/// The files of cases, each with the cases that count.
fn documents(rules: &RuleSet) -> (Vec<(&CaseText, Document)>, Vec<Diagnostic>) {
    let mut documents = Vec::new();
    let mut problems = Vec::new();
    for file in &rules.cases {
        match toml::from_str::<Document>(&file.text) {
            Ok(document) => documents.push((file, document)),
            Err(error) => problems.push(bad_toml(file, &error)),
        }
    }
    keep_what_counts(rules, &mut documents);
    (documents, problems)
}

/// Leaves out cases of weaker packs about rules that are not theirs any more. What extends a rule takes over its cases,
/// unless it has cases of its own.
fn keep_what_counts(rules: &RuleSet, documents: &mut [(&CaseText, Document)]) {
    let is_own =
        |file: &CaseText, id: &str| rules.rule(id).is_some_and(|rule| file.strength >= rules.strength(rule));
    let ids = |(file, document): &(&CaseText, Document)| {
        let own = document.cases.iter().map(|c| c.rule.get_ref()).filter(|id| is_own(file, id));
        own.cloned().collect::<Vec<_>>()
    };
    let with_own: BTreeSet<String> = documents.iter().flat_map(ids).collect();
    for (file, document) in documents {
        document.cases.retain(|case| {
            let id = case.rule.get_ref().as_str();
            match rules.rule(id) {
                Some(rule) => is_own(file, id) || (rule.extends.is_some() && !with_own.contains(id)),
                None => !rules.set_aside.iter().any(|one| one.rule.id.as_str() == id),
            }
        });
    }
}

fn bad_toml(file: &CaseText, error: &toml::de::Error) -> Diagnostic {
    let problem = Diagnostic::error("bad-cases", &file.shown, error.message().trim().to_owned());
    match error.span() {
        Some(bytes) => problem.at(&file.text, Span::of_bytes(&file.text, bytes), "here"),
        None => problem,
    }
}

fn span(file: &CaseText, value: &Spanned<String>) -> Span {
    Span::of_bytes(&file.text, value.span())
}

fn bad_case(file: &CaseText, case: &Case, text: String) -> Diagnostic {
    Diagnostic::error("bad-case", &file.shown, text).at(&file.text, span(file, &case.name), "in this case")
}

fn unknown_rule(rules: &RuleSet, file: &CaseText, case: &Case) -> Diagnostic {
    let id = case.rule.get_ref();
    let near = did_you_mean(id, rules.rules.iter().map(|r| r.id.as_str()));
    let problem = Diagnostic::error("unknown-rule", &file.shown, format!("there is no rule `{id}`{near}"));
    problem.at(&file.text, span(file, &case.rule), "in this case")
}

/// What is wrong with the cases themselves.
pub(crate) fn problems(rules: &RuleSet) -> Vec<Diagnostic> {
    let (documents, mut problems) = documents(rules);
    for (file, document) in &documents {
        for (at, case) in document.cases.iter().enumerate() {
            problems.extend(case_problem(rules, file, case));
            problems.extend(repeated(file, document.cases.get(..at).unwrap_or_default(), case));
        }
    }
    problems
}

/// A case of the same rule and name as one before it.
fn repeated(file: &CaseText, before: &[Case], case: &Case) -> Option<Diagnostic> {
    let same = |other: &&Case| {
        other.name.get_ref() == case.name.get_ref() && other.rule.get_ref() == case.rule.get_ref()
    };
    let first = before.iter().find(same)?;
    let message = format!(
        "`{}` is already tried by a case of this name in line {}",
        case.rule.get_ref(),
        span(file, &first.name).line
    );
    let problem =
        Diagnostic::error("duplicate-case", &file.shown, message).with_help("say what makes the two differ");
    Some(problem.at(&file.text, span(file, &case.name), "second use"))
}

fn case_problem(rules: &RuleSet, file: &CaseText, case: &Case) -> Option<Diagnostic> {
    if rules.rule(case.rule.get_ref()).is_none() {
        return Some(unknown_rule(rules, file, case));
    }
    if let Err(text) = scene(case) {
        return Some(bad_case(file, case, text));
    }
    let word = case.expect.get_ref();
    (!WORDS.contains(&word.as_str())).then(|| {
        let message = format!("`{word}` is not something that a rule says");
        Diagnostic::error("bad-case", &file.shown, message)
            .at(&file.text, span(file, &case.expect), "unknown word")
            .with_help(format!("use one of {}", WORDS.join(", ")))
    })
}

/// Ids of the rules that some case is about.
pub(crate) fn rules_with_cases(rules: &RuleSet) -> BTreeSet<String> {
    let (documents, _) = documents(rules);
    documents.iter().flat_map(|(_, d)| d.cases.iter().map(|c| c.rule.get_ref().clone())).collect()
}

/// A case as lints look at it.
pub(crate) struct Tried {
    pub rule: String,
    pub name: String,
    /// Whether the rule is meant to fail in it.
    pub expects_error: bool,
    pub scene: Scene,
}

/// Every case that can be read.
pub(crate) fn tried(rules: &RuleSet) -> Vec<Tried> {
    let (documents, _) = documents(rules);
    let cases = documents.iter().flat_map(|(_, document)| &document.cases);
    let tried = cases.filter_map(|case| {
        Some(Tried {
            rule: case.rule.get_ref().clone(),
            name: case.name.get_ref().clone(),
            expects_error: case.expect.get_ref() == "error",
            scene: scene(case).ok()?,
        })
    });
    tried.collect()
}
