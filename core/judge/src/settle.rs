//! Declarations of all packs -> the rules in force: what replaces, extends or switches off what.

use std::collections::BTreeMap;

use convwise_types::{Diagnostic, RuleId, did_you_mean};
use rhai::Map;

use crate::clauses::RuleKind;
use crate::pack::Pack;
use crate::rule::{Clauses, Flaw, Given, Place, Reader, Rule};
use crate::ruleset::{LostRequirement, RuleFile, at_declaration};

/// A declaration that was read from a file.
#[derive(Debug)]
pub(crate) struct Declared {
    kind: RuleKind,
    clauses: Clauses,
    at: Place,
}

impl Declared {
    pub fn new(kind: RuleKind, map: Map, (file, line, column): (usize, usize, usize)) -> Self {
        let given = map.into_iter().map(|(name, value)| (name.to_string(), Given { value, file }));
        Self { kind, clauses: given.collect(), at: Place { file, line, column } }
    }

    fn word(&self, clause: &str) -> Option<String> {
        self.clauses.get(clause).and_then(|given| given.value.clone().into_string().ok())
    }
}

/// A rule that is not in force.
#[derive(Clone, Debug)]
pub(crate) struct SetAside {
    pub rule: Rule,
    pub by: By,
}

/// What a rule gave way to.
#[derive(Clone, Debug)]
pub(crate) enum By {
    /// A rule of a stronger layer.
    Rule(Box<Rule>),
    /// The `disable` of the pack of this index.
    Pack(usize),
}

/// What is in force, what is not, and what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub rules: Vec<Rule>,
    pub set_aside: Vec<SetAside>,
    pub lost: Vec<LostRequirement>,
    pub problems: Vec<Diagnostic>,
}

/// Decides which rules are in force. Declarations come in the order of their files, and files in that of their packs.
pub(crate) fn settle(packs: &[Pack], files: &[RuleFile], declared: Vec<Declared>) -> Settled {
    let mut settling =
        Settling { packs, files, bases: BTreeMap::new(), kept: BTreeMap::new(), found: Settled::default() };
    let mut waiting = declared.into_iter().peekable();
    let strengths: Vec<usize> = packs.iter().map(|p| p.strength).collect();
    for level in strengths.chunk_by(|a, b| a == b).filter_map(|level| level.first().copied()) {
        settling.disable(level);
        let mut fresh = Vec::new();
        while let Some(one) = waiting.next_if(|one| settling.strength(one.at) == level) {
            fresh.extend(settling.read(one));
        }
        settling.join(fresh);
    }
    settling.finish()
}

/// What a rule of a stronger layer can build on.
struct Base {
    kind: RuleKind,
    clauses: Clauses,
}

struct Settling<'a> {
    packs: &'a [Pack],
    files: &'a [RuleFile],
    bases: BTreeMap<String, Base>,
    kept: BTreeMap<RuleId, Rule>,
    found: Settled,
}

impl Settling<'_> {
    fn strength(&self, at: Place) -> usize {
        strength(self.packs, self.files, at.file)
    }

    /// Switches off what the packs of a level say.
    fn disable(&mut self, level: usize) {
        for (index, pack) in self.packs.iter().enumerate().filter(|(_, pack)| pack.strength == level) {
            for id in pack.in_force().iter().flat_map(|manifest| &manifest.disable) {
                match self.kept.remove(id.as_str()) {
                    Some(rule) => self.found.set_aside.push(SetAside { rule, by: By::Pack(index) }),
                    None if self.bases.contains_key(id) => {}
                    None => self.found.problems.push(self.nothing_to_disable(pack, id)),
                }
            }
        }
    }

    fn nothing_to_disable(&self, pack: &Pack, id: &str) -> Diagnostic {
        let near = did_you_mean(id, self.bases.keys().map(String::as_str));
        let message = format!("there is no rule `{id}` in a weaker layer to disable{near}");
        let shown = pack.manifest_file();
        let help = "take it out of `disable`; a rule of this pack itself is deleted where it stands";
        match &pack.manifest {
            Some(manifest) => manifest.at(&shown, "unknown-rule", id, message).with_help(help),
            None => Diagnostic::error("unknown-rule", &shown, message).with_help(help),
        }
    }

    /// A rule, and what others may build on; or what is wrong with it.
    fn read(&mut self, one: Declared) -> Option<(Rule, Base)> {
        let (kind, at, id) = (one.kind, one.at, one.word("id"));
        let read = self.inherited(one).and_then(|clauses| {
            let base = Base { kind, clauses: clauses.clone() };
            Reader { kind, files: self.files, clauses }.read(at).map(|rule| (rule, base))
        });
        read.map_err(|flaws| self.lose(kind, at, id, &flaws)).ok()
    }

    /// Its clauses, with those of the rule that it extends.
    fn inherited(&self, one: Declared) -> Result<Clauses, Vec<Flaw>> {
        let Some(given) = one.clauses.get("extends") else { return Ok(one.clauses) };
        let Ok(id) = given.value.clone().into_string() else {
            return Err(vec![Flaw::new("wrong-type", "extends", "`extends` must be text")]);
        };
        let Some(base) = self.bases.get(&id) else {
            let near = did_you_mean(&id, self.bases.keys().map(String::as_str));
            let message = format!("there is no rule `{id}` in a weaker layer to extend{near}");
            return Err(vec![
                Flaw::new("unknown-rule", "extends", message)
                    .help("a rule extends one of the shipped rules, or of a pack that its own builds on"),
            ]);
        };
        if base.kind != one.kind {
            let message = format!("`{id}` is declared with `{}`, not with `{}`", base.kind, one.kind);
            return Err(vec![
                Flaw::new("wrong-kind", "extends", message).help("a rule extends a rule of its own kind"),
            ]);
        }
        let mut clauses = base.clauses.clone();
        clauses.extend(one.clauses);
        Ok(clauses)
    }

    fn lose(&mut self, kind: RuleKind, at: Place, id: Option<String>, flaws: &[Flaw]) {
        let Some(file) = self.files.get(at.file) else { return };
        if kind == RuleKind::Require {
            let error = flaws.first().map(|f| f.message.clone()).unwrap_or_default();
            let id = RuleId::from(id.unwrap_or_else(|| format!("{}:{}", file.name, at.line)));
            self.found.lost.push(LostRequirement { id, file: file.shown.clone(), line: at.line, error });
        }
        self.found.problems.extend(flaws.iter().map(|flaw| flaw_at(file, at, flaw)));
    }

    /// The rules of a level replace those of weaker ones. Of two of the same level, the first by file and line stays.
    fn join(&mut self, fresh: Vec<(Rule, Base)>) {
        let mut level: BTreeMap<RuleId, (Rule, Base)> = BTreeMap::new();
        for (rule, base) in fresh {
            match level.get(&rule.id) {
                Some((first, _)) => self.found.problems.push(duplicate(self.files, first, &rule)),
                None => drop(level.insert(rule.id.clone(), (rule, base))),
            }
        }
        for (id, (rule, base)) in level {
            self.bases.insert(id.to_string(), base);
            if let Some(weaker) = self.kept.insert(id, rule.clone()) {
                self.found.set_aside.push(SetAside { rule: weaker, by: By::Rule(Box::new(rule)) });
            }
        }
    }

    fn finish(mut self) -> Settled {
        self.settle_rank();
        self.found.rules = self.kept.into_values().collect();
        self.found
    }

    /// One formula: the strongest layer's.
    fn settle_rank(&mut self) {
        let mut formulas: Vec<&Rule> = self.kept.values().filter(|r| r.kind == RuleKind::Rank).collect();
        let key = |r: &Rule| {
            (strength(self.packs, self.files, r.file), std::cmp::Reverse((r.file, r.line, r.column)))
        };
        formulas.sort_by_key(|r| key(r));
        let Some((winner, others)) = formulas.split_last() else {
            let problem = Diagnostic::error("no-rank-formula", "rules", "no `rank` formula is declared");
            self.found.problems.push(problem.with_help("declare one with `rank(#{ id, doc, score })`"));
            return;
        };
        let (winner, others): (Rule, Vec<Rule>) =
            ((*winner).clone(), others.iter().map(|r| (*r).clone()).collect());
        for rule in others {
            self.kept.remove(&rule.id);
            if self.strength(rule.place()) == self.strength(winner.place()) {
                self.found.problems.push(second_formula(self.files, &winner, &rule));
            }
            self.found.set_aside.push(SetAside { rule, by: By::Rule(Box::new(winner.clone())) });
        }
    }
}

fn strength(packs: &[Pack], files: &[RuleFile], file: usize) -> usize {
    files.get(file).and_then(|f| packs.get(f.pack)).map_or(0, |p| p.strength)
}

/// Where a rule stands, for people.
pub(crate) fn place(files: &[RuleFile], rule: &Rule) -> String {
    let file = files.get(rule.file).map(|f| f.shown.as_str()).unwrap_or_default();
    format!("{file}:{}", rule.line)
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

fn flaw_at(file: &RuleFile, at: Place, flaw: &Flaw) -> Diagnostic {
    let problem = Diagnostic::error(flaw.code, &file.shown, flaw.message.as_str());
    let problem = match &flaw.help {
        Some(help) => problem.with_help(help.as_str()),
        None => problem,
    };
    at_declaration(file, (at.line, at.column), flaw.clause.as_deref(), problem, "here")
}
