//! The file under construction: names, constants and nodes. What an operation becomes is said in the
//! files of its kind; this one only dispatches.

use std::collections::HashMap;

use convwise_graph::{Graph, Node, NodeId, Op, Param, Shapes, fingerprint};

use super::model::{Model, Tensor};
use super::names::Names;
use super::plan::Plan;
use super::values::value_info;
use super::{ExportOptions, activation, arith, conv, gather, layout, linear, pool, resize};
use crate::error::{ExportError, WeightError};
use crate::proto::tensor_proto::DataType;
use crate::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, entry, extent, float,
    int,
};
use crate::weights::WeightSource;

/// Writes the nodes of one graph.
pub(super) struct Emitter<'a> {
    pub graph: &'a Graph,
    pub shapes: &'a Shapes,
    pub plan: &'a Plan,
    pub options: &'a ExportOptions,
    weights: &'a dyn WeightSource,
    names: Names,
    /// Name of each node's tensor.
    tensors: Vec<String>,
    proto: GraphProto,
    data: Vec<Tensor>,
    /// Names of the tensors in `data` that several nodes may use, by what they are made of.
    stored: HashMap<String, String>,
}

impl<'a> Emitter<'a> {
    pub fn new(
        graph: &'a Graph,
        shapes: &'a Shapes,
        plan: &'a Plan,
        weights: &'a dyn WeightSource,
        options: &'a ExportOptions,
    ) -> Self {
        let mut names = Names::default();
        let tensors = name_tensors(graph, plan, &mut names);
        let proto = GraphProto { name: Some(graph.name.clone()), ..GraphProto::default() };
        Self {
            graph,
            shapes,
            plan,
            options,
            weights,
            names,
            tensors,
            proto,
            data: Vec::new(),
            stored: HashMap::new(),
        }
    }

    /// Writes everything. `doubled` has the shapes for two images where the batch is dynamic.
    pub fn model(mut self, doubled: &Option<Shapes>) -> Result<Model, ExportError> {
        for (id, node) in self.graph.iter() {
            let shape = || (self.shapes.of(id), doubled.as_ref().map(|d| d.of(id)));
            if matches!(node.op, Op::Input { .. }) {
                let (shape, doubled) = shape();
                let info = value_info(self.tensor(id), DataType::Float, shape, doubled);
                self.proto.input.push(info);
            } else if self.plan.uses.is_live(id) && !self.plan.folds.is_folded(id) {
                self.node(id, node)?;
            }
        }
        self.outputs(doubled.as_ref());
        Ok(Model::new(self.header(), self.proto, self.data))
    }

    fn node(&mut self, id: NodeId, node: &Node) -> Result<(), WeightError> {
        match &node.op {
            Op::Input { .. } => {}
            Op::Conv2d(layer) => conv::conv(self, id, node, layer)?,
            Op::BatchNorm { eps, .. } => conv::batch_norm(self, id, node, *eps)?,
            Op::LayerNorm { eps } => linear::layer_norm(self, id, node, *eps)?,
            Op::Activation(function) => activation::activation(self, id, node, *function),
            Op::LeakyRelu { slope } => self.same(id, node, "LeakyRelu", vec![float("alpha", *slope)]),
            Op::Unary(function) => self.same(id, node, arith::unary(*function), vec![]),
            Op::Clamp { low, high } => arith::clamp(self, id, node, *low, *high),
            Op::MaxPool(window) => pool::max_pool(self, id, node, window),
            Op::AvgPool { pool, count_include_pad } => {
                pool::avg_pool(self, id, node, pool, *count_include_pad);
            }
            Op::AdaptiveAvgPool { .. } => pool::adaptive_avg_pool(self, id, node),
            Op::GlobalAvgPool => self.same(id, node, "GlobalAveragePool", vec![]),
            Op::Linear { rows, .. } => linear::linear(self, id, node, *rows)?,
            Op::MatMul => self.same(id, node, "MatMul", vec![]),
            Op::Softmax { axis } => arith::softmax(self, id, node, *axis),
            Op::Concat { axis } => arith::concat(self, id, node, *axis),
            Op::Add => self.same(id, node, "Add", vec![]),
            Op::Mul => self.same(id, node, "Mul", vec![]),
            Op::Sub => self.same(id, node, "Sub", vec![]),
            Op::Div => self.same(id, node, "Div", vec![]),
            Op::Reduce { reduction, axes } => arith::reduce(self, id, node, *reduction, axes),
            Op::Constant { values, .. } => self.stored(id, values.clone()),
            Op::Trained { .. } => arith::trained(self, id, node)?,
            Op::TopPlaces { count } => gather::top_places(self, id, node, *count),
            Op::ArgMax => self.same(id, node, "ArgMax", vec![int("axis", 1), int("keepdims", 0)]),
            Op::Rows => gather::rows(self, id, node),
            Op::Kept { count, iou, score } => gather::kept(self, id, node, *count, (*iou, *score)),
            Op::Numbers => self.same(id, node, "Cast", vec![int("to", gather::FLOAT)]),
            Op::Places => self.same(id, node, "Cast", vec![int("to", gather::INT64)]),
            Op::GridSample { align_corners } => gather::grid_sample(self, id, node, *align_corners),
            Op::Scale { .. } => arith::scale(self, id, node)?,
            Op::ChannelAffine { scale, shift } => arith::channel_affine(self, id, node, scale, shift),
            Op::Flatten { from } => layout::flatten(self, id, node, *from),
            Op::Reshape { dims } => layout::reshape(self, id, node, dims),
            Op::Transpose { perm } => layout::transpose(self, id, node, perm),
            Op::Slice { axis, start, end } => layout::slice(self, id, node, *axis, *start..*end),
            Op::ChannelShuffle { groups } => layout::channel_shuffle(self, id, node, *groups),
            Op::Pad { padding, value } => pool::pad(self, id, node, *padding, *value),
            Op::Resize { .. } => resize::resize(self, id, node),
        }
        Ok(())
    }

    /// Name of a node's tensor.
    pub fn tensor(&self, id: NodeId) -> &str {
        self.tensors.get(id.index()).map_or("", String::as_str)
    }

    /// Names of a node's operands.
    pub fn operands(&self, node: &Node) -> Vec<String> {
        node.inputs.iter().map(|&id| self.tensor(id).to_owned()).collect()
    }

    /// Writes the ONNX node that yields the tensor of `id`.
    pub fn emit(&mut self, id: NodeId, op: &str, input: Vec<String>, attribute: Vec<AttributeProto>) {
        let name = self.graph.node(id).map_or("", |n| n.name.as_str());
        let output = vec![self.tensor(id).to_owned()];
        let proto = node_proto(name.to_owned(), op, input, output, attribute);
        self.proto.node.push(proto);
    }

    /// [`Self::emit`] over the node's own operands.
    pub fn same(&mut self, id: NodeId, node: &Node, op: &str, attribute: Vec<AttributeProto>) {
        let operands = self.operands(node);
        self.emit(id, op, operands, attribute);
    }

    /// Writes an ONNX node on the way to the tensor of `node`, and answers its tensor's name.
    pub fn step(
        &mut self,
        node: &Node,
        op: &str,
        input: Vec<String>,
        attribute: Vec<AttributeProto>,
    ) -> String {
        let name = self.names.claim(&format!("{}.{}", node.name, op.to_lowercase()));
        let output = vec![name.clone()];
        self.proto.node.push(node_proto(name.clone(), op, input, output, attribute));
        name
    }

    /// [`Self::emit`] of the second result of an ONNX node; nobody reads the first.
    pub fn emit_second(&mut self, id: NodeId, op: &str, input: Vec<String>, attribute: Vec<AttributeProto>) {
        let name = self.graph.node(id).map_or("", |n| n.name.as_str()).to_owned();
        let first = self.names.claim(&format!("{name}.{}", op.to_lowercase()));
        let output = vec![first, self.tensor(id).to_owned()];
        self.proto.node.push(node_proto(name, op, input, output, attribute));
    }

    /// Writes one ONNX node that yields the tensors of several graph nodes.
    pub fn emit_many(
        &mut self,
        ids: &[NodeId],
        op: &str,
        input: Vec<String>,
        attribute: Vec<AttributeProto>,
    ) {
        let output: Vec<_> = ids.iter().map(|&id| self.tensor(id).to_owned()).collect();
        let name = output.join("+");
        self.proto.node.push(node_proto(name, op, input, output, attribute));
    }

    /// A constant list of integers.
    pub fn integers(&mut self, node: &Node, what: &str, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.constant(node, what, DataType::Int64, vec![extent(values.len())], bytes)
    }

    /// A constant number without axes.
    pub fn number(&mut self, node: &Node, what: &str, value: f32) -> String {
        let bytes = value.to_le_bytes().to_vec();
        self.constant(node, what, DataType::Float, vec![], bytes)
    }

    /// A constant list of numbers.
    pub fn numbers(&mut self, node: &Node, what: &str, values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.constant(node, what, DataType::Float, vec![extent(values.len())], bytes)
    }

    fn constant(
        &mut self,
        node: &Node,
        what: &str,
        kind: DataType,
        dims: Vec<i64>,
        bytes: Vec<u8>,
    ) -> String {
        let name = self.names.claim(&format!("{}.{what}", node.name));
        self.proto.initializer.push(TensorProto {
            name: Some(name.clone()),
            dims,
            data_type: Some(kind.into()),
            raw_data: Some(bytes),
            ..TensorProto::default()
        });
        name
    }

    /// The values of a trained tensor.
    pub fn load(&self, param: &Param) -> Result<Vec<f32>, WeightError> {
        // `export` has checked that all tensors together fit in a file.
        let mut values = vec![0.0; usize::try_from(param.shape.elements()).unwrap_or(0)];
        self.weights.fill(param, &mut values)?;
        Ok(values)
    }

    /// Adds a trained tensor to the file under its own name; once, however many nodes share it.
    pub fn store(&mut self, param: &Param, values: Vec<f32>) -> String {
        self.store_as(&param.name, param.name.clone(), param.shape.0.clone(), values)
    }

    /// Adds a tensor that is made of a trained one, and is the same whenever `key` is.
    pub fn store_derived(&mut self, key: &str, dims: Vec<usize>, values: Vec<f32>) -> String {
        match self.stored.get(key) {
            Some(name) => name.clone(),
            None => {
                let name = self.names.claim(key);
                self.store_as(key, name, dims, values)
            }
        }
    }

    fn store_as(&mut self, key: &str, name: String, dims: Vec<usize>, values: Vec<f32>) -> String {
        if self.stored.insert(key.to_owned(), name.clone()).is_none() {
            self.data.push(Tensor { name: name.clone(), dims, values });
        }
        name
    }

    /// Adds the tensor of a node that is stored and not computed.
    pub fn stored(&mut self, id: NodeId, values: Vec<f32>) {
        let (name, dims) = (self.tensor(id).to_owned(), self.shapes.of(id).0.clone());
        self.data.push(Tensor { name, dims, values });
    }

    /// Adds a tensor that the graph does not have, under `name` or one like it.
    pub fn store_new(&mut self, name: &str, dims: Vec<usize>, values: Vec<f32>) -> String {
        let name = self.names.claim(name);
        self.data.push(Tensor { name: name.clone(), dims, values });
        name
    }

    /// Adds a trained tensor to the file as it is.
    pub fn param(&mut self, param: &Param) -> Result<String, WeightError> {
        let values = self.load(param)?;
        Ok(self.store(param, values))
    }

    /// Adds all trained tensors of a node as they are.
    pub fn params(&mut self, node: &Node) -> Result<Vec<String>, WeightError> {
        node.params.iter().map(|p| self.param(p)).collect()
    }

    fn outputs(&mut self, doubled: Option<&Shapes>) {
        for output in &self.graph.outputs {
            let tensor = self.tensor(output.node).to_owned();
            // One tensor has one name: further names, and names for an input, are copies.
            if tensor != output.name {
                let written = vec![output.name.clone()];
                let copy = node_proto(output.name.clone(), "Identity", vec![tensor], written, vec![]);
                self.proto.node.push(copy);
            }
            let (shape, doubled) = (self.shapes.of(output.node), doubled.map(|d| d.of(output.node)));
            let places = self.graph.node(output.node).is_some_and(|node| node.op.yields_places());
            let kind = if places { DataType::Int64 } else { DataType::Float };
            self.proto.output.push(value_info(&output.name, kind, shape, doubled));
        }
    }

    fn header(&self) -> ModelProto {
        let opset =
            OperatorSetIdProto { domain: Some(String::new()), version: Some(self.options.opset.into()) };
        ModelProto {
            ir_version: Some(ir_version(self.options.opset)),
            opset_import: vec![opset],
            producer_name: Some("convwise".to_owned()),
            producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            metadata_props: vec![
                entry("convwise.network", self.graph.name.clone()),
                entry("convwise.weights", self.weights.describe()),
                entry("convwise.graph", fingerprint(self.graph)),
            ],
            ..ModelProto::default()
        }
    }
}

/// The oldest format version that an operator set may be used with (ONNX's table of released versions).
fn ir_version(opset: u32) -> i64 {
    match opset {
        ..=18 => 8,
        19 | 20 => 9,
        _ => 10,
    }
}

fn node_proto(
    name: String,
    op: &str,
    input: Vec<String>,
    output: Vec<String>,
    attribute: Vec<AttributeProto>,
) -> NodeProto {
    let op_type = Some(op.to_owned());
    NodeProto { name: Some(name), op_type, input, output, attribute, ..NodeProto::default() }
}

/// Names every node's tensor: what is folded has its host's, and an output of the network its own.
fn name_tensors(graph: &Graph, plan: &Plan, names: &mut Names) -> Vec<String> {
    let mut roots: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    for (id, node) in graph.iter() {
        let above = node.inputs.first().filter(|_| plan.folds.is_folded(id));
        roots.push(above.and_then(|a| roots.get(a.index())).copied().unwrap_or(id));
    }
    let mut tensors = vec![String::new(); graph.nodes.len()];
    for output in &graph.outputs {
        let name = names.claim(&output.name);
        let root = roots.get(output.node.index()).copied().unwrap_or(output.node);
        let is_input = matches!(graph.node(root).map(|n| &n.op), Some(Op::Input { .. }));
        if let Some(tensor) = tensors.get_mut(root.index()).filter(|t| t.is_empty() && !is_input) {
            *tensor = name;
        }
    }
    for param in graph.params() {
        names.claim(&param.name);
    }
    for (id, node) in graph.iter() {
        let root = roots.get(id.index()).copied().unwrap_or(id);
        let own = match tensors.get(root.index()) {
            Some(name) if !name.is_empty() => name.clone(),
            // Its parameter is the tensor, and has claimed the name.
            _ if matches!(node.op, Op::Trained { .. }) => node.name.clone(),
            _ => names.claim(&node.name),
        };
        if let Some(tensor) = tensors.get_mut(id.index()) {
            *tensor = own;
        }
    }
    tensors
}
