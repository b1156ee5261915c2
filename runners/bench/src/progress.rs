//! What a person wants to know while waiting.

use std::time::Duration;

use convwise_types::{Measurement, Millis};

use crate::error::BenchError;
use crate::schedule::Phase;

/// Where the whole batch of benchmarks stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Update<'a> {
    /// Which plan, from 0.
    pub plan: usize,
    /// How many plans there are.
    pub plans: usize,
    /// What is being measured.
    pub title: &'a str,
    /// Which launch of this plan, from 0.
    pub launch: usize,
    /// How many launches this plan has, as far as is known.
    pub launches: usize,
    /// What this launch is doing.
    pub phase: Phase,
    /// How much of this launch is done, 0 to 1.
    pub launch_done: f64,
    /// How much of everything is done, 0 to 1.
    pub done: f64,
    /// An estimate of the time left for everything, once there is something to go by.
    pub left: Option<Duration>,
    /// The median of this launch so far.
    pub median: Option<Millis>,
    /// Half the width of its 95 % interval as a share of it.
    pub within: Option<f64>,
}

/// Told how the measuring goes. All calls come from the calling thread, between runs.
pub trait Progress {
    /// Something moved.
    fn update(&mut self, update: &Update<'_>);

    /// A plan is done, well or badly, before the others may be: keep its record now.
    fn finished(&mut self, plan: usize, result: &Result<Measurement, BenchError>) {
        let _ = (plan, result);
    }
}

/// Nobody is watching.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn update(&mut self, _: &Update<'_>) {}
}
