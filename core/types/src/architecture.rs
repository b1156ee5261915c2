//! What is known about a network before anything is measured.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::evidence::Missing;
use crate::ids::{ArchitectureId, WeightsTag};
use crate::precision::Precision;
use crate::request::{Task, words};
use crate::stated::{PublishedLatency, Reach, StatedCost, StatedMacs};
use crate::units::{Bytes, Macs, Params};
use crate::weights::{LicenceTerms, Weights};

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

    /// The same channels and proportions with another number of rows.
    #[must_use]
    pub fn resized(self, rows: u64) -> Self {
        let width = self.width.saturating_mul(rows).checked_div(self.height).unwrap_or(rows);
        Self { height: rows, width, ..self }
    }
}

/// The size of an input as people state it: `640` rows in the network's own proportions, or `512x1024` rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputSize {
    /// Rows; the columns keep the proportions.
    Rows(u64),
    /// Rows and columns.
    Exact {
        /// Rows.
        height: u64,
        /// Columns.
        width: u64,
    },
}

impl InputSize {
    /// Most rows and most columns.
    const MOST: u64 = 8192;

    /// `shape` in this size.
    #[must_use]
    pub fn of(self, shape: InputShape) -> InputShape {
        match self {
            Self::Rows(rows) => shape.resized(rows),
            Self::Exact { height, width } => InputShape { height, width, ..shape },
        }
    }

    /// An RGB image of this size; a square where only rows are stated.
    #[must_use]
    pub fn image(self) -> InputShape {
        self.of(InputShape::square(1))
    }
}

impl FromStr for InputSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pixels = |part: &str| part.parse().ok().filter(|n| (1..=Self::MOST).contains(n));
        let read = match text.split_once('x') {
            None => pixels(text).map(Self::Rows),
            Some((rows, columns)) => {
                pixels(rows).zip(pixels(columns)).map(|(height, width)| Self::Exact { height, width })
            }
        };
        let usage = "write rows, such as 640, or rows and columns, such as 512x1024, each from 1 to";
        read.ok_or_else(|| format!("`{text}` is no size of an input; {usage} {}", Self::MOST))
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
    /// Runtimes for which the search for the best order was given up, so that their peak is an upper bound.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub bounded: BTreeSet<MemoryModel>,
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
    /// No definition: figures that others published under a package's names.
    Published(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped => f.write_str("shipped"),
            Self::File(path) => f.write_str(path),
            Self::Published(package) => write!(f, "published figures ({package})"),
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
    /// How finely and how often it can answer, where its design says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
    /// Latencies that somebody published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latencies: Vec<PublishedLatency>,
    /// What is stated of a network that has no layer graph here; such a network can be recommended, not built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated: Option<StatedCost>,
    /// Multiply-accumulates that were counted at further inputs of such a network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stated_macs: Vec<StatedMacs>,
    /// Where the definition stands.
    pub origin: Origin,
    /// Digest of the plugin that defines it.
    pub plugin: String,
}

impl Architecture {
    /// Whether there is a layer graph to export and measure.
    #[must_use]
    pub fn is_buildable(&self) -> bool {
        self.stated.is_none()
    }

    /// Trained parameters: of the layer graph, else as stated.
    #[must_use]
    pub fn params(&self) -> Option<Params> {
        let stated = || self.stated.as_ref().and_then(|s| s.params);
        self.graph.as_ref().map(|g| g.params).or_else(stated)
    }

    /// Multiply-accumulates at the default input: of the layer graph, else as stated for that input.
    #[must_use]
    pub fn macs(&self) -> Option<Macs> {
        self.graph.as_ref().map(|g| g.macs).or_else(|| self.stated_macs_at(self.input))
    }

    /// Multiply-accumulates as somebody else counted them at this very input.
    #[must_use]
    pub fn stated_macs_at(&self, input: InputShape) -> Option<Macs> {
        let usual = self.stated.as_ref().and_then(|s| s.macs);
        usual.iter().chain(&self.stated_macs).find(|macs| macs.input == input).map(|macs| macs.count)
    }

    /// Weights in bytes, from stated parameters: norms are not folded into the layers before them, as a graph allows.
    #[must_use]
    pub fn stated_size(&self, precision: Precision) -> Option<(Bytes, &str)> {
        let stated = self.stated.as_ref()?;
        Some((Bytes(stated.params?.0.saturating_mul(precision.bytes())), stated.source.as_str()))
    }

    /// Why nothing that follows from a layer graph is known, where there is none.
    #[must_use]
    pub fn no_graph(&self, fact: &str) -> Missing {
        let need = if self.is_buildable() {
            "its layer graph has not been built at this input size"
        } else {
            "only published figures are known of it: convwise has no layer graph to count, export or measure"
        };
        Missing::new(fact, need)
    }

    /// The weights of a tag.
    #[must_use]
    pub fn weights_of(&self, tag: &WeightsTag) -> Option<&Weights> {
        self.weights.iter().find(|w| w.tag == *tag)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: [u64; 2]) {
        let shape = text.parse::<InputSize>().map(|size| size.of([3, 512, 1024].into()));
        assert_eq!(shape, Ok([3, expect[0], expect[1]].into()), "{text}");
    }

    #[test]
    fn sizes_keep_proportions_unless_both_sides_are_stated() {
        check("256", [256, 512]);
        check("480x640", [480, 640]);
        for wrong in ["", "x", "640x", "0", "8193", "-1", "1x2x3", "640 x 480", "big"] {
            let refused = wrong.parse::<InputSize>().unwrap_err();
            assert!(
                refused.starts_with(&format!("`{wrong}` is no size of an input; write rows")),
                "{refused}"
            );
        }
        assert_eq!(InputSize::Rows(224).image(), InputShape::square(224));
    }
}
