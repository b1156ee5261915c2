//! ONNX's `NonMaxSuppression` for rten, out of operators that rten has.
//!
//! rten 0.27 has one of its own, which divides the intersection of two boxes by the rectangle around both, where ONNX has
//! their union, and looks at boxes in the order in which they come: it keeps others than the definition does.

mod text;

#[cfg(test)]
mod tests;

use std::path::Path;

use convwise_onnx::proto::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};
use convwise_sdk::{ErrorCode, RunnerError};

use text::{Names, nodes};

/// The operator.
pub(crate) const OPERATOR: &str = "NonMaxSuppression";

/// The bytes of a model, with other nodes in place of those that suppress.
///
/// # Errors
/// The file cannot be read, or suppresses in a way that cannot be written otherwise.
pub(crate) fn replaced(path: &Path) -> Result<Vec<u8>, RunnerError> {
    let mut model = convwise_onnx::read_model(path).map_err(|error| RunnerError::model(error.to_string()))?;
    replace(&mut model).map_err(|why| {
        RunnerError::new(ErrorCode::Unsupported, format!("{}: {why}; use another runner", path.display()))
    })?;
    Ok(convwise_onnx::encode_model(&model))
}

fn replace(model: &mut ModelProto) -> Result<(), String> {
    // rten looks for it in models that come as bytes.
    model.ir_version.get_or_insert(8);
    let Some(graph) = &mut model.graph else { return Ok(()) };
    let inner = graph.node.iter().flat_map(graphs);
    if inner.into_iter().any(suppresses) {
        return Err(format!("{OPERATOR} in a graph within a graph is more than this runner can do"));
    }
    if is_scattered(graph) {
        return Err(format!(
            "{OPERATOR} beside weights in a file of their own is more than this runner can do"
        ));
    }
    let old = std::mem::take(&mut graph.node);
    for node in old {
        if is_suppression(&node) {
            graph.node.extend(Suppression::of(&node)?.nodes()?);
        } else {
            graph.node.push(node);
        }
    }
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
    fn of(node: &'a NodeProto) -> Result<Self, String> {
        let wrong = |what: &str| format!("{OPERATOR} {}: {what}", node.name());
        let input = |index: usize| node.input.get(index).map(String::as_str).filter(|name| !name.is_empty());
        let [selected] = &node.output[..] else { return Err(wrong("it has one output")) };
        let (Some(boxes), Some(scores), None) = (input(0), input(1), node.input.get(5)) else {
            return Err(wrong("it has two to five inputs"));
        };
        let centres = match &node.attribute[..] {
            [] => false,
            [only] if only.name() == "center_point_box" && matches!(only.i(), 0 | 1) => only.i() == 1,
            _ => return Err(wrong("an attribute other than center_point_box, or a value that this has not")),
        };
        let name = if node.name().is_empty() { selected } else { node.name() };
        Ok(Self { boxes, scores, most: input(2), iou: input(3), least: input(4), centres, selected, name })
    }

    /// What stands for the node.
    fn nodes(&self) -> Result<Vec<NodeProto>, String> {
        let mut given = vec![("boxes", self.boxes), ("scores", self.scores), ("selected", self.selected)];
        given.extend(
            [("most", self.most), ("iou", self.iou), ("least", self.least)]
                .into_iter()
                .filter_map(|(own, given)| Some((own, given?))),
        );
        let given: Vec<_> = given.into_iter().map(|(own, given)| (own, given.to_owned())).collect();
        let names = Names {
            given: &given,
            // No value of the model may be called like one of these; the output's name is the model's own.
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
