//! Conditions that ask nothing, and comparisons with what can never be seen.

use convwise_types::{Diagnostic, Span};
use rhai::{AST, ASTNode, Expr, Position, Stmt};

use super::syntax::mentions;
use crate::rule::{Clause, Rule};
use crate::ruleset::{RuleFile, RuleSet};

/// Clauses that are conditions.
const CONDITIONS: [&str; 2] = ["when", "holds"];

pub(super) fn check(rules: &RuleSet) -> Vec<Diagnostic> {
    let clauses = rules.rules.iter().flat_map(|rule| constant_clauses(rules, rule));
    let files = rules.files.iter().flat_map(|file| Walk::over(&file.ast, file));
    clauses.chain(files).collect()
}

/// `when` and `holds` that are written down or look at nothing that they are given.
fn constant_clauses(rules: &RuleSet, rule: &Rule) -> Vec<Diagnostic> {
    let conditions = rule.clauses().into_iter().filter(|(name, _)| CONDITIONS.contains(name));
    let constant = conditions.filter(|(_, clause)| is_constant(rules, clause));
    constant
        .map(|(name, _)| {
            let message = format!("`{name}` of `{}` is always the same", rule.id);
            let help = if name == "when" {
                "take it out, or ask something of `need` or `net`"
            } else {
                "ask something of `net` or `need`"
            };
            let problem = Diagnostic::error("constant-condition", "", message).with_help(help);
            rules.at_rule(rule, Some(name), problem, "looks at nothing")
        })
        .collect()
}

fn is_constant(rules: &RuleSet, clause: &Clause) -> bool {
    match rules.body_of(clause) {
        None => true,
        Some(body) => !mentions(&body, clause.takes()),
    }
}

/// One pass over the syntax of a file.
struct Walk<'a> {
    file: &'a RuleFile,
    found: Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    fn over(ast: &AST, file: &'a RuleFile) -> Vec<Diagnostic> {
        let mut walk = Self { file, found: Vec::new() };
        ast.walk(&mut |path| {
            match path.last() {
                Some(ASTNode::Expr(expr)) => walk.expression(expr),
                Some(ASTNode::Stmt(Stmt::If(flow, _))) => walk.condition(&flow.expr),
                Some(ASTNode::Stmt(Stmt::FnCall(call, position))) => {
                    walk.comparison(&call.name, &call.args, *position);
                }
                _ => {}
            }
            true
        });
        walk.found
    }

    fn expression(&mut self, expr: &Expr) {
        match expr {
            Expr::FnCall(call, position) => self.comparison(&call.name, &call.args, *position),
            Expr::Coalesce(parts, position) if parts.first().is_some_and(is_field) => {
                self.missing("`??`", *position);
            }
            Expr::And(parts, _) | Expr::Or(parts, _) => parts.iter().for_each(|part| self.condition(part)),
            _ => {}
        }
    }

    /// A condition, or a part of one, without anything that could change.
    fn condition(&mut self, expr: &Expr) {
        if is_written_down(expr) {
            let help = "ask something of `net` or `need`, or take the condition out";
            self.report("constant-condition", "the condition is always the same", help, expr.position());
        }
    }

    fn comparison(&mut self, operator: &str, operands: &[Expr], position: Position) {
        let compares = matches!(operator, "==" | "!=") && operands.iter().any(|o| matches!(o, Expr::Unit(_)));
        if compares && operands.iter().any(is_field) {
            self.missing(&format!("`{operator} ()`"), position);
        }
    }

    fn missing(&mut self, what: &str, position: Position) {
        let message = format!("{what} never sees a missing value: reading one ends the rule as undecided");
        self.report("comparison-with-missing", &message, "ask first: `net.has(\"latency\")`", position);
    }

    fn report(&mut self, code: &str, message: &str, help: &str, position: Position) {
        let (line, column) = (position.line().unwrap_or(1), position.position().unwrap_or(1));
        let span = Span::of_word(&self.file.text, line, column);
        let problem = Diagnostic::error(code, &self.file.shown, message);
        self.found.push(problem.at(&self.file.text, span, "here").with_help(help));
    }
}

/// Whether an expression reads a field of the candidate or the request.
fn is_field(expr: &Expr) -> bool {
    let Expr::Dot(pair, ..) = expr else { return false };
    matches!(&pair.lhs, Expr::Variable(x, ..) if matches!(x.1.as_str(), "net" | "need"))
}

/// Whether an expression is made of literals alone.
fn is_written_down(expr: &Expr) -> bool {
    match expr {
        Expr::FnCall(call, _) => {
            call.op_token.is_some() && !call.args.is_empty() && call.args.iter().all(is_written_down)
        }
        Expr::And(parts, _) | Expr::Or(parts, _) => parts.iter().all(is_written_down),
        _ => expr.is_constant(),
    }
}
