//! What the script engine is taught: fields, `has`, comparison by interval, and how quantities are written.

use std::collections::BTreeSet;
use std::sync::Arc;

use convwise_script::Complaint;
use convwise_types::{Bytes, Grade, Millis, Missing, Params, PerSecond, Percent};
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, Position};

use crate::fields::{Cell, TABLES, Table};
use crate::pool::Pool;
use crate::row::{Row, View, Words, number};
use crate::trace;

type Result<T> = std::result::Result<T, Box<EvalAltResult>>;

/// What a script raises by reading a fact that nobody knows. It ends the rule; no script can catch it.
#[derive(Clone, Debug)]
pub(crate) struct MissingFact(pub Arc<Missing>);

impl MissingFact {
    pub fn raise(missing: Arc<Missing>) -> Box<EvalAltResult> {
        EvalAltResult::ErrorTerminated(Dynamic::from(Self(missing)), Position::NONE).into()
    }

    /// The missing fact behind an error, if that is what it is.
    pub fn behind(error: &EvalAltResult) -> Option<Arc<Missing>> {
        match error.unwrap_inner() {
            EvalAltResult::ErrorTerminated(value, _) => value.read_lock::<Self>().map(|m| Arc::clone(&m.0)),
            _ => None,
        }
    }
}

/// Teaches an engine everything that rules and queries share.
pub(crate) fn teach(engine: &mut Engine) {
    engine.register_type_with_name::<View>("group of fields");
    engine.register_type_with_name::<Words>("set of words");
    engine.register_type_with_name::<Pool>("pool");
    register_fields(engine);
    engine.register_fn("has", |view: &mut View, name: &str| has(&view.0, name));
    engine.register_fn("contains", |words: &mut Words, word: &str| words.contains(word));
    engine.register_fn("to_string", |words: &mut Words| trace::print(&Dynamic::from(words.clone())));
    engine.register_fn("best", |pool: &mut Pool, field: &str| pool.best(field));
    engine.register_fn("worst", |pool: &mut Pool, field: &str| pool.worst(field));
    engine.register_fn("has", |pool: &mut Pool, field: &str| pool.has(field));
    engine.register_get("size", |pool: &mut Pool| pool.size());
    register_intervals(engine);
    register_writing(engine);
}

/// One getter a name: the tables that have a field of that name know where.
fn register_fields(engine: &mut Engine) {
    let names: BTreeSet<&'static str> = TABLES.iter().flat_map(|t| t.fields.iter().map(|f| f.name)).collect();
    for name in names {
        let places = TABLES.map(|table| table.position(name));
        engine.register_get(name, move |view: &mut View| {
            let row = &view.0;
            match places.get(row.table.index).copied().flatten() {
                Some(at) => give(row, at),
                None => Err(unknown_field(row.table, name)),
            }
        });
    }
    engine.register_indexer_get(|view: &mut View, name: &str| -> Result<Dynamic> {
        Err(unknown_field(view.0.table, name))
    });
}

/// The value at a position of a row.
fn give(row: &Row, at: usize) -> Result<Dynamic> {
    let Some(cell) = row.cells.get(at) else { return Err(unknown_field(row.table, "")) };
    trace::read(row.table, at, cell);
    match cell {
        Cell::Known(value, _) => Ok(value.clone()),
        Cell::Unknown(missing) => Err(MissingFact::raise(Arc::clone(missing))),
    }
}

/// The complaint about a field that a table does not have.
pub(crate) fn field_complaint(table: &Table, name: &str) -> Complaint {
    let complaint = Complaint::new("unknown-field", format!("`{}` has no field `{name}`", table.path));
    match table.suggestion(name) {
        Some(near) => complaint.with_help(format!("did you mean `{near}`?")),
        None => complaint,
    }
}

fn unknown_field(table: &Table, name: &str) -> Box<EvalAltResult> {
    field_complaint(table, name).into()
}

/// Whether a field, or a dotted path, is known.
pub(crate) fn has(row: &Row, name: &str) -> Result<bool> {
    let cell = row.at(name).ok_or_else(|| unknown_field(row.table, name))?;
    if let Some((table, field)) = row.table.place(name) {
        trace::asked(table, field);
    }
    Ok(matches!(cell, Cell::Known(..)))
}

fn register_intervals(engine: &mut Engine) {
    engine.register_fn("within", |group: View, limit: f64| within(&group.0, limit));
    engine.register_fn("within", |group: View, limit: i64| within(&group.0, real(limit)));
    engine.register_fn("at_least", |group: View, demand: f64| at_least(&group.0, demand));
    engine.register_fn("at_least", |group: View, demand: i64| at_least(&group.0, real(demand)));
}

/// An upper limit: the whole interval within it holds, the whole interval beyond it does not.
pub(crate) fn within(group: &Row, limit: f64) -> Result<bool> {
    let (low, high, grade) = interval(group)?;
    if high <= limit {
        Ok(true)
    } else if low > limit {
        Ok(false)
    } else {
        Err(straddles(group, low, high, limit, grade))
    }
}

/// A lower demand: the mirror image.
pub(crate) fn at_least(group: &Row, demand: f64) -> Result<bool> {
    let (low, high, grade) = interval(group)?;
    if low >= demand {
        Ok(true)
    } else if high < demand {
        Ok(false)
    } else {
        Err(straddles(group, low, high, demand, grade))
    }
}

/// Ends of a group that has an interval.
fn interval(group: &Row) -> Result<(f64, f64, Option<Grade>)> {
    let ends = [["low_ms", "high_ms"], ["low", "high"]];
    let names = ends.into_iter().find(|names| names.iter().all(|n| group.table.field(n).is_some()));
    let Some([low, high]) = names else {
        let message = format!("`{}` has no interval to compare", group.table.path);
        return Err(Complaint::new("wrong-type", message)
            .with_help("`within` takes net.latency, `at_least` takes net.throughput")
            .into());
    };
    let (low, _) = end(group, low)?;
    let (high, grade) = end(group, high)?;
    Ok((low, high, grade))
}

fn end(group: &Row, name: &'static str) -> Result<(f64, Option<Grade>)> {
    let at = group.table.position(name).ok_or_else(|| unknown_field(group.table, name))?;
    let value = give(group, at)?;
    let grade = if let Some(Cell::Known(_, grade)) = group.cells.get(at) { *grade } else { None };
    let value =
        number(&value).ok_or_else(|| Complaint::new("wrong-type", format!("`{name}` is not a number")))?;
    Ok((value, grade))
}

fn straddles(group: &Row, low: f64, high: f64, limit: f64, grade: Option<Grade>) -> Box<EvalAltResult> {
    let fact = group.table.path.rsplit('.').next().unwrap_or(group.table.path);
    let write = |x: f64| if fact == "latency" { Millis(x).to_string() } else { PerSecond(x).to_string() };
    let (low, high, limit) = (write(low), write(high), write(limit));
    let cure = match grade {
        Some(Grade::Measured) => "measure it with more samples on a quiet machine",
        _ => "measure it",
    };
    let grade = grade.map_or("known", Grade::as_str);
    let need = format!("its {grade} {fact} of {low} to {high} straddles the limit of {limit}; {cure}");
    MissingFact::raise(Arc::new(Missing::new(fact, need)))
}

fn register_writing(engine: &mut Engine) {
    writer(engine, "ms", |x| Millis(x).to_string());
    writer(engine, "bytes", |x| Bytes(whole(x)).to_string());
    writer(engine, "count", |x| Params(whole(x)).to_string());
    writer(engine, "rate", |x| PerSecond(x).to_string());
    writer(engine, "percent", |x| Percent(x).to_string());
    writer(engine, "flag_ms", |x| format!("{}ms", round_up(x)));
    writer(engine, "flag_bytes", |x| scaled(x, &[(1e9, "GB"), (1e6, "MB"), (1e3, "kB")], "B"));
    writer(engine, "flag_count", |x| scaled(x, &[(1e9, "B"), (1e6, "M"), (1e3, "k")], ""));
    writer(engine, "flag_rate", |x| format!("{}/s", round_down(x)));
    writer(engine, "flag_percent", |x| format!("{}", (x * 10.0).floor() / 10.0));
}

fn writer(engine: &mut Engine, name: &str, text: fn(f64) -> String) {
    engine.register_fn(name, move |x: f64| ImmutableString::from(text(x)));
    engine.register_fn(name, move |x: i64| ImmutableString::from(text(real(x))));
}

/// A flag's value in the largest unit that fits, rounded up.
fn scaled(x: f64, steps: &[(f64, &str)], base: &str) -> String {
    match steps.iter().find(|(factor, _)| x >= *factor) {
        Some((factor, unit)) => format!("{}{unit}", round_up(x / factor)),
        None => format!("{}{base}", x.ceil()),
    }
}

/// Up to three significant digits, never below the value.
fn round_up(x: f64) -> f64 {
    let step = step_of(x);
    // The division brings back the short decimal: 842 / 10 prints as 84.2, 842 * 0.1 does not.
    if step >= 1.0 {
        (x / step).ceil() * step
    } else {
        (x * step.recip().round()).ceil() / step.recip().round()
    }
}

/// Down to three significant digits, never above the value.
fn round_down(x: f64) -> f64 {
    let step = step_of(x);
    if step >= 1.0 {
        (x / step).floor() * step
    } else {
        (x * step.recip().round()).floor() / step.recip().round()
    }
}

fn step_of(x: f64) -> f64 {
    if x > 0.0 && x.is_finite() { 10_f64.powf(x.log10().floor() - 2.0) } else { 1.0 }
}

#[expect(clippy::cast_precision_loss, reason = "printed with three digits")]
pub(crate) fn real(x: i64) -> f64 {
    x as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, which is what is wanted"
)]
fn whole(x: f64) -> u64 {
    x.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_values_admit_the_value() {
        assert_eq!(format!("{}ms", round_up(84.111)), "84.2ms");
        assert_eq!(scaled(98_223_344.0, &[(1e9, "GB"), (1e6, "MB")], "B"), "98.3MB");
        assert_eq!(format!("{}", round_down(29.96)), "29.9");
        assert_eq!(format!("{}", round_up(0.012_341)), "0.0124");
        assert_eq!(format!("{}", round_up(20.0)), "20");
    }
}
