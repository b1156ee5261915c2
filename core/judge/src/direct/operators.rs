//! Operators as the engine has them; `None` where it raises an error or knows more than we do.

use super::{Operator, Value};

/// The result of an operator.
pub(crate) fn apply(operator: Operator, a: &Value, b: &Value) -> Option<Value> {
    match (a, b) {
        (Value::Whole(a), Value::Whole(b)) => whole(operator, *a, *b),
        (Value::Flag(a), Value::Flag(b)) => equality(operator, a == b),
        (Value::Text(a), Value::Text(b)) => equality(operator, a == b),
        _ => Some(real(operator, number(a)?, number(b)?)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "the engine mixes whole and real numbers in this way")]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Whole(whole) => Some(*whole as f64),
        Value::Real(real) => Some(*real),
        Value::Flag(_) | Value::Text(_) => None,
    }
}

fn equality(operator: Operator, equal: bool) -> Option<Value> {
    match operator {
        Operator::Equal => Some(Value::Flag(equal)),
        Operator::NotEqual => Some(Value::Flag(!equal)),
        _ => None,
    }
}

fn whole(operator: Operator, a: i64, b: i64) -> Option<Value> {
    Some(match operator {
        Operator::Equal => Value::Flag(a == b),
        Operator::NotEqual => Value::Flag(a != b),
        Operator::Less => Value::Flag(a < b),
        Operator::LessOrEqual => Value::Flag(a <= b),
        Operator::Greater => Value::Flag(a > b),
        Operator::GreaterOrEqual => Value::Flag(a >= b),
        Operator::Plus => Value::Whole(a.checked_add(b)?),
        Operator::Minus => Value::Whole(a.checked_sub(b)?),
        Operator::Times => Value::Whole(a.checked_mul(b)?),
        Operator::Over => Value::Whole(a.checked_div(b)?),
    })
}

/// The engine compares real numbers within their precision: the difference as a share of the larger of the two.
fn real(operator: Operator, a: f64, b: f64) -> Value {
    let scale = if a * b == 0.0 { 1.0 } else { a.abs().max(b.abs()) };
    let (above, below) = ((a - b) / scale, (b - a) / scale);
    match operator {
        Operator::Equal => Value::Flag((a - b).abs() / scale <= f64::EPSILON),
        Operator::NotEqual => Value::Flag((a - b).abs() / scale > f64::EPSILON),
        Operator::Less => Value::Flag(below > f64::EPSILON),
        Operator::LessOrEqual => Value::Flag(below > -f64::EPSILON),
        Operator::Greater => Value::Flag(above > f64::EPSILON),
        Operator::GreaterOrEqual => Value::Flag(above > -f64::EPSILON),
        Operator::Plus => Value::Real(a + b),
        Operator::Minus => Value::Real(a - b),
        Operator::Times => Value::Real(a * b),
        Operator::Over => Value::Real(a / b),
    }
}
