//! What is known about a network before anything is measured.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{ArchitectureId, WeightsTag};
use crate::precision::Precision;
use crate::request::{Task, words};
use crate::units::{Bytes, Macs, Params, Percent};

/// Channels, height and width of the input image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "[u64; 3]", into = "[u64; 3]")]
pub struct InputShape {
    /// Channels.
    pub channels: u64,
    /// Rows.
    pub height: u64,
    /// Columns.
    pub width: u64,
}

impl InputShape {
    /// A square RGB image.
    #[must_use]
    pub fn square(side: u64) -> Self {
        Self { channels: 3, height: side, width: side }
    }

    /// The same channels at another square size.
    #[must_use]
    pub fn resized(self, side: u64) -> Self {
        Self { height: side, width: side, ..self }
    }
}

impl From<[u64; 3]> for InputShape {
    fn from([channels, height, width]: [u64; 3]) -> Self {
        Self { channels, height, width }
    }
}

impl From<InputShape> for [u64; 3] {
    fn from(s: InputShape) -> Self {
        [s.channels, s.height, s.width]
    }
}

impl fmt::Display for InputShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}

/// A publication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    /// Its title.
    pub title: String,
    /// Where to read it.
    pub url: String,
    /// Year of first publication.
    pub year: u32,
}

/// A licence by its SPDX identifier, or `unknown` in words of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenceTerms {
    /// SPDX identifier, e.g. `BSD-3-Clause`; a `LicenseRef-` id where there is none.
    pub spdx: String,
    /// Where that is stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl LicenceTerms {
    /// Whether the licence permits closed-source and commercial use with attribution at most.
    /// The permissive licences of the SPDX list that vision code and weights use.
    #[must_use]
    pub fn is_permissive(&self) -> bool {
        const PERMISSIVE: [&str; 8] =
            ["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD", "CC0-1.0", "CC-BY-4.0"];
        self.spdx.split(" OR ").any(|id| PERMISSIVE.contains(&id.trim_matches(['(', ')', ' '])))
    }
}

words! {
    /// How mature the ecosystem round a family is.
    pub enum Maturity, "maturity" {
        /// Research code; expect to write glue.
        Experimental = "experimental",
        /// Maintained implementations with pretrained weights.
        Established = "established",
        /// In every framework and deployment tool, with years of documentation.
        Ubiquitous = "ubiquitous",
    }
}

/// One published accuracy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublishedResult {
    /// Dataset and split, e.g. `imagenet-1k/val`.
    pub dataset: String,
    /// Metric, e.g. `top1`.
    pub metric: String,
    /// The value.
    pub value: Percent,
    /// Side of the evaluation crop in pixels.
    pub input_size: u64,
    /// Number format that was evaluated.
    pub precision: Precision,
    /// URL of the source.
    pub source: String,
}

/// How an image becomes the input that weights were trained for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// Side in pixels to which the shorter edge is scaled.
    pub resize: u64,
    /// Side in pixels of the square cut out of the middle.
    pub crop: u64,
    /// How it is scaled: `bilinear` or `bicubic`.
    pub interpolation: String,
    /// Subtracted from each channel, after pixels were divided by 255.
    pub mean: Vec<f64>,
    /// What each channel is divided by then.
    pub std: Vec<f64>,
}

impl fmt::Display for Preprocessing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
        let Self { resize, crop, interpolation, mean, std } = self;
        write!(f, "{interpolation} {resize}, crop {crop}, mean {}, std {}", list(mean), list(std))
    }
}

/// Trained weights and what is published about them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Tag, e.g. `torchvision/IMAGENET1K_V2`.
    pub tag: WeightsTag,
    /// Licence of the weights, if stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<LicenceTerms>,
    /// Where to get them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What the package that ships them calls them: `ResNet50_Weights.IMAGENET1K_V2`, `timm/resnet50.a1_in1k`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_as: Option<String>,
    /// How images are prepared for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<Preprocessing>,
    /// Published accuracies.
    pub results: Vec<PublishedResult>,
}

words! {
    /// What a runtime is taken to do with the memory of activations.
    pub enum MemoryModel, "memory model" {
        /// Every result has memory of its own.
        Copying = "copying",
        /// Element-wise operations write over an operand that nobody else needs.
        InPlace = "in-place",
        /// Depthwise convolutions too, with the rows of one window kept aside.
        DepthwiseRows = "depthwise-rows",
        /// Depthwise convolutions too, with one channel kept aside (arXiv:2007.10319, section 3.2).
        DepthwiseChannel = "depthwise-channel",
    }
}

impl Default for MemoryModel {
    /// What general runtimes do.
    fn default() -> Self {
        Self::InPlace
    }
}

/// A named tensor shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedShape {
    /// Name of the output.
    pub name: String,
    /// Extents at batch 1.
    pub shape: Vec<u64>,
}

/// What follows from a layer graph alone, at one input shape and batch 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphFacts {
    /// Input these facts hold for.
    pub input: InputShape,
    /// Trained parameters.
    pub params: Params,
    /// Multiply-accumulates.
    pub macs: Macs,
    /// Multiply-accumulates in depthwise convolutions, a part of `macs`.
    pub depthwise_macs: Macs,
    /// Output elements of convolution, linear and matrix-product layers.
    pub activations: u64,
    /// Peak of simultaneously live activations, best operator order found, in elements, by what the runtime
    /// does.
    pub peak_elements: BTreeMap<MemoryModel, u64>,
    /// Weights as deployed (batch norm folded), in bytes a precision.
    pub weight_bytes: BTreeMap<Precision, Bytes>,
    /// Operations used, with how often.
    pub ops: BTreeMap<String, u64>,
    /// Outputs at batch 1.
    pub outputs: Vec<NamedShape>,
    /// Digest of the layer graph.
    pub graph: String,
}

/// Where a definition was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Shipped inside the program.
    Shipped,
    /// A folder or file of the user.
    File(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped => f.write_str("shipped"),
            Self::File(path) => f.write_str(path),
        }
    }
}

/// A variant of a family with everything known about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// `resnet50`.
    pub id: ArchitectureId,
    /// Family as rules name it: `ResNet`, `MobileNetV3`.
    pub family: String,
    /// As people write it: `ResNet-50`.
    pub title: String,
    /// What it does.
    pub task: Task,
    /// Where it was described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paper: Option<Paper>,
    /// Licence of the reference implementation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_licence: Option<LicenceTerms>,
    /// Ecosystem maturity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maturity: Option<Maturity>,
    /// Free words that rules can ask for.
    pub tags: BTreeSet<String>,
    /// Default input.
    pub input: InputShape,
    /// Known weights.
    pub weights: Vec<Weights>,
    /// What other packages call this very network, by package: `timm` -> `mobilenetv3_large_100`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub elsewhere: BTreeMap<String, String>,
    /// What follows from the graph, when convwise can build it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<GraphFacts>,
    /// Where the definition stands.
    pub origin: Origin,
    /// Digest of the plugin that defines it.
    pub plugin: String,
}

impl GraphFacts {
    /// Peak of simultaneously live activations in bytes, for a runtime of this kind.
    #[must_use]
    pub fn peak_bytes(&self, model: MemoryModel, precision: Precision) -> Option<Bytes> {
        self.peak_elements.get(&model).map(|elements| Bytes(elements.saturating_mul(precision.bytes())))
    }
}

impl FromStr for InputShape {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let sides: Vec<u64> = text.split('x').filter_map(|s| s.parse().ok()).collect();
        match sides.as_slice() {
            [side] => Ok(Self::square(*side)),
            [height, width] => Ok(Self { channels: 3, height: *height, width: *width }),
            [channels, height, width] => Ok(Self { channels: *channels, height: *height, width: *width }),
            _ => Err(format!("`{text}` is not an input size; write 224, 480x640 or 3x224x224")),
        }
    }
}
