//! What could be deployed, with the facts that rules judge.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::architecture::{Architecture, GraphFacts, InputShape};
use crate::evidence::{Evidence, Fact, Grade, Interval, Missing};
use crate::ids::{ArchitectureId, DeviceId, RecordId, RunnerName, WeightsTag};
use crate::precision::Precision;
use crate::units::{Bytes, Macs, Millis, Params, PerSecond, Percent};
use crate::weights::{LicenceTerms, Weights};

/// Identity of a candidate: variant x weights x input x precision x runner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CandidateKey {
    /// The variant.
    pub architecture: ArchitectureId,
    /// The weights, if any are published.
    pub weights: Option<WeightsTag>,
    /// Input it is run at.
    pub input: InputShape,
    /// Number format.
    pub precision: Precision,
    /// The runner.
    pub runner: RunnerName,
}

impl fmt::Display for CandidateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.architecture)?;
        if let Some(tag) = &self.weights {
            write!(f, " ({tag})")?;
        }
        write!(f, " {} {} on {}", self.input, self.precision, self.runner)
    }
}

/// An accuracy with what it was measured on; only equal datasets and metrics may be compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accuracy {
    /// The value.
    pub value: Percent,
    /// Metric, e.g. `top1`.
    pub metric: String,
    /// Dataset and split.
    pub dataset: String,
}

/// The latency of one batch. Always comes with an interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Best estimate of the median.
    pub median: Millis,
    /// 95 % interval in milliseconds.
    pub interval: Interval,
    /// Device it holds for.
    pub device: DeviceId,
    /// Runner it holds for.
    pub runner: RunnerName,
    /// The measurement behind it.
    pub record: Option<RecordId>,
}

/// A candidate and its facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Identity.
    pub key: CandidateKey,
    /// The variant.
    pub architecture: Arc<Architecture>,
    /// Graph facts at the candidate's input.
    pub graph: Fact<GraphFacts>,
    /// Accuracy of these weights at this input and precision.
    pub accuracy: Fact<Accuracy>,
    /// Latency at the request's batch and threads.
    pub latency: Fact<Latency>,
    /// Images a second at the request's batch and threads, one stream.
    pub throughput: Fact<PerSecond>,
    /// Weights as stored.
    pub size: Fact<Bytes>,
    /// Peak activations while running.
    pub ram: Fact<Bytes>,
    /// Licence of the weights.
    pub weights_licence: Fact<LicenceTerms>,
    /// Licence of the code.
    pub code_licence: Fact<LicenceTerms>,
    /// How the runner failed with this network on the target, in one line. Unknown is what is hoped for: no failure is
    /// recorded.
    pub failure: Fact<String>,
}

impl Candidate {
    /// Trained parameters: of the layer graph, else as stated elsewhere.
    #[must_use]
    pub fn params(&self) -> Fact<Params> {
        let stated = self.architecture.stated.as_ref().and_then(|s| Some((s.params?, &s.source)));
        self.counted("params", |g| g.params, stated)
    }

    /// Multiply-accumulates of one image: of the layer graph, else as stated elsewhere for this very input.
    #[must_use]
    pub fn macs(&self) -> Fact<Macs> {
        let stated = self.architecture.stated.as_ref();
        let here = stated.and_then(|s| Some((self.architecture.stated_macs_at(self.key.input)?, &s.source)));
        self.counted("macs", |g| g.macs, here)
    }

    fn counted<T: Copy>(
        &self,
        fact: &str,
        of_graph: impl Fn(&GraphFacts) -> T,
        stated: Option<(T, &String)>,
    ) -> Fact<T> {
        match (&self.graph, stated) {
            (Fact::Known(facts, evidence), _) => Fact::Known(of_graph(facts), evidence.clone()),
            (_, Some((value, source))) => Fact::Known(value, Evidence::new(Grade::Published, source)),
            (Fact::Unknown(missing), None) => Fact::Unknown(Missing::new(fact, &missing.need)),
        }
    }

    /// Its weights with everything that is published about them.
    #[must_use]
    pub fn weights(&self) -> Option<&Weights> {
        self.architecture.weights_of(self.key.weights.as_ref()?)
    }
}
