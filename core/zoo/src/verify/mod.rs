//! Checks a graph against a fixture: the reference implementation's tensor names and shapes, counts,
//! and sampled outputs under deterministic weights.
//!
//! Knows nothing of how the network is run: whoever runs it hands over the outputs.

mod fixture;
mod report;

pub use fixture::{Fixture, FixtureInput, FixtureOutput, FixtureTensor};
pub use report::{Count, OutputCheck, TensorReport, VerifyReport, compare_graph, compare_outputs};
