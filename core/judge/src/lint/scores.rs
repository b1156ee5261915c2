//! Scores and weights that are written down and cannot be.

use convwise_types::{Diagnostic, Span};
use rhai::Position;

use super::syntax::literal_results;
use crate::row::number;
use crate::rule::{Clause, Rule};
use crate::ruleset::RuleSet;

pub(super) fn check(rules: &RuleSet) -> Vec<Diagnostic> {
    let clauses = |rule| Rule::clauses(rule).into_iter().map(move |(name, clause)| (rule, name, clause));
    let scored =
        rules.rules.iter().flat_map(clauses).filter(|(_, name, _)| matches!(*name, "score" | "weight"));
    scored.flat_map(|(rule, name, clause)| wrong(rules, rule, name, clause)).collect()
}

fn wrong(rules: &RuleSet, rule: &Rule, name: &'static str, clause: &Clause) -> Vec<Diagnostic> {
    let written: Vec<(f64, Option<Position>)> = match (clause, rules.body_of(clause)) {
        (Clause::Value(value), _) => number(value).map(|x| (x, None)).into_iter().collect(),
        (_, Some(body)) => literal_results(&body).into_iter().map(|(x, at)| (x, Some(at))).collect(),
        _ => Vec::new(),
    };
    let wrong = written.into_iter().filter(|(x, _)| !is_legal(name, *x));
    wrong.map(|(x, at)| placed(rules, rule, name, at, problem(rule, name, x))).collect()
}

fn is_legal(name: &str, x: f64) -> bool {
    if name == "score" { (0.0..=1.0).contains(&x) } else { x.is_finite() && x > 0.0 }
}

fn problem(rule: &Rule, name: &str, x: f64) -> Diagnostic {
    if name == "score" {
        let message = format!("the score {x} of `{}` is not between 0 and 1", rule.id);
        return Diagnostic::error("score-out-of-range", "", message)
            .with_help("scale it, or cut it off with `clamp(x, 0.0, 1.0)`");
    }
    let message = format!("the weight {x} of `{}` counts for nothing", rule.id);
    Diagnostic::error("weight-out-of-range", "", message)
        .with_help("write a weight above 0, or take the rule out")
}

fn placed(rules: &RuleSet, rule: &Rule, name: &str, at: Option<Position>, problem: Diagnostic) -> Diagnostic {
    let place = at.and_then(|at| Some((at.line()?, at.position()?)));
    match (place, rules.file_of(rule)) {
        (Some((line, column)), Some(file)) => {
            let problem = Diagnostic { file: file.shown.clone(), ..problem };
            problem.at(&file.text, Span::of_word(&file.text, line, column), "here")
        }
        _ => rules.at_rule(rule, Some(name), problem, "here"),
    }
}
