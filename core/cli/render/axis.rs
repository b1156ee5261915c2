//! An axis of a chart: its range, its ticks at round numbers, and where a value stands on it.

/// Beyond this ratio of the largest value to the smallest, an axis is logarithmic.
const WIDEST_LINEAR: f64 = 30.0;
/// Ticks that are aimed at.
const TICKS: f64 = 6.0;

/// A range of values on a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    pub(crate) is_logarithmic: bool,
    /// Round values, from the lowest on.
    pub(crate) ticks: Vec<f64>,
}

impl Axis {
    /// An axis that shows all these values.
    pub(crate) fn over(values: impl Iterator<Item = f64> + Clone) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        if !low.is_finite() || !high.is_finite() {
            return Self::linear(0.0, 1.0);
        }
        if low > 0.0 && high / low > WIDEST_LINEAR {
            Self::logarithmic(low, high)
        } else {
            Self::linear(low, high)
        }
    }

    fn linear(low: f64, high: f64) -> Self {
        let alone = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        let high = if high > low { high } else { low + alone };
        let step = round_up((high - low) / TICKS);
        let (first, last) = ((low / step).floor(), (high / step).ceil().max((low / step).floor() + 1.0));
        let ticks = counted(last - first).map(|i| tidy((first + i) * step, step)).collect();
        Self { low: first * step, high: last * step, is_logarithmic: false, ticks }
    }

    fn logarithmic(low: f64, high: f64) -> Self {
        let (first, last) = (low.log10().floor(), high.log10().ceil());
        let factors: &[f64] = if last - first > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let all = counted(last - first).flat_map(|i| factors.iter().map(move |f| f * 10f64.powf(first + i)));
        let all: Vec<_> = all.map(|tick| tidy(tick, tick)).collect();
        // From the last tick below the values to the first above them.
        let from = all.iter().rposition(|tick| *tick <= low).unwrap_or(0);
        let to = all.iter().position(|tick| *tick >= high).unwrap_or(all.len().saturating_sub(1));
        let ticks = all.get(from..=to).unwrap_or_default().to_vec();
        let ends = (ticks.first().copied().unwrap_or(low), ticks.last().copied().unwrap_or(high));
        Self { low: ends.0, high: ends.1, is_logarithmic: true, ticks }
    }

    /// Where a value stands: 0 at the low end, 1 at the high one.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let share = if self.is_logarithmic {
            (value.max(self.low).ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (value - self.low) / (self.high - self.low)
        };
        share.clamp(0.0, 1.0)
    }
}

/// 0, 1, ... up to a whole number.
fn counted(last: f64) -> impl Iterator<Item = f64> {
    let mut next = 0.0;
    std::iter::from_fn(move || {
        let this = next;
        next += 1.0;
        (this <= last).then_some(this)
    })
}

/// The next of 1, 2, 5, 10, 20, 50, ... that is no smaller.
fn round_up(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|f| f * power >= step * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * power
}

/// Without the dust of binary fractions: a tick has no digits beyond those of its step.
fn tidy(value: f64, step: f64) -> f64 {
    let digits = (2.0 - step.log10().floor()).clamp(0.0, 15.0);
    let scale = 10f64.powf(digits);
    (value * scale).round() / scale
}

/// A tick in few characters: `0.5`, `20`, `5k`, `30M`.
pub(crate) fn label(value: f64) -> String {
    let scaled =
        [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")].into_iter().find(|(unit, _)| value.abs() >= *unit);
    match scaled {
        Some((unit, letter)) => format!("{}{letter}", tidy(value / unit, 0.001)),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], ticks: &[&str]) {
        let axis = Axis::over(values.iter().copied());
        let found: Vec<_> = axis.ticks.iter().map(|tick| label(*tick)).collect();
        assert_eq!(found, ticks, "{values:?}");
        for value in values {
            let place = axis.place(*value);
            assert!((0.0..=1.0).contains(&place), "{value} at {place}");
        }
        assert!(axis.ticks.is_sorted() && axis.place(axis.ticks[0]) == 0.0);
    }

    #[test]
    fn ticks_are_round_and_hold_every_value() {
        check(&[41.5, 82.5], &["40", "50", "60", "70", "80", "90"]);
        check(&[0.12, 0.17], &["0.12", "0.13", "0.14", "0.15", "0.16", "0.17"]);
        check(&[3.1, 290.0], &["2", "5", "10", "20", "50", "100", "200", "500"]);
        check(&[5e5, 4e9], &["100k", "1M", "10M", "100M", "1G", "10G"]);
        check(&[7.0], &["7", "7.2", "7.4", "7.6", "7.8"]);
        check(&[0.0, 31.0], &["0", "10", "20", "30", "40"]);
        check(&[], &["0", "0.2", "0.4", "0.6", "0.8", "1"]);
    }

    #[test]
    fn a_wide_span_is_logarithmic() {
        assert!(Axis::over([1.0, 31.0].into_iter()).is_logarithmic);
        assert!(!Axis::over([1.0, 30.0].into_iter()).is_logarithmic);
        assert!(!Axis::over([-1.0, 1000.0].into_iter()).is_logarithmic, "there is no logarithm of -1");
        let axis = Axis::over([1.0, 100.0].into_iter());
        assert!((axis.place(10.0) - 0.5).abs() < 1e-12);
    }
}
