//! Model files that are damaged, or written by somebody who means harm.

/// A file that a runner must survive.
pub(crate) struct BadModel {
    /// What is wrong with it.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

fn bad(name: &str, bytes: Vec<u8>) -> BadModel {
    BadModel { name: name.to_owned(), bytes }
}

/// Files that are no models, or damaged ones; `whole` is one that is in order.
pub(crate) fn damaged(whole: &[u8]) -> Vec<BadModel> {
    let mut all = vec![
        bad("an empty file", Vec::new()),
        bad("a text", b"this is no model".to_vec()),
        bad("a frame whose length is a lie", vec![0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        bad("a number that never ends", vec![0xff; 64]),
    ];
    for share in [1, 10, 50, 90, 99] {
        let end = whole.len() * share / 100;
        all.push(bad(
            &format!("a model cut off after {share} %"),
            whole.get(..end).unwrap_or_default().to_vec(),
        ));
    }
    // Positions spread over the file; the same ones every time.
    for flip in 0..16_usize {
        let mut bytes = whole.to_vec();
        let place = flip * 7919 % whole.len().max(1);
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1 << (flip % 8);
        }
        all.push(bad(&format!("a model with a changed bit in byte {place}"), bytes));
    }
    all
}

/// Well-formed files that ask for too much, or for what is not theirs.
pub(crate) fn malicious() -> Vec<BadModel> {
    let relu = || node("Relu", &["input"], &["output"], vec![]);
    let weight = |name: &str, dims: &[u64], data: &[f32]| field(5, &tensor(name, dims, data));
    vec![
        bad("a graph that reads its own output", model(&[node("Relu", &["output"], &["output"], vec![])])),
        bad("a graph without nodes for its output", model(&[])),
        bad("an operator that nobody has", model(&[node("Frobnicate", &["input"], &["output"], vec![])])),
        bad("an operator set of the far future", with_opset(99_999, &[relu()])),
        bad("weights that say they are larger than they are", {
            model(&[
                weight("w", &[1 << 40, 1 << 20], &[1.0]),
                node("Add", &["input", "w"], &["output"], vec![]),
            ])
        }),
        bad("a convolution whose weights do not fit its input", {
            let bytes = weight("w", &[1, 9, 3, 3], &[0.5; 81]);
            model(&[bytes, node("Conv", &["input", "w"], &["output"], vec![])])
        }),
        bad("a convolution that pads by terabytes", {
            let bytes = weight("w", &[1, 4, 1, 1], &[0.5; 4]);
            let pads = attribute("pads", &[1 << 30; 4]);
            model(&[bytes, node("Conv", &["input", "w"], &["output"], vec![pads])])
        }),
        bad("a convolution with a stride of zero", {
            let bytes = weight("w", &[1, 4, 1, 1], &[0.5; 4]);
            let strides = attribute("strides", &[0, 0]);
            model(&[bytes, node("Conv", &["input", "w"], &["output"], vec![strides])])
        }),
        bad("weights in a file that is not the model's", {
            model(&[
                field(5, &elsewhere("../../../../etc/passwd")),
                node("Add", &["input", "w"], &["output"], vec![]),
            ])
        }),
        bad("a graph in a graph in a graph, a thousand deep", nested(1000)),
        bad("a pool whose window is larger than any image", {
            let kernel = attribute("kernel_shape", &[1 << 40, 1 << 40]);
            model(&[node("MaxPool", &["input"], &["output"], vec![kernel])])
        }),
    ]
}

// The few lines of the protobuf wire format that a model takes; field numbers are those of onnx.proto.

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// A message, a text or packed numbers.
fn field(number: u64, content: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn text(number: u64, content: &str) -> Vec<u8> {
    field(number, content.as_bytes())
}

/// A model of the default operator set.
fn model(parts: &[Vec<u8>]) -> Vec<u8> {
    with_opset(17, parts)
}

/// ModelProto: ir_version, graph, opset_import.
fn with_opset(version: u64, parts: &[Vec<u8>]) -> Vec<u8> {
    [number(1, 8), field(7, &graph(parts)), field(8, &number(2, version))].concat()
}

/// GraphProto with one input and one output.
fn graph(parts: &[Vec<u8>]) -> Vec<u8> {
    let shape = [1, 4, 9, 7];
    [parts.concat(), text(2, "g"), field(11, &value("input", &shape)), field(12, &value("output", &shape))]
        .concat()
}

/// ValueInfoProto of single precision.
fn value(name: &str, shape: &[u64]) -> Vec<u8> {
    let dims: Vec<u8> = shape.iter().flat_map(|size| field(1, &number(1, *size))).collect();
    [text(1, name), field(2, &field(1, &[number(1, 1), field(2, &dims)].concat()))].concat()
}

/// NodeProto as a field of GraphProto.
fn node(op: &str, inputs: &[&str], outputs: &[&str], attributes: Vec<Vec<u8>>) -> Vec<u8> {
    let names =
        |number, names: &[&str]| names.iter().flat_map(|name| text(number, name)).collect::<Vec<u8>>();
    field(
        1,
        &[names(1, inputs), names(2, outputs), text(3, "node"), text(4, op), attributes.concat()].concat(),
    )
}

/// AttributeProto of integers, as a field of NodeProto.
fn attribute(name: &str, values: &[u64]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|value| number(8, *value)).collect();
    field(5, &[text(1, name), values, number(20, 7)].concat())
}

/// TensorProto of single precision.
fn tensor(name: &str, dims: &[u64], data: &[f32]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|size| number(1, *size)).collect();
    let data: Vec<u8> = data.iter().flat_map(|value| value.to_le_bytes()).collect();
    [dims, number(2, 1), text(8, name), field(9, &data)].concat()
}

/// TensorProto whose data are said to lie in another file.
fn elsewhere(path: &str) -> Vec<u8> {
    let location = [text(1, "location"), text(2, path)].concat();
    [number(1, 4), number(2, 1), text(8, "w"), field(13, &location), number(14, 1)].concat()
}

/// An `If` whose branch is an `If`, and so on.
fn nested(depth: usize) -> Vec<u8> {
    let mut inner = node("Relu", &["input"], &["output"], vec![]);
    for _ in 0..depth {
        let branch = field(5, &[text(1, "then_branch"), field(6, &graph(&[inner])), number(20, 5)].concat());
        inner = node("If", &["input"], &["output"], vec![branch]);
    }
    model(&[inner])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_well_formed_is_read_by_the_exporters_own_reader() {
        let good = model(&[node("Relu", &["input"], &["output"], vec![])]);
        let info = convwise_onnx::inspect(&good).unwrap();
        assert_eq!(info.inputs.len(), 1);
        let dims = info.inputs.first().and_then(|input| input.dims.clone()).unwrap();
        assert_eq!(dims, [Some(1), Some(4), Some(9), Some(7)]);
    }

    #[test]
    fn damage_is_different_every_time() {
        let files = damaged(&[7; 4000]);
        assert!(files.iter().enumerate().all(|(i, a)| files.iter().skip(i + 1).all(|b| a.bytes != b.bytes)));
    }
}
