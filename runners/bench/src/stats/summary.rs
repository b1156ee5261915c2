//! From launches to the statistics of a record.

use convwise_types::{Launch, Millis, Statistics};

use super::{Sorted, index, interval_over_launches, upper_bound};

/// The statistics over the steady-state samples of all launches; `None` where there are none.
///
/// Every figure is rounded to whole nanoseconds: shorter text, and numbers that survive being written and read.
#[must_use]
pub fn summarise(launches: &[Launch]) -> Option<Statistics> {
    let series: Vec<&[u64]> = launches.iter().map(|launch| launch.samples_ns.as_slice()).collect();
    let all: Vec<u64> = series.concat();
    let sorted = Sorted::new(all.iter().copied())?;
    let interval = interval_over_launches(&series)?;
    Some(Statistics {
        samples: sorted.len() as u64,
        median: millis(interval.median),
        ci_low: millis(interval.low),
        ci_high: millis(interval.high),
        min: whole_millis(sorted.min()),
        mean: millis(sorted.mean()),
        p90: upper_bound(&all, 0.90).map(whole_millis),
        p99: upper_bound(&all, 0.99).map(whole_millis),
        mad: millis(sorted.mad()),
        outliers: sorted.outliers(),
    })
}

/// Nanoseconds as milliseconds, to the nanosecond.
pub(crate) fn millis(nanoseconds: f64) -> Millis {
    whole_millis(index(nanoseconds.round()) as u64)
}

/// Whole nanoseconds as milliseconds.
pub(crate) fn whole_millis(nanoseconds: u64) -> Millis {
    Millis(super::real(nanoseconds) / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(samples: impl IntoIterator<Item = u64>) -> Launch {
        Launch {
            load: Millis(1.0),
            build: None,
            first: Millis(1.0),
            warmup_runs: 3,
            samples_ns: samples.into_iter().collect(),
            peak_rss: None,
        }
    }

    #[test]
    fn all_launches_count() {
        let statistics = summarise(&[launch([1_000_000; 30]), launch([1_000_000; 20])]).unwrap();
        assert_eq!(statistics.samples, 50);
        assert_eq!((statistics.median, statistics.mean), (Millis(1.0), Millis(1.0)));
        assert_eq!((statistics.ci_low, statistics.ci_high), (Millis(1.0), Millis(1.0)));
        assert_eq!((statistics.p90, statistics.p99), (Some(Millis(1.0)), None));
    }

    #[test]
    fn figures_survive_being_written_and_read() {
        let samples = (0..57).map(|i| 12_345_678 + i * 7_919 % 9_973);
        let statistics = summarise(&[launch(samples)]).unwrap();
        let text = serde_json::to_string(&statistics).unwrap();
        assert_eq!(serde_json::from_str::<Statistics>(&text).unwrap(), statistics);
    }

    #[test]
    fn no_samples_no_statistics() {
        assert_eq!(summarise(&[]), None);
        assert_eq!(summarise(&[launch([])]), None);
    }
}
