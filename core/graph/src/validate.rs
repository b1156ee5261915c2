//! Checks of a whole graph that did not come from the builder, such as one read from a file.

use std::collections::HashSet;

use crate::builder::unlike;
use crate::error::GraphError;
use crate::graph::{Graph, Named};
use crate::infer::infer;

impl Graph {
    /// Checks everything that the other functions of this crate rely on: handles point backwards
    /// (first, because every other check follows them), operands and trained tensors agree with the
    /// operations, names are unique, and there is an output.
    ///
    /// # Errors
    /// The first thing that is wrong, in graph order.
    pub fn validate(&self) -> Result<(), GraphError> {
        self.check_handles()?;
        infer(self, 1)?;
        self.check_sharing()?;
        check_unique("nodes", self.nodes.iter().map(|n| n.name.as_str()))?;
        check_unique("tensors", self.params().map(|p| p.name.as_str()))?;
        check_unique("outputs", self.outputs.iter().map(|n| n.name.as_str()))?;
        check_unique("stages", self.stages.iter().map(|n| n.name.as_str()))?;
        if self.outputs.is_empty() {
            return Err(GraphError::NoOutput { graph: self.name.clone() });
        }
        Ok(())
    }

    /// Every handle names an earlier node, and outputs and stages name a node.
    pub(crate) fn check_handles(&self) -> Result<(), GraphError> {
        for (id, node) in self.iter() {
            if let Some(&handle) = node.inputs.iter().find(|&&operand| operand >= id) {
                let user = format!("`{}`", node.name);
                return Err(GraphError::Handle { user, handle, known: id.index() });
            }
        }
        self.outputs.iter().chain(&self.stages).try_for_each(|named| self.check_named(named))
    }

    /// What is shared belongs to an earlier node that owns it.
    fn check_sharing(&self) -> Result<(), GraphError> {
        for (id, node) in self.iter() {
            let Some(handle) = node.shares else { continue };
            let owner = self.node(handle).filter(|owner| handle < id && owner.shares.is_none());
            let Some(owner) = owner else {
                let user = format!("`{}`", node.name);
                return Err(GraphError::Handle { user, handle, known: id.index() });
            };
            if owner.params != node.params {
                return Err(unlike(&owner.params, &node.params));
            }
        }
        Ok(())
    }

    fn check_named(&self, Named { name, node }: &Named) -> Result<(), GraphError> {
        let known = self.nodes.len();
        if node.index() < known {
            return Ok(());
        }
        Err(GraphError::Handle { user: format!("`{name}`"), handle: *node, known })
    }
}

fn check_unique<'a>(kind: &'static str, names: impl Iterator<Item = &'a str>) -> Result<(), GraphError> {
    let mut seen = HashSet::new();
    for name in names {
        if name.is_empty() {
            return Err(GraphError::Nameless { kind });
        }
        if !seen.insert(name) {
            return Err(GraphError::Duplicate { kind, name: name.to_owned() });
        }
    }
    Ok(())
}
