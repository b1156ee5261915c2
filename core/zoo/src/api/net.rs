//! The handles that scripts hold: the net that is being built, and its tensors.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use convwise_graph::{Builder, Graph, GraphError, NodeId, Op, Shape};
use convwise_script::Complaint;
use rhai::{Array, Dynamic, Engine, EvalAltResult, Map};

use super::options::{Options, sizes};

/// What a script's function may fail with.
pub(super) type Raised<T> = Result<T, Box<EvalAltResult>>;

/// The network under construction; clones are the same network.
#[derive(Clone, Debug)]
pub(crate) struct Net {
    builder: Arc<Mutex<Builder>>,
}

/// A tensor of one network.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    net: Net,
    id: NodeId,
}

impl Net {
    /// An empty network.
    pub fn new(name: &str) -> Self {
        Self { builder: Arc::new(Mutex::new(Builder::new(name))) }
    }

    /// The finished graph. Handles that a script may have kept stay harmless.
    pub fn finish(&self) -> Result<Graph, GraphError> {
        self.lock().clone().finish()
    }

    fn lock(&self) -> MutexGuard<'_, Builder> {
        self.builder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the script has named, by name: stages and outputs. The outputs are none any more.
    pub fn take_named(&self) -> Map {
        let mut builder = self.lock();
        let stages = builder.graph().stages.clone();
        let named = stages.into_iter().chain(builder.take_outputs());
        let tensor = |id| Dynamic::from(Tensor { net: self.clone(), id });
        named.map(|n| (n.name.as_str().into(), tensor(n.node))).collect()
    }

    fn owns(&self, tensor: &Tensor) -> bool {
        Arc::ptr_eq(&self.builder, &tensor.net.builder)
    }

    fn input(&self, name: &str, dims: Vec<usize>) -> Raised<Tensor> {
        let id = self.lock().add(Op::Input { dims }, &[], name).map_err(complain)?;
        Ok(Tensor { net: self.clone(), id })
    }
}

impl Net {
    /// Adds a tensor that no image changes.
    pub fn stored(&self, op: Op, name: &str) -> Raised<Tensor> {
        let id = self.lock().add(op, &[], name).map_err(complain)?;
        Ok(Tensor { net: self.clone(), id })
    }
}

impl Tensor {
    /// Adds a layer with tensors of its own, or with those of its name if the options say `reuse`.
    pub(super) fn layer(&self, op: Op, name: &str, options: &Options<'_>) -> Raised<Self> {
        if options.flag("reuse", false)? { self.apply_shared(op, name) } else { self.apply(op, name) }
    }

    /// Adds a layer that uses the tensors of its name, if they are there already.
    pub fn apply_shared(&self, op: Op, name: &str) -> Raised<Self> {
        let id = self.net.lock().add_shared(op, &[self.id], name).map_err(complain)?;
        Ok(Self { net: self.net.clone(), id })
    }

    /// Adds an operation of this tensor alone.
    pub fn apply(&self, op: Op, name: &str) -> Raised<Self> {
        self.apply_with(op, &[], name)
    }

    /// Adds an operation of this tensor and others of the same network.
    pub fn apply_with(&self, op: Op, others: &[Self], name: &str) -> Raised<Self> {
        if let Some(foreign) = others.iter().find(|t| !self.net.owns(t)) {
            return Err(foreign_handle(foreign).into());
        }
        let inputs: Vec<NodeId> = std::iter::once(self.id).chain(others.iter().map(|t| t.id)).collect();
        let id = self.net.lock().add(op, &inputs, name).map_err(complain)?;
        Ok(Self { net: self.net.clone(), id })
    }

    /// Extents at batch 1, the batch axis included.
    pub fn shape(&self) -> Shape {
        self.net.lock().shape(self.id).cloned().unwrap_or(Shape(Vec::new()))
    }

    /// Extent of one axis of an image; `what` names it in the refusal.
    pub fn side(&self, axis: usize, what: &str) -> Raised<usize> {
        self.extent(axis, what).map(|extent| usize::try_from(extent).unwrap_or_default())
    }

    /// Extent of one axis; `what` names it in the refusal.
    pub fn extent(&self, axis: usize, what: &str) -> Raised<i64> {
        let shape = self.shape();
        match shape.dim(axis).map(i64::try_from) {
            Some(Ok(extent)) => Ok(extent),
            _ => Err(Complaint::new("no-axis", format!("a tensor {shape} has no {what}")).into()),
        }
    }
}

fn foreign_handle(tensor: &Tensor) -> Complaint {
    let shape = tensor.shape();
    Complaint::new("foreign-tensor", format!("the tensor {shape} belongs to another network"))
        .with_help("use only tensors that come from this `net`")
}

/// A refusal of the graph, in its own words.
pub(super) fn complain(error: GraphError) -> Box<EvalAltResult> {
    let code = match &error {
        GraphError::Misfit { .. } => "misfit",
        GraphError::TooManyNodes { .. } => "limit",
        GraphError::Duplicate { .. } => "duplicate-name",
        GraphError::Unnamed { .. } | GraphError::Nameless { .. } => "missing-name",
        _ => "graph",
    };
    Complaint::new(code, error.to_string()).into()
}

pub(super) fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Net>("net").register_type_with_name::<Tensor>("tensor");
    engine.register_fn("input", |net: &mut Net, name: &str, dims: Array| {
        net.input(name, sizes("input", "the extents", &dims)?)
    });
    engine.register_fn("output", |net: &mut Net, name: &str, x: Tensor| net.name(name, &x, Builder::output));
    engine.register_fn("stage", |net: &mut Net, name: &str, x: Tensor| net.name(name, &x, Builder::stage));
    engine.register_fn("freeze_norms", |net: &mut Net, prefix: &str| net.lock().freeze_norms(prefix));
    engine.register_fn("to_string", |x: &mut Tensor| format!("tensor {}", x.shape()));
    engine.register_get("shape", |x: &mut Tensor| -> Array {
        x.shape().0.iter().filter_map(|d| i64::try_from(*d).ok()).map(Dynamic::from).collect()
    });
    engine.register_get("channels", |x: &mut Tensor| x.extent(1, "channels"));
    engine.register_get("height", |x: &mut Tensor| x.extent(2, "height"));
    engine.register_get("width", |x: &mut Tensor| x.extent(3, "width"));
}

impl Net {
    fn name(
        &self,
        name: &str,
        tensor: &Tensor,
        mark: fn(&mut Builder, &str, NodeId) -> Result<(), GraphError>,
    ) -> Raised<Tensor> {
        if !self.owns(tensor) {
            return Err(foreign_handle(tensor).into());
        }
        mark(&mut self.lock(), name, tensor.id).map_err(complain)?;
        Ok(tensor.clone())
    }
}
