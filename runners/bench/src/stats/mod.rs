//! Statistics over run times: what the samples say and, as important, what they cannot say.
//!
//! Pure: no clock, no randomness, nothing but numbers. Samples are nanoseconds in the order they were taken; the order
//! matters, because run times are not independent of each other (heat, clocks, neighbours), and an interval that
//! ignores this is too narrow.

mod compare;
mod describe;
mod interval;
mod percentile;
mod serial;
mod summary;

pub use compare::{Comparison, Difference, Outcome, compare, difference};
pub use describe::{Sorted, median};
pub use interval::{MIN_FOR_INTERVAL, MedianInterval, interval_over_launches, median_interval};
pub use percentile::{min_samples_for, upper_bound};
pub use serial::{correlation_time, drift, lag1_autocorrelation};
pub use summary::summarise;
pub(crate) use summary::whole_millis;

/// Counts and nanoseconds as real numbers.
#[expect(clippy::cast_precision_loss, reason = "run times and sample counts stay far below 2^53")]
pub(crate) fn real(value: u64) -> f64 {
    value as f64
}

/// Lengths as real numbers.
#[expect(clippy::cast_precision_loss, reason = "sample counts stay far below 2^53")]
pub(crate) fn count(value: usize) -> f64 {
    value as f64
}

/// A non-negative real number as an index, rounded down.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and callers bound the result by a length"
)]
pub(crate) fn index(value: f64) -> usize {
    value.max(0.0) as usize
}
