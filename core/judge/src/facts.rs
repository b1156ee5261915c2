//! Facts written in a case, by the names that rules use: a TOML table -> the cells of a row.

use std::sync::Arc;

use convwise_types::{Grade, nearest};
use rhai::{Dynamic, ImmutableString};
use toml::{Table as Toml, Value};

use crate::fields::{Cell, Field, Kind, NEED, NET, Table};
use crate::row::{Row, View, Words};

/// Why a fact is unknown in a case.
const NOT_STATED: &str = "the case does not state it";

/// The row of a candidate: what is stated, nothing else.
pub(crate) fn net(stated: &Toml) -> Result<Row, String> {
    fill(Row::blank(&NET, NOT_STATED), stated, None)
}

/// The row of a request: what is stated, over a request for the default of everything that always has one.
pub(crate) fn need(stated: &Toml) -> Result<Row, String> {
    let mut row = Row::blank(&NEED, NOT_STATED);
    for (name, word) in [
        ("task", "classify"),
        ("deploy", "cpu-server"),
        ("memory_model", "in-place"),
        ("priority", "balanced"),
        ("licence", "any"),
        ("runner", "rten"),
    ] {
        row.set(name, Cell::text(word));
    }
    row.set("real_time", Cell::flag(false));
    row.set("postprocess", Cell::flag(false));
    row.set("batch", Cell::whole(1));
    row.set("threads", Cell::whole(1));
    row.set("precisions", Cell::words(["fp32"]));
    row.set("device", Cell::object(Row::blank(&crate::fields::DEVICE, NOT_STATED)));
    fill(row, stated, None)
}

fn fill(mut row: Row, stated: &Toml, grade: Option<Grade>) -> Result<Row, String> {
    for (name, value) in stated {
        let Some(field) = row.table.field(name) else { return Err(unknown(row.table, name)) };
        let cell =
            cell(field, value).map_err(|wanted| format!("`{}.{name}` must be {wanted}", row.table.path))?;
        row.set(name, regrade(cell, grade));
    }
    Ok(row)
}

fn unknown(table: &Table, name: &str) -> String {
    let near = table.suggestion(name).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("`{}` has no field `{name}`{near}", table.path)
}

fn regrade(cell: Cell, grade: Option<Grade>) -> Cell {
    match (cell, grade) {
        (Cell::Known(value, _), Some(grade)) => Cell::Known(value, Some(grade)),
        (cell, _) => cell,
    }
}

/// The cell of a stated value, or what it must be.
fn cell(field: &Field, value: &Value) -> Result<Cell, String> {
    let wanted = || field.kind.noun().to_owned();
    let known = |value: Dynamic| Ok(Cell::Known(value, None));
    match (field.kind, value) {
        (Kind::Flag, Value::Boolean(b)) => known((*b).into()),
        (Kind::Whole, Value::Integer(n)) => known((*n).into()),
        (Kind::Real, Value::Integer(n)) => known(real(*n).into()),
        (Kind::Real, Value::Float(x)) => known((*x).into()),
        (Kind::Text, Value::String(text)) => Ok(Cell::text(text)),
        (Kind::Word(vocabulary), Value::String(text)) => word(&vocabulary(), text),
        (Kind::Words, Value::Array(list)) => words(list).ok_or_else(wanted),
        (Kind::Object(table), Value::Table(inner)) => group(table, inner),
        _ => Err(wanted()),
    }
}

fn word(known: &[&'static str], text: &str) -> Result<Cell, String> {
    if known.contains(&text) {
        return Ok(Cell::text(text));
    }
    let near = nearest(text, known.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
    Err(format!("one of {}{}", known.join(", "), near.unwrap_or_default()))
}

fn words(list: &[Value]) -> Option<Cell> {
    let words: Option<Arc<[ImmutableString]>> =
        list.iter().map(|v| v.as_str().map(ImmutableString::from)).collect();
    words.map(|w| Cell::Known(Dynamic::from(Words(w)), None))
}

/// A group of facts; its `grade` is the grade of all of them.
fn group(table: &'static Table, stated: &Toml) -> Result<Cell, String> {
    let all = [Grade::Measured, Grade::Calibrated, Grade::Published, Grade::Estimated];
    let named = stated.get("grade").and_then(Value::as_str);
    let grade = named.and_then(|word| all.into_iter().find(|g| g.as_str() == word));
    let row = fill(Row::blank(table, NOT_STATED), stated, grade)?;
    Ok(Cell::Known(Dynamic::from(View(Arc::new(row))), grade))
}

#[expect(clippy::cast_precision_loss, reason = "figures in cases are small")]
fn real(n: i64) -> f64 {
    n as f64
}
