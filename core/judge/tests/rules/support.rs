//! Candidates and requests for tests and benchmarks, in the shape that the knowledge base gives them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use convwise_judge::{Inquiry, RuleFolder, RuleSet, Target};
use convwise_types::{
    Accuracy, Architecture, ArchitectureId, Bytes, Candidate, CandidateKey, Coverage, Deploy, DeviceId,
    Evidence, Fact, Grade, GraphFacts, InputShape, Interval, Latency, LicenceTerms, Limits, Macs, Maturity,
    MemoryModel, Millis, Missing, Origin, Params, PerSecond, Percent, Precision, Priority, PublishedResult,
    Request, RunnerName, Situation, Task, Weights, WeightsTag,
};

/// A candidate to be changed: a ResNet-50 measured at 36.8 ms.
pub struct Made {
    pub id: String,
    pub family: String,
    pub params: u64,
    pub top1: Option<f64>,
    pub latency: Option<(f64, f64, f64, Grade)>,
    pub maturity: Option<Maturity>,
}

pub fn resnet50() -> Made {
    Made {
        id: "resnet50".into(),
        family: "ResNet".into(),
        params: 25_557_032,
        top1: Some(80.858),
        latency: Some((36.8, 36.5, 37.1, Grade::Measured)),
        maturity: Some(Maturity::Ubiquitous),
    }
}

pub fn mobilenet() -> Made {
    Made {
        id: "mobilenet_v3_large".into(),
        family: "MobileNetV3".into(),
        params: 5_483_032,
        top1: Some(75.274),
        latency: Some((14.0, 13.9, 14.2, Grade::Measured)),
        maturity: Some(Maturity::Ubiquitous),
    }
}

impl Made {
    pub fn candidate(&self) -> Candidate {
        let architecture = Arc::new(self.architecture());
        let published = |source: &str| Evidence::new(Grade::Published, source);
        let licence = || LicenceTerms { spdx: "BSD-3-Clause".into(), source: None };
        let size = Bytes(self.params * 4);
        let estimated = || Evidence::new(Grade::Estimated, "layer graph");
        Candidate {
            key: CandidateKey {
                architecture: architecture.id.clone(),
                weights: Some(WeightsTag::from("torchvision/IMAGENET1K_V2")),
                input: InputShape::square(224),
                precision: Precision::Fp32,
                runner: RunnerName::from("rten"),
            },
            graph: Fact::Known(self.graph(), estimated()),
            accuracy: self.top1.map_or_else(
                || Fact::Unknown(Missing::new("accuracy", "no result is published for it")),
                |value| {
                    let dataset = "imagenet-1k/val".into();
                    Fact::Known(
                        Accuracy { value: Percent(value), metric: "top1".into(), dataset },
                        published("https://pytorch.org/vision/stable/models.html"),
                    )
                },
            ),
            latency: self.latency_fact(),
            throughput: match self.latency {
                Some((ms, _, _, grade)) => {
                    Fact::Known(PerSecond(1000.0 / ms), Evidence::new(grade, "from the latency"))
                }
                None => Fact::Unknown(Missing::new("throughput", "run `convwise bench`")),
            },
            size: Fact::Known(size, estimated()),
            ram: Fact::Known(Bytes(9_633_792), estimated()),
            weights_licence: Fact::Known(licence(), published("family.toml")),
            code_licence: Fact::Known(licence(), published("family.toml")),
            failure: Fact::Unknown(Missing::new("failure", "no failure is recorded")),
            architecture,
        }
    }

    fn latency_fact(&self) -> Fact<Latency> {
        let Some((ms, low, high, grade)) = self.latency else {
            return Fact::Unknown(Missing::new("latency", "run `convwise bench`"));
        };
        let latency = Latency {
            median: Millis(ms),
            interval: Interval { low, high },
            device: DeviceId::from("server"),
            runner: RunnerName::from("rten"),
            record: None,
        };
        Fact::Known(latency, Evidence::new(grade, "bench"))
    }

    pub fn architecture(&self) -> Architecture {
        Architecture {
            id: ArchitectureId::from(self.id.as_str()),
            family: self.family.clone(),
            title: self.id.clone(),
            task: Task::Classify,
            paper: None,
            code_licence: Some(LicenceTerms { spdx: "BSD-3-Clause".into(), source: None }),
            maturity: self.maturity,
            tags: BTreeSet::from(["residual".to_owned()]),
            input: InputShape::square(224),
            weights: vec![self.weights()],
            elsewhere: BTreeMap::new(),
            graph: Some(self.graph()),
            reach: None,
            latencies: Vec::new(),
            stated: None,
            stated_macs: Vec::new(),
            origin: Origin::Shipped,
            plugin: "digest".into(),
        }
    }

    pub fn weights(&self) -> Weights {
        let result = |value: f64| PublishedResult {
            dataset: "imagenet-1k/val".into(),
            metric: "top1".into(),
            value: Percent(value),
            input_size: 224,
            precision: Precision::Fp32,
            source: "https://pytorch.org/vision/stable/models.html".into(),
        };
        Weights {
            tag: WeightsTag::from("torchvision/IMAGENET1K_V2"),
            covers: Coverage::Whole,
            trained_on: Vec::new(),
            licence: Some(LicenceTerms { spdx: "BSD-3-Clause".into(), source: None }),
            url: None,
            found_as: None,
            preprocessing: None,
            results: self.top1.into_iter().map(result).collect(),
        }
    }

    fn graph(&self) -> GraphFacts {
        GraphFacts {
            input: InputShape::square(224),
            params: Params(self.params),
            macs: Macs(self.params * 160),
            depthwise_macs: Macs(0),
            activations: 11_114_984,
            peak_elements: BTreeMap::from([(MemoryModel::InPlace, 2_408_448)]),
            bounded: BTreeSet::new(),
            weight_bytes: BTreeMap::from([(Precision::Fp32, Bytes(self.params * 4))]),
            ops: BTreeMap::from([("conv".to_owned(), 53), ("relu".to_owned(), 49)]),
            outputs: Vec::new(),
            graph: "digest".into(),
        }
    }
}

/// A request for classification on a CPU server, to be changed.
pub fn request(limits: Limits) -> Inquiry {
    let request = Request {
        task: Task::Classify,
        deploy: Deploy::CpuServer,
        limits,
        situation: Situation::default(),
        priority: Priority::Balanced,
        device: None,
        here: false,
        batch: 1,
        threads: 1,
        runner: RunnerName::from("rten"),
        precisions: vec![Precision::Fp32],
        memory_model: MemoryModel::default(),
        postprocess: false,
        dataset: None,
        comparison: None,
        origins: BTreeMap::new(),
    };
    Inquiry { request, target: Target::undescribed(Deploy::CpuServer) }
}

pub fn budget(ms: f64) -> Inquiry {
    request(Limits { latency: Some(Millis(ms)), ..Limits::default() })
}

pub fn shipped() -> RuleSet {
    let (rules, problems) = RuleSet::load(&[]);
    assert_eq!(problems, []);
    rules
}

/// The shipped rules under a user's file.
pub fn with_file(name: &str, text: &str) -> (RuleSet, Vec<convwise_types::Diagnostic>) {
    RuleSet::load(&[RuleFolder::of_texts("mine", [(name, text)])])
}

/// Problems as a person reads them.
pub fn shown(problems: &[convwise_types::Diagnostic]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

/// What is found without a corpus.
pub fn checked(rules: &RuleSet) -> Vec<convwise_types::Diagnostic> {
    rules.check(&convwise_judge::Corpus::default(), &convwise_judge::Levels::default())
}
