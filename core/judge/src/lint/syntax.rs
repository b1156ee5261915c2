//! Clauses as syntax: what a closure mentions, and the expressions that may be its value.

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::rule::Clause;
use crate::ruleset::RuleSet;

impl RuleSet {
    /// The body of a clause that is a closure.
    pub(super) fn body_of(&self, clause: &Clause) -> Option<AST> {
        match clause {
            Clause::Value(_) => None,
            Clause::Call(call) => self.files.get(call.file).map(|file| call.closure.body(&file.ast)),
        }
    }
}

/// Whether a body mentions one of the variables.
pub(super) fn mentions(body: &AST, names: &[String]) -> bool {
    let mut found = false;
    body.walk(&mut |path| {
        if let Some(ASTNode::Expr(Expr::Variable(x, ..))) = path.last() {
            found |= names.iter().any(|name| *name == x.1.as_str());
        }
        !found
    });
    found
}

/// The numbers that a body gives where it gives one that is written down, each with its place.
pub(super) fn literal_results(body: &AST) -> Vec<(f64, Position)> {
    let mut last = None;
    body.walk(&mut |path| {
        if let [ASTNode::Stmt(statement)] = path {
            last = Some((*statement).clone());
        }
        true
    });
    let mut found = Vec::new();
    if let Some(statement) = last {
        of_statement(&statement, &mut found);
    }
    found
}

fn of_statement(statement: &Stmt, found: &mut Vec<(f64, Position)>) {
    match statement {
        Stmt::Expr(expr) => of_expression(expr, found),
        Stmt::Block(block) => of_last(block.statements(), found),
        Stmt::If(flow, _) => {
            of_last(flow.body.statements(), found);
            of_last(flow.branch.statements(), found);
        }
        Stmt::FnCall(call, position) => found.extend(negative(call).map(|x| (x, *position))),
        _ => {}
    }
}

fn of_last(statements: &[Stmt], found: &mut Vec<(f64, Position)>) {
    if let Some(last) = statements.last() {
        of_statement(last, found);
    }
}

fn of_expression(expr: &Expr, found: &mut Vec<(f64, Position)>) {
    match expr {
        Expr::Stmt(block) => of_last(block.statements(), found),
        _ => found.extend(literal(expr).map(|x| (x, expr.position()))),
    }
}

/// A number that is written down.
#[expect(clippy::cast_precision_loss, reason = "compared with 0 and 1")]
fn literal(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::FloatConstant(x, _) => Some(**x),
        Expr::IntegerConstant(n, _) => Some(*n as f64),
        Expr::FnCall(call, _) => negative(call),
        _ => None,
    }
}

fn negative(call: &FnCallExpr) -> Option<f64> {
    match (call.name.as_str(), call.args.as_slice()) {
        ("-", [only]) => literal(only).map(|x| -x),
        _ => None,
    }
}
