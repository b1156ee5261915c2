//! Building a graph node by node. Every mistake is reported at the node that makes it, while the
//! script line that added it is still known to the caller.

use std::collections::{HashMap, HashSet};

use crate::error::GraphError;
use crate::graph::{Graph, Named, Node, NodeId, Param};
use crate::infer::{Shapes, check_places, facts};
use crate::limits::MAX_NODES;
use crate::op::Op;
use crate::ops::ParamSpec;
use crate::shape::Shape;

/// Grows a graph, keeping the shape of every tensor for a batch of one image.
// INVARIANT: `shapes` has one entry for each node of `graph`; `names` and `params` hold exactly the
// names in use.
#[derive(Clone, Debug)]
pub struct Builder {
    graph: Graph,
    shapes: Shapes,
    names: HashSet<String>,
    /// The node that a tensor belongs to, by its name.
    params: HashMap<String, NodeId>,
    /// Beginnings of the names of batch norms that are frozen.
    frozen: Vec<String>,
    limit: usize,
}

impl Builder {
    /// An empty graph called `name`, of at most 20 000 nodes.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let graph = Graph { name: name.into(), ..Graph::default() };
        let (names, params) = (HashSet::new(), HashMap::new());
        Self { graph, shapes: Shapes::default(), names, params, frozen: Vec::new(), limit: MAX_NODES }
    }

    /// The same with another limit.
    #[must_use]
    pub fn with_limit(self, max_nodes: usize) -> Self {
        Self { limit: max_nodes.min(u32::MAX as usize), ..self }
    }

    /// Makes buffers of the tensors of all batch norms that are added from now on and whose names begin so: a backbone
    /// that a detector keeps as it was trained.
    pub fn freeze_norms(&mut self, prefix: impl Into<String>) {
        self.frozen.push(prefix.into());
    }

    /// Adds a node and its trained tensors (`{name}.weight` and so on; the tensor of [`Op::Scale`] is
    /// called `{name}`).
    ///
    /// `name` is the module's path in the reference state_dict. It may be empty for an operation
    /// without trained tensors, which then gets a label of its own.
    ///
    /// # Errors
    /// Too many nodes, a handle of another graph, operands that do not fit, or a name that is missing
    /// or taken. The graph is unchanged then.
    pub fn add(&mut self, op: Op, inputs: &[NodeId], name: &str) -> Result<NodeId, GraphError> {
        self.insert(op, inputs, name, Ownership::Own)
    }

    /// The same, but with the tensors of the node that has that name already, if there is one: a head that is applied to
    /// several levels. The tensors must be of the same shapes.
    ///
    /// # Errors
    /// As [`Self::add`], and tensors of other shapes.
    pub fn add_shared(&mut self, op: Op, inputs: &[NodeId], name: &str) -> Result<NodeId, GraphError> {
        self.insert(op, inputs, name, Ownership::Shared)
    }

    fn insert(
        &mut self,
        op: Op,
        inputs: &[NodeId],
        name: &str,
        ownership: Ownership,
    ) -> Result<NodeId, GraphError> {
        let index = self.graph.nodes.len();
        if index >= self.limit {
            return Err(GraphError::TooManyNodes { limit: self.limit });
        }
        let id = u32::try_from(index).map_err(|_| GraphError::TooManyNodes { limit: self.limit })?;
        self.check_handles(&op, inputs, name)?;
        let op = self.frozen_or_not(op, name);
        let label = if name.is_empty() { op.name() } else { name };
        check_places(label, &op, inputs.iter().map(|id| self.graph.node(*id).map(|n| &n.op)))?;
        let facts = facts(label, &op, &self.shapes.operands(inputs), 1)?;
        let params = params_of(name, facts.params);
        let shares = match ownership {
            Ownership::Shared => self.owner(&params)?,
            Ownership::Own => None,
        };
        let name = match shares {
            Some(_) => self.numbered_label(name),
            None => self.node_name(&op, name, !params.is_empty())?,
        };
        if shares.is_none() {
            self.claim(NodeId(id), &params)?;
        }
        self.names.insert(name.clone());
        self.shapes.push(facts.shape);
        self.graph.nodes.push(Node { name, op, inputs: inputs.to_vec(), params, shares });
        Ok(NodeId(id))
    }

    /// Shape of a tensor for a batch of one, or `None` for a handle of another graph.
    #[must_use]
    pub fn shape(&self, id: NodeId) -> Option<&Shape> {
        self.shapes.get(id)
    }

    /// The graph as far as it has been built.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Makes a tensor one of the network's answers.
    ///
    /// # Errors
    /// A handle of another graph, or a name that is empty or taken.
    pub fn output(&mut self, name: &str, id: NodeId) -> Result<(), GraphError> {
        let named = self.named("outputs", &self.graph.outputs, name, id)?;
        self.graph.outputs.push(named);
        Ok(())
    }

    /// Takes the answers back, so that what follows from them can take their place.
    pub fn take_outputs(&mut self) -> Vec<Named> {
        std::mem::take(&mut self.graph.outputs)
    }

    /// Marks the end of a stage, where a detector or a segmenter may attach.
    ///
    /// # Errors
    /// A handle of another graph, or a name that is empty or taken.
    pub fn stage(&mut self, name: &str, id: NodeId) -> Result<(), GraphError> {
        let named = self.named("stages", &self.graph.stages, name, id)?;
        self.graph.stages.push(named);
        Ok(())
    }

    /// The finished graph, with every node that was added.
    ///
    /// # Errors
    /// A graph without output.
    pub fn finish(self) -> Result<Graph, GraphError> {
        if self.graph.outputs.is_empty() {
            return Err(GraphError::NoOutput { graph: self.graph.name });
        }
        Ok(self.graph)
    }

    fn frozen_or_not(&self, op: Op, name: &str) -> Op {
        match op {
            Op::BatchNorm { eps, frozen } => {
                let frozen = frozen || self.frozen.iter().any(|prefix| name.starts_with(prefix.as_str()));
                Op::BatchNorm { eps, frozen }
            }
            other => other,
        }
    }

    fn check_handles(&self, op: &Op, inputs: &[NodeId], name: &str) -> Result<(), GraphError> {
        let known = self.graph.nodes.len();
        match inputs.iter().find(|id| id.index() >= known) {
            Some(&handle) => {
                let user = if name.is_empty() { op.name().to_owned() } else { format!("`{name}`") };
                Err(GraphError::Handle { user, handle, known })
            }
            None => Ok(()),
        }
    }

    fn node_name(&self, op: &Op, name: &str, has_params: bool) -> Result<String, GraphError> {
        let index = self.graph.nodes.len();
        match name {
            "" if has_params => Err(GraphError::Unnamed { index, op: op.name() }),
            "" => Ok(self.fresh_label(op, index)),
            taken if self.names.contains(taken) => {
                Err(GraphError::Duplicate { kind: "nodes", name: taken.to_owned() })
            }
            free => Ok(free.to_owned()),
        }
    }

    /// The colon keeps it apart from module paths, which a script may still want to use.
    fn fresh_label(&self, op: &Op, index: usize) -> String {
        let mut label = format!("{}:{index}", op.name());
        while self.names.contains(&label) {
            label.push(':');
        }
        label
    }

    /// `head.conv@2`, `head.conv@3`: further uses of one module.
    fn numbered_label(&self, name: &str) -> String {
        let numbered = (2_u32..).map(|i| format!("{name}@{i}"));
        numbered.into_iter().find(|label| !self.names.contains(label)).unwrap_or_default()
    }

    /// The node that has these tensors already; `None` if nobody has any of them.
    fn owner(&self, params: &[Param]) -> Result<Option<NodeId>, GraphError> {
        let Some(owner) = params.iter().find_map(|p| self.params.get(&p.name).copied()) else {
            return Ok(None);
        };
        let theirs = self.graph.node(owner).map(|node| node.params.as_slice());
        if theirs == Some(params) {
            return Ok(Some(owner));
        }
        Err(unlike(theirs.unwrap_or_default(), params))
    }

    fn claim(&mut self, owner: NodeId, params: &[Param]) -> Result<(), GraphError> {
        if let Some(taken) = params.iter().find(|p| self.params.contains_key(&p.name)) {
            return Err(GraphError::Duplicate { kind: "tensors", name: taken.name.clone() });
        }
        self.params.extend(params.iter().map(|p| (p.name.clone(), owner)));
        Ok(())
    }

    fn named(
        &self,
        kind: &'static str,
        taken: &[Named],
        name: &str,
        id: NodeId,
    ) -> Result<Named, GraphError> {
        let known = self.graph.nodes.len();
        if id.index() >= known {
            let user = format!("`{name}` of the {kind}");
            return Err(GraphError::Handle { user, handle: id, known });
        }
        if name.is_empty() {
            return Err(GraphError::Nameless { kind });
        }
        if taken.iter().any(|n| n.name == name) {
            return Err(GraphError::Duplicate { kind, name: name.to_owned() });
        }
        Ok(Named { name: name.to_owned(), node: id })
    }
}

/// Whose tensors a node may use.
#[derive(Clone, Copy)]
enum Ownership {
    Own,
    Shared,
}

fn params_of(node: &str, specs: Vec<ParamSpec>) -> Vec<Param> {
    let named = |spec: ParamSpec| Param {
        name: format!("{node}{}", spec.suffix),
        role: spec.role,
        shape: spec.shape,
    };
    specs.into_iter().map(named).collect()
}

/// The refusal of tensors that are there already, but others.
pub(crate) fn unlike(theirs: &[Param], ours: &[Param]) -> GraphError {
    let list = |params: &[Param]| {
        let words: Vec<_> = params.iter().map(|p| format!("{} {}", p.name, p.shape)).collect();
        words.join(", ")
    };
    GraphError::Unlike { first: list(theirs), second: list(ours) }
}
