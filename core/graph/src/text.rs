//! The text form of a graph: one node a line, stable, made for diffs and snapshots.
//!
//! Two graphs with the same text are the same network: the text names every operation, setting,
//! operand and shape. Trained tensors follow from these and are left out.

use std::fmt::Write as _;

use crate::graph::{Graph, Named, Node, NodeId};
use crate::infer::Shapes;
use crate::ops::{Attributes, with_layer};

/// Prints `graph`, whose tensors have `shapes`.
#[must_use]
pub fn print(graph: &Graph, shapes: &Shapes) -> String {
    let mut out = format!("graph {}\n", quoted(&graph.name));
    for (id, node) in graph.iter() {
        _ = writeln!(out, "{}", line(id, node, shapes));
    }
    for (kind, named) in [("stage", &graph.stages), ("output", &graph.outputs)] {
        for Named { name, node } in named {
            _ = writeln!(out, "{kind} {} = %{} -> {}", quoted(name), node.0, shapes.of(*node));
        }
    }
    out
}

fn line(id: NodeId, node: &Node, shapes: &Shapes) -> String {
    let mut words = format!("%{} = {}", id.0, node.op.name());
    for operand in &node.inputs {
        _ = write!(words, " %{}", operand.0);
    }
    _ = write!(words, " name={}", quoted(&node.name));
    let settings = settings(node);
    if !settings.is_empty() {
        _ = write!(words, " {settings}");
    }
    _ = write!(words, " -> {}", shapes.of(id));
    words
}

/// The settings of a node's operation, `out=64 k=7x7 s=2 p=3`; empty if it has none.
pub(crate) fn settings(node: &Node) -> String {
    let mut attributes = Attributes::default();
    with_layer(&node.op, |layer| layer.attributes(&mut attributes));
    attributes.into_text()
}

/// A name as it is if it cannot be mistaken for anything else, else in quotes and escaped.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
    if !name.is_empty() && name.chars().all(plain) { name.to_owned() } else { format!("{name:?}") }
}
