//! Order statistics of one sample: median, quartiles, spread, outliers.

use super::{count, index, real};

/// A sample in ascending order.
#[derive(Clone, Debug)]
pub struct Sorted {
    // INVARIANT: ascending and not empty.
    values: Vec<u64>,
}

impl Sorted {
    /// Sorts a sample; `None` where there is none.
    pub fn new(samples: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut values: Vec<u64> = samples.into_iter().collect();
        values.sort_unstable();
        if values.is_empty() { None } else { Some(Self { values }) }
    }

    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Never: an empty sample cannot be sorted into this.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The sample of a rank counted from 1; ranks outside the sample give its first or last value.
    #[must_use]
    pub fn rank(&self, rank: usize) -> u64 {
        let at = rank.clamp(1, self.len().max(1)) - 1;
        self.values.get(at).copied().unwrap_or_default()
    }

    /// The fastest run.
    #[must_use]
    pub fn min(&self) -> u64 {
        self.rank(1)
    }

    /// The slowest run.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.rank(self.len())
    }

    /// The quantile `q` in 0..=1, linear between neighbours (type 7 of Hyndman and Fan 1996).
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        let position = q.clamp(0.0, 1.0) * count(self.len() - 1);
        let below = index(position.floor());
        let low = real(self.rank(below + 1));
        let high = real(self.rank(below + 2));
        low + (high - low) * (position - position.floor())
    }

    /// The median.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Arithmetic mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.values.iter().map(|&value| real(value)).sum::<f64>() / count(self.len())
    }

    /// Median of the distances from the median.
    #[must_use]
    pub fn mad(&self) -> f64 {
        let median = self.median();
        let distances = self.values.iter().map(|&value| (real(value) - median).abs());
        middle(distances.collect())
    }

    /// Samples beyond Tukey's inner fences, 1.5 interquartile ranges outside the quartiles. They are counted, never
    /// dropped: a slow run happened.
    #[must_use]
    pub fn outliers(&self) -> u64 {
        let (lower, upper) = (self.quantile(0.25), self.quantile(0.75));
        let reach = 1.5 * (upper - lower);
        let outside = |&&value: &&u64| real(value) < lower - reach || real(value) > upper + reach;
        self.values.iter().filter(outside).count() as u64
    }
}

/// The median of a sample in any order; `None` where there is none.
#[must_use]
pub fn median(samples: &[u64]) -> Option<f64> {
    Sorted::new(samples.iter().copied()).map(|sorted| sorted.median())
}

/// The median of real numbers; 0 where there are none.
pub(crate) fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    let upper = values.get(half).copied().unwrap_or_default();
    if values.len().is_multiple_of(2) {
        let lower = values.get(half.wrapping_sub(1)).copied().unwrap_or(upper);
        f64::midpoint(lower, upper)
    } else {
        upper
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(samples: &[u64]) -> Sorted {
        Sorted::new(samples.iter().copied()).unwrap()
    }

    fn check(samples: &[u64], median: f64, mean: f64, mad: f64, outliers: u64) {
        let sorted = sorted(samples);
        assert_eq!(
            (sorted.median(), sorted.mean(), sorted.mad(), sorted.outliers()),
            (median, mean, mad, outliers),
            "of {samples:?}"
        );
    }

    #[test]
    fn centre_and_spread() {
        check(&[7], 7.0, 7.0, 0.0, 0);
        check(&[4, 1], 2.5, 2.5, 1.5, 0);
        check(&[3, 1, 2], 2.0, 2.0, 1.0, 0);
        check(&[10, 10, 10, 10], 10.0, 10.0, 0.0, 0);
        check(&[1, 2, 3, 4, 100], 3.0, 22.0, 1.0, 1);
    }

    #[test]
    fn quartiles_are_those_of_numpy() {
        // numpy 2.4: quantile([15, 20, 35, 40, 50], [.25, .4, .75]) = 20, 29, 40
        let sorted = sorted(&[40, 15, 50, 35, 20]);
        assert_eq!([0.25, 0.4, 0.75].map(|q| sorted.quantile(q)), [20.0, 29.0, 40.0]);
        assert_eq!((sorted.quantile(0.0), sorted.quantile(1.0)), (15.0, 50.0));
    }

    #[test]
    fn both_tails_count_as_outliers() {
        let mut samples: Vec<u64> = (100..120).collect();
        samples.extend([10, 300, 400]);
        assert_eq!(sorted(&samples).outliers(), 3);
    }

    #[test]
    fn nothing_has_no_median() {
        assert!(Sorted::new([]).is_none());
        assert_eq!(median(&[]), None);
    }
}
