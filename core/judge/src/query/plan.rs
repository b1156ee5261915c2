//! The parts of an expression that can be decided column by column: comparisons of a field with a value, joined by `&&`,
//! `||` and `!`. Everything else stays a script and is asked row by row.

use convwise_types::listing::Item;
use rhai::{AST, Expr, FnCallExpr, Module, Stmt};

use super::computed::Term;
use crate::direct::Value;
use crate::fields::{Field, Kind, Table};

/// A condition.
#[derive(Debug)]
pub(super) enum Plan {
    /// Holds where all do; the rest is not looked at where one does not.
    And(Vec<Self>),
    /// Holds where one does; the rest is not looked at there.
    Or(Vec<Self>),
    /// Holds where it does not.
    Not(Box<Self>),
    /// A field is true.
    Flag(&'static str),
    /// A field compared with a value.
    Compare(&'static str, Comparison, Item),
    /// A field has one of some values.
    Among(&'static str, Vec<Item>),
    /// A set of words has a word.
    Has(&'static str, String),
    /// Numbers that are computed from fields, compared; where that is unusual, the script is asked.
    Computed(Term, AST),
    /// The same for every row.
    Always(bool),
    /// Asked row by row.
    Script(AST),
}

/// How a field is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Comparison {
    pub fn of(operator: &str) -> Option<Self> {
        Some(match operator {
            "==" => Self::Equal,
            "!=" => Self::Unequal,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::Greater,
            ">=" => Self::AtLeast,
            _ => return None,
        })
    }

    /// The same with the sides exchanged.
    fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::AtMost => Self::AtLeast,
            Self::Greater => Self::Less,
            Self::AtLeast => Self::AtMost,
            same => same,
        }
    }
}

/// The plan of an expression over a table.
pub(super) fn plan(ast: &AST, table: &'static Table) -> Plan {
    match ast.statements() {
        [Stmt::Expr(expr)] => of(expr, table),
        _ => Plan::Script(ast.clone()),
    }
}

fn of(expr: &Expr, table: &'static Table) -> Plan {
    direct(expr, table).unwrap_or_else(|| Plan::Script(script(expr)))
}

fn script(expr: &Expr) -> AST {
    AST::new([Stmt::Expr(Box::new(expr.clone()))], Module::new())
}

fn direct(expr: &Expr, table: &'static Table) -> Option<Plan> {
    match expr {
        Expr::And(parts, _) => Some(Plan::And(parts.iter().map(|part| of(part, table)).collect())),
        Expr::Or(parts, _) => Some(Plan::Or(parts.iter().map(|part| of(part, table)).collect())),
        Expr::BoolConstant(value, _) => Some(Plan::Always(*value)),
        Expr::Variable(..) => {
            let field = field(expr, table)?;
            matches!(field.kind, Kind::Flag).then_some(Plan::Flag(field.name))
        }
        Expr::FnCall(call, _) => {
            called(call, table).or_else(|| Some(Plan::Computed(Term::comparison(call, table)?, script(expr))))
        }
        _ => None,
    }
}

fn called(call: &FnCallExpr, table: &'static Table) -> Option<Plan> {
    if call.is_qualified() {
        return None;
    }
    match (call.name.as_str(), call.args.as_slice()) {
        ("!", [inner]) => Some(Plan::Not(Box::new(of(inner, table)))),
        ("contains", [Expr::Array(values, _), item]) => among(values, field(item, table)?),
        ("contains", [set, Expr::StringConstant(word, _)]) => {
            let field = field(set, table)?;
            matches!(field.kind, Kind::Words).then(|| Plan::Has(field.name, word.to_string()))
        }
        (operator, [left, right]) => {
            let comparison = Comparison::of(operator)?;
            let (field, value, comparison) = match (field(left, table), field(right, table)) {
                (Some(field), None) => (field, literal(right)?, comparison),
                (None, Some(field)) => (field, literal(left)?, comparison.mirrored()),
                _ => return None,
            };
            fits(field, &value, comparison).then_some(Plan::Compare(field.name, comparison, value))
        }
        _ => None,
    }
}

fn among(values: &[Expr], field: &'static Field) -> Option<Plan> {
    let values = values.iter().map(literal).collect::<Option<Vec<_>>>()?;
    let all = values.iter().all(|value| fits(field, value, Comparison::Equal));
    all.then_some(Plan::Among(field.name, values))
}

pub(super) fn field(expr: &Expr, table: &'static Table) -> Option<&'static Field> {
    let Expr::Variable(variable, ..) = expr else { return None };
    table.field(&variable.1)
}

fn literal(expr: &Expr) -> Option<Item> {
    match expr {
        Expr::IntegerConstant(value, _) => Some(Item::Whole(*value)),
        Expr::FloatConstant(value, _) => Some(Item::Real(**value)),
        Expr::StringConstant(value, _) => Some(Item::Text(value.to_string())),
        Expr::BoolConstant(value, _) => Some(Item::Flag(*value)),
        Expr::FnCall(call, _) if call.name == "-" => match call.args.as_slice() {
            [Expr::IntegerConstant(value, _)] => Some(Item::Whole(value.checked_neg()?)),
            [Expr::FloatConstant(value, _)] => Some(Item::Real(-**value)),
            _ => None,
        },
        _ => None,
    }
}

/// A number that is written down.
pub(super) fn literal_number(expr: &Expr) -> Option<Value> {
    match literal(expr)? {
        Item::Whole(whole) => Some(Value::Whole(whole)),
        Item::Real(real) => Some(Value::Real(real)),
        Item::Unknown | Item::Text(_) | Item::Flag(_) => None,
    }
}

/// Whether a field can be compared with a value without a word to be said about it.
fn fits(field: &Field, value: &Item, comparison: Comparison) -> bool {
    match (field.kind, value) {
        (Kind::Text | Kind::Word(_), Item::Text(_)) => true,
        (Kind::Whole | Kind::Real, Item::Whole(_) | Item::Real(_)) => true,
        (Kind::Flag, Item::Flag(_)) => matches!(comparison, Comparison::Equal | Comparison::Unequal),
        _ => false,
    }
}
