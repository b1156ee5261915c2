//! The finished model, and its bytes.
//!
//! Weights stay numbers until they are written: the message around them is encoded by hand-counted
//! lengths, so that a model of 100 MB is never built in memory a second time.

use std::io::{self, Write};

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len};

use crate::proto::{GraphProto, ModelProto, TensorProto, entry, extent, tensor_proto};

/// Bytes of weights from which a model would not fit in a protobuf message any more, so that they get a file
/// of their own.
const MAX_MESSAGE: u64 = (1 << 31) - (16 << 20);
/// Most bytes of weights, 64 GiB: what is larger is a mistake.
pub(super) const MAX_WEIGHTS: u64 = 1 << 36;

/// Fields of the messages that are taken apart.
const MODEL_GRAPH: u32 = 7;
const GRAPH_INITIALIZER: u32 = 5;
const TENSOR_RAW_DATA: u32 = 9;
/// Numbers turned into bytes at a time.
const CHUNK: usize = 1 << 14;

/// A trained tensor on its way to a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    pub name: String,
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
}

impl Tensor {
    fn bytes(&self) -> u64 {
        self.values.len() as u64 * 4
    }

    /// Its message but for the data.
    fn head(&self) -> TensorProto {
        TensorProto {
            name: Some(self.name.clone()),
            dims: self.dims.iter().map(|&d| extent(d)).collect(),
            data_type: Some(tensor_proto::DataType::Float.into()),
            ..TensorProto::default()
        }
    }

    /// Its message where the data lies in another file.
    fn elsewhere(&self, file: &str, offset: u64) -> TensorProto {
        TensorProto {
            data_location: Some(tensor_proto::DataLocation::External.into()),
            external_data: vec![
                entry("location", file.to_owned()),
                entry("offset", offset.to_string()),
                entry("length", self.bytes().to_string()),
            ],
            ..self.head()
        }
    }
}

/// An ONNX model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    header: ModelProto,
    graph: GraphProto,
    tensors: Vec<Tensor>,
}

impl Model {
    pub(super) fn new(header: ModelProto, graph: GraphProto, tensors: Vec<Tensor>) -> Self {
        Self { header, graph, tensors }
    }

    /// Writes the file in large pieces; no buffering is needed around `out`.
    ///
    /// # Errors
    /// What `out` reports.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        let tensors: Vec<_> = self.tensors.iter().map(Encoded::of).collect();
        out.write_all(&self.prefix(&tensors))?;
        let mut buffer = Vec::with_capacity(CHUNK * 4);
        for tensor in &tensors {
            buffer.clear();
            encode_key(GRAPH_INITIALIZER, WireType::LengthDelimited, &mut buffer);
            encode_varint(tensor.len, &mut buffer);
            buffer.extend_from_slice(&tensor.before_data);
            out.write_all(&buffer)?;
            write_numbers(tensor.values, &mut buffer, out)?;
        }
        Ok(())
    }

    /// Whether the weights need a file of their own: a message of 2 GiB could not be read any more.
    #[must_use]
    pub fn needs_data_file(&self) -> bool {
        self.weight_bytes() >= MAX_MESSAGE
    }

    /// Writes the model without its weights, and the weights, which the model expects in a file called
    /// `data_name` beside its own (ONNX, "External Data").
    ///
    /// # Errors
    /// What `out` or `data` reports.
    pub fn write_split(
        &self,
        out: &mut impl Write,
        data: &mut impl Write,
        data_name: &str,
    ) -> io::Result<()> {
        let mut graph = self.graph.clone();
        let mut offset = 0;
        let mut buffer = Vec::with_capacity(CHUNK * 4);
        for tensor in &self.tensors {
            graph.initializer.push(tensor.elsewhere(data_name, offset));
            offset += tensor.bytes();
            write_numbers(&tensor.values, &mut buffer, data)?;
        }
        out.write_all(&ModelProto { graph: Some(graph), ..self.header.clone() }.encode_to_vec())
    }

    fn weight_bytes(&self) -> u64 {
        self.tensors.iter().map(Tensor::bytes).sum()
    }

    /// The whole file in memory.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let weights = usize::try_from(self.weight_bytes()).unwrap_or_default();
        let mut bytes = Vec::with_capacity(weights + self.graph.encoded_len() + (64 << 10));
        // Writing to memory cannot fail.
        let written = self.write_to(&mut bytes);
        debug_assert!(written.is_ok(), "a vector takes all bytes");
        bytes
    }

    /// One line a node: operation, operands, result, settings. For people and snapshots.
    #[must_use]
    pub fn listing(&self) -> String {
        super::listing::listing(&self.graph, &self.tensors)
    }

    /// Everything before the first trained tensor: the model's other fields and the head of its graph.
    fn prefix(&self, tensors: &[Encoded<'_>]) -> Vec<u8> {
        let weights: u64 = tensors.iter().map(Encoded::field_len).sum();
        let mut bytes = self.header.encode_to_vec();
        encode_key(MODEL_GRAPH, WireType::LengthDelimited, &mut bytes);
        encode_varint(self.graph.encoded_len() as u64 + weights, &mut bytes);
        bytes.extend(self.graph.encode_to_vec());
        bytes
    }
}

/// A tensor's message but for its data, which comes last.
struct Encoded<'a> {
    before_data: Vec<u8>,
    values: &'a [f32],
    /// Length of the whole message.
    len: u64,
}

impl<'a> Encoded<'a> {
    fn of(tensor: &'a Tensor) -> Self {
        let data = tensor.bytes();
        let mut before_data = tensor.head().encode_to_vec();
        encode_key(TENSOR_RAW_DATA, WireType::LengthDelimited, &mut before_data);
        encode_varint(data, &mut before_data);
        let len = before_data.len() as u64 + data;
        Self { before_data, values: &tensor.values, len }
    }

    /// Length of the field that holds the message.
    fn field_len(&self) -> u64 {
        (key_len(GRAPH_INITIALIZER) + encoded_len_varint(self.len)) as u64 + self.len
    }
}

/// ONNX stores numbers little-endian, whatever the machine.
fn write_numbers(values: &[f32], buffer: &mut Vec<u8>, out: &mut impl Write) -> io::Result<()> {
    for part in values.chunks(CHUNK) {
        buffer.resize(part.len() * 4, 0);
        let (slots, _) = buffer.as_chunks_mut::<4>();
        for (slot, value) in slots.iter_mut().zip(part) {
            *slot = value.to_le_bytes();
        }
        out.write_all(buffer)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths counted by hand against the generated decoder, past every change of a length's width.
    #[test]
    fn the_bytes_are_the_message() {
        for elements in [0, 1, 31, 32, 4_000, 5_000, 600_000] {
            let values: Vec<f32> = (0..elements).map(|i| i as f32).collect();
            let tensors = ["a", "b"].map(|name| Tensor {
                name: name.to_owned(),
                dims: vec![values.len(), 1],
                values: values.clone(),
            });
            let header = ModelProto { ir_version: Some(8), ..ModelProto::default() };
            let graph = GraphProto { name: Some("net".to_owned()), ..GraphProto::default() };
            let model = Model::new(header, graph, tensors.to_vec());
            let read = ModelProto::decode(model.to_bytes().as_slice()).unwrap();
            assert_eq!(read.ir_version(), 8);
            let graph = read.graph.unwrap();
            assert_eq!(graph.name(), "net");
            assert_eq!(graph.initializer.len(), 2);
            for (found, expected) in graph.initializer.iter().zip(&tensors) {
                let raw: Vec<u8> = expected.values.iter().flat_map(|v| v.to_le_bytes()).collect();
                assert_eq!((found.name(), found.dims[0]), (expected.name.as_str(), i64::from(elements)));
                assert!(found.raw_data() == raw, "{elements} elements");
            }
        }
    }
}
