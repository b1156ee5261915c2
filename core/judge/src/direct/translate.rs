//! The syntax tree of a rule file -> expressions that need no engine.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{
    AST, ASTFlags, ASTNode, Array, Dynamic, Expr, FnCallExpr, FnPtr, ImmutableString, Position, Stmt,
};

use super::{Comparison, Node, Operator, Path, Root, Value};
use crate::fields::{Kind, NEED, NET, Table};

/// The bodies of a file's closures that are plain, by where they stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Translations(BTreeMap<(usize, usize), Node>);

impl Translations {
    /// Translates what can be in a file.
    pub fn of(ast: &AST) -> Self {
        let own: BTreeSet<&str> = ast.iter_functions().map(|f| f.name).collect();
        let mut found = BTreeMap::new();
        ast.walk(&mut |path| {
            // A body of one statement that is no block stands where its statement does.
            if let [ASTNode::Stmt(statement)] = path
                && let (Some(at), Some(node)) = (place(statement.position()), translate(statement, &own))
            {
                found.insert(at, node);
            }
            true
        });
        Self(found)
    }

    /// The body of a closure of this file, with what it captured.
    pub fn closure(&self, ast: &AST, pointer: &FnPtr) -> Option<Node> {
        let arity = ast.iter_functions().find(|f| f.name == pointer.fn_name())?.params.len();
        let definition = ast.shared_lib().get_script_fn(pointer.fn_name(), arity)?;
        let node = self.0.get(&place(definition.body.start_position())?)?;
        let captured = definition.params.iter().zip(pointer.curry());
        bound(node.clone(), &captured.collect::<Vec<_>>())
    }
}

fn place(position: Position) -> Option<(usize, usize)> {
    position.line().zip(position.position())
}

fn translate(statement: &Stmt, own: &BTreeSet<&str>) -> Option<Node> {
    Translator { own }.statement(statement)
}

/// Translates one body; `None` as soon as anything in it is not plain.
struct Translator<'a> {
    /// Functions that the file defines: they come before the program's.
    own: &'a BTreeSet<&'a str>,
}

impl Translator<'_> {
    fn statement(&self, statement: &Stmt) -> Option<Node> {
        match statement {
            Stmt::Expr(expr) => self.expression(expr),
            Stmt::FnCall(call, _) => self.call(call),
            Stmt::If(parts, _) => {
                let [condition, yes, no] = [
                    self.expression(&parts.expr),
                    self.block(parts.body.statements()),
                    self.block(parts.branch.statements()),
                ];
                Some(Node::If(Box::new([condition?, yes?, no?])))
            }
            _ => None,
        }
    }

    /// A block of one statement.
    fn block(&self, statements: &[Stmt]) -> Option<Node> {
        let [only] = statements else { return None };
        self.statement(only)
    }

    fn expression(&self, expr: &Expr) -> Option<Node> {
        match expr {
            Expr::BoolConstant(flag, _) => Some(Node::Constant(Value::Flag(*flag))),
            Expr::IntegerConstant(whole, _) => Some(Node::Constant(Value::Whole(*whole))),
            Expr::FloatConstant(real, _) => Some(Node::Constant(Value::Real(**real))),
            Expr::StringConstant(text, _) => Some(Node::Constant(Value::Text(text.clone()))),
            Expr::Variable(x, ..) if root(&x.1).is_none() => Some(Node::Captured(x.1.clone())),
            Expr::Dot(..) => self.has(expr).or_else(|| path(expr).map(|(path, _)| Node::Field(path))),
            Expr::And(all, _) => self.all(all).map(Node::And),
            Expr::Or(all, _) => self.all(all).map(Node::Or),
            Expr::FnCall(call, _) => self.call(call),
            Expr::Stmt(block) => self.block(block.statements()),
            _ => None,
        }
    }

    fn all(&self, all: &[Expr]) -> Option<Vec<Node>> {
        all.iter().map(|one| self.expression(one)).collect()
    }

    /// `net.has("latency")`.
    fn has(&self, expr: &Expr) -> Option<Node> {
        let Expr::Dot(pair, flags, _) = expr else { return None };
        let (Expr::Variable(x, ..), Expr::MethodCall(call, _)) = (&pair.lhs, &pair.rhs) else { return None };
        let [Expr::StringConstant(path, _)] = call.args.as_slice() else { return None };
        (call.name == "has" && !self.own.contains("has") && is_plain(*flags)).then_some(())?;
        Some(Node::Has(root(&x.1)?, path.clone()))
    }

    fn call(&self, call: &FnCallExpr) -> Option<Node> {
        if self.own.contains(call.name.as_str()) || !call.namespace.is_empty() {
            return None;
        }
        match (call.name.as_str(), call.args.as_slice()) {
            ("!", [of]) => Some(Node::Not(Box::new(self.expression(of)?))),
            ("-", [of]) => Some(Node::Minus(Box::new(self.expression(of)?))),
            ("contains", [list, word]) => self.membership(list, word),
            ("within", [group, limit]) => self.interval(Comparison::Within, group, limit),
            ("at_least", [group, limit]) => self.interval(Comparison::AtLeast, group, limit),
            ("clamp", [x, low, high]) => {
                let [x, low, high] = [x, low, high].map(|e| self.expression(e));
                Some(Node::Clamp(Box::new([x?, low?, high?])))
            }
            (name, [a, b]) => {
                let [a, b] = [a, b].map(|e| self.expression(e));
                Some(Node::Binary(operator(name)?, Box::new([a?, b?])))
            }
            _ => None,
        }
    }

    fn membership(&self, list: &Expr, word: &Expr) -> Option<Node> {
        match list {
            Expr::Array(items, _) => {
                let text =
                    |e: &Expr| if let Expr::StringConstant(text, _) = e { Some(text.clone()) } else { None };
                let words: Option<Vec<ImmutableString>> = items.iter().map(text).collect();
                Some(Node::Among(Box::new(self.expression(word)?), words?))
            }
            Expr::Variable(x, ..) if root(&x.1).is_none() => {
                Some(Node::AmongCaptured(Box::new(self.expression(word)?), x.1.clone()))
            }
            _ => match path(list)? {
                (path, Kind::Words) => Some(Node::InSet(path, Box::new(self.expression(word)?))),
                _ => None,
            },
        }
    }

    fn interval(&self, comparison: Comparison, group: &Expr, limit: &Expr) -> Option<Node> {
        let (path, Kind::Object(_)) = path(group)? else { return None };
        Some(Node::Interval(comparison, path, Box::new(self.expression(limit)?)))
    }
}

/// The operator of two values that a function of the engine is.
pub(crate) fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        "==" => Operator::Equal,
        "!=" => Operator::NotEqual,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        "+" => Operator::Plus,
        "-" => Operator::Minus,
        "*" => Operator::Times,
        "/" => Operator::Over,
        _ => return None,
    })
}

fn root(name: &str) -> Option<Root> {
    match name {
        "net" => Some(Root::Net),
        "need" => Some(Root::Need),
        _ => None,
    }
}

/// A dotted path that stays in the tables, with the type of its end.
fn path(expr: &Expr) -> Option<(Path, Kind)> {
    let Expr::Dot(pair, flags, _) = expr else { return None };
    let Expr::Variable(x, ..) = &pair.lhs else { return None };
    let root = root(&x.1).filter(|_| is_plain(*flags))?;
    let mut table = match root {
        Root::Net => &NET,
        Root::Need => &NEED,
    };
    let (mut steps, mut rest) = (Vec::new(), &pair.rhs);
    loop {
        let (name, next) = match rest {
            Expr::Property(x, _) => (&x.2, None),
            Expr::Dot(inner, flags, _) if is_plain(*flags) => match &inner.lhs {
                Expr::Property(x, _) => (&x.2, Some(&inner.rhs)),
                _ => return None,
            },
            _ => return None,
        };
        let kind = step(&mut table, name, &mut steps)?;
        match next {
            None => return Some((Path { root, steps }, kind)),
            Some(next) => rest = next,
        }
    }
}

/// Not `?.`, which stops at nothing without a word.
fn is_plain(flags: ASTFlags) -> bool {
    !flags.contains(ASTFlags::NEGATED)
}

fn step(table: &mut &'static Table, name: &str, steps: &mut Vec<usize>) -> Option<Kind> {
    let at = table.position(name)?;
    steps.push(at);
    let kind = table.fields.get(at)?.kind;
    if let Kind::Object(inner) = kind {
        *table = inner;
    }
    Some(kind)
}

/// The node with captured names replaced by their values.
fn bound(node: Node, captured: &[(&ImmutableString, &Dynamic)]) -> Option<Node> {
    let value =
        |name: &ImmutableString| captured.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).flatten_clone());
    let one = |node: Box<Node>| bound(*node, captured).map(Box::new);
    let many = |nodes: Vec<Node>| nodes.into_iter().map(|n| bound(n, captured)).collect::<Option<Vec<_>>>();
    let two = |nodes: Box<[Node; 2]>| {
        let [a, b] = nodes.map(|n| bound(n, captured));
        Some(Box::new([a?, b?]))
    };
    let three = |nodes: Box<[Node; 3]>| {
        let [a, b, c] = nodes.map(|n| bound(n, captured));
        Some(Box::new([a?, b?, c?]))
    };
    Some(match node {
        Node::Captured(name) => Node::Constant(Value::of(&value(&name)?)?),
        Node::AmongCaptured(word, name) => Node::Among(one(word)?, words(value(&name)?)?),
        Node::Not(of) => Node::Not(one(of)?),
        Node::Minus(of) => Node::Minus(one(of)?),
        Node::And(all) => Node::And(many(all)?),
        Node::Or(all) => Node::Or(many(all)?),
        Node::Binary(operator, pair) => Node::Binary(operator, two(pair)?),
        Node::Among(word, list) => Node::Among(one(word)?, list),
        Node::InSet(set, word) => Node::InSet(set, one(word)?),
        Node::If(parts) => Node::If(three(parts)?),
        Node::Interval(comparison, group, limit) => Node::Interval(comparison, group, one(limit)?),
        Node::Clamp(parts) => Node::Clamp(three(parts)?),
        plain @ (Node::Constant(_) | Node::Field(_) | Node::Has(..)) => plain,
    })
}

fn words(list: Dynamic) -> Option<Vec<ImmutableString>> {
    let list = list.try_cast::<Array>()?;
    list.into_iter().map(|word| word.into_immutable_string().ok()).collect()
}
