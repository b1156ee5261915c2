//! Models of one operator for tests, and what libtorch makes of them.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use convwise_onnx::encode_model;
use convwise_onnx::proto::attribute_proto::AttributeType;
use convwise_onnx::proto::tensor_shape_proto::{Dimension, dimension};
use convwise_onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto, tensor_proto, type_proto,
};
use convwise_rten::RtenRunner;
use convwise_sdk::{DType, Options, Runner, RunnerError, Tensor};

use crate::Libtorch;

/// libtorch's number of threads belongs to the process: tests that state it run one after the other.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, AttributeType::Int) }
}

pub(crate) fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { ints: values.to_vec(), ..attribute(name, AttributeType::Ints) }
}

pub(crate) fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { f: Some(value), ..attribute(name, AttributeType::Float) }
}

pub(crate) fn word(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.into()), ..attribute(name, AttributeType::String) }
}

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto { name: Some(name.into()), r#type: Some(kind.into()), ..AttributeProto::default() }
}

/// Numbers that differ from each other, from -1 to 1 in no order.
pub(crate) fn numbers(shape: &[usize]) -> Tensor {
    let count = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..count).map(|i| ((i * 7919 + 13) % 1009) as f32 / 504.5 - 1.0).collect();
    Tensor::from_f32(shape, &values).unwrap()
}

pub(crate) fn floats(shape: &[usize], values: &[f32]) -> Tensor {
    Tensor::from_f32(shape, values).unwrap()
}

pub(crate) fn whole(shape: &[usize], values: &[i64]) -> Tensor {
    let bytes = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
    Tensor::new(DType::I64, shape.to_vec(), bytes).unwrap()
}

pub(crate) fn bytes(dtype: DType, shape: &[usize], values: &[u8]) -> Tensor {
    Tensor::new(dtype, shape.to_vec(), values.to_vec()).unwrap()
}

/// An operand: set by the caller, or stored in the file.
#[derive(Clone)]
pub(crate) enum Operand {
    Given(Tensor),
    Stored(Tensor),
    LeftOut,
}

/// A model of one node.
#[derive(Clone)]
pub(crate) struct Single {
    node: NodeProto,
    opset: i64,
    operands: Vec<Operand>,
    results: Vec<DType>,
}

impl Single {
    pub(crate) fn of(operator: &str) -> Self {
        let node = NodeProto {
            name: Some("the_node".into()),
            op_type: Some(operator.into()),
            output: vec!["y0".into()],
            ..NodeProto::default()
        };
        Self { node, opset: 18, operands: vec![], results: vec![DType::F32] }
    }

    pub(crate) fn opset(mut self, opset: i64) -> Self {
        self.opset = opset;
        self
    }

    pub(crate) fn with(mut self, attribute: AttributeProto) -> Self {
        self.node.attribute.push(attribute);
        self
    }

    pub(crate) fn given(self, tensor: Tensor) -> Self {
        self.operand(Operand::Given(tensor))
    }

    pub(crate) fn stored(self, tensor: Tensor) -> Self {
        self.operand(Operand::Stored(tensor))
    }

    pub(crate) fn left_out(self) -> Self {
        self.operand(Operand::LeftOut)
    }

    fn operand(mut self, operand: Operand) -> Self {
        let name = if matches!(operand, Operand::LeftOut) {
            String::new()
        } else {
            format!("x{}", self.operands.len())
        };
        self.node.input.push(name);
        self.operands.push(operand);
        self
    }

    pub(crate) fn gives(mut self, results: &[DType]) -> Self {
        self.results = results.to_vec();
        self.node.output = (0..results.len()).map(|index| format!("y{index}")).collect();
        self
    }

    fn proto(&self) -> ModelProto {
        let named = || self.node.input.iter().zip(&self.operands);
        let stored = named().filter_map(|(name, operand)| match operand {
            Operand::Stored(tensor) => Some(stored(name, tensor)),
            _ => None,
        });
        let given = named().filter_map(|(name, operand)| match operand {
            Operand::Given(tensor) => Some(value(name, tensor.dtype(), Some(tensor.shape()))),
            _ => None,
        });
        model(self.opset, vec![self.node.clone()], stored.collect(), given.collect(), &self.results)
    }

    fn inputs(&self) -> Vec<Tensor> {
        let given = self.operands.iter().filter_map(|operand| match operand {
            Operand::Given(tensor) => Some(tensor.clone()),
            _ => None,
        });
        given.collect()
    }

    /// What libtorch gives; and it must give the same on the second run, and whatever the layout.
    pub(crate) fn run(&self) -> Result<Vec<Tensor>, RunnerError> {
        let first = run(&Libtorch, &self.proto(), &self.inputs(), &[("layout", "channels-last")])?;
        let plain = run(&Libtorch, &self.proto(), &self.inputs(), &[("layout", "contiguous")])?;
        for (a, b) in first.iter().zip(&plain) {
            assert_eq!((a.dtype(), a.shape()), (b.dtype(), b.shape()));
            assert_near(&values(a), &values(b), &self.node);
        }
        Ok(first)
    }

    /// The values of the only result.
    pub(crate) fn values(&self) -> Vec<f64> {
        values(&self.run().unwrap()[0])
    }

    /// The only result is this.
    #[track_caller]
    pub(crate) fn is(&self, expected: &[f64]) {
        assert_near(&self.values(), expected, &self.node);
    }

    /// All results are those of the built-in runner.
    #[track_caller]
    pub(crate) fn is_as_rten(&self) {
        let theirs = run(&RtenRunner, &self.outspoken().proto(), &self.inputs(), &[("threads", "1")]);
        let theirs = theirs.unwrap_or_else(|e| panic!("rten {:?}: {e}", self.node));
        let ours = self.run().unwrap_or_else(|e| panic!("{e}"));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours.shape(), theirs.shape(), "{:?}", self.node);
            assert_near(&values(ours), &values(theirs), &self.node);
        }
    }

    /// With the settings of a window stated that may be left out: the built-in runner wants them.
    fn outspoken(&self) -> Self {
        let axes = match self.operands.first() {
            Some(Operand::Given(tensor)) if tensor.shape().len() > 2 => tensor.shape().len() - 2,
            _ => return self.clone(),
        };
        let mut defaults = match self.node.op_type() {
            "Conv" | "ConvTranspose" | "MaxPool" => {
                vec![ints("strides", &vec![1; axes]), ints("dilations", &vec![1; axes])]
            }
            "AveragePool" => vec![ints("strides", &vec![1; axes])],
            _ => return self.clone(),
        };
        let stated = |name: &str| self.node.attribute.iter().any(|attribute| attribute.name() == name);
        if !stated("auto_pad") {
            defaults.push(ints("pads", &vec![0; axes * 2]));
        }
        let missing = defaults.into_iter().filter(|default| !stated(default.name()));
        missing.fold(self.clone(), Self::with)
    }

    /// The message of the error with which it is refused.
    pub(crate) fn refused(&self) -> String {
        self.run().unwrap_err().to_string()
    }
}

/// A model of nodes in which the results are called `y0`, `y1` and so on.
pub(crate) fn model(
    opset: i64,
    node: Vec<NodeProto>,
    initializer: Vec<TensorProto>,
    input: Vec<ValueInfoProto>,
    results: &[DType],
) -> ModelProto {
    let output = results.iter().enumerate().map(|(index, &dtype)| value(&format!("y{index}"), dtype, None));
    let graph = GraphProto { node, initializer, input, output: output.collect(), ..GraphProto::default() };
    let import = OperatorSetIdProto { domain: Some(String::new()), version: Some(opset) };
    ModelProto {
        ir_version: Some(8),
        opset_import: vec![import],
        graph: Some(graph),
        ..ModelProto::default()
    }
}

pub(crate) fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        name: Some(output.into()),
        op_type: Some(operator.into()),
        input: inputs.iter().map(|&name| name.into()).collect(),
        output: vec![output.into()],
        ..NodeProto::default()
    }
}

pub(crate) fn stored(name: &str, tensor: &Tensor) -> TensorProto {
    TensorProto {
        name: Some(name.into()),
        dims: tensor.shape().iter().map(|&extent| extent as i64).collect(),
        data_type: Some(tensor.dtype().to_abi() as i32),
        raw_data: Some(tensor.data().to_vec()),
        data_location: Some(tensor_proto::DataLocation::Default.into()),
        ..TensorProto::default()
    }
}

pub(crate) fn value(name: &str, dtype: DType, shape: Option<&[usize]>) -> ValueInfoProto {
    let dim = |&extent: &usize| Dimension {
        value: Some(dimension::Value::DimValue(extent as i64)),
        ..Dimension::default()
    };
    let shape = shape.map(|shape| TensorShapeProto { dim: shape.iter().map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: Some(dtype.to_abi() as i32), shape };
    let kind = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
    ValueInfoProto { name: Some(name.into()), r#type: Some(kind), ..ValueInfoProto::default() }
}

/// All results of a model, of its second run.
pub(crate) fn run(
    runner: &impl Runner,
    model: &ModelProto,
    inputs: &[Tensor],
    options: &[(&str, &str)],
) -> Result<Vec<Tensor>, RunnerError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, encode_model(model)).unwrap();
    run_file(runner, &path, inputs, options)
}

pub(crate) fn run_file(
    runner: &impl Runner,
    path: &Path,
    inputs: &[Tensor],
    options: &[(&str, &str)],
) -> Result<Vec<Tensor>, RunnerError> {
    let _alone = alone();
    let options: Options = options.iter().copied().collect();
    let mut session = runner.load(path, &options)?;
    for (index, input) in inputs.iter().enumerate() {
        session.set_input(index, input.view())?;
    }
    session.run()?;
    session.run()?;
    let count = session.io()?.outputs.len();
    (0..count).map(|index| Ok(session.output(index)?.to_owned())).collect()
}

/// The elements of any type as numbers.
pub(crate) fn values(tensor: &Tensor) -> Vec<f64> {
    let data = tensor.data();
    match tensor.dtype() {
        DType::F32 => data.as_chunks::<4>().0.iter().map(|b| f32::from_ne_bytes(*b).into()).collect(),
        DType::F64 => data.as_chunks::<8>().0.iter().map(|b| f64::from_ne_bytes(*b)).collect(),
        DType::I64 => data.as_chunks::<8>().0.iter().map(|b| i64::from_ne_bytes(*b) as f64).collect(),
        DType::I32 => data.as_chunks::<4>().0.iter().map(|b| i32::from_ne_bytes(*b).into()).collect(),
        DType::I16 => data.as_chunks::<2>().0.iter().map(|b| i16::from_ne_bytes(*b).into()).collect(),
        DType::I8 => data.iter().map(|b| i8::from_ne_bytes([*b]).into()).collect(),
        DType::U8 | DType::Bool => data.iter().map(|&b| b.into()).collect(),
        other => panic!("{other}"),
    }
}

#[track_caller]
pub(crate) fn assert_near(ours: &[f64], expected: &[f64], what: &impl std::fmt::Debug) {
    assert_eq!(ours.len(), expected.len(), "{what:?}");
    for (index, (a, b)) in ours.iter().zip(expected).enumerate() {
        let near = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 2e-5 + 1e-4 * b.abs();
        assert!(near, "element {index} is {a} and not {b}\n{ours:?}\n{expected:?}\n{what:?}");
    }
}
