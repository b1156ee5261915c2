//! Files of all layers -> rule set, with everything that is wrong on the way. A broken file or rule
//! is reported and the rest still load.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use convwise_script::{Budget, Complaint, Sources, compile, diagnose, sandbox};
use convwise_types::{Diagnostic, Origin, RuleId, Severity};
use rhai::{AST, Engine, EvalAltResult, Map, NativeCallContext};

use crate::clauses::RuleKind;
use crate::folder::RuleFolder;
use crate::rule::{Flaw, Reader, Rule};
use crate::ruleset::{CaseText, LostRequirement, RuleFile, RuleSet, at_declaration};
use crate::vocabulary;

/// Operations that one call of a clause may take. A clause of the shipped rules takes fewer than 200.
const OPERATIONS: u64 = 50_000;

impl RuleSet {
    /// Loads the shipped rules under the user's layers, the strongest first.
    ///
    /// A file replaces the file of the same name in weaker layers, a rule the rule of the same id.
    /// What is wrong is returned beside the set. While a requirement cannot be loaded, no candidate
    /// is proven.
    #[must_use]
    pub fn load(layers: &[RuleFolder]) -> (Self, Vec<Diagnostic>) {
        let mut all = vec![RuleFolder::shipped()];
        all.extend(layers.iter().rev().cloned());
        Self::load_layers(&all)
    }

    /// Loads layers alone, without the shipped rules, the weakest first.
    #[must_use]
    pub fn load_layers(layers: &[RuleFolder]) -> (Self, Vec<Diagnostic>) {
        let mut loader = Loader::new();
        for (name, text) in effective_files(layers, &mut loader.overrides) {
            loader.take(name, text);
        }
        let set = loader.finish();
        let diagnostics = set.load_diagnostics.clone();
        (set, diagnostics)
    }
}

/// A file that was not replaced.
struct Effective {
    shown: String,
    origin: Origin,
    layer: usize,
    text: Arc<str>,
}

fn effective_files(layers: &[RuleFolder], overrides: &mut Vec<String>) -> BTreeMap<String, Effective> {
    let mut files: BTreeMap<String, Effective> = BTreeMap::new();
    for (layer, folder) in layers.iter().enumerate() {
        for (name, text) in &folder.files {
            let shown = folder.shown(name);
            let file = Effective {
                shown: shown.clone(),
                origin: folder.origin.clone(),
                layer,
                text: Arc::clone(text),
            };
            if let Some(old) = files.insert(name.clone(), file) {
                overrides.push(format!("{shown} replaces {} ({})", old.shown, layer_name(&old.origin)));
            }
        }
    }
    files
}

fn layer_name(origin: &Origin) -> &'static str {
    match origin {
        Origin::Shipped => "shipped",
        Origin::File(_) => "a weaker folder",
    }
}

/// A declaration as the script made it.
#[derive(Debug)]
struct Declared {
    kind: RuleKind,
    map: Map,
    line: usize,
    column: usize,
}

/// Where declarations go while a file runs; closed afterwards.
#[derive(Clone, Debug, Default)]
struct Collector(Arc<Mutex<Option<Vec<Declared>>>>);

impl Collector {
    fn open(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    fn close(&self) -> Vec<Declared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }

    fn add(&self, declared: Declared) -> Result<(), Box<EvalAltResult>> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(list) => {
                list.push(declared);
                Ok(())
            }
            None => Err(Complaint::new("misplaced-rule", "a rule cannot be declared inside a rule").into()),
        }
    }
}

fn declare(engine: &mut Engine, kind: RuleKind, collector: &Collector) {
    let collector = collector.clone();
    engine.register_fn(kind.as_str(), move |context: NativeCallContext<'_>, map: Map| {
        let position = context.call_position();
        let (line, column) = (position.line().unwrap_or(1), position.position().unwrap_or(1));
        collector.add(Declared { kind, map, line, column })
    });
}

struct Loader {
    engine: Engine,
    collector: Collector,
    sources: Sources,
    files: Vec<RuleFile>,
    rules: Vec<Rule>,
    lost: Vec<LostRequirement>,
    overrides: Vec<String>,
    cases: Vec<CaseText>,
    problems: Vec<Diagnostic>,
    hasher: blake3::Hasher,
}

impl Loader {
    fn new() -> Self {
        let mut engine = sandbox(&Budget { operations: OPERATIONS, ..Budget::default() });
        vocabulary::teach(&mut engine);
        // Counting operations bounds a clause: none does much in one. Looking at the clock in each of the many calls
        // would cost more than the rules do, and make what they say depend on the machine.
        engine.on_progress(|_| None);
        let collector = Collector::default();
        for kind in RuleKind::ALL {
            declare(&mut engine, kind, &collector);
        }
        Self {
            engine,
            collector,
            sources: Sources::new(),
            files: Vec::new(),
            rules: Vec::new(),
            lost: Vec::new(),
            overrides: Vec::new(),
            cases: Vec::new(),
            problems: Vec::new(),
            hasher: blake3::Hasher::new(),
        }
    }

    fn take(&mut self, name: String, file: Effective) {
        self.stamp(&name, &file.text);
        if name.ends_with(".cases.toml") {
            self.cases.push(CaseText { shown: file.shown, text: file.text });
            return;
        }
        self.sources.add(file.shown.as_str(), Arc::clone(&file.text));
        match compile(&self.engine, &file.shown, &file.text) {
            Ok(ast) => self.run(name, file, ast),
            Err(problem) => self.lose_file(&file.shown, &file.text, problem),
        }
    }

    fn stamp(&mut self, name: &str, text: &str) {
        for part in [name, text] {
            self.hasher.update(&(part.len() as u64).to_le_bytes());
            self.hasher.update(part.as_bytes());
        }
    }

    /// Runs a file; what it declared before an error stays.
    fn run(&mut self, name: String, file: Effective, ast: AST) {
        self.collector.open();
        let outcome = self.engine.run_ast(&ast);
        let declared = self.collector.close();
        if let Err(error) = outcome {
            let problem = diagnose(&error, &file.shown, &self.sources, &self.engine);
            self.lose_file(&file.shown, &file.text, problem);
        }
        let index = self.files.len();
        self.files.push(RuleFile {
            name,
            shown: file.shown,
            origin: file.origin,
            layer: file.layer,
            text: file.text,
            ast,
        });
        for one in declared {
            self.read(index, one);
        }
    }

    fn read(&mut self, index: usize, declared: Declared) {
        let Some(file) = self.files.get(index) else { return };
        let Declared { kind, map, line, column } = declared;
        let id = map.get("id").and_then(|v| v.clone().into_string().ok());
        match (Reader { kind, ast: &file.ast, map }).read(index, line, column) {
            Ok(rule) => self.rules.push(rule),
            Err(flaws) => {
                let problems: Vec<_> = flaws.iter().map(|f| flaw_at(file, (line, column), f)).collect();
                if kind == RuleKind::Require {
                    let error = flaws.first().map(|f| f.message.clone()).unwrap_or_default();
                    let id = RuleId::from(id.unwrap_or_else(|| format!("{}:{line}", file.name)));
                    self.lost.push(LostRequirement { id, file: file.shown.clone(), line, error });
                }
                self.problems.extend(problems);
            }
        }
    }

    /// A file that did not run to its end may have held requirements.
    fn lose_file(&mut self, shown: &str, text: &str, problem: Diagnostic) {
        if text.contains(RuleKind::Require.as_str()) {
            self.lost.push(LostRequirement {
                id: RuleId::from(shown),
                file: shown.to_owned(),
                line: problem.line().unwrap_or(1),
                error: problem.message.clone(),
            });
        }
        self.problems.push(problem);
    }

    fn finish(mut self) -> RuleSet {
        self.settle_ids();
        self.settle_rank();
        self.overrides.sort();
        self.lost.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        RuleSet {
            engine: self.engine,
            sources: self.sources,
            files: self.files,
            rules: self.rules,
            lost: self.lost,
            overrides: self.overrides,
            fingerprint: self.hasher.finalize().to_hex().chars().take(32).collect(),
            cases: self.cases,
            load_diagnostics: self.problems,
        }
    }

    /// One rule an id: the strongest layer's. Two of one layer are an error, and the first by file and line stays.
    fn settle_ids(&mut self) {
        let files = &self.files;
        let layer = |rule: &Rule| files.get(rule.file).map_or(0, |f| f.layer);
        self.rules.sort_by(|a, b| {
            (&a.id, layer(b), a.file, a.line, a.column).cmp(&(&b.id, layer(a), b.file, b.line, b.column))
        });
        let mut kept: Vec<Rule> = Vec::new();
        for rule in std::mem::take(&mut self.rules) {
            match kept.last().filter(|k| k.id == rule.id) {
                None => kept.push(rule),
                Some(winner) if layer(winner) > layer(&rule) => {
                    self.overrides.push(replaced(files, winner, &rule));
                }
                Some(winner) => self.problems.push(duplicate(files, winner, &rule)),
            }
        }
        self.rules = kept;
    }

    /// One formula: the strongest layer's.
    fn settle_rank(&mut self) {
        let files = &self.files;
        let layer = |rule: &Rule| files.get(rule.file).map_or(0, |f| f.layer);
        let formulas: Vec<&Rule> = self.rules.iter().filter(|r| r.kind == RuleKind::Rank).collect();
        let Some(top) = formulas.iter().map(|r| layer(r)).max() else {
            let problem = Diagnostic::error("no-rank-formula", "rules", "no `rank` formula is declared");
            self.problems.push(problem.with_help("declare one with `rank(#{ id, doc, score })`"));
            return;
        };
        let winners: Vec<&Rule> = formulas.iter().copied().filter(|r| layer(r) == top).collect();
        let weaker: Vec<&Rule> = formulas.iter().copied().filter(|r| layer(r) < top).collect();
        if let [winner, second, ..] = winners.as_slice() {
            self.problems.push(second_formula(files, winner, second));
        }
        if let Some(winner) = winners.first() {
            self.overrides.extend(weaker.iter().map(|loser| replaced(files, winner, loser)));
            let keep = winner.id.clone();
            self.rules.retain(|r| r.kind != RuleKind::Rank || r.id == keep);
        }
    }
}

fn place(files: &[RuleFile], rule: &Rule) -> String {
    let file = files.get(rule.file).map(|f| f.shown.as_str()).unwrap_or_default();
    format!("{file}:{}", rule.line)
}

fn replaced(files: &[RuleFile], winner: &Rule, loser: &Rule) -> String {
    let (by, old) = (place(files, winner), place(files, loser));
    format!("rule `{}` of {by} replaces `{}` of {old}", winner.id, loser.id)
}

fn duplicate(files: &[RuleFile], first: &Rule, second: &Rule) -> Diagnostic {
    let message = format!("the id `{}` is already taken by {}", second.id, place(files, first));
    let problem = Diagnostic::error("duplicate-id", "", message).with_help("give each rule an id of its own");
    placed(files, second, Some("id"), problem, "second use")
}

fn second_formula(files: &[RuleFile], first: &Rule, second: &Rule) -> Diagnostic {
    let message = format!("a rank formula is already declared at {}", place(files, first));
    let problem = Diagnostic::error("two-rank-formulas", "", message).with_help("keep one of the two");
    placed(files, second, None, problem, "second formula")
}

fn placed(
    files: &[RuleFile],
    rule: &Rule,
    clause: Option<&str>,
    problem: Diagnostic,
    label: &str,
) -> Diagnostic {
    match files.get(rule.file) {
        Some(file) => at_declaration(file, (rule.line, rule.column), clause, problem, label),
        None => problem,
    }
}

fn flaw_at(file: &RuleFile, at: (usize, usize), flaw: &Flaw) -> Diagnostic {
    let problem =
        Diagnostic::error(flaw.code, &file.shown, flaw.message.as_str()).with_severity(Severity::Error);
    let problem = match &flaw.help {
        Some(help) => problem.with_help(help.as_str()),
        None => problem,
    };
    at_declaration(file, at, flaw.clause.as_deref(), problem, "here")
}
