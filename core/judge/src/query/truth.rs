//! Deciding a plan for all rows at once. What is unknown stays unknown, and the parts of `&&` and `||` are decided from
//! left to right as a script would.

use convwise_types::listing::{Column, Columns, Item};

use super::computed::Computed;
use super::plan::{Comparison, Plan};
use crate::direct::Value;

/// The verdict on one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    /// It matches.
    True,
    /// It does not.
    False,
    /// A field that is needed is unknown.
    Unknown,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl Truth {
    fn of(value: Option<bool>) -> Self {
        value.map_or(Self::Unknown, Self::from)
    }

    fn negated(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Decides a plan for the rows that `open` marks, or for all without it; `ask` decides a script for a row. The verdict on a row
/// that is not open means nothing.
pub(super) fn decide<E>(
    plan: &Plan,
    columns: &Columns,
    open: Option<&[bool]>,
    ask: &mut impl FnMut(&rhai::AST, usize) -> Result<Option<bool>, E>,
) -> Result<Vec<Truth>, E> {
    let rows = columns.rows();
    match plan {
        Plan::Always(value) => Ok(vec![Truth::from(*value); rows]),
        Plan::And(parts) => joined(parts, Truth::True, columns, open, ask),
        Plan::Or(parts) => joined(parts, Truth::False, columns, open, ask),
        Plan::Not(inner) => {
            let decided = decide(inner, columns, open, ask)?;
            Ok(decided.into_iter().map(Truth::negated).collect())
        }
        Plan::Flag(name) => Ok(each(columns, name, |item| match item {
            Item::Flag(value) => Some(*value),
            _ => None,
        })),
        Plan::Has(name, word) => Ok(each(columns, name, |item| match item {
            Item::Text(words) => Some(words.split(' ').any(|w| w == word)),
            _ => None,
        })),
        Plan::Among(name, values) => Ok(each(columns, name, |item| {
            let equal = |value| holds(item, Comparison::Equal, value);
            values.iter().map(equal).try_fold(false, |found, equal| equal.map(|equal| found || equal))
        })),
        Plan::Compare(name, comparison, value) => Ok(compared(columns, name, *comparison, value)),
        Plan::Computed(term, ast) => {
            let operand = term.over(columns);
            open_rows(rows, open, |row| match operand.at(row) {
                Computed::Known(Value::Flag(flag)) => Ok(Some(flag)),
                Computed::Unknown => Ok(None),
                Computed::Known(_) | Computed::Unusual => ask(ast, row),
            })
        }
        Plan::Script(ast) => open_rows(rows, open, |row| ask(ast, row)),
    }
}

/// Decides the rows that are open.
fn open_rows<E>(
    rows: usize,
    open: Option<&[bool]>,
    mut ask: impl FnMut(usize) -> Result<Option<bool>, E>,
) -> Result<Vec<Truth>, E> {
    let is_open = |row: usize| open.is_none_or(|open| open.get(row).copied().unwrap_or(false));
    let mut row_of = |row: usize| if is_open(row) { ask(row) } else { Ok(Some(false)) };
    (0..rows).map(|row| row_of(row).map(Truth::of)).collect()
}

/// Parts of which the next one counts only where the ones before gave `neutral`.
fn joined<E>(
    parts: &[Plan],
    neutral: Truth,
    columns: &Columns,
    open: Option<&[bool]>,
    ask: &mut impl FnMut(&rhai::AST, usize) -> Result<Option<bool>, E>,
) -> Result<Vec<Truth>, E> {
    let mut verdicts = vec![neutral; columns.rows()];
    let mut undecided = open.map_or_else(|| vec![true; columns.rows()], <[bool]>::to_vec);
    for part in parts {
        let decided = decide(part, columns, Some(&undecided), ask)?;
        for ((verdict, undecided), decided) in verdicts.iter_mut().zip(&mut undecided).zip(decided) {
            if *undecided {
                *verdict = decided;
                *undecided = decided == neutral;
            }
        }
    }
    Ok(verdicts)
}

/// Decides every row by its item; of a column of names every name once.
fn each(columns: &Columns, name: &str, decide: impl Fn(&Item) -> Option<bool>) -> Vec<Truth> {
    match columns.get(name) {
        Some(Column::Names { codes, names }) => {
            let of_name: Vec<Truth> =
                names.iter().map(|name| Truth::of(decide(&Item::from(name.as_ref())))).collect();
            let of_code = |code: &u32| of_name.get(*code as usize).copied().unwrap_or(Truth::Unknown);
            codes.iter().map(of_code).collect()
        }
        _ => (0..columns.rows()).map(|row| Truth::of(decide(&columns.item(name, row)))).collect(),
    }
}

fn compared(columns: &Columns, name: &str, comparison: Comparison, value: &Item) -> Vec<Truth> {
    match (columns.get(name), value) {
        (Some(Column::Reals(reals)), Item::Real(wanted)) => numbers(reals, comparison, *wanted),
        (Some(Column::Reals(reals)), Item::Whole(wanted)) => numbers(reals, comparison, real(*wanted)),
        (Some(Column::Wholes(wholes)), Item::Whole(wanted)) => {
            let truth = |w: &i64| Truth::of((*w != i64::MIN).then(|| comparison.orders(w.cmp(wanted))));
            wholes.iter().map(truth).collect()
        }
        _ => each(columns, name, |item| holds(item, comparison, value)),
    }
}

fn numbers(values: &[f64], comparison: Comparison, wanted: f64) -> Vec<Truth> {
    let truth = |value: &f64| Truth::of((!value.is_nan()).then(|| comparison.reals(*value, wanted)));
    values.iter().map(truth).collect()
}

/// Whether a comparison holds; `None` where the item is unknown.
fn holds(item: &Item, comparison: Comparison, wanted: &Item) -> Option<bool> {
    match (item, wanted) {
        (Item::Text(a), Item::Text(b)) => Some(comparison.orders(a.cmp(b))),
        (Item::Flag(a), Item::Flag(b)) => Some(comparison.orders(a.cmp(b))),
        (Item::Whole(a), Item::Whole(b)) => Some(comparison.orders(a.cmp(b))),
        (Item::Whole(a), Item::Real(b)) => Some(comparison.reals(real(*a), *b)),
        (Item::Real(a), Item::Whole(b)) => Some(comparison.reals(*a, real(*b))),
        (Item::Real(a), Item::Real(b)) => Some(comparison.reals(*a, *b)),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "as the script engine compares them")]
fn real(whole: i64) -> f64 {
    whole as f64
}

impl Comparison {
    fn orders(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }

    /// Real numbers as the script engine compares them: equal where they differ by rounding alone.
    fn reals(self, a: f64, b: f64) -> bool {
        let scale = if a * b == 0.0 { 1.0 } else { a.abs().max(b.abs()) };
        let apart = (a - b) / scale;
        match self {
            Self::Equal => apart.abs() <= f64::EPSILON,
            Self::Unequal => apart.abs() > f64::EPSILON,
            Self::Less => -apart > f64::EPSILON,
            Self::AtMost => -apart > -f64::EPSILON,
            Self::Greater => apart > f64::EPSILON,
            Self::AtLeast => apart > -f64::EPSILON,
        }
    }
}
