//! Trained weights and what is published about them: licence, training data, preparation of images, accuracies.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::WeightsTag;
use crate::precision::Precision;
use crate::request::words;
use crate::units::Percent;

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
        const PERMISSIVE: [&str; 9] = [
            "MIT",
            "Apache-2.0",
            "BSD-2-Clause",
            "BSD-3-Clause",
            "ISC",
            "0BSD",
            "Unlicense",
            "CC0-1.0",
            "CC-BY-4.0",
        ];
        self.spdx.split(" OR ").any(|id| PERMISSIVE.contains(&id.trim_matches(['(', ')', ' '])))
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
    /// Rows of the evaluated image in pixels: the side of a square crop, else the shorter side.
    pub input_size: u64,
    /// Number format that was evaluated.
    pub precision: Precision,
    /// URL of the source.
    pub source: String,
}

words! {
    /// How an image is brought to the size of the input.
    pub enum Fit, "way to fit an image" {
        /// The shorter edge is scaled to `resize`, and a square of `crop` cut out of the middle.
        Crop = "crop",
        /// The shorter edge is scaled to `resize`, unless that makes the longer one more than `longest`.
        Shorter = "shorter",
        /// The longer edge is scaled to the input's, and the rest padded.
        Letterbox = "letterbox",
        /// Both edges are scaled to the input's.
        Stretch = "stretch",
        /// Images have the size of the input already.
        Whole = "whole",
    }
}

impl Default for Fit {
    /// What classifiers do.
    fn default() -> Self {
        Self::Crop
    }
}

/// How an image becomes the input that weights were trained for. Sides are in pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// How it is brought to size.
    #[serde(default)]
    pub fit: Fit,
    /// What its shorter edge is scaled to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<u64>,
    /// Side of the square that is cut out of the middle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<u64>,
    /// The most that its longer edge may become.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<u64>,
    /// How it is scaled: `bilinear` or `bicubic`.
    pub interpolation: String,
    /// Subtracted from each channel, after pixels were divided by 255.
    pub mean: Vec<f64>,
    /// What each channel is divided by then.
    pub std: Vec<f64>,
}

impl Preprocessing {
    /// Whether it states the sides that its way to fit needs.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self.fit {
            Fit::Crop => self.resize.is_some() && self.crop.is_some(),
            Fit::Shorter => self.resize.is_some(),
            Fit::Letterbox | Fit::Stretch | Fit::Whole => true,
        }
    }
}

impl fmt::Display for Preprocessing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
        let side = |side: Option<u64>| side.map_or_else(|| "unknown".to_owned(), |n| n.to_string());
        let scaled = &self.interpolation;
        let fit = match self.fit {
            Fit::Crop => format!("{scaled} {}, crop {}", side(self.resize), side(self.crop)),
            Fit::Shorter => {
                let longest = self.longest.map(|n| format!(", the longer at most {n}")).unwrap_or_default();
                format!("{scaled}, shorter edge {}{longest}", side(self.resize))
            }
            Fit::Letterbox => format!("{scaled}, longer edge to the input's, the rest padded"),
            Fit::Stretch => format!("{scaled}, both edges to the input's"),
            Fit::Whole => "images of the input's size".to_owned(),
        };
        write!(f, "{fit}, mean {}, std {}", list(&self.mean), list(&self.std))
    }
}

words! {
    /// Which part of a network weights fill.
    pub enum Coverage, "part of a network" {
        /// All of it.
        Whole = "whole",
        /// The backbone alone: neck and head start from nothing.
        Backbone = "backbone",
    }
}

impl Default for Coverage {
    /// What a classifier's weights do.
    fn default() -> Self {
        Self::Whole
    }
}

/// A dataset that weights were trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingData {
    /// Its name, e.g. `imagenet-1k`.
    pub id: String,
    /// Its terms, where they are recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<DataTerms>,
}

/// What the owner of a dataset permits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataTerms {
    /// SPDX identifier, or a `LicenseRef-` id where there is none.
    pub licence: String,
    /// Whether the terms allow commercial use; absent where they do not say it of all the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commercial: Option<bool>,
    /// Where that is stated.
    pub source: String,
}

/// Trained weights and what is published about them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Tag, e.g. `torchvision/IMAGENET1K_V2`.
    pub tag: WeightsTag,
    /// Which part of the network they fill.
    #[serde(default)]
    pub covers: Coverage,
    /// What they were trained on, in the order of training; empty where nobody says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trained_on: Vec<TrainingData>,
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
