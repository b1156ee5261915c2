//! Whole models, for a reader that interprets them itself.

use std::path::Path;

use prost::Message;

use crate::error::InspectError;
use crate::inspect::{damaged, decode, inspect, read_limited};
use crate::proto::ModelProto;

/// Most nodes of a model that is read. An empty node takes two bytes in a file and a hundred times that in memory.
pub const MAX_NODES: usize = 1 << 18;

/// Reads an ONNX file. Weights in a file beside it stay there: their tensors say where.
///
/// # Errors
/// The file cannot be read, is too large, is not a sound ONNX model, or has more than [`MAX_NODES`] nodes.
pub fn read_model(path: impl AsRef<Path>) -> Result<ModelProto, InspectError> {
    let path = path.as_ref();
    let bytes = read_limited(path)?;
    decode_model(&bytes)
        .map_err(|source| InspectError::File { path: path.to_path_buf(), source: Box::new(source) })
}

/// Reads the bytes of an ONNX file.
///
/// # Errors
/// As [`read_model`].
pub fn decode_model(bytes: &[u8]) -> Result<ModelProto, InspectError> {
    let nodes = inspect(bytes)?.nodes;
    if nodes > MAX_NODES {
        return Err(damaged(format!("it has {nodes} nodes; at most {MAX_NODES} are read")));
    }
    decode(bytes, "graph")
}

/// The bytes of a model, as they stand in a file.
#[must_use]
pub fn encode_model(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{GraphProto, NodeProto, ValueInfoProto};

    fn model(nodes: usize) -> ModelProto {
        let graph = GraphProto {
            node: vec![NodeProto::default(); nodes],
            output: vec![ValueInfoProto { name: Some("y".to_owned()), ..ValueInfoProto::default() }],
            ..GraphProto::default()
        };
        ModelProto { graph: Some(graph), ..ModelProto::default() }
    }

    #[test]
    fn models_come_back_as_they_were_written() {
        assert_eq!(decode_model(&encode_model(&model(3))).unwrap(), model(3));
    }

    #[test]
    fn damaged_and_bloated_files_are_refused() {
        let bytes = encode_model(&model(3));
        assert!(decode_model(&bytes[..bytes.len() - 1]).is_err());
        assert!(decode_model(&[]).is_err());
        let error = decode_model(&encode_model(&model(MAX_NODES + 1))).unwrap_err();
        assert!(error.to_string().contains("262145 nodes; at most 262144"), "{error}");
    }
}
