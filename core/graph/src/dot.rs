//! The graph in Graphviz's DOT language. Outputs have a double border, ends of stages a bold one.

use std::fmt::Write as _;

use crate::graph::{Graph, Named, Node, NodeId};
use crate::infer::Shapes;
use crate::text::settings;

/// Prints `graph`, whose tensors have `shapes`, as a directed graph from inputs to outputs.
#[must_use]
pub fn print(graph: &Graph, shapes: &Shapes) -> String {
    let mut out = format!("digraph \"{}\" {{\n", escape(&graph.name));
    out.push_str("  node [shape=box, fontname=\"monospace\"];\n");
    for (id, node) in graph.iter() {
        _ = writeln!(out, "  n{} [label=\"{}\"{}];", id.0, label(graph, id, node, shapes), border(graph, id));
        for operand in &node.inputs {
            _ = writeln!(out, "  n{} -> n{};", operand.0, id.0);
        }
    }
    out.push_str("}\n");
    out
}

/// Lines of a node's label, joined by DOT's line break.
fn label(graph: &Graph, id: NodeId, node: &Node, shapes: &Shapes) -> String {
    let marks =
        [("stage", &graph.stages), ("output", &graph.outputs)].into_iter().flat_map(|(kind, named)| {
            named.iter().filter(move |n| n.node == id).map(move |Named { name, .. }| format!("{kind} {name}"))
        });
    let operation = format!("{} {}", node.op.name(), settings(node));
    let lines = [node.name.clone(), operation.trim_end().to_owned(), shapes.of(id).to_string()];
    let lines: Vec<_> = lines.into_iter().chain(marks).map(|line| escape(&line)).collect();
    lines.join("\\n")
}

fn border(graph: &Graph, id: NodeId) -> &'static str {
    let ends = |named: &[Named]| named.iter().any(|n| n.node == id);
    match (ends(&graph.outputs), ends(&graph.stages)) {
        (true, _) => ", peripheries=2",
        (false, true) => ", penwidth=3",
        (false, false) => "",
    }
}

/// Text that is safe between double quotes: no quote, backslash or line break is left bare.
fn escape(text: &str) -> String {
    text.escape_debug().to_string()
}
