//! Everything that can be wrong with a graph, in words that name the node.

use std::fmt;

use thiserror::Error;

use crate::graph::NodeId;
use crate::shape::Shape;

/// What is wrong with a graph, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GraphError {
    /// The operands or the settings of a node do not fit.
    #[error("`{node}` ({op}){}: {reason}", Over(.operands))]
    Misfit {
        /// Name of the node.
        node: String,
        /// Name of the operation.
        op: &'static str,
        /// Shapes of the operands.
        operands: Vec<Shape>,
        /// What does not fit, and what was expected.
        reason: String,
    },
    /// A node has too few or too many operands.
    #[error("`{node}` ({op}): the number of operands is {found}; expected {expected}")]
    Operands {
        /// Name of the node.
        node: String,
        /// Name of the operation.
        op: &'static str,
        /// How many it takes.
        expected: String,
        /// How many it has.
        found: usize,
    },
    /// A handle does not name an earlier node.
    #[error("{user} refers to %{}, which is not among the {known} nodes before it; use a tensor of this graph", .handle.0)]
    Handle {
        /// Who refers to it.
        user: String,
        /// The handle.
        handle: NodeId,
        /// How many nodes there are to refer to.
        known: usize,
    },
    /// The trained tensors of a node are not those of its operation.
    #[error("`{node}` ({op}) has the tensors {found}; expected {expected}")]
    Params {
        /// Name of the node.
        node: String,
        /// Name of the operation.
        op: &'static str,
        /// The operation's tensors.
        expected: String,
        /// The node's tensors.
        found: String,
    },
    /// A node with trained tensors has no name.
    #[error(
        "node %{index} ({op}) has trained tensors and no name; give it the module's path in the state_dict"
    )]
    Unnamed {
        /// Position of the node.
        index: usize,
        /// Name of the operation.
        op: &'static str,
    },
    /// Two nodes, tensors, outputs or stages have one name.
    #[error("there are two {kind} called `{name}`; give each a name of its own")]
    Duplicate {
        /// What is named, in the plural.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A module is to be used again, but with tensors of other shapes.
    #[error("a shared module has the tensors {first} at its first use and {second} here; expected the same")]
    Unlike {
        /// At the first use.
        first: String,
        /// At a later one.
        second: String,
    },
    /// Whole numbers that name places are taken for numbers, or the other way round.
    #[error("`{node}` ({op}): operand {index} is {found}; expected {expected}")]
    Places {
        /// Name of the node.
        node: String,
        /// Name of the operation.
        op: &'static str,
        /// Which operand, from 0.
        index: usize,
        /// What it is.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// An output or a stage has no name.
    #[error("one of the {kind} has no name; give it one, for example `logits`")]
    Nameless {
        /// What is not named, in the plural.
        kind: &'static str,
    },
    /// The graph grew past its limit.
    #[error("more than {limit} nodes; check the script's loops, or raise the limit")]
    TooManyNodes {
        /// Most nodes allowed.
        limit: usize,
    },
    /// Nothing would be computed.
    #[error("the graph `{graph}` has no output; name at least one")]
    NoOutput {
        /// Name of the graph.
        graph: String,
    },
}

/// ` over [1x2] and [3x4]`, or nothing without operands.
struct Over<'a>(&'a [Shape]);

impl fmt::Display for Over<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, shape) in self.0.iter().enumerate() {
            f.write_str(if i == 0 { " over " } else { " and " })?;
            write!(f, "{shape}")?;
        }
        Ok(())
    }
}
