//! Comparing two records: a significance test, not two means.

use convwise_types::{Measurement, Millis};

use super::{MedianInterval, interval_over_launches};

/// Which of two is faster, as far as the samples can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The first is faster.
    Faster,
    /// The first is slower.
    Slower,
    /// No difference was shown, or none that matters.
    Tie,
}

/// The ratio of two medians, first over second, with its 95 % interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Which is faster.
    pub outcome: Outcome,
    /// First median over second median: 0.5 says that the first takes half the time.
    pub ratio: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
    /// Why the two may not be comparable: one sentence each.
    pub caveats: Vec<String>,
}

/// A difference wholly inside this share is a tie: no rebuild, reboot or room temperature reproduces it.
const NOISE_FLOOR: f64 = 0.01;

/// Compares the steady-state run times of two measurements at the 5 % level: `Faster` or `Slower` only where the 95 %
/// interval of the ratio of medians excludes 1 and does not lie wholly within 1 % of it. `None` if one has no samples.
#[must_use]
pub fn compare(first: &Measurement, second: &Measurement) -> Option<Comparison> {
    let comparison = compare_intervals(of(first)?, of(second)?);
    Some(Comparison { caveats: caveats(first, second), ..comparison })
}

fn of(measurement: &Measurement) -> Option<MedianInterval> {
    let series: Vec<&[u64]> =
        measurement.launches.iter().map(|launch| launch.samples_ns.as_slice()).collect();
    interval_over_launches(&series)
}

/// The interval of a difference from the intervals of its two sides (Zou and Donner 2008, the MOVER method), on
/// logarithms, so that it is an interval of the ratio. It keeps what the sides know about dependence and launches.
fn compare_intervals(first: MedianInterval, second: MedianInterval) -> Comparison {
    let log = |nanoseconds: f64| nanoseconds.max(1.0).ln();
    let (a, b) = (log(first.median), log(second.median));
    let down = (a - log(first.low)).hypot(log(second.high) - b);
    let up = (log(first.high) - a).hypot(b - log(second.low));
    let (low, high) = ((a - b - down).exp(), (a - b + up).exp());
    Comparison { outcome: outcome(low, high), ratio: (a - b).exp(), low, high, caveats: Vec::new() }
}

/// How much longer the first takes, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// First median less the second.
    pub ms: Millis,
    /// Lower end of the 95 % interval.
    pub low: Millis,
    /// Upper end of the 95 % interval.
    pub high: Millis,
}

/// What one measurement takes beyond another, from their medians and intervals by the same method, without logarithms.
#[must_use]
pub fn difference(first: &Measurement, second: &Measurement) -> Difference {
    let (a, b) = (&first.statistics, &second.statistics);
    let ms = a.median.0 - b.median.0;
    let down = (a.median.0 - a.ci_low.0).hypot(b.ci_high.0 - b.median.0);
    let up = (a.ci_high.0 - a.median.0).hypot(b.median.0 - b.ci_low.0);
    Difference { ms: Millis(ms), low: Millis(ms - down), high: Millis(ms + up) }
}

fn outcome(low: f64, high: f64) -> Outcome {
    let negligible = low >= 1.0 - NOISE_FLOOR && high <= 1.0 + NOISE_FLOOR;
    match (low, high) {
        _ if negligible => Outcome::Tie,
        (_, high) if high < 1.0 => Outcome::Faster,
        (low, _) if low > 1.0 => Outcome::Slower,
        _ => Outcome::Tie,
    }
}

/// What besides the network differs between the two.
fn caveats(first: &Measurement, second: &Measurement) -> Vec<String> {
    let pairs = [
        ("devices", first.device.id.to_string(), second.device.id.to_string()),
        ("runners", first.runner.name.to_string(), second.runner.name.to_string()),
        ("runner versions", first.runner.version.clone(), second.runner.version.clone()),
        ("threads", first.threads.to_string(), second.threads.to_string()),
        ("batch sizes", first.subject.batch.to_string(), second.subject.batch.to_string()),
        ("precisions", first.subject.precision.to_string(), second.subject.precision.to_string()),
        ("scenarios", first.scenario.to_string(), second.scenario.to_string()),
    ];
    let differ = pairs.into_iter().filter(|(_, a, b)| a != b);
    differ.map(|(what, a, b)| format!("the {what} differ: {a} and {b}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::measurement;

    fn noisy(centre: u64, spread: u64) -> Vec<u64> {
        (0..200).map(|i| centre + (i * 7_919) % 199 * spread / 199).collect()
    }

    fn check(first: &[Vec<u64>], second: &[Vec<u64>], expect: Outcome) {
        let comparison = compare(&measurement(first), &measurement(second)).unwrap();
        assert_eq!(comparison.outcome, expect, "{comparison:?}");
        assert!(comparison.low <= comparison.ratio && comparison.ratio <= comparison.high, "{comparison:?}");
        let back = compare(&measurement(second), &measurement(first)).unwrap();
        assert!((back.ratio * comparison.ratio - 1.0).abs() < 1e-9);
        assert!((back.low * comparison.high - 1.0).abs() < 1e-9, "{back:?} {comparison:?}");
    }

    #[test]
    fn clear_differences_are_found_both_ways() {
        check(&[noisy(1_000_000, 50_000)], &[noisy(1_200_000, 50_000)], Outcome::Faster);
        check(&[noisy(1_200_000, 50_000)], &[noisy(1_000_000, 50_000)], Outcome::Slower);
    }

    #[test]
    fn the_same_thing_ties_with_itself() {
        check(&[noisy(1_000_000, 90_000)], &[noisy(1_000_000, 90_000)], Outcome::Tie);
    }

    #[test]
    fn half_a_percent_is_no_difference_however_many_samples() {
        check(&[noisy(1_000_000, 10)], &[noisy(1_005_000, 10)], Outcome::Tie);
    }

    #[test]
    fn launches_that_disagree_hide_a_small_difference() {
        let steady = |centre| noisy(centre, 10_000);
        let first = [steady(1_000_000), steady(1_060_000), steady(1_110_000)];
        check(&first, &[steady(1_090_000)], Outcome::Tie);
    }

    #[test]
    fn differences_keep_the_doubt_of_both_sides() {
        let with = |median, low, high| {
            let mut m = measurement(&[vec![1; 10]]);
            m.statistics.median = Millis(median);
            (m.statistics.ci_low, m.statistics.ci_high) = (Millis(low), Millis(high));
            m
        };
        let found = difference(&with(50.0, 47.0, 53.0), &with(40.0, 36.0, 44.0));
        assert_eq!(found, Difference { ms: Millis(10.0), low: Millis(5.0), high: Millis(15.0) });
    }

    #[test]
    fn other_circumstances_are_named() {
        let first = measurement(&[vec![1; 10]]);
        let mut second = first.clone();
        second.threads = 8;
        assert_eq!(compare(&first, &second).unwrap().caveats, ["the threads differ: 1 and 8"]);
    }
}
