//! Translation of a layer graph: which nodes are kept, folded or joined is planned first
//! ([`plan`], [`fold`]), then one file a kind of operation writes the nodes.

mod activation;
mod arith;
mod conv;
mod emit;
mod fold;
mod gather;
mod layer;
mod layout;
mod linear;
mod listing;
mod model;
mod names;
mod plan;
mod pool;
mod resize;
mod save;
mod split;
mod values;

use std::ops::RangeInclusive;

use convwise_graph::{Graph, Shapes, infer};

pub use model::Model;
pub use save::data_file;

use crate::error::{ExportError, WeightError};
use crate::weights::WeightSource;
use emit::Emitter;
use plan::Plan;

/// Operator sets that can be written. 17 is the first with layer normalisation.
pub const OPSETS: RangeInclusive<u32> = 17..=22;

/// The batch axis of inputs and outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// Always this many images.
    Fixed(usize),
    /// Any number of images, called `N` in the file.
    Dynamic,
}

impl Batch {
    /// The batch to infer shapes for.
    fn size(self) -> usize {
        match self {
            Self::Fixed(n) => n,
            Self::Dynamic => 1,
        }
    }
}

/// How a graph is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportOptions {
    /// Version of the operator set, within [`OPSETS`].
    pub opset: u32,
    /// The batch axis.
    pub batch: Batch,
    /// Writes every batch norm and layer scale as the graph has it instead of folding it into the
    /// convolution or linear layer before it.
    pub keep_batchnorm: bool,
}

impl Default for ExportOptions {
    /// Opset 17, which the most runtimes read; ONNX Runtime makes the same fused nodes of it as of later ones.
    /// One image, constants folded.
    fn default() -> Self {
        Self { opset: 17, batch: Batch::Fixed(1), keep_batchnorm: false }
    }
}

/// Makes an ONNX model of a graph. Nodes that no output depends on are left out.
///
/// # Errors
/// The graph is wrong, the weights do not fit (with every difference listed), or the options cannot be had.
pub fn export(
    graph: &Graph,
    weights: &dyn WeightSource,
    options: &ExportOptions,
) -> Result<Model, ExportError> {
    check_options(options)?;
    graph.validate()?;
    check_size(graph)?;
    check_weights(graph, weights)?;
    let shapes = infer(graph, options.batch.size())?;
    let plan = Plan::of(graph, &shapes, options.keep_batchnorm);
    Emitter::new(graph, &shapes, &plan, weights, options).model(&doubled(graph, options.batch)?)
}

fn check_options(options: &ExportOptions) -> Result<(), ExportError> {
    if !OPSETS.contains(&options.opset) {
        return Err(ExportError::Opset { requested: options.opset, supported: OPSETS });
    }
    if options.batch == Batch::Fixed(0) {
        return Err(ExportError::EmptyBatch);
    }
    Ok(())
}

/// Before anything is allocated: a hostile graph may ask for terabytes.
fn check_size(graph: &Graph) -> Result<(), ExportError> {
    let bytes = graph.params().fold(0u64, |sum, p| sum.saturating_add(p.shape.elements().saturating_mul(4)));
    if bytes >= model::MAX_WEIGHTS {
        return Err(ExportError::TooLarge { graph: graph.name.clone(), bytes });
    }
    Ok(())
}

fn check_weights(graph: &Graph, weights: &dyn WeightSource) -> Result<(), WeightError> {
    let report = weights.check(graph);
    if report.fits() {
        return Ok(());
    }
    Err(WeightError::Misfit {
        weights: weights.describe(),
        graph: graph.name.clone(),
        report: Box::new(report),
    })
}

/// Shapes for two images where the batch is dynamic: the axes that grow are those that follow the batch.
fn doubled(graph: &Graph, batch: Batch) -> Result<Option<Shapes>, ExportError> {
    match batch {
        Batch::Fixed(_) => Ok(None),
        Batch::Dynamic => infer(graph, 2).map(Some).map_err(|reason| ExportError::NotBatched {
            graph: graph.name.clone(),
            reason: Box::new(reason),
        }),
    }
}
