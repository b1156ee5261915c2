//! Calls a clause of a rule: a value, a missing fact, or an error.

use std::sync::Arc;

use convwise_script::diagnose;
use convwise_types::{Diagnostic, Missing};
use rhai::{Array, Dynamic, EvalAltResult};

use crate::direct::Halt;
use crate::fields::Cell;
use crate::ledger::overdrawn;
use crate::row::{Row, View, number};
use crate::rule::{Call, Clause};
use crate::ruleset::{RuleFile, RuleSet};
use crate::vocabulary::MissingFact;

/// What a closure may take.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub need: Dynamic,
    pub net: Option<Dynamic>,
    pub pool: Option<Dynamic>,
}

impl Scene {
    /// A request alone.
    pub fn request(need: &Arc<Row>) -> Self {
        Self { need: Dynamic::from(View(Arc::clone(need))), net: None, pool: None }
    }

    /// The same request with a candidate.
    pub fn with(&self, net: Arc<Row>) -> Self {
        Self { net: Some(Dynamic::from(View(net))), ..self.clone() }
    }

    /// The cell at a path that begins with `need` or `net`.
    pub fn cell(&self, path: &str) -> Option<Cell> {
        let (root, rest) = path.split_once('.')?;
        self.argument(root)?.read_lock::<View>()?.0.at(rest)
    }

    fn argument(&self, name: &str) -> Option<Dynamic> {
        match name {
            "need" => Some(self.need.clone()),
            "net" => self.net.clone(),
            "pool" => self.pool.clone(),
            _ => None,
        }
    }
}

/// Why a clause gave no value.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// A fact it needs is unknown.
    Missing(Arc<Missing>),
    /// The script raised an error.
    Error(Arc<Diagnostic>),
    /// The script ran out of its budget; it would for other candidates too, and cost as much each time.
    Exhausted(Arc<Diagnostic>),
}

impl Stop {
    pub(crate) fn error(code: &str, message: impl Into<String>) -> Self {
        Self::Error(Arc::new(Diagnostic::error(code, "", message)))
    }
}

/// One line of a diagnostic, for a finding.
pub(crate) fn one_line(problem: &Diagnostic) -> String {
    let place = problem.label.as_ref().map(|l| format!(" (line {}, column {})", l.span.line, l.span.column));
    let help = problem.help.as_ref().map(|h| format!("; {h}"));
    format!("{}{}{}", problem.message, place.unwrap_or_default(), help.unwrap_or_default())
}

impl RuleSet {
    /// Calls a clause.
    pub(crate) fn call(&self, clause: &Clause, scene: &Scene) -> Result<Dynamic, Stop> {
        let call = match clause {
            Clause::Value(value) => return Ok(value.clone()),
            Clause::Call(call) => call,
        };
        let file = self.files.get(call.file).ok_or_else(|| Stop::error("script", "the rule has no file"))?;
        if file.ledger.is_overdrawn() {
            return Err(Stop::Exhausted(overdrawn(&file.shown)));
        }
        match call.plain.as_ref().map(|node| node.evaluate(scene)) {
            Some(Ok(value)) => Ok(value.into()),
            Some(Err(Halt::Missing(missing))) => Err(Stop::Missing(missing)),
            Some(Err(Halt::Unusual)) | None => self.run(call, file, scene),
        }
    }

    /// Runs a closure in the engine.
    pub(crate) fn run(&self, call: &Call, file: &RuleFile, scene: &Scene) -> Result<Dynamic, Stop> {
        file.ledger
            .charge(|| call.closure.call(&self.engine, &file.ast, |name| scene.argument(name)))
            .map_err(|error| self.stop(&error, &file.shown))
    }

    fn stop(&self, error: &EvalAltResult, file: &str) -> Stop {
        if let Some(missing) = MissingFact::behind(error) {
            return Stop::Missing(missing);
        }
        // When the clock stops a script, chance decides where and after how long: neither is said.
        if matches!(error.unwrap_inner(), EvalAltResult::ErrorTerminated(..)) {
            let problem = Diagnostic::error("limit", file, "it took too long and was stopped");
            return Stop::Exhausted(Arc::new(problem.with_help("handle less in one call")));
        }
        let problem = Arc::new(diagnose(error, file, &self.sources, &self.engine));
        if error.unwrap_inner().is_system_exception() || is_exhausted(error.unwrap_inner()) {
            Stop::Exhausted(problem)
        } else {
            Stop::Error(problem)
        }
    }

    /// A clause that is true or false.
    pub(crate) fn flag(&self, clause: &Clause, scene: &Scene) -> Result<bool, Stop> {
        let value = self.call(clause, scene)?;
        value.as_bool().map_err(|found| wrong_type("true or false", found))
    }

    /// A clause that is a finite number.
    pub(crate) fn number(&self, clause: &Clause, scene: &Scene) -> Result<f64, Stop> {
        let value = self.call(clause, scene)?;
        let real = number(&value).ok_or_else(|| wrong_type("a number", value.type_name()))?;
        if real.is_finite() {
            Ok(real)
        } else {
            Err(Stop::error("not-a-number", format!("the result is {real}")))
        }
    }

    /// A clause that is a score.
    pub(crate) fn score(&self, clause: &Clause, scene: &Scene) -> Result<f64, Stop> {
        let score = self.number(clause, scene)?;
        if (0.0..=1.0).contains(&score) {
            return Ok(score);
        }
        Err(Stop::error("score-out-of-range", format!("the score {score} is not between 0 and 1")))
    }

    /// A clause that is text.
    pub(crate) fn text(&self, clause: &Clause, scene: &Scene) -> Result<String, Stop> {
        let value = self.call(clause, scene)?;
        let found = value.type_name();
        value.into_string().map_err(|_| wrong_type("text", found))
    }

    /// A clause that is a list of texts, or one text.
    pub(crate) fn sentences(&self, clause: &Clause, scene: &Scene) -> Result<Vec<String>, Stop> {
        let value = self.call(clause, scene)?;
        if let Ok(one) = value.clone().into_string() {
            return Ok(vec![one]);
        }
        let found = value.type_name();
        let list = value.try_cast::<Array>().ok_or_else(|| wrong_type("a list of sentences", found))?;
        list.into_iter()
            .map(|v| v.into_string().map_err(|_| wrong_type("a list of sentences", found)))
            .collect()
    }
}

fn is_exhausted(error: &EvalAltResult) -> bool {
    matches!(
        error,
        EvalAltResult::ErrorTooManyOperations(_)
            | EvalAltResult::ErrorStackOverflow(_)
            | EvalAltResult::ErrorDataTooLarge(..)
    )
}

fn wrong_type(wanted: &str, found: &str) -> Stop {
    let found = convwise_script::type_in_words(found);
    Stop::error("wrong-type", format!("the clause must give {wanted}, it gave {found}"))
}
