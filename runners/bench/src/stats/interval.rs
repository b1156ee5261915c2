//! The 95 % interval of the median, honest for dependent samples and for several launches.

use super::describe::Sorted;
use super::{correlation_time, count, index};

/// Fewer samples than this have no 95 % interval of the median: with 5, even the whole range covers it in only 93.75 %.
pub const MIN_FOR_INTERVAL: usize = 6;

/// 97.5th percentile of the normal distribution.
const Z: f64 = 1.959_964;

/// A median with its 95 % interval, nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MedianInterval {
    /// The sample median.
    pub median: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl MedianInterval {
    /// Half the width of the interval as a share of the median: 0.02 is "within 2 %".
    #[must_use]
    pub fn relative(&self) -> f64 {
        if self.median > 0.0 { (self.high - self.low) / 2.0 / self.median } else { 0.0 }
    }
}

/// The 95 % interval of the median of one series, from order statistics (David and Nagaraja 2003, section 7.1) whose
/// ranks are moved apart by the square root of the correlation time: dependent samples widen the interval as if there
/// were only `samples / correlation_time` of them. Below [`MIN_FOR_INTERVAL`] samples it is the whole range, which is
/// less than 95 %. `None` for no samples.
#[must_use]
pub fn median_interval(samples: &[u64]) -> Option<MedianInterval> {
    let sorted = Sorted::new(samples.iter().copied())?;
    let n = count(sorted.len());
    let median = sorted.median();
    let reach = Z * (n * correlation_time(samples, median)).sqrt() / 2.0;
    let lower = index((n / 2.0 - reach).floor()).max(1);
    Some(MedianInterval {
        median,
        low: super::real(sorted.rank(lower)),
        high: super::real(sorted.rank(sorted.len() + 1 - lower)),
    })
}

/// The 95 % interval of the median over several launches: never narrower than what the launches' medians say.
///
/// Processes differ (memory layout, page colours, the state of the machine), and no number of runs inside one of them
/// shows by how much. The interval is therefore the hull of two: that of all samples in order, and Student's interval
/// of the launches' medians; cut to the range that was seen.
#[must_use]
pub fn interval_over_launches(launches: &[&[u64]]) -> Option<MedianInterval> {
    let all: Vec<u64> = launches.iter().flat_map(|samples| samples.iter().copied()).collect();
    let within = median_interval(&all)?;
    let medians: Vec<f64> = launches.iter().filter_map(|samples| super::median(samples)).collect();
    let Some((low, high)) = student(&medians) else { return Some(within) };
    let range = Sorted::new(all)?;
    Some(MedianInterval {
        median: within.median,
        low: within.low.min(low.max(super::real(range.min()))),
        high: within.high.max(high.min(super::real(range.max()))),
    })
}

/// Student's 95 % interval of the mean; `None` for fewer than two values.
fn student(values: &[f64]) -> Option<(f64, f64)> {
    let n = count(values.len());
    let quantile = *T_975.get(values.len().checked_sub(2)?).unwrap_or(&Z);
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let reach = quantile * (variance / n).sqrt();
    Some((mean - reach, mean + reach))
}

/// 97.5th percentiles of Student's t with 1 to 15 degrees of freedom.
const T_975: [f64; 15] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Order;

    fn series(random: &mut Order, rho: f64, n: usize) -> Vec<u64> {
        let mut state = 0.0_f64;
        (0..n)
            .map(|_| {
                let gauss: f64 = (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
                state = rho * state + (1.0 - rho * rho).sqrt() * gauss;
                (1e6 + 5e4 * state).round() as u64
            })
            .collect()
    }

    /// Share of repetitions whose interval holds the true median.
    fn coverage(rho: f64, n: usize) -> f64 {
        let mut random = Order::new(n as u64);
        let held = (0..400)
            .filter(|_| {
                let interval = median_interval(&series(&mut random, rho, n)).unwrap();
                interval.low <= 1e6 && 1e6 <= interval.high
            })
            .count();
        held as f64 / 400.0
    }

    #[test]
    fn independent_samples_are_covered() {
        for n in [6, 20, 101, 500] {
            let covered = coverage(0.0, n);
            assert!((0.925..=1.0).contains(&covered), "n {n}: {covered}");
        }
    }

    #[test]
    fn dependent_samples_are_covered_too() {
        // The interval for independent samples would hold the median in about 60 % of these cases.
        let covered = coverage(0.7, 500);
        assert!((0.90..=1.0).contains(&covered), "{covered}");
    }

    #[test]
    fn more_samples_narrow_it() {
        let mut random = Order::new(3);
        let wide = median_interval(&series(&mut random, 0.0, 30)).unwrap().relative();
        let narrow = median_interval(&series(&mut random, 0.0, 3000)).unwrap().relative();
        assert!(narrow < wide / 4.0, "{narrow} {wide}");
    }

    #[test]
    fn launches_that_disagree_widen_it() {
        let flat = |value: u64| vec![value; 100];
        let (a, b, c) = (flat(1000), flat(1010), flat(1100));
        let apart = interval_over_launches(&[&a, &b, &c]).unwrap();
        assert!(apart.low <= 1000.0 && apart.high >= 1100.0, "{apart:?}");
        let alike = interval_over_launches(&[&a, &a, &a]).unwrap();
        assert_eq!((alike.low, alike.high, alike.relative()), (1000.0, 1000.0, 0.0));
        let one = interval_over_launches(&[&c]).unwrap();
        assert_eq!(one, median_interval(&c).unwrap());
    }

    #[test]
    fn student_is_the_textbook_interval() {
        // scipy.stats.t.interval(0.95, 2, loc=11, scale=1/sqrt(3)) = (8.516, 13.484) for 10, 11, 12
        let (low, high) = student(&[10.0, 11.0, 12.0]).unwrap();
        assert!((low - 8.516).abs() < 1e-3 && (high - 13.484).abs() < 1e-3, "{low} {high}");
        assert_eq!(student(&[1.0]), None);
    }

    #[test]
    fn few_samples_give_their_range() {
        let interval = median_interval(&[5, 1, 3]).unwrap();
        assert_eq!((interval.low, interval.median, interval.high), (1.0, 3.0, 5.0));
        assert_eq!(median_interval(&[]), None);
    }
}
