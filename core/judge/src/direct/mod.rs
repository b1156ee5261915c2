//! Clauses that are one plain expression over fields, evaluated without the script engine.
//!
//! Most clauses are: a comparison, a list of names, an `if`. Calling a closure through the engine costs ten times what such
//! an expression does. So it is translated once into a tree of our own, which means exactly what the engine makes of it:
//! the same fields are read in the same order, the same values come out. Wherever it would not (an overflow, two types that
//! do not go together) and wherever a clause uses anything else, the engine runs the clause.

mod evaluate;
mod operators;
mod translate;

use std::sync::Arc;

use convwise_types::Missing;
use rhai::{Dynamic, ImmutableString};

pub(crate) use operators::apply;
pub(crate) use translate::{Translations, operator};

/// An expression over `net` and `need`.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Constant(Value),
    /// A value that the closure captured, by the name of its variable; bound before it is run.
    Captured(ImmutableString),
    Field(Path),
    /// `net.has("latency")`.
    Has(Root, ImmutableString),
    Not(Box<Node>),
    Minus(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    Binary(Operator, Box<[Node; 2]>),
    /// A word in a list that is written down, or captured.
    Among(Box<Node>, Vec<ImmutableString>),
    AmongCaptured(Box<Node>, ImmutableString),
    /// A word in a set that is a field.
    InSet(Path, Box<Node>),
    If(Box<[Node; 3]>),
    /// `within` or `at_least`, a group with an interval, and the limit.
    Interval(Comparison, Path, Box<Node>),
    Clamp(Box<[Node; 3]>),
}

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    Net,
    Need,
}

/// Positions in tables, from a root on: `net.latency.ms`.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    root: Root,
    steps: Vec<usize>,
}

/// Operators of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Over,
}

/// Comparisons with an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Within,
    AtLeast,
}

/// A value that plain expressions handle.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Flag(bool),
    Whole(i64),
    Real(f64),
    Text(ImmutableString),
}

/// Why an expression gave no value.
#[derive(Debug)]
pub(crate) enum Halt {
    /// A fact that it needs is unknown.
    Missing(Arc<Missing>),
    /// The engine must run it.
    Unusual,
}

impl Value {
    fn of(value: &Dynamic) -> Option<Self> {
        let number = value.as_float().map(Self::Real).or_else(|_| value.as_int().map(Self::Whole));
        let plain = number.or_else(|_| value.as_bool().map(Self::Flag));
        plain.ok().or_else(|| value.read_lock::<ImmutableString>().map(|text| Self::Text(text.clone())))
    }
}

impl From<Value> for Dynamic {
    fn from(value: Value) -> Self {
        match value {
            Value::Flag(flag) => flag.into(),
            Value::Whole(whole) => whole.into(),
            Value::Real(real) => real.into(),
            Value::Text(text) => text.into(),
        }
    }
}

#[cfg(test)]
mod tests;
