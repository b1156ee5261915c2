//! Upper bounds of percentiles: an order statistic that lies above the percentile with 99 % confidence, or nothing.
//!
//! A percentile read off a small sample is a guess about a tail that was not seen. Here the smallest sample of rank `r`
//! is reported for which the percentile is exceeded with 99 % confidence, by the binomial distribution of the number
//! of samples below it (as in MLPerf's early stopping). p90 wants 44 samples, p99 wants 459.

use super::{correlation_time, count, describe::Sorted, index};

const CONFIDENCE: f64 = 0.99;

/// The fewest samples whose largest bounds the percentile `p` (0.9 for p90) with 99 % confidence.
#[must_use]
pub fn min_samples_for(p: f64) -> usize {
    index(((1.0 - CONFIDENCE).ln() / p.ln()).ceil())
}

/// An upper bound of the percentile `p` with 99 % confidence, or `None` where there are fewer than
/// [`min_samples_for`] samples. Dependent samples move the bound outwards: the rank is the one that an effective sample
/// of `samples / correlation_time` would need, at most the largest sample.
#[must_use]
pub fn upper_bound(samples: &[u64], p: f64) -> Option<u64> {
    if samples.len() < min_samples_for(p) {
        return None;
    }
    let sorted = Sorted::new(samples.iter().copied())?;
    let effective = index(count(samples.len()) / correlation_time(samples, sorted.quantile(p))).max(1);
    let share = rank_for(effective, p).map_or(1.0, |rank| count(rank) / count(effective));
    Some(sorted.rank(index((share * count(samples.len())).ceil())))
}

/// The smallest rank of `n` independent samples that lies above the percentile with 99 % confidence: at most
/// `rank - 1` samples fall below the percentile with that probability.
fn rank_for(n: usize, p: f64) -> Option<usize> {
    let mut below = 0.0;
    (1..=n).find(|rank| {
        below += binomial(n, rank - 1, p);
        below >= CONFIDENCE
    })
}

/// Probability of exactly `k` successes out of `n`, by logarithms so that no factor under- or overflows.
fn binomial(n: usize, k: usize, p: f64) -> f64 {
    let choose = ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
    (choose + count(k) * p.ln() + count(n - k) * (1.0 - p).ln()).exp()
}

/// `ln n!`: exact sums below 32, Stirling's series (error below 1e-9) above.
fn ln_factorial(n: usize) -> f64 {
    if n < 32 {
        return (2..=n).map(|factor| count(factor).ln()).sum();
    }
    let x = count(n);
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3));
    x * x.ln() - x + (2.0 * std::f64::consts::PI * x).ln() / 2.0 + series
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Order;

    #[test]
    fn the_known_sample_sizes() {
        // Recomputed from the binomial distribution; 662 is MLPerf's MultiStream minimum for one sample above.
        assert_eq!([0.5, 0.9, 0.95, 0.99, 0.999].map(min_samples_for), [7, 44, 90, 459, 4603]);
        assert_eq!(rank_for(44, 0.9), Some(44));
        assert_eq!(rank_for(43, 0.9), None);
        assert_eq!(rank_for(64, 0.9), Some(63));
        assert_eq!(rank_for(662, 0.99), Some(661));
        assert_eq!(rank_for(661, 0.99), Some(661));
    }

    #[test]
    fn unsupported_percentiles_are_refused() {
        let samples: Vec<u64> = (1..=43).collect();
        assert_eq!(upper_bound(&samples, 0.9), None);
        let mut random = Order::new(1);
        let mut samples: Vec<u64> = (1..=458).collect();
        random.shuffle(&mut samples);
        assert_eq!(upper_bound(&samples, 0.99), None);
        samples.push(459);
        assert_eq!(upper_bound(&samples, 0.99), Some(459));
    }

    #[test]
    fn independent_samples_bound_the_percentile_from_above() {
        let mut random = Order::new(5);
        let mut samples: Vec<u64> = (1..=10_000).collect();
        random.shuffle(&mut samples);
        let p90 = upper_bound(&samples, 0.9).unwrap();
        assert!((9_040..9_150).contains(&p90), "{p90}");
    }

    #[test]
    fn dependent_samples_move_the_bound_outwards() {
        // In ascending order every sample depends on the one before it: the largest is the only safe bound.
        let samples: Vec<u64> = (1..=60).collect();
        assert_eq!(upper_bound(&samples, 0.9), Some(60));
    }

    #[test]
    fn factorials() {
        assert!((ln_factorial(5) - 120.0_f64.ln()).abs() < 1e-12);
        let exact: f64 = (2..=40).map(|factor| f64::from(factor).ln()).sum();
        assert!((ln_factorial(40) - exact).abs() < 1e-9);
    }
}
