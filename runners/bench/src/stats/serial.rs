//! What the order of the samples says: dependence between neighbours, and drift.

use super::describe::middle;
use super::{count, median, real};

/// Correlation of each sample with the next one, in -1..=1; 0 where it cannot be computed.
#[must_use]
pub fn lag1_autocorrelation(samples: &[u64]) -> f64 {
    let mean = samples.iter().map(|&sample| real(sample)).sum::<f64>() / count(samples.len()).max(1.0);
    let centred: Vec<f64> = samples.iter().map(|&sample| real(sample) - mean).collect();
    Autocorrelation::of(&centred).map_or(0.0, |series| series.at(1))
}

/// How many consecutive samples say as much about a quantile as one independent sample: the integrated autocorrelation
/// time of "above or below `level`", at least 1. `samples / correlation_time` is the effective sample size.
///
/// The variance of a sample quantile depends on the correlation of this indicator and not of the values (a single slow
/// run moves the latter and not the former). The sum over lags is cut at the first lag beyond five times its own value
/// (Sokal 1997, "Monte Carlo methods in statistical mechanics", section 3), which keeps the noise of the far lags out.
#[must_use]
pub fn correlation_time(samples: &[u64], level: f64) -> f64 {
    let signs: Vec<f64> = samples.iter().map(|&sample| sign(real(sample) - level)).collect();
    let mean = signs.iter().sum::<f64>() / count(signs.len()).max(1.0);
    let centred: Vec<f64> = signs.iter().map(|sign| sign - mean).collect();
    let Some(series) = Autocorrelation::of(&centred) else { return 1.0 };
    let mut time = 1.0;
    for lag in 1..=samples.len() / 2 {
        time += 2.0 * series.at(lag);
        if count(lag) >= WINDOW * time {
            break;
        }
    }
    time.clamp(1.0, count(samples.len()).max(1.0))
}

/// Sokal's window, in correlation times.
const WINDOW: f64 = 5.0;

fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

/// The autocorrelation of a centred series.
struct Autocorrelation<'a> {
    centred: &'a [f64],
    // INVARIANT: more than 0.
    power: f64,
}

impl<'a> Autocorrelation<'a> {
    /// `None` for a constant series, whose correlation is not defined.
    fn of(centred: &'a [f64]) -> Option<Self> {
        let power = centred.iter().map(|value| value * value).sum::<f64>();
        (power > 0.0).then_some(Self { centred, power })
    }

    fn at(&self, lag: usize) -> f64 {
        let later = self.centred.get(lag..).unwrap_or_default();
        let products = self.centred.iter().zip(later).map(|(now, then)| now * then);
        products.sum::<f64>() / self.power
    }
}

/// Relative change of the run time from the beginning to the end, as a share of the median: 0.05 says that the last runs
/// took 5 % longer than the first. The slope is that of Theil and Sen (1968) over medians of up to 20 windows, so that
/// single slow runs do not tilt it. 0 for fewer than 10 samples.
#[must_use]
pub fn drift(samples: &[u64]) -> f64 {
    let whole = median(samples).unwrap_or_default();
    if samples.len() < 10 || whole <= 0.0 {
        return 0.0;
    }
    let windows: Vec<f64> = samples.chunks(samples.len().div_ceil(20)).filter_map(median).collect();
    theil_sen(&windows) * count(windows.len() - 1) / whole
}

/// The median slope between all pairs of points, a step apart.
fn theil_sen(points: &[f64]) -> f64 {
    let slopes = points.iter().enumerate().flat_map(|(i, from)| {
        points.iter().enumerate().skip(i + 1).map(move |(j, to)| (to - from) / count(j - i))
    });
    middle(slopes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Order;

    /// An autoregressive series round 1,000,000 with the given lag-1 correlation.
    fn autoregressive(rho: f64, n: usize) -> Vec<u64> {
        let mut random = Order::new(7);
        let mut state = 0.0_f64;
        let noise = (1.0 - rho * rho).sqrt();
        let mut next = || {
            let gauss: f64 = (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
            state = rho * state + noise * gauss;
            (1e6 + 1e4 * state) as u64
        };
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn independent_samples_stay_independent() {
        let samples = autoregressive(0.0, 4000);
        assert!(lag1_autocorrelation(&samples).abs() < 0.05);
        for level in [1e6, 1.013e6] {
            let time = correlation_time(&samples, level);
            assert!(time < 1.3, "{time} at {level}");
        }
    }

    #[test]
    fn dependent_samples_count_less() {
        let samples = autoregressive(0.9, 4000);
        assert!((lag1_autocorrelation(&samples) - 0.9).abs() < 0.05);
        // The sign process of an AR(1) has correlations 2/pi asin(rho^k): the exact time is 12.2 for rho = 0.9.
        let time = correlation_time(&samples, 1e6);
        assert!((8.0..18.0).contains(&time), "{time}");
    }

    #[test]
    fn constant_and_tiny_series_are_harmless() {
        assert_eq!(lag1_autocorrelation(&[5; 50]), 0.0);
        assert_eq!(correlation_time(&[5; 50], 5.0), 1.0);
        assert_eq!(correlation_time(&[], 0.0), 1.0);
        assert_eq!(correlation_time(&[1], 1.0), 1.0);
        assert_eq!((drift(&[]), drift(&[1, 2, 3])), (0.0, 0.0));
    }

    #[test]
    fn drift_is_the_relative_change_and_survives_outliers() {
        let mut rising: Vec<u64> = (0..200).map(|i| 1000 + i).collect();
        assert!((drift(&rising) - 199.0 / 1099.0).abs() < 0.02, "{}", drift(&rising));
        rising[150] = 90_000;
        assert!((drift(&rising) - 199.0 / 1099.0).abs() < 0.02);
        rising.reverse();
        assert!(drift(&rising) < -0.15);
        assert_eq!(drift(&[1000; 200]), 0.0);
    }
}
