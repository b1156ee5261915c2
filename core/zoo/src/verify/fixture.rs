//! The fixture's file form. `golden/README.md` of the fixtures describes it.

use std::collections::BTreeMap;

use convwise_graph::{Graph, Shape};
use convwise_types::InputShape;
use serde::{Deserialize, Deserializer};

use crate::build::BuildOptions;
use crate::error::ZooError;
use crate::family::Variant;
use crate::zoo::Zoo;

/// What the reference implementation says about a network.
#[derive(Clone, Debug, Deserialize)]
pub struct Fixture {
    /// Name of the model.
    pub id: String,
    /// Inputs; the fill rule gives each its values by its name.
    pub inputs: Vec<FixtureInput>,
    /// Trained parameters.
    pub params: u64,
    /// Multiply-accumulates at the inputs' shape.
    pub macs: u64,
    /// Tensors of the state_dict, in its order.
    pub tensors: Vec<FixtureTensor>,
    /// Constants by name, for tensors of the role `keep`.
    #[serde(default)]
    pub keep_values: BTreeMap<String, Vec<f64>>,
    /// What the reference was given beside its inputs: boxes in pixels of the image, for the head of a two-stage detector.
    #[serde(default)]
    pub extra: Extra,
    /// Outputs that hang on the order of numbers which rounding may exchange: they are not compared.
    #[serde(default)]
    pub order_sensitive: Vec<String>,
    /// Sampled outputs.
    pub outputs: Vec<FixtureOutput>,
    /// Largest difference that counts as equal, relative to the largest value of the output.
    #[serde(rename = "checks", deserialize_with = "suggested_tolerance")]
    pub tolerance: f64,
}

/// What a reference was given beside its inputs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Extra {
    /// Left, top, right and bottom of each box; the script's argument `proposals`.
    #[serde(default)]
    pub proposals_xyxy: Option<Vec<[f64; 4]>>,
}

/// One input tensor.
#[derive(Clone, Debug, Deserialize)]
pub struct FixtureInput {
    /// Name, which also seeds its values.
    pub name: String,
    /// Extents, batch first.
    pub shape: Vec<usize>,
    /// Its first four values, to check a generator against.
    #[serde(default)]
    pub first4: Vec<f64>,
}

/// One tensor of the state_dict.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Row")]
pub struct FixtureTensor {
    /// Key of the state_dict.
    pub name: String,
    /// Extents.
    pub shape: Vec<usize>,
    /// How the fill rule fills it: weight, norm, bias, mean, var, scale, table or keep.
    pub role: String,
    /// Exponent of two that its values are scaled with.
    pub exponent: i32,
}

/// `[key, shape, role]` or `[key, shape, role, exponent]`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Row {
    Plain(String, Vec<usize>, String),
    Scaled(String, Vec<usize>, String, i32),
}

impl From<Row> for FixtureTensor {
    fn from(row: Row) -> Self {
        let (name, shape, role, exponent) = match row {
            Row::Plain(name, shape, role) => (name, shape, role, 0),
            Row::Scaled(name, shape, role, exponent) => (name, shape, role, exponent),
        };
        Self { name, shape, role, exponent }
    }
}

/// Samples of one output.
#[derive(Clone, Debug, Deserialize)]
pub struct FixtureOutput {
    /// Name.
    pub name: String,
    /// Extents, batch first.
    pub shape: Vec<usize>,
    /// Smallest value of the whole output.
    pub min: f64,
    /// Largest value of the whole output.
    pub max: f64,
    /// Row-major positions of the samples.
    pub indices: Vec<usize>,
    /// The samples.
    pub values: Vec<f64>,
}

fn suggested_tolerance<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    struct Checks {
        suggested_tolerance_over_max: f64,
    }
    Checks::deserialize(deserializer).map(|checks| checks.suggested_tolerance_over_max)
}

/// Role, exponent and values of a tensor, as the fill rule takes them.
type Stated = (String, i32, Option<Vec<f64>>);

impl Fixture {
    /// Reads a fixture; `file` names it in errors.
    ///
    /// # Errors
    /// A text that is not a fixture, or one that contradicts itself.
    pub fn parse(file: &str, text: &str) -> Result<Self, ZooError> {
        let refuse = |reason: String| ZooError::Fixture { file: file.to_owned(), reason };
        let fixture: Self = serde_json::from_str(text).map_err(|error| refuse(plain(&error)))?;
        match fixture.contradiction() {
            None => Ok(fixture),
            Some(reason) => Err(refuse(reason)),
        }
    }

    /// How each tensor is filled: its name, and its role, exponent and, where it is kept, its values.
    pub fn fillings(&self) -> impl Iterator<Item = (String, Stated)> + '_ {
        self.tensors.iter().map(|t| {
            let constant = self.keep_values.get(&t.name).cloned();
            (t.name.clone(), (t.role.clone(), t.exponent, constant))
        })
    }

    fn contradiction(&self) -> Option<String> {
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            return Some(format!("a tolerance of {} proves nothing", self.tolerance));
        }
        if self.outputs.is_empty() || self.tensors.is_empty() {
            return Some("it has no outputs or no tensors".to_owned());
        }
        self.outputs.iter().find_map(FixtureOutput::contradiction)
    }

    /// The image shape of the only input.
    ///
    /// # Errors
    /// A fixture of several inputs, or of one that is not a single image.
    pub fn input_shape(&self) -> Result<InputShape, ZooError> {
        let single = match self.inputs.as_slice() {
            [input] => <[usize; 4]>::try_from(input.shape.as_slice()).ok(),
            _ => None,
        };
        match single {
            Some([1, c, h, w]) => Ok(InputShape::from([c as u64, h as u64, w as u64])),
            _ => Err(ZooError::Fixture {
                file: self.id.clone(),
                reason: "its input is not one image of batch 1".to_owned(),
            }),
        }
    }

    /// Builds a variant at the fixture's input shape.
    ///
    /// # Errors
    /// What [`Zoo::build`] refuses, or an input that is not one image.
    pub fn build(&self, zoo: &Zoo, variant: &Variant) -> Result<Graph, ZooError> {
        let (input, proposals) = (Some(self.input_shape()?), self.extra.proposals_xyxy.clone());
        zoo.build(variant, &BuildOptions { input, proposals, ..BuildOptions::default() })
    }
}

impl FixtureOutput {
    fn contradiction(&self) -> Option<String> {
        let Self { name, indices, values, .. } = self;
        let elements = Shape(self.shape.clone()).elements();
        if indices.is_empty() || indices.len() != values.len() {
            return Some(format!(
                "the output `{name}` has {} places and {} values",
                indices.len(),
                values.len()
            ));
        }
        let outside = indices.iter().find(|i| **i as u64 >= elements);
        outside.map(|i| format!("the output `{name}` has {elements} elements, and none at {i}"))
    }
}

/// The reader's message without its names of types.
fn plain(error: &serde_json::Error) -> String {
    error
        .to_string()
        .replace(
            "data did not match any variant of untagged enum Row",
            "a tensor is not [key, shape, role, exponent]",
        )
        .replace("struct Fixture", "a table")
        .replace("usize", "a whole number")
        .replace("u64", "a whole number")
        .replace("f64", "a number")
}
