//! Shape inference: the shape of every tensor of a graph, for one batch size.

use crate::error::GraphError;
use crate::graph::{Graph, Node, NodeId};
use crate::op::{Op, ParamRole};
use crate::ops::{Facts, Given, with_layer};
use crate::shape::Shape;

/// The shape of every node's tensor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shapes(Vec<Shape>);

/// What a foreign handle has.
static NO_AXES: Shape = Shape(Vec::new());

impl Shapes {
    /// Shape of a node's tensor, or `None` for a handle of another graph.
    #[must_use]
    pub fn get(&self, id: NodeId) -> Option<&Shape> {
        self.0.get(id.index())
    }

    /// Shape of a node's tensor; a handle of another graph has no axes.
    #[must_use]
    pub fn of(&self, id: NodeId) -> &Shape {
        self.get(id).unwrap_or(&NO_AXES)
    }

    /// All shapes with their handles, in graph order.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Shape)> {
        (0u32..).map(NodeId).zip(&self.0)
    }

    /// Extent of the batch axis: that of the first tensor.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.0.first().and_then(|s| s.dim(0)).unwrap_or(1)
    }

    pub(crate) fn push(&mut self, shape: Shape) {
        self.0.push(shape);
    }

    pub(crate) fn operands(&self, inputs: &[NodeId]) -> Vec<&Shape> {
        inputs.iter().map(|&id| self.of(id)).collect()
    }
}

/// Computes the shape of every tensor for inputs of `batch` images.
///
/// # Errors
/// The first node whose handles, operands, settings or trained tensors do not fit.
pub fn infer(graph: &Graph, batch: usize) -> Result<Shapes, GraphError> {
    graph.check_handles()?;
    let mut shapes = Shapes(Vec::with_capacity(graph.nodes.len()));
    for node in &graph.nodes {
        check_places(&node.name, &node.op, node.inputs.iter().map(|id| graph.node(*id).map(|n| &n.op)))?;
        let facts = facts(&node.name, &node.op, &shapes.operands(&node.inputs), batch)?;
        check_params(node, &facts)?;
        shapes.push(facts.shape);
    }
    Ok(shapes)
}

/// Applies an operation's rules and puts the node's name on what they object to.
pub(crate) fn facts(name: &str, op: &Op, operands: &[&Shape], batch: usize) -> Result<Facts, GraphError> {
    let taken = with_layer(op, |layer| layer.operands());
    if !taken.contains(&operands.len()) {
        let expected = describe_count(*taken.start(), *taken.end());
        return Err(GraphError::Operands {
            node: name.to_owned(),
            op: op.name(),
            expected,
            found: operands.len(),
        });
    }
    Facts::of(op, &Given { batch, operands }).map_err(|reason| GraphError::Misfit {
        node: name.to_owned(),
        op: op.name(),
        operands: operands.iter().map(|&s| s.clone()).collect(),
        reason,
    })
}

/// Places go where places are taken, and nowhere else.
pub(crate) fn check_places<'a>(
    name: &str,
    op: &Op,
    operands: impl Iterator<Item = Option<&'a Op>>,
) -> Result<(), GraphError> {
    let words = |places: bool| if places { "places" } else { "numbers" };
    for (index, operand) in operands.enumerate() {
        let (found, expected) = (operand.is_some_and(Op::yields_places), op.takes_places(index));
        if found != expected {
            let (found, expected) = (words(found), words(expected));
            return Err(GraphError::Places { node: name.to_owned(), op: op.name(), index, found, expected });
        }
    }
    Ok(())
}

fn describe_count(least: usize, most: usize) -> String {
    if least == most { least.to_string() } else { format!("at least {least}") }
}

/// Names are the builder's business; roles and extents must be the operation's.
fn check_params(node: &Node, facts: &Facts) -> Result<(), GraphError> {
    let expected = facts.params.iter().map(|p| (p.role, &p.shape));
    let found = node.params.iter().map(|p| (p.role, &p.shape));
    if expected.clone().eq(found.clone()) {
        return Ok(());
    }
    Err(GraphError::Params {
        node: node.name.clone(),
        op: node.op.name(),
        expected: list(expected),
        found: list(found),
    })
}

fn list<'a>(tensors: impl Iterator<Item = (ParamRole, &'a Shape)>) -> String {
    let words: Vec<_> = tensors.map(|(role, shape)| format!("{} {shape}", role.name())).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}
