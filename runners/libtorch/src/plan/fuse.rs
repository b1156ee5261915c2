//! Nodes that libtorch computes as one, and exporters write as several.

use std::collections::{HashMap, HashSet};

use convwise_onnx::proto::NodeProto;
use tch::Tensor;

use crate::ops::single;

/// The domain of what is joined here.
pub(crate) const DOMAIN: &str = "convwise.libtorch";
/// Operators that only this file writes; ONNX has none of their names.
pub(crate) const OWN: [&str; 2] = ["Linear", "Silu"];

/// Looks up a constant.
type Constants<'a> = dyn Fn(&str) -> Option<&'a Tensor> + 'a;

/// Joins what can be joined. `kept` are the outputs of the model, which must go on being computed.
pub(crate) fn fuse<'a>(
    nodes: Vec<NodeProto>,
    kept: &'a HashSet<&'a str>,
    constants: &'a Constants<'a>,
) -> Vec<NodeProto> {
    let mut graph = Graph::of(nodes, kept, constants);
    for at in 0..graph.nodes.len() {
        let joined = graph.gelu(at).or_else(|| graph.silu(at)).or_else(|| graph.linear(at));
        if let Some(joined) = joined {
            graph.replace(joined);
        }
    }
    graph.nodes.into_iter().flatten().collect()
}

/// What takes the place of several nodes: it stands where the last of them stood.
struct Joined {
    last: usize,
    others: Vec<usize>,
    node: NodeProto,
}

struct Graph<'a> {
    nodes: Vec<Option<NodeProto>>,
    makers: HashMap<String, usize>,
    readers: HashMap<String, Vec<usize>>,
    kept: &'a HashSet<&'a str>,
    constants: &'a Constants<'a>,
}

impl<'a> Graph<'a> {
    fn of(nodes: Vec<NodeProto>, kept: &'a HashSet<&'a str>, constants: &'a Constants<'a>) -> Self {
        let (mut makers, mut readers) = (HashMap::new(), HashMap::<String, Vec<usize>>::new());
        for (at, node) in nodes.iter().enumerate() {
            makers.extend(node.output.iter().map(|name| (name.clone(), at)));
            for name in &node.input {
                readers.entry(name.clone()).or_default().push(at);
            }
        }
        Self { nodes: nodes.into_iter().map(Some).collect(), makers, readers, kept, constants }
    }

    fn node(&self, at: usize, operator: &str) -> Option<&NodeProto> {
        self.nodes.get(at)?.as_ref().filter(|node| node.op_type() == operator && node.domain().is_empty())
    }

    /// The only node that reads a value, if there is one and it is this operator.
    fn reader(&self, value: &str, operator: &str) -> Option<usize> {
        match self.readers.get(value)?.as_slice() {
            [only] if !self.kept.contains(value) => self.node(*only, operator).map(|_| *only),
            _ => None,
        }
    }

    fn maker(&self, value: &str, operator: &str) -> Option<usize> {
        let at = *self.makers.get(value)?;
        self.node(at, operator).map(|_| at)
    }

    fn is_number(&self, value: &str, expected: f64) -> bool {
        self.number(value).is_some_and(|number| (number - expected).abs() < 1e-4 * expected.abs())
    }

    /// A constant number, stored or made by a node.
    fn number(&self, value: &str) -> Option<f64> {
        if let Some(tensor) = (self.constants)(value) {
            return single(tensor);
        }
        let node = self.node(self.maker(value, "Constant")?, "Constant")?;
        let proto = node.attribute.iter().find(|attribute| attribute.name() == "value")?.t.as_ref()?;
        single(&crate::model::tensor(proto, std::path::Path::new("")).ok()?)
    }

    /// The operand of a product or sum of two that is not `value`.
    fn other<'n>(node: &'n NodeProto, value: &str) -> Option<&'n str> {
        match node.input.as_slice() {
            [a, b] if a == value => Some(b),
            [a, b] if b == value => Some(a),
            _ => None,
        }
    }

    /// `x / 2 * (1 + erf(x / sqrt 2))`, with the half before or after.
    fn gelu(&self, at: usize) -> Option<Joined> {
        let erf = self.node(at, "Erf")?;
        let scaled = erf.input.first()?;
        let (scaling, x) = self.scaled(scaled)?;
        self.reader(scaled, "Erf")?;
        let erf_value = erf.output.first()?;
        let sum = self.reader(erf_value, "Add")?;
        let sum_node = self.node(sum, "Add")?;
        if !self.is_number(Self::other(sum_node, erf_value)?, 1.0) {
            return None;
        }
        let sum_value = sum_node.output.first()?;
        let product = self.reader(sum_value, "Mul")?;
        let product_node = self.node(product, "Mul")?;
        let factor = Self::other(product_node, sum_value)?;
        let product_value = product_node.output.first()?;
        if factor == x {
            let last = self.reader(product_value, "Mul")?;
            let last_node = self.node(last, "Mul")?;
            let halved = self.is_number(Self::other(last_node, product_value)?, 0.5);
            return halved.then(|| joined(last, vec![scaling, at, sum, product], last_node, "Gelu", &[&x]));
        }
        let half = self.maker(factor, "Mul")?;
        let half_node = self.node(half, "Mul")?;
        let halved = self.is_number(Self::other(half_node, &x)?, 0.5) && self.reader(factor, "Mul").is_some();
        halved.then(|| joined(product, vec![scaling, at, sum, half], product_node, "Gelu", &[&x]))
    }

    /// The node that divides by the root of 2, and what it divides.
    fn scaled(&self, value: &str) -> Option<(usize, String)> {
        if let Some(at) = self.maker(value, "Div") {
            let [x, root] = self.node(at, "Div")?.input.as_slice() else { return None };
            return self.is_number(root, std::f64::consts::SQRT_2).then(|| (at, x.clone()));
        }
        let at = self.maker(value, "Mul")?;
        let [a, b] = self.node(at, "Mul")?.input.as_slice() else { return None };
        let root = std::f64::consts::FRAC_1_SQRT_2;
        if self.is_number(b, root) {
            return Some((at, a.clone()));
        }
        self.is_number(a, root).then(|| (at, b.clone()))
    }

    /// `x * sigmoid(x)`.
    fn silu(&self, at: usize) -> Option<Joined> {
        let sigmoid = self.node(at, "Sigmoid")?;
        let (x, value) = (sigmoid.input.first()?, sigmoid.output.first()?);
        let last = self.reader(value, "Mul")?;
        let node = self.node(last, "Mul")?;
        (Self::other(node, value)? == x).then(|| joined(last, vec![at], node, "Silu", &[x]))
    }

    /// A product with a constant matrix, and a sum with a constant vector.
    fn linear(&self, at: usize) -> Option<Joined> {
        let product = self.node(at, "MatMul")?;
        let [x, weight] = product.input.as_slice() else { return None };
        let columns = match (self.constants)(weight)?.size().as_slice() {
            &[_, columns] => columns,
            _ => return None,
        };
        let value = product.output.first()?;
        let last = self.reader(value, "Add")?;
        let node = self.node(last, "Add")?;
        let bias = Self::other(node, value)?;
        let fits = (self.constants)(bias)?.size() == [columns];
        fits.then(|| joined(last, vec![at], node, "Linear", &[x, weight, bias]))
    }

    fn replace(&mut self, joined: Joined) {
        for at in joined.others {
            if let Some(node) = self.nodes.get_mut(at) {
                *node = None;
            }
        }
        for name in &joined.node.input {
            self.readers.entry(name.clone()).or_default().push(joined.last);
        }
        if let Some(node) = self.nodes.get_mut(joined.last) {
            *node = Some(joined.node);
        }
    }
}

fn joined(last: usize, others: Vec<usize>, node: &NodeProto, operator: &str, inputs: &[&str]) -> Joined {
    let node = NodeProto {
        name: node.name.clone(),
        op_type: Some(operator.to_owned()),
        domain: Some(DOMAIN.to_owned()),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: node.output.clone(),
        ..NodeProto::default()
    };
    Joined { last, others, node }
}
