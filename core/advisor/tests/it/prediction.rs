//! Predicted latencies as numbers: intervals, probabilities, and what an observation does to them.

use convwise_advisor::predict::{Prediction, Predictor, Prior, Work};
use convwise_types::{InputShape, Interval};

use crate::samples::graph;

const PRIOR: Prior = Prior { cost: [20.0, 250.0, 1.0, 0.015], machine: 0.5, term: 0.45 };

fn work(gmacs: u64, batch: u64) -> Work {
    Work::of(&graph("net", InputShape::square(224), gmacs), batch)
}

fn close(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 1e-9
}

#[test]
fn an_interval_and_its_prediction_say_the_same() {
    for (median_ms, spread) in [(0.02, 0.01), (12.0, 0.3), (9e5, 2.0)] {
        let prediction = Prediction { median_ms, spread };
        let back = Prediction::from_interval(median_ms, prediction.interval());
        assert!(close(back.median_ms, median_ms) && close(back.spread, spread), "{back:?} of {prediction:?}");
    }
}

#[test]
fn an_interval_of_no_width_is_certain() {
    let certain = Prediction::from_interval(20.0, Interval { low: 20.0, high: 20.0 });
    assert_eq!(certain.spread, 0.0);
    assert!(certain.probability_within(19.9) < 1e-6);
    assert!(certain.probability_within(20.1) > 1.0 - 1e-6);
}

#[test]
fn the_probability_of_keeping_a_budget_grows_with_it() {
    let prediction = Prediction { median_ms: 20.0, spread: 0.5 };
    let chances = [1.0, 5.0, 10.0, 20.0, 40.0, 400.0].map(|ms| prediction.probability_within(ms));
    assert!(chances.is_sorted_by(|a, b| a < b), "{chances:?}");
    assert!(chances[0] < 1e-6 && chances[5] > 1.0 - 1e-6, "{chances:?}");
}

#[test]
fn work_grows_with_the_batch_and_the_batch_is_at_least_one() {
    let predictor = Predictor::fit(&PRIOR, &[]);
    let ms = |work| predictor.predict(&work).median_ms;
    assert!(ms(work(2, 4)) > 3.0 * ms(work(2, 1)), "dispatch alone is shared by the images");
    assert!(ms(work(2, 4)) < 4.0 * ms(work(2, 1)));
    assert_eq!(work(2, 0), work(2, 1));
}

#[test]
fn observations_are_counted_and_pull_the_prediction_towards_them() {
    let before = Predictor::fit(&PRIOR, &[]).predict(&work(2, 1));
    let seen = before.median_ms * 3.0;
    let predictor = Predictor::fit(&PRIOR, &[(work(2, 1), seen)]);
    let after = predictor.predict(&work(2, 1));
    assert_eq!(predictor.observations(), 1);
    assert!(before.median_ms * 2.0 < after.median_ms && after.median_ms < seen, "{after:?} after {before:?}");
    assert!(after.spread < before.spread / 2.0, "{after:?} after {before:?}");
}
