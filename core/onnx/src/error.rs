//! What can go wrong, in words that name the file, the tensor or the node.

use std::io;
use std::path::PathBuf;

use convwise_graph::GraphError;
use thiserror::Error;

use crate::weights::WeightReport;

/// Why weights could not be had.
#[derive(Debug, Error)]
pub enum WeightError {
    /// The file cannot be opened or read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not what its name says, or is damaged.
    #[error("`{path}` is not a sound safetensors file: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// The tensors are not those of the graph.
    #[error("the weights ({weights}) do not fit the network `{graph}`:\n{report}")]
    Misfit {
        /// Where the weights come from.
        weights: String,
        /// Name of the network.
        graph: String,
        /// Every problem.
        report: Box<WeightReport>,
    },
    /// A tensor was asked for that the source does not have in this form.
    #[error("the weights ({weights}) have no tensor `{tensor}` of {elements} numbers")]
    NoTensor {
        /// Where the weights come from.
        weights: String,
        /// Name of the tensor.
        tensor: String,
        /// How many numbers were asked for.
        elements: usize,
    },
}

/// Why a graph could not be exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The graph itself is wrong.
    #[error(transparent)]
    Graph(Box<GraphError>),
    /// The weights do not fit or cannot be read.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// The requested operator set is not supported.
    #[error("cannot export opset {requested}; expected {} to {}", .supported.start(), .supported.end())]
    Opset {
        /// What was asked for.
        requested: u32,
        /// What can be had.
        supported: std::ops::RangeInclusive<u32>,
    },
    /// A model for no image.
    #[error("cannot export for a batch of 0 images; expected at least 1, or a dynamic batch")]
    EmptyBatch,
    /// The network does not take batches.
    #[error("`{graph}` cannot take a dynamic batch: {reason}; export it with a fixed batch of 1")]
    NotBatched {
        /// Name of the network.
        graph: String,
        /// What a batch of two images breaks.
        reason: Box<GraphError>,
    },
    /// Weights past all measure.
    #[error("`{graph}` needs {bytes} bytes of weights; at most 68719476736 are written")]
    TooLarge {
        /// Name of the network.
        graph: String,
        /// Bytes of all weights in fp32.
        bytes: u64,
    },
}

impl From<GraphError> for ExportError {
    fn from(error: GraphError) -> Self {
        Self::Graph(Box::new(error))
    }
}

/// Why an ONNX file could not be looked into.
#[derive(Debug, Error)]
pub enum InspectError {
    /// The file cannot be opened or read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is larger than the format allows.
    #[error("{bytes} bytes; an ONNX file is smaller than 2147483648")]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// The bytes are not an ONNX model, or end early.
    #[error("not a sound ONNX model: {reason}")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
    /// One of the above, in a file.
    #[error("`{path}`: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<InspectError>,
    },
}
