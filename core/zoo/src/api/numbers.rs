//! Arithmetic of network design, as the reference implementations do it.

use convwise_script::Complaint;
use rhai::{Dynamic, Engine, EvalAltResult, Map};

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("make_divisible", |v: i64, divisor: i64| make_divisible(real(v), divisor));
    engine.register_fn("make_divisible", make_divisible);
    engine.register_fn("get_or", |map: &mut Map, key: &str, default: Dynamic| {
        map.get(key).cloned().unwrap_or(default)
    });
}

/// `v` rounded to the nearest multiple of `divisor`, at least `divisor`, and one multiple more where
/// that lost over a tenth (MobileNet's channel rounding, torchvision `_make_divisible`).
fn make_divisible(v: f64, divisor: i64) -> Result<i64, Box<EvalAltResult>> {
    let in_range = v.is_finite() && v.abs() < 1e9;
    if !in_range || divisor < 1 {
        let text = format!("`make_divisible` of {v} and {divisor}; expected a number and a positive divisor");
        return Err(Complaint::new("wrong-arguments", text).into());
    }
    #[expect(clippy::cast_possible_truncation, reason = "truncation is the rule, and v is below 1e9")]
    let whole = (v + real(divisor) / 2.0) as i64;
    let rounded = (whole / divisor * divisor).max(divisor);
    Ok(if real(rounded) < 0.9 * v { rounded + divisor } else { rounded })
}

#[expect(clippy::cast_precision_loss, reason = "channel counts are far below 2^53")]
fn real(n: i64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(v: f64, divisor: i64, expect: Option<i64>) {
        assert_eq!(make_divisible(v, divisor).ok(), expect, "{v} {divisor}");
    }

    #[test]
    fn rounds_channels_as_mobilenet_does() {
        check(32.0 * 1.1, 8, Some(32));
        check(1280.0 * 1.4, 8, Some(1792));
        check(3.0, 8, Some(8));
        check(18.0, 8, Some(24));
        check(72.0 / 4.0, 8, Some(24));
        check(0.0, 8, Some(8));
        check(f64::NAN, 8, None);
        check(1.0, 0, None);
        check(1e300, 8, None);
    }
}
