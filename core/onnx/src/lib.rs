//! From a layer graph and weights to an ONNX file.
//!
//! This crate owns the ONNX protobuf types, the translation of every layer operation, the folding of
//! inference-time constants into weights, and where weights come from: a seed ([`Seeded`]), the
//! parity rule ([`Golden`]) or a file ([`Safetensors`]). A runner that interprets models itself reads them with
//! [`read_model`], as the messages in [`proto`]. It knows no runner and no script.

mod error;
mod export;
mod inspect;
pub mod proto;
mod read;
mod weights;

pub use error::{ExportError, InspectError, WeightError};
pub use export::{Batch, ExportOptions, Model, OPSETS, data_file, export};
pub use inspect::{ModelInfo, TensorInfo, inspect, inspect_file};
pub use read::{MAX_NODES, decode_model, encode_model, read_model};
pub use weights::golden;
pub use weights::{
    Filling, Golden, Matching, MisshapedTensor, MissingTensor, Safetensors, Seeded, UnreadableTensor,
    WeightReport, WeightSource,
};
