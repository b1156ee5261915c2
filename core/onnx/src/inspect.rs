//! What an ONNX file takes and gives, without loading it.
//!
//! The file may come from anywhere. Its messages are walked in place; only the few that describe
//! inputs and outputs are decoded, and only so many of them, so that memory stays near the file's size
//! whatever it claims.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use prost::Message;
use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use crate::error::InspectError;
use crate::proto::tensor_shape_proto::dimension;
use crate::proto::{OperatorSetIdProto, ValueInfoProto, type_proto};

/// Protobuf's own limit on one message.
const MAX_BYTES: u64 = (1 << 31) - 1;
/// Most inputs or outputs looked at.
const MAX_VALUES: usize = 4096;
/// Longest description of one input or output; decoding takes a multiple of it.
const MAX_VALUE_BYTES: usize = 1 << 16;
/// Fields of `ModelProto`.
const GRAPH: u32 = 7;
const OPSET_IMPORT: u32 = 8;
/// Fields of `GraphProto`.
const NODE: u32 = 1;
const INITIALIZER: u32 = 5;
const INPUT: u32 = 11;
const OUTPUT: u32 = 12;
/// Field of `TensorProto`.
const NAME: u32 = 8;

/// A named input or output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name.
    pub name: String,
    /// ONNX element type (1 is fp32), or `None` where it is not a tensor or not stated.
    pub element_type: Option<i32>,
    /// Extents; `None` for a symbolic or unstated one. The list is `None` where the rank is not stated.
    pub dims: Option<Vec<Option<u64>>>,
}

/// What a model takes and gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelInfo {
    /// What a caller must supply, in order; initialisers are left out.
    pub inputs: Vec<TensorInfo>,
    /// What it answers, in order.
    pub outputs: Vec<TensorInfo>,
    /// Version of the standard operator set, 0 where it is not stated.
    pub opset: i64,
    /// Number of nodes of the main graph.
    pub nodes: usize,
    /// Bytes of the stored tensors' messages, which is their data and a little more.
    pub initialisers_bytes: u64,
}

/// Looks into an ONNX file.
///
/// # Errors
/// The file cannot be read, is too large, or is not a sound ONNX model.
pub fn inspect_file(path: impl AsRef<Path>) -> Result<ModelInfo, InspectError> {
    let path = path.as_ref();
    let bytes = read_limited(path)?;
    inspect(&bytes)
        .map_err(|source| InspectError::File { path: path.to_path_buf(), source: Box::new(source) })
}

/// Looks into the bytes of an ONNX file.
///
/// # Errors
/// They are not a sound ONNX model.
pub fn inspect(bytes: &[u8]) -> Result<ModelInfo, InspectError> {
    let mut info = ModelInfo::default();
    let mut graphs = 0;
    walk(bytes, |field, payload| match field {
        GRAPH => {
            graphs += 1;
            walk(payload, |field, payload| graph_field(&mut info, field, payload))
        }
        OPSET_IMPORT => opset(&mut info, &decode(payload, "operator set")?),
        _ => Ok(()),
    })?;
    drop_initialised(&mut info.inputs, bytes)?;
    match (graphs, info.outputs.is_empty()) {
        (0, _) => Err(damaged("it has no graph")),
        (_, true) => Err(damaged("its graph has no output")),
        _ => Ok(info),
    }
}

pub(crate) fn read_limited(path: &Path) -> Result<Vec<u8>, InspectError> {
    let unreadable = |source| InspectError::Read { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    if size > MAX_BYTES {
        let source = Box::new(InspectError::TooLarge { bytes: size });
        return Err(InspectError::File { path: path.to_path_buf(), source });
    }
    let mut bytes = Vec::with_capacity(size as usize);
    // The limit holds for a file that grows, and for a device that never ends.
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn graph_field(info: &mut ModelInfo, field: u32, payload: &[u8]) -> Result<(), InspectError> {
    match field {
        NODE => info.nodes += 1,
        INITIALIZER => info.initialisers_bytes += payload.len() as u64,
        INPUT => push_value(&mut info.inputs, payload, "input")?,
        OUTPUT => push_value(&mut info.outputs, payload, "output")?,
        _ => {}
    }
    Ok(())
}

fn opset(info: &mut ModelInfo, import: &OperatorSetIdProto) -> Result<(), InspectError> {
    if matches!(import.domain(), "" | "ai.onnx") {
        info.opset = import.version();
    }
    Ok(())
}

/// Older files list every initialiser among the inputs too. A second walk, so that no list of their
/// names is needed.
fn drop_initialised(inputs: &mut Vec<TensorInfo>, bytes: &[u8]) -> Result<(), InspectError> {
    let mut in_tensor = |field, name: &[u8]| {
        if field == NAME {
            inputs.retain(|input| input.name.as_bytes() != name);
        }
        Ok(())
    };
    let mut in_graph = |field, tensor: &[u8]| match field {
        INITIALIZER => walk(tensor, &mut in_tensor),
        _ => Ok(()),
    };
    walk(bytes, |field, graph| if field == GRAPH { walk(graph, &mut in_graph) } else { Ok(()) })
}

fn push_value(list: &mut Vec<TensorInfo>, payload: &[u8], what: &str) -> Result<(), InspectError> {
    if list.len() >= MAX_VALUES {
        return Err(damaged(format!("it has more than {MAX_VALUES} {what}s")));
    }
    if payload.len() > MAX_VALUE_BYTES {
        return Err(damaged(format!("an {what} is described by more than {MAX_VALUE_BYTES} bytes")));
    }
    list.push(describe(decode(payload, what)?));
    Ok(())
}

fn describe(value: ValueInfoProto) -> TensorInfo {
    let name = value.name().to_owned();
    let Some(type_proto::Value::TensorType(tensor)) = value.r#type.and_then(|t| t.value) else {
        return TensorInfo { name, element_type: None, dims: None };
    };
    let dims = tensor.shape.map(|shape| shape.dim.into_iter().map(|d| known(d.value)).collect());
    TensorInfo { name, element_type: tensor.elem_type, dims }
}

fn known(dimension: Option<dimension::Value>) -> Option<u64> {
    match dimension {
        Some(dimension::Value::DimValue(extent)) => u64::try_from(extent).ok(),
        _ => None,
    }
}

/// Calls `visit` for each length-delimited field of a message; others are skipped.
fn walk(
    mut message: &[u8],
    mut visit: impl FnMut(u32, &[u8]) -> Result<(), InspectError>,
) -> Result<(), InspectError> {
    while message.has_remaining() {
        let (field, wire) = decode_key(&mut message).map_err(damaged)?;
        if wire == WireType::LengthDelimited {
            let length = decode_varint(&mut message).map_err(damaged)?;
            visit(field, take(&mut message, length)?)?;
        } else {
            skip_field(wire, field, &mut message, DecodeContext::default()).map_err(damaged)?;
        }
    }
    Ok(())
}

fn take<'a>(message: &mut &'a [u8], length: u64) -> Result<&'a [u8], InspectError> {
    let split = usize::try_from(length).ok().and_then(|length| message.split_at_checked(length));
    let (payload, rest) = split.ok_or_else(|| {
        damaged(format!("a field claims {length} bytes and {} follow; it is truncated", message.len()))
    })?;
    *message = rest;
    Ok(payload)
}

pub(crate) fn decode<M: Message + Default>(payload: &[u8], what: &str) -> Result<M, InspectError> {
    M::decode(payload).map_err(|e| damaged(format!("its {what} cannot be read: {e}")))
}

pub(crate) fn damaged(reason: impl ToString) -> InspectError {
    InspectError::Damaged { reason: reason.to_string() }
}
