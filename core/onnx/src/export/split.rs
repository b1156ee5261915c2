//! Sibling slices that share out one axis become one split.

use std::collections::{BTreeMap, HashMap};

use convwise_graph::{Graph, NodeId, Op, Shapes};

use super::plan::Uses;

/// A slice: its first element, its end, and its node.
type Piece = (usize, usize, NodeId);

/// Which slices are written together.
#[derive(Default)]
pub(super) struct Splits {
    /// For each slice of a group, the pieces in the order of the axis.
    groups: HashMap<NodeId, Vec<Piece>>,
}

impl Splits {
    pub fn of(graph: &Graph, shapes: &Shapes, uses: &Uses) -> Self {
        let mut siblings: BTreeMap<(NodeId, usize), Vec<Piece>> = BTreeMap::new();
        for (id, node) in graph.iter().filter(|&(id, _)| uses.is_live(id)) {
            if let (Op::Slice { axis, start, end }, Some(&input)) = (&node.op, node.inputs.first()) {
                siblings.entry((input, *axis)).or_default().push((*start, *end, id));
            }
        }
        let mut splits = Self::default();
        for ((input, axis), mut pieces) in siblings {
            pieces.sort_unstable();
            // The batch axis may have any extent, whatever it is in `shapes`.
            if axis > 0 && shares_out(&pieces, shapes.of(input).dim(axis)) {
                splits.groups.extend(pieces.iter().map(|&(.., id)| (id, pieces.clone())));
            }
        }
        splits
    }

    /// The sizes and nodes of the group that this slice belongs to.
    pub fn group(&self, id: NodeId) -> Option<(Vec<usize>, Vec<NodeId>)> {
        let pieces = self.groups.get(&id)?;
        Some(pieces.iter().map(|&(start, end, id)| (end - start, id)).unzip())
    }
}

/// Whether at least two pieces cover `0..extent` without gap or overlap.
fn shares_out(pieces: &[Piece], extent: Option<usize>) -> bool {
    let starts = pieces.iter().map(|&(start, ..)| Some(start)).chain([extent]);
    let ends = [Some(0)].into_iter().chain(pieces.iter().map(|&(_, end, _)| Some(end)));
    pieces.len() > 1 && starts.eq(ends)
}
