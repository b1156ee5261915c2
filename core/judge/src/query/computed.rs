//! Arithmetic over numeric fields, compared: `ci_high_ms - ci_low_ms > 0.05 * median_ms`.

use convwise_types::listing::{Column, Columns};
use rhai::{Expr, FnCallExpr};

use super::plan::{Comparison, field, literal_number};
use crate::direct::{Operator, Value, apply, operator};
use crate::fields::{Kind, Table};

/// A number in the making.
#[derive(Debug)]
pub(super) enum Term {
    Field(&'static str),
    Literal(Value),
    Operation(Operator, Box<[Self; 2]>),
}

/// What a term is in a row.
pub(super) enum Computed {
    Known(Value),
    /// A field is unknown.
    Unknown,
    /// The engine must say: an overflow, a division by zero.
    Unusual,
}

impl Term {
    /// A comparison of two numbers.
    pub fn comparison(call: &FnCallExpr, table: &'static Table) -> Option<Self> {
        let compares = Comparison::of(&call.name).is_some();
        if compares && !call.is_qualified() { Self::operation(call, table) } else { None }
    }

    fn operation(call: &FnCallExpr, table: &'static Table) -> Option<Self> {
        let [a, b] = call.args.as_slice() else { return None };
        let pair = [Self::number(a, table)?, Self::number(b, table)?];
        Some(Self::Operation(operator(&call.name)?, Box::new(pair)))
    }

    fn number(expr: &Expr, table: &'static Table) -> Option<Self> {
        if let Some(field) = field(expr, table) {
            return matches!(field.kind, Kind::Whole | Kind::Real).then_some(Self::Field(field.name));
        }
        if let Some(literal) = literal_number(expr) {
            return Some(Self::Literal(literal));
        }
        let Expr::FnCall(call, _) = expr else { return None };
        let arithmetic = matches!(call.name.as_str(), "+" | "-" | "*" | "/") && !call.is_qualified();
        if arithmetic { Self::operation(call, table) } else { None }
    }

    /// The same with its columns at hand.
    pub fn over<'a>(&'a self, columns: &'a Columns) -> Operand<'a> {
        match self {
            Self::Field(name) => match columns.get(name) {
                Some(Column::Reals(reals)) => Operand::Reals(reals),
                Some(Column::Wholes(wholes)) => Operand::Wholes(wholes),
                _ => Operand::Nothing,
            },
            Self::Literal(value) => Operand::Constant(value),
            Self::Operation(operator, pair) => {
                let [a, b] = pair.as_ref();
                Operand::Operation(*operator, Box::new([a.over(columns), b.over(columns)]))
            }
        }
    }
}

/// A term over columns.
pub(super) enum Operand<'a> {
    Reals(&'a [f64]),
    Wholes(&'a [i64]),
    /// A column that is not there.
    Nothing,
    Constant(&'a Value),
    Operation(Operator, Box<[Self; 2]>),
}

impl Operand<'_> {
    /// What it is in a row; from left to right, as the engine would.
    pub fn at(&self, row: usize) -> Computed {
        let known = |value: Option<Value>| value.map_or(Computed::Unknown, Computed::Known);
        match self {
            Self::Reals(reals) => known(reals.get(row).filter(|r| !r.is_nan()).copied().map(Value::Real)),
            Self::Wholes(wholes) => {
                known(wholes.get(row).filter(|w| **w != i64::MIN).copied().map(Value::Whole))
            }
            Self::Nothing => Computed::Unknown,
            Self::Constant(value) => Computed::Known((*value).clone()),
            Self::Operation(operator, pair) => {
                let [a, b] = pair.as_ref();
                let a = match a.at(row) {
                    Computed::Known(a) => a,
                    unknown => return unknown,
                };
                match b.at(row) {
                    Computed::Known(b) => apply(*operator, &a, &b).map_or(Computed::Unusual, Computed::Known),
                    unknown => unknown,
                }
            }
        }
    }
}
