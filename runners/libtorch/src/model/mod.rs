//! An ONNX file, read: what it takes, what it gives, and its weights as tensors.

mod values;
mod weights;

use std::path::Path;

use convwise_onnx::proto::{ModelProto, NodeProto};
use convwise_sdk::{RunnerError, TensorInfo};
use tch::Tensor;

pub(crate) use weights::tensor;

/// The name under which the standard operators may also be imported.
const STANDARD_DOMAIN: &str = "ai.onnx";

/// A model without its messages' wrapping.
pub(crate) struct Model {
    /// Version of the standard operator set.
    pub(crate) opset: i64,
    /// What a caller sets, in order.
    pub(crate) inputs: Vec<TensorInfo>,
    /// What a run gives, in order.
    pub(crate) outputs: Vec<TensorInfo>,
    /// Stored tensors by name.
    pub(crate) weights: Vec<(String, Tensor)>,
    /// Nodes in the order of the file, which is one in which they can run.
    pub(crate) nodes: Vec<NodeProto>,
}

impl Model {
    /// Reads a file, and the file with its weights where it has one.
    pub(crate) fn read(path: &Path) -> Result<Self, RunnerError> {
        let model = convwise_onnx::read_model(path).map_err(|error| RunnerError::model(error.to_string()))?;
        Self::of(model, path.parent().unwrap_or(Path::new(".")))
    }

    /// Takes a model apart; `folder` is where files with weights stand.
    pub(crate) fn of(mut model: ModelProto, folder: &Path) -> Result<Self, RunnerError> {
        let opset = opset(&model)?;
        let graph = model.graph.take().ok_or_else(|| RunnerError::model("the model has no graph"))?;
        if !graph.sparse_initializer.is_empty() {
            return Err(RunnerError::unsupported(
                "the model has sparse weights, which this runner cannot read",
            ));
        }
        let outputs = graph.output.iter().map(values::output).collect::<Result<_, _>>()?;
        let weights = weights::read(graph.initializer, folder)?;
        let given = graph.input.iter().filter(|input| !weights.iter().any(|(name, _)| name == input.name()));
        let inputs = given.map(values::input).collect::<Result<_, _>>()?;
        Ok(Self { opset, inputs, outputs, weights, nodes: graph.node })
    }
}

/// The version of the standard operators.
fn opset(model: &ModelProto) -> Result<i64, RunnerError> {
    let standard = model.opset_import.iter().find(|import| is_standard(import.domain()));
    let version = standard.map(|import| import.version());
    version
        .ok_or_else(|| RunnerError::model("the model does not say which version of ONNX's operators it uses"))
}

/// Whether a domain is that of ONNX's own operators.
pub(crate) fn is_standard(domain: &str) -> bool {
    domain.is_empty() || domain == STANDARD_DOMAIN
}
