//! Files of all layers -> rule set, with everything that is wrong on the way. A broken file or rule
//! is reported and the rest still load.

use std::sync::{Arc, Mutex, PoisonError};

use convwise_script::{Budget, Complaint, Sources, compile, diagnose, sandbox};
use convwise_types::Diagnostic;
use rhai::{AST, Engine, EvalAltResult, Map, NativeCallContext};

use crate::clauses::RuleKind;
use crate::direct::Translations;
use crate::ejected;
use crate::folder::{RuleFolder, is_rules};
use crate::ledger;
use crate::pack::Pack;
use crate::reserved;
use crate::ruleset::{CaseText, LostRequirement, RuleFile, RuleSet, ScenarioText};
use crate::settle::{Declared, settle};
use crate::stack::{Placed, stack};
use crate::vocabulary;

/// Operations that running a file once, which declares its rules, may take. The shipped files take up to 2,000.
const FILE_OPERATIONS: u64 = 200_000;
/// Rules that one file may declare.
const FILE_RULES: usize = 1_000;

/// Limits of rule scripts: a clause handles a few facts, not data.
fn budget() -> Budget {
    Budget {
        operations: FILE_OPERATIONS,
        text_bytes: 16 * 1024,
        list_items: 2_048,
        map_entries: 1_024,
        ..Budget::default()
    }
}

impl RuleSet {
    /// Loads the shipped rules under the user's layers, the strongest first.
    ///
    /// A rule replaces the rule of the same id in weaker layers, and packs in a layer's subfolders are weaker than its
    /// own files. What is wrong is returned beside the set. While a requirement cannot be loaded, no candidate
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
        for placed in stack(layers) {
            loader.take_pack(&placed);
        }
        let set = loader.finish();
        let diagnostics = set.load_diagnostics.clone();
        (set, diagnostics)
    }
}

/// Where declarations go while a file runs; closed afterwards.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collector(Arc<Mutex<Option<Vec<Call>>>>);

/// A declaration as the script made it.
#[derive(Debug)]
struct Call {
    kind: RuleKind,
    map: Map,
    line: usize,
    column: usize,
}

impl Collector {
    fn open(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    fn close(&self) -> Vec<Call> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }

    fn add(&self, call: Call) -> Result<(), Box<EvalAltResult>> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(list) if list.len() >= FILE_RULES => {
                let message = format!("a file may declare {FILE_RULES} rules at the most");
                Err(Complaint::new("limit", message).with_help("split the file").into())
            }
            Some(list) => {
                list.push(call);
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
        collector.add(Call { kind, map, line, column })
    });
}

/// The engine that rules run in.
pub(crate) fn engine(collector: &Collector) -> Engine {
    let mut engine = sandbox(&budget());
    vocabulary::teach(&mut engine);
    reserved::keep(&mut engine);
    ledger::count(&mut engine);
    for kind in RuleKind::ALL {
        declare(&mut engine, kind, collector);
    }
    engine
}

struct Loader {
    engine: Engine,
    collector: Collector,
    sources: Sources,
    packs: Vec<Pack>,
    files: Vec<RuleFile>,
    declared: Vec<Declared>,
    lost: Vec<LostRequirement>,
    cases: Vec<CaseText>,
    scenarios: Vec<ScenarioText>,
    problems: Vec<Diagnostic>,
}

impl Loader {
    fn new() -> Self {
        let collector = Collector::default();
        Self {
            engine: engine(&collector),
            collector,
            sources: Sources::new(),
            packs: Vec::new(),
            files: Vec::new(),
            declared: Vec::new(),
            lost: Vec::new(),
            cases: Vec::new(),
            scenarios: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn take_pack(&mut self, placed: &Placed<'_>) {
        let folder = placed.folder;
        self.packs.push(Pack::of(placed));
        self.problems.extend(folder.problems.iter().cloned());
        for (shown, why) in &folder.unread {
            self.lost.push(LostRequirement::file(shown, 1, why));
        }
        if let Some(refusal) = &placed.refusal {
            self.refuse(folder, refusal);
            return;
        }
        let layer = folder.layer;
        let scenario = |(name, text): (&String, &Arc<str>)| ScenarioText {
            shown: folder.shown(name),
            text: Arc::clone(text),
            layer,
        };
        self.scenarios.extend(folder.scenarios.iter().map(scenario));
        for (name, text) in &folder.files {
            let shown = folder.shown(name);
            if is_rules(name) {
                self.take(name, shown, text);
            } else {
                self.cases.push(CaseText { shown, text: Arc::clone(text), strength: placed.strength });
            }
        }
    }

    /// The rules of a pack that must not be used are lost, and with them its requirements.
    fn refuse(&mut self, folder: &RuleFolder, refusal: &Diagnostic) {
        let scripts = folder.files.iter().filter(|(name, _)| is_rules(name));
        let lost = scripts.filter(|(_, text)| may_require(text));
        self.lost
            .extend(lost.map(|(name, _)| LostRequirement::file(&folder.shown(name), 1, &refusal.message)));
        if !self.problems.contains(refusal) {
            self.problems.push(refusal.clone());
        }
    }

    fn take(&mut self, name: &str, shown: String, text: &Arc<str>) {
        self.sources.add(shown.as_str(), Arc::clone(text));
        match compile(&self.engine, &shown, text) {
            Ok(ast) => match reserved::taken(&ast, &shown, text) {
                None => self.run(name, shown, text, ast),
                Some(problem) => self.lose_file(&shown, text, problem),
            },
            Err(problem) => self.lose_file(&shown, text, problem),
        }
    }

    /// Runs a file; what it declared before an error stays.
    fn run(&mut self, name: &str, shown: String, text: &Arc<str>, ast: AST) {
        self.collector.open();
        let outcome = self.engine.run_ast(&ast);
        let calls = self.collector.close();
        if let Err(error) = outcome {
            let problem = diagnose(&error, &shown, &self.sources, &self.engine);
            self.lose_file(&shown, text, problem);
        }
        let file = self.files.len();
        let declared = calls.into_iter().map(|c| Declared::new(c.kind, c.map, (file, c.line, c.column)));
        self.declared.extend(declared);
        let pack = self.packs.len().saturating_sub(1);
        self.files.push(RuleFile {
            name: name.to_owned(),
            shown,
            pack,
            text: Arc::clone(text),
            translations: Translations::of(&ast),
            ast,
            ledger: Arc::default(),
        });
    }

    /// A file that did not run to its end may have held requirements.
    fn lose_file(&mut self, shown: &str, text: &str, problem: Diagnostic) {
        if may_require(text) {
            self.lost.push(LostRequirement::file(shown, problem.line().unwrap_or(1), &problem.message));
        }
        self.problems.push(problem);
    }

    fn finish(mut self) -> RuleSet {
        let settled = settle(&self.packs, &self.files, self.declared);
        self.problems.extend(ejected::deleted(&self.packs, &self.files, &settled));
        self.problems.extend(settled.problems);
        self.lost.extend(settled.lost);
        self.lost.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        self.engine.set_max_operations(ledger::CALL);
        RuleSet {
            engine: self.engine,
            sources: self.sources,
            packs: self.packs,
            files: self.files,
            rules: settled.rules,
            set_aside: settled.set_aside,
            lost: self.lost,
            cases: self.cases,
            scenarios: self.scenarios,
            load_diagnostics: self.problems,
        }
    }
}

fn may_require(text: &str) -> bool {
    text.contains(RuleKind::Require.as_str())
}
