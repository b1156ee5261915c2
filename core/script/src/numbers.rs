//! Arithmetic that scripts expect and the engine lacks: whole numbers where a function takes real
//! ones, mixed `min` and `max`, `clamp`, `ceil`, and rounding as Python does it.

use rhai::{Array, Dynamic, Engine, EvalAltResult};

use crate::diagnose::Complaint;

pub(crate) fn register(engine: &mut Engine) {
    register_whole(engine);
    register_mixed(engine);
    engine.register_fn("ceil", f64::ceil);
    engine.register_fn("round_half_even", f64::round_ties_even);
    engine.register_fn("round_half_even", |x: i64| x);
    engine.register_fn("sum", sum);
}

/// Real functions of whole numbers.
fn register_whole(engine: &mut Engine) {
    engine.register_fn("sqrt", |x: i64| real(x).sqrt());
    engine.register_fn("exp", |x: i64| real(x).exp());
    engine.register_fn("ln", |x: i64| real(x).ln());
    engine.register_fn("log", |x: i64| real(x).log10());
    for name in ["ceil", "ceiling", "floor", "round"] {
        engine.register_fn(name, |x: i64| x);
    }
}

fn register_mixed(engine: &mut Engine) {
    engine.register_fn("min", f64::min);
    engine.register_fn("max", f64::max);
    engine.register_fn("min", |a: i64, b: f64| real(a).min(b));
    engine.register_fn("min", |a: f64, b: i64| a.min(real(b)));
    engine.register_fn("max", |a: i64, b: f64| real(a).max(b));
    engine.register_fn("max", |a: f64, b: i64| a.max(real(b)));
    engine.register_fn("min", |a: i64, b: i64| a.min(b));
    engine.register_fn("max", |a: i64, b: i64| a.max(b));
    engine.register_fn("clamp", |x: i64, low: i64, high: i64| x.min(high).max(low));
    engine.register_fn("clamp", |x: f64, low: f64, high: f64| x.min(high).max(low));
}

/// Sum of a list of numbers; whole if all are.
fn sum(list: Array) -> Result<Dynamic, Box<EvalAltResult>> {
    let whole = list.iter().try_fold(0_i64, |n, x| n.checked_add(x.as_int().ok()?));
    if let Some(total) = whole {
        return Ok(total.into());
    }
    let number = |x: &Dynamic| x.as_float().or_else(|_| x.as_int().map(real));
    let total: Result<f64, _> = list.iter().map(number).sum();
    total.map(Dynamic::from).map_err(|_| Complaint::new("wrong-type", "`sum` needs a list of numbers").into())
}

#[expect(clippy::cast_precision_loss, reason = "scripts count layers and pixels, far below 2^53")]
fn real(x: i64) -> f64 {
    x as f64
}
