//! ONNX's `NonMaxSuppression` for rten, out of operators that rten has.
//!
//! rten 0.27 has one of its own, which divides the intersection of two boxes by the rectangle around both, where ONNX has
//! their union, and looks at boxes in the order in which they come: it keeps others than the definition does.
//!
//! What stands for a node is written in the text files beside this one: `corners` or `centres` take the boxes apart, `above`
//! or `every` says which are eligible, and `greedy` picks for all images and classes at once, a box of each in every turn of
//! a loop. Few and plain operators are in the loop, since each costs a dispatch for every box that is kept.

mod text;

#[cfg(test)]
mod tests;

use std::path::Path;

use convwise_onnx::proto::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};
use convwise_sdk::RunnerError;

use crate::wire::SUPPRESSION as OPERATOR;
use text::{Names, nodes};

/// Most nodes that are replaced: each becomes a hundred.
const MOST: usize = 1000;

/// The bytes of a model, with other nodes in place of those that suppress.
///
/// # Errors
/// The file cannot be read, or suppresses in a way that cannot be written otherwise.
pub(crate) fn replaced(path: &Path) -> Result<Vec<u8>, RunnerError> {
    let mut model = convwise_onnx::read_model(path).map_err(|error| RunnerError::model(error.to_string()))?;
    replace(&mut model).map_err(|why| {
        let said = format!("{}: {OPERATOR} {why}; use a runner that has this operator", path.display());
        RunnerError::unsupported(said)
    })?;
    Ok(convwise_onnx::encode_model(&model))
}

fn replace(model: &mut ModelProto) -> Result<(), String> {
    // Without it rten takes no bytes for a model; a file may lack it.
    model.ir_version.get_or_insert(8);
    let Some(graph) = &mut model.graph else { return Ok(()) };
    if graph.node.iter().flat_map(graphs).any(suppresses) {
        return Err("stands in a graph within the graph, where rten's own would keep other boxes".to_owned());
    }
    let count = graph.node.iter().filter(|node| is_suppression(node)).count();
    if count > MOST {
        return Err(format!("stands in the model {count} times, which is more than {MOST}"));
    }
    if is_scattered(graph) {
        return Err(
            "stands beside weights in a file of their own, which this runner cannot rewrite".to_owned()
        );
    }
    let mut nodes = Vec::with_capacity(graph.node.len());
    for node in graph.node.drain(..) {
        if is_suppression(&node) {
            let instead = Suppression::of(&node);
            let instead =
                instead.map_err(|why| format!("{} is none that ONNX defines: {why}", node.name()))?;
            nodes.extend(instead.nodes()?);
        } else {
            nodes.push(node);
        }
    }
    graph.node = nodes;
    Ok(())
}

fn is_suppression(node: &NodeProto) -> bool {
    node.op_type() == OPERATOR && matches!(node.domain(), "" | "ai.onnx")
}

/// The graphs that belong to a node.
fn graphs(node: &NodeProto) -> impl Iterator<Item = &GraphProto> {
    node.attribute.iter().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs))
}

/// Whether there is a suppression at any depth. The reader bounds how deep that is.
fn suppresses(graph: &GraphProto) -> bool {
    graph.node.iter().any(|node| is_suppression(node) || graphs(node).any(suppresses))
}

/// Whether a tensor has its data elsewhere.
fn is_scattered(graph: &GraphProto) -> bool {
    let elsewhere = |tensor: &TensorProto| tensor.data_location.is_some_and(|place| place != 0);
    let constant = |attribute: &AttributeProto| attribute.t.iter().chain(&attribute.tensors).any(elsewhere);
    let in_node = |node: &NodeProto| node.attribute.iter().any(constant) || graphs(node).any(is_scattered);
    graph.initializer.iter().any(elsewhere) || graph.node.iter().any(in_node)
}

/// One node: where its numbers come from and go to.
struct Suppression<'a> {
    boxes: &'a str,
    scores: &'a str,
    most: Option<&'a str>,
    iou: Option<&'a str>,
    least: Option<&'a str>,
    /// Boxes are centres and sizes, not corners.
    centres: bool,
    selected: &'a str,
    name: &'a str,
}

impl<'a> Suppression<'a> {
    fn of(node: &'a NodeProto) -> Result<Self, &'static str> {
        let input = |index: usize| node.input.get(index).map(String::as_str).filter(|name| !name.is_empty());
        let (Some(boxes), Some(scores), None) = (input(0), input(1), node.input.get(5)) else {
            return Err("it takes boxes, scores and up to three limits");
        };
        let [selected] = &node.output[..] else { return Err("it gives one output") };
        let centres = match &node.attribute[..] {
            [] => false,
            [only] if only.name() == "center_point_box" && matches!(only.i(), 0 | 1) => only.i() == 1,
            _ => return Err("it has no setting but center_point_box, 0 or 1"),
        };
        let name = if node.name().is_empty() { selected } else { node.name() };
        Ok(Self { boxes, scores, most: input(2), iou: input(3), least: input(4), centres, selected, name })
    }

    /// What stands for the node. Each is called like it, with an ending of its own.
    fn nodes(&self) -> Result<Vec<NodeProto>, String> {
        let names = Names {
            given: &[
                ("boxes", Some(self.boxes)),
                ("scores", Some(self.scores)),
                ("most", self.most),
                ("iou", self.iou),
                ("least", self.least),
                ("selected", Some(self.selected)),
            ],
            values: format!("{}:", self.selected),
            nodes: format!("{}/", self.name),
        };
        nodes(&self.text(), &names)
    }

    fn text(&self) -> String {
        [
            if self.most.is_some() { "" } else { "most = Constant <value_ints = [0]> ()" },
            if self.iou.is_some() { "" } else { "iou = Constant <value_float = 0.0> ()" },
            if self.least.is_some() { include_str!("above.txt") } else { include_str!("every.txt") },
            if self.centres { include_str!("centres.txt") } else { include_str!("corners.txt") },
            include_str!("greedy.txt"),
        ]
        .join("\n")
    }
}
