//! A rule as the program holds it: what its author declared, with every clause checked for its type.

use std::collections::{BTreeMap, BTreeSet};

use convwise_script::Closure;
use convwise_types::{Grade, RuleId};
use rhai::{Array, Dynamic, FnPtr};

use crate::clauses::RuleKind;
use crate::direct::Node;
use crate::ruleset::RuleFile;

/// A clause: written down, or computed by a closure.
#[derive(Clone, Debug)]
pub(crate) enum Clause {
    Value(Dynamic),
    Call(Box<Call>),
}

/// A closure of a rule file.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub closure: Closure,
    /// Index of the file that it stands in: another than the rule's where it is inherited.
    pub file: usize,
    /// What it comes to, if that needs no engine.
    pub plain: Option<Node>,
}

impl Clause {
    fn new(files: &[RuleFile], given: Given) -> Self {
        let pointer = given.value.clone().try_cast::<FnPtr>();
        match pointer.zip(files.get(given.file)) {
            Some((pointer, file)) => {
                let plain = file.translations.closure(&file.ast, &pointer);
                Self::Call(Box::new(Call {
                    closure: Closure::new(&file.ast, pointer),
                    file: given.file,
                    plain,
                }))
            }
            None => Self::Value(given.value),
        }
    }

    /// Names of what it takes.
    pub fn takes(&self) -> &[String] {
        match self {
            Self::Value(_) => &[],
            Self::Call(call) => call.closure.parameters(),
        }
    }

    /// Whether it reads the candidate.
    pub fn reads_net(&self) -> bool {
        self.takes().iter().any(|p| p == "net")
    }
}

impl Rule {
    /// Its clauses that may be computed, by name.
    pub fn clauses(&self) -> Vec<(&'static str, &Clause)> {
        let own: Vec<(&'static str, Option<&Clause>)> = match &self.body {
            Body::Require { holds, margin, relax, .. } => {
                vec![("holds", Some(holds)), ("margin", margin.as_ref()), ("relax", relax.as_ref())]
            }
            Body::Prefer { score, weight } => vec![("score", Some(score)), ("weight", weight.as_ref())],
            Body::Advise(advice) => vec![
                ("advise", advice.advise.as_ref()),
                ("steps", advice.steps.as_ref()),
                ("expect", advice.expect.as_ref()),
                ("command", advice.command.as_ref()),
            ],
            Body::Note => Vec::new(),
            Body::Rank { score, parts } => vec![("score", score.as_ref()), ("parts", parts.as_ref())],
        };
        let shared = [("when", self.when.as_ref()), ("because", self.because.as_ref())];
        shared.into_iter().chain(own).filter_map(|(name, clause)| Some((name, clause?))).collect()
    }
}

/// How settled a rule is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// New; may change.
    Preview,
    /// Settled.
    #[default]
    Stable,
    /// About to go.
    Deprecated,
}

impl Status {
    /// The word in rules.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Stable => "stable",
            Self::Deprecated => "deprecated",
        }
    }

    fn read(word: &str) -> Option<Self> {
        [Self::Preview, Self::Stable, Self::Deprecated].into_iter().find(|s| s.as_str() == word)
    }
}

/// A rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub id: RuleId,
    pub doc: String,
    pub source: String,
    pub status: Status,
    pub kind: RuleKind,
    /// Index of its file in the rule set.
    pub file: usize,
    /// Line of the declaration, from 1.
    pub line: usize,
    /// Column of the declaration, from 1.
    pub column: usize,
    /// The rule of a weaker layer that it builds on.
    pub extends: Option<RuleId>,
    /// Files that its clauses stand in: its own, and those of the rules that it builds on.
    pub files: BTreeSet<usize>,
    pub when: Option<Clause>,
    pub because: Option<Clause>,
    pub body: Body,
}

impl Rule {
    /// Whether it only passes on what the decision framework advises: a prior, which measured evidence overrules.
    pub fn is_the_guides(&self) -> bool {
        self.source.starts_with(GUIDE)
    }

    /// Where it is declared.
    pub fn place(&self) -> Place {
        Place { file: self.file, line: self.line, column: self.column }
    }
}

/// How the source of a rule begins that says what the decision framework says.
const GUIDE: &str = "decision framework";

/// Where a rule is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Index of the file in the rule set.
    pub file: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// A clause as it was written, and the index of the file that it stands in.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub value: Dynamic,
    pub file: usize,
}

/// The clauses of a declaration by name, those that it inherits included.
pub(crate) type Clauses = BTreeMap<String, Given>;

/// What only one kind of rule has.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Require {
        holds: Clause,
        margin: Option<Clause>,
        relax: Option<Clause>,
        proof: Vec<Grade>,
    },
    Prefer {
        score: Clause,
        weight: Option<Clause>,
    },
    Advise(Box<AdviceBody>),
    Note,
    /// At least one of the two.
    Rank {
        score: Option<Clause>,
        parts: Option<Clause>,
    },
}

/// Clauses of `train` and `optimise`.
#[derive(Clone, Debug)]
pub(crate) struct AdviceBody {
    pub advise: Option<Clause>,
    pub steps: Option<Clause>,
    pub expect: Option<Clause>,
    pub command: Option<Clause>,
    pub priority: i64,
    pub after: Vec<RuleId>,
    pub excludes: Vec<RuleId>,
}

/// What is wrong with a declaration, and with which clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub code: &'static str,
    pub clause: Option<String>,
    pub message: String,
    pub help: Option<String>,
}

impl Flaw {
    pub(crate) fn new(code: &'static str, clause: &str, message: impl Into<String>) -> Self {
        Self { code, clause: Some(clause.to_owned()), message: message.into(), help: None }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// Reads the clauses of a declaration.
pub(crate) struct Reader<'a> {
    pub kind: RuleKind,
    pub files: &'a [RuleFile],
    pub clauses: Clauses,
}

impl Reader<'_> {
    /// The rule, or everything that is wrong with it.
    pub fn read(mut self, at: Place) -> Result<Rule, Vec<Flaw>> {
        let mut flaws = self.unknown_clauses();
        flaws.extend(self.missing_clauses());
        flaws.extend(self.unknown_parameters());
        let rule = self.assemble(at);
        match rule {
            Ok(rule) if flaws.is_empty() => Ok(rule),
            Ok(_) => Err(flaws),
            Err(flaw) => {
                if !flaws.contains(&flaw) {
                    flaws.push(flaw);
                }
                Err(flaws)
            }
        }
    }

    fn unknown_clauses(&self) -> Vec<Flaw> {
        let flaw = |name: &str| match self.kind.knows(name) {
            Ok(()) => None,
            Err(near) => {
                let flaw =
                    Flaw::new("unknown-clause", name, format!("`{}` has no clause `{name}`", self.kind));
                let names: Vec<&str> = self.kind.clauses().map(|c| c.name).collect();
                let help = near.map_or_else(
                    || format!("use one of {}", names.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                Some(flaw.help(help))
            }
        };
        self.clauses.keys().filter_map(|name| flaw(name)).collect()
    }

    fn missing_clauses(&self) -> Vec<Flaw> {
        let absent = |name: &&str| !self.clauses.contains_key(*name) && *name != "id";
        let flaw = |name: &str| Flaw {
            clause: None,
            ..Flaw::new("missing-clause", name, format!("`{}` needs a clause `{name}`", self.kind))
        };
        self.kind.required().filter(absent).map(flaw).collect()
    }

    fn unknown_parameters(&self) -> Vec<Flaw> {
        let allowed = self.kind.arguments();
        let flaw = |clause: &str, name: &str| {
            Flaw::new(
                "unknown-parameter",
                clause,
                format!("a closure of `{}` cannot take `{name}`", self.kind),
            )
            .help(format!("it may take {}", allowed.join(", ")))
        };
        let closures = self.clauses.iter().map(|(name, v)| (name, Clause::new(self.files, v.clone())));
        closures
            .flat_map(|(name, clause)| {
                let wrong = |p: &&String| !allowed.contains(&p.as_str());
                clause.takes().iter().filter(wrong).map(|p| flaw(name, p)).collect::<Vec<_>>()
            })
            .collect()
    }

    fn assemble(&mut self, at: Place) -> Result<Rule, Flaw> {
        let files = self.clauses.values().map(|given| given.file).chain([at.file]).collect();
        let id = self.text("id")?.ok_or_else(|| Flaw {
            clause: None,
            ..Flaw::new("missing-clause", "id", format!("`{}` needs a clause `id`", self.kind))
        })?;
        check_id(&id)?;
        Ok(Rule {
            id: RuleId::from(id),
            doc: self.text("doc")?.unwrap_or_default(),
            source: self.text("source")?.unwrap_or_default(),
            status: self.status()?,
            kind: self.kind,
            file: at.file,
            line: at.line,
            column: at.column,
            extends: self.text("extends")?.map(RuleId::from),
            files,
            when: self.clause("when"),
            because: self.clause("because"),
            body: self.body()?,
        })
    }

    fn body(&mut self) -> Result<Body, Flaw> {
        Ok(match self.kind {
            RuleKind::Require => Body::Require {
                holds: self.needed("holds")?,
                margin: self.clause("margin"),
                relax: self.clause("relax"),
                proof: self.grades()?,
            },
            RuleKind::Prefer => Body::Prefer { score: self.needed("score")?, weight: self.clause("weight") },
            RuleKind::Rank => match self.clause("parts") {
                None => Body::Rank { score: Some(self.needed("score")?), parts: None },
                parts => Body::Rank { score: self.clause("score"), parts },
            },
            RuleKind::Note => Body::Note,
            RuleKind::Train | RuleKind::Optimise => Body::Advise(Box::new(self.advice()?)),
        })
    }

    fn advice(&mut self) -> Result<AdviceBody, Flaw> {
        Ok(AdviceBody {
            advise: self.clause("advise"),
            steps: self.clause("steps"),
            expect: self.clause("expect"),
            command: self.clause("command"),
            priority: self.priority()?,
            after: self.words("after")?.into_iter().map(RuleId::from).collect(),
            excludes: self.words("excludes")?.into_iter().map(RuleId::from).collect(),
        })
    }

    fn clause(&mut self, name: &str) -> Option<Clause> {
        self.clauses.remove(name).map(|given| Clause::new(self.files, given))
    }

    fn needed(&mut self, name: &str) -> Result<Clause, Flaw> {
        self.clause(name).ok_or_else(|| Flaw {
            clause: None,
            ..Flaw::new("missing-clause", name, format!("`{}` needs a clause `{name}`", self.kind))
        })
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, Flaw> {
        let Some(given) = self.clauses.remove(name) else { return Ok(None) };
        let text = given
            .value
            .into_string()
            .map_err(|_| Flaw::new("wrong-type", name, format!("`{name}` must be text")))?;
        Ok(Some(text))
    }

    fn status(&mut self) -> Result<Status, Flaw> {
        let Some(word) = self.text("status")? else { return Ok(Status::default()) };
        Status::read(&word).ok_or_else(|| {
            Flaw::new("unknown-status", "status", format!("`{word}` is not a status"))
                .help("use one of preview, stable, deprecated")
        })
    }

    fn priority(&mut self) -> Result<i64, Flaw> {
        let Some(given) = self.clauses.remove("priority") else { return Ok(50) };
        given
            .value
            .as_int()
            .map_err(|_| Flaw::new("wrong-type", "priority", "`priority` must be a whole number"))
    }

    fn words(&mut self, name: &str) -> Result<Vec<String>, Flaw> {
        let Some(given) = self.clauses.remove(name) else { return Ok(Vec::new()) };
        let wrong = || Flaw::new("wrong-type", name, format!("`{name}` must be a list of texts"));
        let list = given.value.try_cast::<Array>().ok_or_else(wrong)?;
        list.into_iter().map(|v| v.into_string().map_err(|_| wrong())).collect()
    }

    fn grades(&mut self) -> Result<Vec<Grade>, Flaw> {
        let all = [Grade::Measured, Grade::Calibrated, Grade::Published, Grade::Estimated];
        let read = |word: String| {
            all.into_iter().find(|g| g.as_str() == word).ok_or_else(|| {
                Flaw::new("unknown-grade", "proof", format!("`{word}` is not a grade of evidence"))
                    .help("use some of measured, calibrated, published, estimated")
            })
        };
        self.words("proof")?.into_iter().map(read).collect()
    }
}

/// Ids are lower case words joined by `-`, so that they can be typed and listed.
fn check_id(id: &str) -> Result<(), Flaw> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if !id.is_empty() && id.len() <= 80 && id.chars().all(plain) {
        return Ok(());
    }
    Err(Flaw::new("bad-id", "id", format!("`{id}` is not a rule id"))
        .help("use lower case words joined by `-`"))
}
