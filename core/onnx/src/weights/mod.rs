//! Where the numbers of a network come from.

pub mod golden;
mod matching;
mod report;
mod safetensors;
mod seeded;
mod splitmix;

use convwise_graph::{Graph, Param};

use crate::error::WeightError;

pub use golden::{Filling, Golden};
pub use matching::Matching;
pub use report::{MisshapedTensor, MissingTensor, UnreadableTensor, WeightReport};
pub use safetensors::Safetensors;
pub use seeded::Seeded;

/// Yields the values of trained tensors by name.
pub trait WeightSource {
    /// What a person reads, and what the exported file records: `seed:0`.
    fn describe(&self) -> String;

    /// Everything that keeps these weights from fitting `graph`. Rules that can fill any tensor never object.
    fn check(&self, _graph: &Graph) -> WeightReport {
        WeightReport::default()
    }

    /// Writes the values of `param` in row-major order; `out` has one place for each element.
    ///
    /// # Errors
    /// The source does not have this tensor with these extents, or cannot be read.
    fn fill(&self, param: &Param, out: &mut [f32]) -> Result<(), WeightError>;
}
