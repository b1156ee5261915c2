//! The documents a runner hands out; the members stand in `runner.h`. Unknown members are ignored, so that a newer
//! runner can say more to an older host.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::DType;

/// The `schema` number of all documents here.
pub const SCHEMA: u32 = 1;

/// The only dimension of a shape whose rank is not known.
const UNKNOWN_RANK: &str = "...";

/// What a runner is: the answer of `describe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The runner's name, as in its manifest.
    pub name: String,
    /// The runner's own version.
    pub version: String,
    /// The engine behind it, where that is known without starting it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Model formats, by file extension.
    #[serde(default)]
    pub formats: Vec<String>,
    /// Of `fp32`, `fp16`, `bf16`, `int8`.
    #[serde(default)]
    pub precisions: Vec<String>,
    /// Options of `probe` and `load`.
    #[serde(default)]
    pub options: Vec<OptionDoc>,
    /// Whether two sessions may run at once.
    #[serde(default)]
    pub concurrent: bool,
    /// Whether the same input gives the same output bits.
    #[serde(default)]
    pub deterministic: bool,
    /// Whether timings are made up: then they prove nothing.
    #[serde(default)]
    pub simulated: bool,
    /// Ids of the extensions it has.
    #[serde(default)]
    pub extensions: Vec<String>,
}

impl Description {
    /// A description with a name and a version and nothing claimed.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            schema: SCHEMA,
            name: name.into(),
            version: version.into(),
            backend: None,
            formats: Vec::new(),
            precisions: Vec::new(),
            options: Vec::new(),
            concurrent: false,
            deterministic: false,
            simulated: false,
            extensions: Vec::new(),
        }
    }

    /// Whether the runner lists the extension `id`.
    #[must_use]
    pub fn has_extension(&self, id: &str) -> bool {
        self.extensions.iter().any(|extension| extension == id)
    }
}

/// One option of a runner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionDoc {
    /// Its key.
    pub name: String,
    /// What holds when it is not given.
    #[serde(default)]
    pub default: String,
    /// What it does.
    #[serde(default)]
    pub doc: String,
}

impl OptionDoc {
    /// An option with its default and its one-line documentation.
    pub fn new(name: &str, default: &str, doc: &str) -> Self {
        Self { name: name.into(), default: default.into(), doc: doc.into() }
    }
}

/// Can it run here: the answer of `probe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Whether `load` has a chance.
    pub usable: bool,
    /// The engine that was found, with its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// Devices it can use; none is an empty list.
    #[serde(default)]
    pub devices: Vec<Device>,
    /// What is missing and how to get it.
    #[serde(default)]
    pub missing: Vec<Missing>,
}

impl Probe {
    /// Usable, on the CPU.
    #[must_use]
    pub fn cpu() -> Self {
        let cpu = Device { id: "cpu".into(), kind: "cpu".into(), name: String::new() };
        Self { schema: SCHEMA, usable: true, backend: None, devices: vec![cpu], missing: Vec::new() }
    }

    /// Not usable: `what` is missing, and `how` gets it.
    pub fn missing(what: impl Into<String>, how: impl Into<String>) -> Self {
        let missing = Missing { what: what.into(), how: how.into() };
        Self { schema: SCHEMA, usable: false, backend: None, devices: Vec::new(), missing: vec![missing] }
    }
}

/// A device that a runner can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// What to pass as the option that chooses it, such as `cpu` or `cuda:0`.
    pub id: String,
    /// `cpu`, `gpu` or `npu`.
    pub kind: String,
    /// Its maker's name for it.
    #[serde(default)]
    pub name: String,
}

/// Something a runner needs and did not find.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// What is missing.
    pub what: String,
    /// The one command, or sentence, that mends it.
    pub how: String,
}

/// A model's inputs and outputs: the answer of `io`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Io {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Inputs by index.
    pub inputs: Vec<TensorInfo>,
    /// Outputs by index.
    pub outputs: Vec<TensorInfo>,
    /// What a reader of a measurement should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Nodes per device or execution provider, where the engine places nodes one by one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub placement: BTreeMap<String, u64>,
    /// What compiling for the device took, where that is a step of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
}

/// The part of loading that compiled the model for the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Nanoseconds.
    pub ns: u64,
    /// Whether it was found in a cache and only read.
    pub cached: bool,
}

impl Io {
    /// Inputs and outputs without notes.
    #[must_use]
    pub fn new(inputs: Vec<TensorInfo>, outputs: Vec<TensorInfo>) -> Self {
        Self { schema: SCHEMA, inputs, outputs, notes: Vec::new(), placement: BTreeMap::new(), build: None }
    }
}

/// One input or output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorInfo {
    /// Its name in the model.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Dimensions, outermost first.
    pub shape: Vec<Dim>,
}

impl TensorInfo {
    /// An input or output with fixed dimensions.
    pub fn fixed(name: impl Into<String>, dtype: DType, shape: &[usize]) -> Self {
        let shape = shape.iter().map(|&size| Dim::Fixed(size)).collect();
        Self { name: name.into(), dtype, shape }
    }

    /// The concrete shape with `batch` in the place of a dynamic first dimension.
    ///
    /// # Errors
    /// The index of the first other dynamic dimension, or of the first dimension when it is fixed at another size.
    pub fn shape_for_batch(&self, batch: usize) -> Result<Vec<usize>, usize> {
        self.shape
            .iter()
            .enumerate()
            .map(|(axis, dim)| match dim {
                Dim::Fixed(size) if axis == 0 && self.shape.len() > 1 && *size != batch => Err(axis),
                Dim::Fixed(size) => Ok(*size),
                Dim::Dynamic(_) if axis == 0 => Ok(batch),
                Dim::Dynamic(_) => Err(axis),
            })
            .collect()
    }

    /// An output of which not even the rank is known before a run.
    pub fn of_unknown_rank(name: impl Into<String>, dtype: DType) -> Self {
        Self { name: name.into(), dtype, shape: vec![Dim::Dynamic(UNKNOWN_RANK.into())] }
    }

    /// Whether `shape` is one that this input takes, or this output may have.
    #[must_use]
    pub fn accepts(&self, shape: &[usize]) -> bool {
        if let [Dim::Dynamic(name)] = self.shape.as_slice()
            && name == UNKNOWN_RANK
        {
            return true;
        }
        let fits = |(dim, size): (&Dim, &usize)| match dim {
            Dim::Fixed(fixed) => fixed == size,
            Dim::Dynamic(_) => true,
        };
        self.shape.len() == shape.len() && self.shape.iter().zip(shape).all(fits)
    }
}

/// One dimension: fixed by the model, or chosen with the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Dim {
    /// A size.
    Fixed(usize),
    /// A name, possibly empty.
    Dynamic(String),
}

/// Where the time of a run goes: the answer of `profile`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Runs that the times are medians of.
    pub runs: u32,
    /// One a kernel, in the order in which they run.
    pub layers: Vec<LayerTime>,
}

impl Profile {
    /// The layers of `runs` runs.
    #[must_use]
    pub const fn new(runs: u32, layers: Vec<LayerTime>) -> Self {
        Self { schema: SCHEMA, runs, layers }
    }
}

/// What one kernel of a run takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerTime {
    /// The node's name in the model file, or what the engine calls the kernel where it fused several.
    pub node: String,
    /// Its operator.
    #[serde(default)]
    pub op: String,
    /// The device or execution provider it ran on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// Median nanoseconds.
    pub ns: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(first: Dim) -> TensorInfo {
        let shape = vec![first, Dim::Fixed(3), Dim::Fixed(8), Dim::Fixed(8)];
        TensorInfo { name: "input".into(), dtype: DType::F32, shape }
    }

    #[test]
    fn batch_fills_a_dynamic_first_dimension_only() {
        assert_eq!(image(Dim::Dynamic("N".into())).shape_for_batch(4), Ok(vec![4, 3, 8, 8]));
        assert_eq!(image(Dim::Fixed(1)).shape_for_batch(1), Ok(vec![1, 3, 8, 8]));
        assert_eq!(image(Dim::Fixed(1)).shape_for_batch(4), Err(0));
        let mut free = image(Dim::Fixed(1));
        free.shape[2] = Dim::Dynamic(String::new());
        assert_eq!(free.shape_for_batch(1), Err(2));
        assert!(free.accepts(&[1, 3, 99, 8]));
        assert!(!free.accepts(&[1, 3, 99]));
        assert!(TensorInfo::of_unknown_rank("y", DType::F32).accepts(&[1, 3, 99]));
    }

    #[test]
    fn documents_read_what_c_would_write() {
        let io: Io = serde_json::from_str(
            r#"{"schema":1,"inputs":[{"name":"x","dtype":"f16","shape":["N",3]}],"outputs":[],"later":1}"#,
        )
        .unwrap();
        assert_eq!(io.inputs[0].shape, [Dim::Dynamic("N".into()), Dim::Fixed(3)]);
        let text = r#"{"schema":1,"name":"n","version":"1"}"#;
        assert_eq!(serde_json::from_str::<Description>(text).unwrap(), Description::new("n", "1"));
    }
}
