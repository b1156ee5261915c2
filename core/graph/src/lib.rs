//! The layer graph: a typed arena of operations, and the facts that follow from it alone.
//!
//! [`Builder`] makes a [`Graph`]; [`infer()`] finds the [`Shapes`] of its tensors; [`cost()`] counts what
//! they imply, and [`memory`] plans their storage. The graph and what is known about it are separate
//! values: analysis never changes a graph, and every consumer takes both. This crate knows no file
//! format, no script and no runner.
//!
//! One more operation is a variant of [`Op`], a file under `ops/` and an arm of its `with_layer`.

mod builder;
mod cost;
pub mod dot;
mod error;
mod fingerprint;
mod fold;
mod graph;
mod infer;
mod limits;
mod live;
pub mod memory;
mod op;
mod ops;
mod shape;
pub mod text;
mod validate;

pub use builder::Builder;
pub use cost::{Cost, NodeCost, cost};
pub use error::GraphError;
pub use fingerprint::fingerprint;
pub use fold::Folding;
pub use graph::{Graph, Named, Node, NodeId, Param};
pub use infer::{Shapes, infer};
pub use live::Live;
pub use op::{Activation, Conv2d, Op, Padding, ParamRole, Pool, Reduction, ResizeMode, Rows, Unary};
pub use ops::reach;
pub use shape::Shape;
