//! Latency before it is measured: one model for both `estimated` and `calibrated`.
//!
//! A network's time is taken to be a sum of work terms, each with its own unknown cost on the
//! device: `t = sum_j exp(theta_j) * x_j`, with `x` the multiply-accumulates outside and inside
//! depthwise convolutions, the activations written and the number of operations. The logarithms
//! `theta` start from a broad normal prior and are updated with what was measured here
//! (maximum a posteriori by Gauss-Newton, Laplace approximation for the spread; C. M. Bishop,
//! Pattern Recognition and Machine Learning, 2006, sections 3.3 and 4.4). Without measurements
//! the prior alone gives an honest, wide interval.

use convwise_types::{GraphFacts, Interval};

use crate::linear::{Matrix, Vector};

/// Number of work terms.
pub(crate) const TERMS: usize = 4;

/// Work of one inference, one entry a term.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work(pub(crate) [f64; TERMS]);

impl Work {
    /// The work of one batch: [GMACs, depthwise GMACs, million activations, operations].
    #[expect(clippy::cast_precision_loss, reason = "counts of work need no more than 53 bits")]
    #[must_use]
    pub fn of(facts: &GraphFacts, batch: u64) -> Self {
        let images = batch.max(1) as f64;
        let depthwise = facts.depthwise_macs.as_f64();
        let dense = (facts.macs.as_f64() - depthwise).max(0.0);
        let operations: u64 = facts.ops.values().sum();
        Self([
            dense * images / 1e9,
            depthwise * images / 1e9,
            facts.activations as f64 * images / 1e6,
            operations as f64,
        ])
    }
}

/// What a kind of machine is believed to cost before anything ran on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    /// Milliseconds a unit of each term of [`Work`], on one thread.
    pub cost: [f64; TERMS],
    /// Standard deviation of the logarithm that all terms share: how fast machines of this kind differ.
    pub machine: f64,
    /// Standard deviation of the logarithm of each term on its own: how runtimes differ.
    pub term: f64,
}

/// A fitted model.
#[derive(Clone, Debug)]
pub struct Predictor {
    theta: Vector<TERMS>,
    covariance: Matrix<TERMS>,
    residual: f64,
    observations: usize,
}

/// A predicted latency in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Median of the predictive distribution.
    pub median_ms: f64,
    /// Standard deviation of its logarithm.
    pub spread: f64,
}

/// Spread of single networks round the model, before data says otherwise.
const RESIDUAL: f64 = 0.15;
/// How many observations that belief is worth.
const RESIDUAL_WEIGHT: f64 = 4.0;
const STEPS: usize = 30;

impl Prediction {
    /// The prediction whose median and 95 % interval these are.
    #[must_use]
    pub fn from_interval(median_ms: f64, interval: Interval) -> Self {
        let spread = (interval.high / interval.low).ln() / (2.0 * 1.96);
        Self { median_ms, spread: if spread.is_finite() { spread.max(0.0) } else { 0.0 } }
    }

    /// The central 95 % interval.
    #[must_use]
    pub fn interval(&self) -> Interval {
        let factor = (1.96 * self.spread).exp();
        Interval { low: self.median_ms / factor, high: self.median_ms * factor }
    }

    /// Probability that the latency is at most `budget_ms`.
    #[must_use]
    pub fn probability_within(&self, budget_ms: f64) -> f64 {
        normal_cdf((budget_ms / self.median_ms).ln() / self.spread.max(1e-6))
    }
}

impl Predictor {
    /// Fits the model to observed `(work, milliseconds)` pairs; with none, the prior speaks.
    /// Observations that are not positive numbers are ignored.
    #[must_use]
    pub fn fit(prior: &Prior, observed: &[(Work, f64)]) -> Self {
        let observed: Vec<_> = observed
            .iter()
            .filter(|(_, ms)| ms.is_finite() && *ms > 0.0)
            .map(|(w, ms)| (*w, ms.ln()))
            .collect();
        let start = Vector(prior.cost.map(f64::ln));
        let precision = prior_covariance(prior).inverse().unwrap_or_else(Matrix::identity);
        let mut fit = Self {
            theta: start,
            covariance: prior_covariance(prior),
            residual: RESIDUAL,
            observations: observed.len(),
        };
        if observed.is_empty() {
            return fit;
        }
        // The spread of single networks and the costs depend on each other: alternate.
        for _ in 0..3 {
            fit.improve(&start, &precision, &observed);
            fit.residual = fit.residual_spread(&observed);
        }
        fit.improve(&start, &precision, &observed);
        fit
    }

    /// How many measurements stand behind the model.
    #[must_use]
    pub fn observations(&self) -> usize {
        self.observations
    }

    /// Predicts the latency of a network.
    #[must_use]
    pub fn predict(&self, work: &Work) -> Prediction {
        let (log_ms, share) = self.log_time(work);
        let variance = self.covariance.quadratic(&share) + self.residual * self.residual;
        Prediction { median_ms: log_ms.exp(), spread: variance.max(0.0).sqrt() }
    }

    /// Logarithm of the time and the share of each term in it (its gradient).
    fn log_time(&self, work: &Work) -> (f64, Vector<TERMS>) {
        let parts = self.theta.zip(&Vector(work.0), |theta, x| theta.exp() * x);
        let total: f64 = parts.0.iter().sum::<f64>().max(1e-9);
        (total.ln(), parts.map(|p| p / total))
    }

    fn improve(&mut self, start: &Vector<TERMS>, precision: &Matrix<TERMS>, observed: &[(Work, f64)]) {
        let weight = 1.0 / (self.residual * self.residual);
        for _ in 0..STEPS {
            let mut curvature = precision.clone();
            let mut pull = precision.apply(&start.zip(&self.theta, |a, b| a - b));
            for (work, log_ms) in observed {
                let (predicted, share) = self.log_time(work);
                curvature.add_outer(&share, weight);
                pull = pull.zip(&share, |p, s| p + weight * (log_ms - predicted) * s);
            }
            let Some(covariance) = curvature.inverse() else { return };
            // A step beyond a factor of e leaves the region where the linearisation holds.
            let step = covariance.apply(&pull).map(|s| s.clamp(-1.0, 1.0));
            self.theta = self.theta.zip(&step, |t, s| t + s);
            self.covariance = covariance;
            if step.0.iter().all(|s| s.abs() < 1e-9) {
                return;
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a handful of observations")]
    fn residual_spread(&self, observed: &[(Work, f64)]) -> f64 {
        let squares: f64 = observed.iter().map(|(w, y)| (y - self.log_time(w).0).powi(2)).sum();
        let count = observed.len() as f64;
        ((RESIDUAL_WEIGHT * RESIDUAL * RESIDUAL + squares) / (RESIDUAL_WEIGHT + count)).sqrt()
    }
}

fn prior_covariance(prior: &Prior) -> Matrix<TERMS> {
    let mut covariance = Matrix::diagonal(prior.term * prior.term);
    covariance.add_outer(&Vector([1.0; TERMS]), prior.machine * prior.machine);
    covariance
}

/// Standard normal distribution function (M. Abramowitz and I. Stegun, Handbook of Mathematical
/// Functions, 26.2.17; absolute error below 7.5e-8).
fn normal_cdf(z: f64) -> f64 {
    const COEFFICIENTS: [f64; 5] =
        [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let series = COEFFICIENTS.iter().rev().fold(0.0, |sum, c| (sum + c) * t);
    let upper = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * series;
    if z >= 0.0 { 1.0 - upper } else { upper }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIOR: Prior = Prior { cost: [12.0, 60.0, 0.5, 0.01], machine: 0.6, term: 0.5 };

    fn networks() -> Vec<Work> {
        [
            [4.0, 0.0, 11.0, 120.0],
            [0.2, 0.03, 4.0, 180.0],
            [1.8, 0.0, 2.5, 60.0],
            [0.35, 0.05, 6.7, 240.0],
            [4.3, 0.1, 13.0, 200.0],
            [0.05, 0.01, 1.4, 150.0],
        ]
        .map(Work)
        .to_vec()
    }

    /// A machine that differs from the prior in every term.
    fn truth(work: &Work) -> f64 {
        let cost = [20.0, 40.0, 1.2, 0.02];
        work.0.iter().zip(cost).map(|(x, c)| x * c).sum()
    }

    #[test]
    fn the_prior_alone_is_wide_and_covers_another_machine() {
        let predictor = Predictor::fit(&PRIOR, &[]);
        for work in networks() {
            let interval = predictor.predict(&work).interval();
            assert!(interval.high / interval.low > 4.0, "{interval:?}");
            assert!((interval.low..interval.high).contains(&truth(&work)), "{interval:?} {}", truth(&work));
        }
    }

    #[test]
    fn measurements_make_it_narrow_and_right() {
        let nets = networks();
        let observed: Vec<_> = nets.iter().skip(1).map(|w| (*w, truth(w))).collect();
        let predictor = Predictor::fit(&PRIOR, &observed);
        for work in &nets {
            let prediction = predictor.predict(work);
            let error = (prediction.median_ms / truth(work)).ln().abs();
            assert!(error < 0.15, "{error} at {work:?}");
            assert!(prediction.spread < 0.25, "{prediction:?}");
        }
    }

    #[test]
    fn nonsense_observations_change_nothing() {
        let work = Work([4.0, 0.0, 11.0, 120.0]);
        let calm = Predictor::fit(&PRIOR, &[]).predict(&work);
        let odd = [(work, f64::NAN), (work, -1.0), (work, 0.0), (work, f64::INFINITY)];
        assert_eq!(Predictor::fit(&PRIOR, &odd).predict(&work), calm);
    }

    #[test]
    fn probabilities() {
        let p = Prediction { median_ms: 20.0, spread: 0.5 };
        assert!((p.probability_within(20.0) - 0.5).abs() < 1e-6);
        assert!((p.probability_within(p.interval().high) - 0.975).abs() < 1e-3);
        assert!(p.probability_within(p.interval().low) < 0.026);
    }
}
