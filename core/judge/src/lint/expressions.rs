//! Checks of expressions against the field tables: misspelt fields, comparisons that can never hold, division
//! that throws the fraction away. Walks the syntax tree; runs nothing.

use convwise_script::Complaint;
use convwise_types::{Diagnostic, Span, nearest};
use rhai::{AST, ASTNode, Expr, FnCallExpr, Position};

use crate::fields::{Field, Kind, NEED, NET, Table};
use crate::vocabulary::field_complaint;

/// What names at the start of a path mean.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Roots {
    /// `net` and `need`.
    Rules,
    /// Fields themselves.
    Bare(&'static Table),
}

/// Everything wrong with the expressions of a script.
pub(crate) fn check(ast: &AST, roots: &Roots, file: &str, source: &str) -> Vec<Diagnostic> {
    let mut checker = Checker { roots: *roots, file, source, found: Vec::new() };
    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(expr)) = path.last() {
            checker.visit(expr);
        }
        true
    });
    checker.found
}

/// The variables of an expression, each with its first place.
pub(crate) fn variables(ast: &AST) -> Vec<(String, Position)> {
    let mut names: Vec<(String, Position)> = Vec::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(Expr::Variable(x, _, position))) = path.last()
            && !names.iter().any(|(n, _)| n == x.1.as_str())
        {
            names.push((x.1.to_string(), *position));
        }
        true
    });
    names
}

struct Checker<'a> {
    roots: Roots,
    file: &'a str,
    source: &'a str,
    found: Vec<Diagnostic>,
}

/// The operators that compare.
const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

impl Checker<'_> {
    fn visit(&mut self, expr: &Expr) {
        match expr {
            Expr::Dot(..) => {
                self.path(expr);
                self.named(expr);
            }
            Expr::FnCall(call, position) => self.call(call, *position),
            _ => {}
        }
    }

    fn report(&mut self, complaint: Complaint, position: Position, label: &str) {
        let (line, column) = (position.line().unwrap_or(1), position.position().unwrap_or(1));
        let problem = Diagnostic::error(&complaint.code, self.file, complaint.message).at(
            self.source,
            Span::of_word(self.source, line, column),
            label,
        );
        self.found.push(match complaint.help {
            Some(help) => problem.with_help(help),
            None => problem,
        });
    }

    /// A path that leaves the tables.
    fn path(&mut self, expr: &Expr) {
        let Some((mut table, steps)) = self.steps(expr) else { return };
        for (name, position) in steps {
            match table.field(name).map(|f| f.kind) {
                Some(Kind::Object(inner)) => table = inner,
                Some(_) => return,
                None => {
                    let complaint = field_complaint(table, name);
                    let label = format!("not a field of `{}`", table.path);
                    self.report(complaint, position, &label);
                    return;
                }
            }
        }
    }

    /// A field that is named in a text: `net.has("latency")`, `pool.best("latency.ms")`.
    fn named(&mut self, expr: &Expr) {
        let Expr::Dot(pair, ..) = expr else { return };
        let Some((method, Expr::StringConstant(path, position))) = method(&pair.rhs) else { return };
        let table = match (method, &pair.lhs) {
            ("has", _) => self.steps(expr).map(|(table, steps)| end_of(table, &steps)),
            ("best" | "worst", Expr::Variable(x, ..)) if x.1 == "pool" => Some(&NET),
            _ => None,
        };
        let Some(mut table) = table else { return };
        for name in path.split('.') {
            match table.field(name).map(|f| f.kind) {
                Some(Kind::Object(inner)) => table = inner,
                Some(_) => return,
                None => {
                    let label = format!("not a field of `{}`", table.path);
                    return self.report(field_complaint(table, name), *position, &label);
                }
            }
        }
    }

    /// The table that a dotted path starts in, and its properties with their places.
    fn steps<'e>(&self, expr: &'e Expr) -> Option<(&'static Table, Vec<(&'e str, Position)>)> {
        let Expr::Dot(pair, ..) = expr else { return None };
        let Expr::Variable(x, ..) = &pair.lhs else { return None };
        let table = match (self.roots, x.1.as_str()) {
            (Roots::Rules, "net") => &NET,
            (Roots::Rules, "need") => &NEED,
            (Roots::Rules, _) => return None,
            (Roots::Bare(table), name) => match table.field(name)?.kind {
                Kind::Object(inner) => inner,
                _ => return None,
            },
        };
        let mut steps = Vec::new();
        let mut rest = &pair.rhs;
        loop {
            match rest {
                Expr::Property(x, position) => {
                    steps.push((x.2.as_str(), *position));
                    return Some((table, steps));
                }
                Expr::Dot(inner, ..) => {
                    let Expr::Property(x, position) = &inner.lhs else { return Some((table, steps)) };
                    steps.push((x.2.as_str(), *position));
                    rest = &inner.rhs;
                }
                _ => return Some((table, steps)),
            }
        }
    }

    fn call(&mut self, call: &FnCallExpr, position: Position) {
        let [left, right] = call.args.as_slice() else { return };
        match call.name.as_str() {
            "/" => self.division(left, right, position),
            "contains" => self.membership(left, right),
            op if COMPARISONS.contains(&op) => {
                self.comparison(op, left, right, position);
                self.closed_word(op, left, right);
                self.closed_word(op, right, left);
            }
            _ => {}
        }
    }

    fn division(&mut self, left: &Expr, right: &Expr, position: Position) {
        if self.shape(left) != Some(Shape::Whole) || self.shape(right) != Some(Shape::Whole) {
            return;
        }
        let complaint =
            Complaint::new("integer-division", "dividing two whole numbers throws the fraction away")
                .with_help("write one of them as a real number: `1.0` for `1`, `x * 1.0` for a field");
        self.report(complaint, position, "whole-number division");
    }

    fn comparison(&mut self, op: &str, left: &Expr, right: &Expr, position: Position) {
        let (Some(a), Some(b)) = (self.shape(left), self.shape(right)) else { return };
        if a.class() == b.class() {
            return;
        }
        let message = format!("`{op}` compares {} with {}; that is never decided", a.noun(), b.noun());
        let complaint =
            Complaint::new("impossible-comparison", message).with_help("compare values of one type");
        self.report(complaint, position, "of two types");
    }

    /// A field with a closed list of words against a word that is not on it.
    fn closed_word(&mut self, op: &str, field: &Expr, literal: &Expr) {
        let (Some(field), Expr::StringConstant(word, position)) = (self.field(field), literal) else {
            return;
        };
        if op == "==" || op == "!=" {
            self.word(field, word, *position);
        }
    }

    /// `field in [words]`.
    fn membership(&mut self, list: &Expr, item: &Expr) {
        let (Some(field), Expr::Array(words, _)) = (self.field(item), list) else { return };
        for word in words {
            if let Expr::StringConstant(text, position) = word {
                self.word(field, text, *position);
            }
        }
    }

    fn word(&mut self, field: &Field, word: &str, position: Position) {
        let Kind::Word(vocabulary) = field.kind else { return };
        let known = vocabulary();
        if known.contains(&word) {
            return;
        }
        let message = format!("`{}` is never \"{word}\"", field.name);
        let help = match nearest(word, known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("it is one of {}", known.join(", ")),
        };
        let complaint = Complaint::new("impossible-comparison", message).with_help(help);
        self.report(complaint, position, "not one of its words");
    }

    /// The field that an expression is, if it is one.
    fn field(&self, expr: &Expr) -> Option<&'static Field> {
        if let (Roots::Bare(table), Expr::Variable(x, ..)) = (self.roots, expr) {
            return table.field(&x.1);
        }
        let (mut table, steps) = self.steps(expr)?;
        let mut field = None;
        for (name, _) in steps {
            let found = table.field(name)?;
            field = Some(found);
            if let Kind::Object(inner) = found.kind {
                table = inner;
            }
        }
        field
    }

    fn shape(&self, expr: &Expr) -> Option<Shape> {
        match expr {
            Expr::IntegerConstant(..) => Some(Shape::Whole),
            Expr::FloatConstant(..) => Some(Shape::Real),
            Expr::StringConstant(..) | Expr::InterpolatedString(..) => Some(Shape::Text),
            Expr::BoolConstant(..) => Some(Shape::Flag),
            _ => Shape::of(self.field(expr)?.kind),
        }
    }
}

/// The method at the end of a dotted path, and its first argument.
fn method(mut rest: &Expr) -> Option<(&str, &Expr)> {
    loop {
        match rest {
            Expr::Dot(inner, ..) => rest = &inner.rhs,
            Expr::MethodCall(call, _) => return Some((call.name.as_str(), call.args.first()?)),
            _ => return None,
        }
    }
}

/// The table that a path of groups leads to.
fn end_of(table: &'static Table, steps: &[(&str, Position)]) -> &'static Table {
    steps.iter().fold(table, |table, (name, _)| match table.field(name).map(|f| f.kind) {
        Some(Kind::Object(inner)) => inner,
        _ => table,
    })
}

/// The type of an expression, as far as it is known without running it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Whole,
    Real,
    Text,
    Flag,
    Set,
    Group,
}

impl Shape {
    fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Flag => Self::Flag,
            Kind::Whole => Self::Whole,
            Kind::Real => Self::Real,
            Kind::Text | Kind::Word(_) => Self::Text,
            Kind::Words => Self::Set,
            Kind::Object(_) => Self::Group,
        })
    }

    /// Whole and real numbers compare with each other.
    fn class(self) -> Self {
        if self == Self::Whole { Self::Real } else { self }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Whole | Self::Real => "a number",
            Self::Text => "text",
            Self::Flag => "true or false",
            Self::Set => "a set of words",
            Self::Group => "a group of fields",
        }
    }
}
