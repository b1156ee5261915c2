//! Latencies that somebody published, as `family.toml` states them.

use convwise_types::{InputShape, InputSize, Millis, Precision, PublishedLatency};
use serde::Deserialize;
use toml::Spanned;

use crate::manifest::fp32;
use crate::problem::Problem;

/// One figure. A source states either the time of a batch or the images a second.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the table of a latency")]
pub(crate) struct LatencyEntry {
    device: Spanned<String>,
    runtime: String,
    #[serde(default = "fp32")]
    precision: Precision,
    #[serde(default = "one")]
    batch: u64,
    input_size: Spanned<SizeEntry>,
    ms: Option<f64>,
    fps: Option<f64>,
    /// What the source says is in it.
    #[serde(default = "not_stated")]
    includes: String,
    source: String,
}

/// Rows, or text such as `512x1024`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "rows, such as 640, or rows and columns, such as \"512x1024\"")]
enum SizeEntry {
    Rows(u64),
    Text(String),
}

fn one() -> u64 {
    1
}

fn not_stated() -> String {
    "not stated".to_owned()
}

impl SizeEntry {
    fn read(&self) -> Option<InputSize> {
        match self {
            Self::Rows(rows) => rows.to_string().parse().ok(),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

impl LatencyEntry {
    pub fn problem(&self) -> Option<Problem> {
        let wrong = |text: &str, help| Some(Problem::at(&self.device, text, help));
        if self.input_size.get_ref().read().is_none() {
            let text = "the size of the input cannot be read";
            return Some(Problem::at(&self.input_size, text, "write rows, such as 640, or \"512x1024\""));
        }
        if self.milliseconds().is_none() || self.batch == 0 {
            let help = "write `ms = 3.2` or `fps = 310`, one of the two, above 0, and a batch of 1 or more";
            return wrong("the latency states no time", help);
        }
        if !self.source.starts_with("http") {
            return wrong("the latency has no source", "add `source = \"https://...\"`");
        }
        None
    }

    /// Of a network whose usual input is given.
    pub fn published(&self, usual: InputShape) -> Option<PublishedLatency> {
        Some(PublishedLatency {
            device: self.device.get_ref().clone(),
            runtime: self.runtime.clone(),
            precision: self.precision,
            threads: None,
            batch: self.batch,
            input: self.input_size.get_ref().read()?.of(usual),
            latency: Millis(self.milliseconds()?),
            includes: self.includes.clone(),
            source: self.source.clone(),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "batches are small")]
    fn milliseconds(&self) -> Option<f64> {
        let ms = match (self.ms, self.fps) {
            (Some(ms), None) => ms,
            (None, Some(fps)) => 1000.0 * self.batch as f64 / fps,
            _ => return None,
        };
        (ms.is_finite() && ms > 0.0).then_some(ms)
    }
}
