//! Fields of a candidate: `net`, `net.accuracy`, `net.latency`, `net.throughput`.

use convwise_types::{
    Candidate, Coverage, Fact, Grade, GraphFacts, Interval, Latency, Maturity, MemoryModel, PerSecond,
    Precision, Reach, Task,
};

use super::rights::{data_commercial, data_licence, permissive, training_data};
use super::{Cell, Kind, Read, Table, higher, lower, plain};
use crate::row::Row;

/// A candidate: variant x weights x input size x precision x runner.
pub static NET: Table = Table {
    index: 0,
    path: "net",
    doc: "The candidate that is judged: variant, weights, input size, precision and runner.",
    fields: &[
        plain(
            "id",
            Kind::Text,
            "",
            "Name of the variant, `resnet50`.",
            Read::Candidate(|c| Cell::text(c.key.architecture.as_str())),
        ),
        plain(
            "title",
            Kind::Text,
            "",
            "The variant as people write it, `ResNet-50`.",
            Read::Candidate(|c| Cell::text(&c.architecture.title)),
        ),
        plain(
            "family",
            Kind::Text,
            "",
            "Family, `ResNet`.",
            Read::Candidate(|c| Cell::text(&c.architecture.family)),
        ),
        plain(
            "task",
            Kind::Word(words::<Task>),
            "",
            "What it does.",
            Read::Candidate(|c| Cell::text(c.architecture.task.as_str())),
        ),
        plain("weights", Kind::Text, "", "Tag of the pretrained weights.", Read::Candidate(weights)),
        plain(
            "pretrained",
            Kind::Flag,
            "",
            "Whether pretrained weights are published.",
            Read::Candidate(|c| Cell::flag(c.key.weights.is_some())),
        ),
        plain(
            "backbone_only",
            Kind::Flag,
            "",
            "Whether the published weights fill the backbone alone, so that neck and head start from nothing.",
            Read::Candidate(|c| Cell::flag(c.weights().is_some_and(|w| w.covers == Coverage::Backbone))),
        ),
        plain(
            "buildable",
            Kind::Flag,
            "",
            "Whether convwise has its layer graph, to export and to measure it.",
            Read::Candidate(|c| Cell::flag(c.architecture.is_buildable())),
        ),
        plain(
            "precision",
            Kind::Word(words::<Precision>),
            "",
            "Number format it would run in.",
            Read::Candidate(|c| Cell::text(c.key.precision.as_str())),
        ),
        plain("runner", Kind::Text, "", "Runner it would run on.", Read::Candidate(runner)),
        plain(
            "input_size",
            Kind::Whole,
            "pixels",
            "Side of the input image (its larger side).",
            Read::Candidate(|c| Cell::whole(c.key.input.width.max(c.key.input.height))),
        ),
        plain(
            "shorter_side",
            Kind::Whole,
            "pixels",
            "Its smaller side.",
            Read::Candidate(|c| Cell::whole(c.key.input.width.min(c.key.input.height))),
        ),
        lower(
            "params",
            Kind::Whole,
            "parameters",
            "Trained parameters.",
            Read::Candidate(|c| Cell::fact(&c.params(), |p| Cell::whole(p.0))),
        ),
        lower(
            "macs",
            Kind::Whole,
            "multiply-accumulates",
            "Cost of one image.",
            Read::Candidate(|c| Cell::fact(&c.macs(), |m| Cell::whole(m.0))),
        ),
        plain(
            "depthwise_share",
            Kind::Real,
            "0 to 1",
            "Share of the multiply-accumulates that depthwise convolutions do.",
            Read::Candidate(|c| graph(c, depthwise_share)),
        ),
        lower(
            "activations",
            Kind::Whole,
            "elements",
            "Output elements of convolution, linear and matrix-product layers.",
            Read::Candidate(|c| graph(c, |g| Cell::whole(g.activations))),
        ),
        lower(
            "size_bytes",
            Kind::Whole,
            "bytes",
            "Weights as stored at this precision.",
            Read::Candidate(|c| Cell::fact(&c.size, |b| Cell::whole(b.0))),
        ),
        lower(
            "ram_bytes",
            Kind::Whole,
            "bytes",
            "Peak of simultaneously live activations at this precision, under the request's memory model.",
            Read::Candidate(|c| Cell::fact(&c.ram, |b| Cell::whole(b.0))),
        ),
        lower(
            "least_ram_bytes",
            Kind::Whole,
            "bytes",
            "The same for a runtime that writes depthwise convolutions over their operand.",
            Read::Candidate(|c| graph(c, |g| least_ram(g, c.key.precision))),
        ),
        higher(
            "top1",
            Kind::Real,
            "percent",
            "Top-1 accuracy of these weights at this input size and precision.",
            Read::Candidate(top1),
        ),
        plain(
            "accuracy",
            Kind::Object(&ACCURACY),
            "",
            "Accuracy in the task's own metric.",
            Read::Candidate(|c| nested(&c.accuracy, &ACCURACY, c)),
        ),
        plain(
            "latency",
            Kind::Object(&LATENCY),
            "",
            "Latency of one batch at the request's batch and threads.",
            Read::Candidate(|c| nested(&c.latency, &LATENCY, c)),
        ),
        plain(
            "throughput",
            Kind::Object(&THROUGHPUT),
            "",
            "Images a second in one stream at the request's batch and threads.",
            Read::Candidate(|c| nested(&c.throughput, &THROUGHPUT, c)),
        ),
        higher("year", Kind::Whole, "", "Year of first publication.", Read::Candidate(year)),
        plain(
            "maturity",
            Kind::Word(words::<Maturity>),
            "",
            "How mature the ecosystem is.",
            Read::Candidate(maturity),
        ),
        plain(
            "stride",
            Kind::Whole,
            "pixels",
            "Pixels of the input from one place to the next on a detector's finest level of predictions.",
            Read::Candidate(|c| reach(c, "stride", |r| r.stride)),
        ),
        plain(
            "most_objects",
            Kind::Whole,
            "objects",
            "Most objects that it can find in one image, where its design limits them.",
            Read::Candidate(|c| reach(c, "most_objects", |r| r.most_objects)),
        ),
        plain(
            "tags",
            Kind::Words,
            "",
            "Free words of the family's definition.",
            Read::Candidate(|c| Cell::words(c.architecture.tags.iter().map(String::as_str))),
        ),
        plain(
            "ops",
            Kind::Words,
            "",
            "Operations of the layer graph.",
            Read::Candidate(|c| graph(c, |g| Cell::words(g.ops.keys().map(String::as_str)))),
        ),
        plain(
            "licence",
            Kind::Text,
            "SPDX",
            "Licence of the code.",
            Read::Candidate(|c| Cell::fact(&c.code_licence, |l| Cell::text(&l.spdx))),
        ),
        plain(
            "weights_licence",
            Kind::Text,
            "SPDX",
            "Licence of the weights.",
            Read::Candidate(|c| Cell::fact(&c.weights_licence, |l| Cell::text(&l.spdx))),
        ),
        plain(
            "permissive",
            Kind::Flag,
            "",
            "Whether code and weights both have a permissive licence.",
            Read::Candidate(permissive),
        ),
        plain(
            "training_data",
            Kind::Words,
            "",
            "Datasets that the weights were trained on, `imagenet-1k`.",
            Read::Candidate(training_data),
        ),
        plain(
            "data_licence",
            Kind::Words,
            "SPDX",
            "Terms of the datasets that the weights were trained on.",
            Read::Candidate(data_licence),
        ),
        plain(
            "data_commercial",
            Kind::Flag,
            "",
            "Whether the terms of all those datasets allow commercial use; one that forbids it decides.",
            Read::Candidate(data_commercial),
        ),
        plain(
            "failure",
            Kind::Text,
            "",
            "How the runner failed with this network on the target, where that is recorded; ask with `has` first.",
            Read::Candidate(|c| Cell::fact(&c.failure, |f| Cell::text(f))),
        ),
        plain(
            "origin",
            Kind::Text,
            "",
            "Where the definition stands: `shipped` or the user's file.",
            Read::Candidate(|c| Cell::text(&c.architecture.origin.to_string())),
        ),
        higher(
            "preference",
            Kind::Real,
            "0 to 1",
            "Weighted mean of the known preferences; known only in the rank formula.",
            Read::Candidate(|_| Cell::unknown("preference", "it is known only in the rank formula")),
        ),
    ],
};

/// Accuracy with what it was measured on.
pub static ACCURACY: Table = Table {
    index: 1,
    path: "net.accuracy",
    doc: "An accuracy. Only values of one dataset and one metric may be compared.",
    fields: &[
        higher(
            "value",
            Kind::Real,
            "percent",
            "The value.",
            Read::Candidate(|c| Cell::fact(&c.accuracy, |a| Cell::real(a.value.0))),
        ),
        plain(
            "metric",
            Kind::Text,
            "",
            "Metric, `top1`.",
            Read::Candidate(|c| Cell::fact(&c.accuracy, |a| Cell::text(&a.metric))),
        ),
        plain(
            "dataset",
            Kind::Text,
            "",
            "Dataset and split.",
            Read::Candidate(|c| Cell::fact(&c.accuracy, |a| Cell::text(&a.dataset))),
        ),
        plain(
            "grade",
            Kind::Word(grades),
            "",
            "How good the evidence is.",
            Read::Candidate(|c| grade(&c.accuracy)),
        ),
        plain(
            "source",
            Kind::Text,
            "",
            "Where the value comes from.",
            Read::Candidate(|c| source(&c.accuracy)),
        ),
    ],
};

/// Latency with its interval.
pub static LATENCY: Table = Table {
    index: 2,
    path: "net.latency",
    doc: "A latency with its 95 % interval. Compare it with a limit through `within`.",
    fields: &[
        lower(
            "ms",
            Kind::Real,
            "milliseconds",
            "Best estimate of the median.",
            Read::Candidate(|c| Cell::fact(&c.latency, |l| Cell::real(l.median.0))),
        ),
        lower(
            "low_ms",
            Kind::Real,
            "milliseconds",
            "Lower end of the interval.",
            Read::Candidate(|c| Cell::fact(&c.latency, |l| Cell::real(l.interval.low))),
        ),
        lower(
            "high_ms",
            Kind::Real,
            "milliseconds",
            "Upper end of the interval.",
            Read::Candidate(|c| Cell::fact(&c.latency, |l| Cell::real(l.interval.high))),
        ),
        plain(
            "grade",
            Kind::Word(grades),
            "",
            "How good the evidence is.",
            Read::Candidate(|c| grade(&c.latency)),
        ),
        plain(
            "measured",
            Kind::Flag,
            "",
            "Whether it was measured on the target.",
            Read::Candidate(|c| Cell::flag(c.latency.grade() == Some(Grade::Measured))),
        ),
        plain(
            "device",
            Kind::Text,
            "",
            "Device it holds for.",
            Read::Candidate(|c| Cell::fact(&c.latency, |l| Cell::text(l.device.as_str()))),
        ),
        plain(
            "runner",
            Kind::Text,
            "",
            "Runner it holds for.",
            Read::Candidate(|c| Cell::fact(&c.latency, |l| Cell::text(l.runner.as_str()))),
        ),
        plain(
            "source",
            Kind::Text,
            "",
            "Where the value comes from.",
            Read::Candidate(|c| source(&c.latency)),
        ),
    ],
};

/// Throughput with its interval.
pub static THROUGHPUT: Table = Table {
    index: 3,
    path: "net.throughput",
    doc: "Images a second with an interval. Compare it with a demand through `at_least`.",
    fields: &[
        higher(
            "per_second",
            Kind::Real,
            "images a second",
            "Best estimate.",
            Read::Candidate(|c| Cell::fact(&c.throughput, |t| Cell::real(t.0))),
        ),
        higher(
            "low",
            Kind::Real,
            "images a second",
            "Lower end of the interval.",
            Read::Candidate(|c| Cell::fact(&c.throughput, |t| Cell::real(spread(c, *t).low))),
        ),
        higher(
            "high",
            Kind::Real,
            "images a second",
            "Upper end of the interval.",
            Read::Candidate(|c| Cell::fact(&c.throughput, |t| Cell::real(spread(c, *t).high))),
        ),
        plain(
            "grade",
            Kind::Word(grades),
            "",
            "How good the evidence is.",
            Read::Candidate(|c| grade(&c.throughput)),
        ),
        plain(
            "source",
            Kind::Text,
            "",
            "Where the value comes from.",
            Read::Candidate(|c| source(&c.throughput)),
        ),
    ],
};

fn words<W: Vocabulary>() -> Vec<&'static str> {
    W::words()
}

/// A closed set of words.
pub(super) trait Vocabulary {
    /// The words.
    fn words() -> Vec<&'static str>;
}

macro_rules! vocabulary {
    ($($name:ty),+) => {
        $(impl Vocabulary for $name {
            fn words() -> Vec<&'static str> {
                Self::ALL.iter().map(|word| word.as_str()).collect()
            }
        })+
    };
}
vocabulary!(
    Task,
    Precision,
    Maturity,
    convwise_types::Deploy,
    convwise_types::Domain,
    convwise_types::Effort,
    convwise_types::Priority,
    convwise_types::LicenceDemand,
    convwise_types::DeviceKind,
    MemoryModel,
    convwise_types::Scenario,
    convwise_types::Quality
);

pub(super) fn grades() -> Vec<&'static str> {
    [Grade::Measured, Grade::Calibrated, Grade::Published, Grade::Estimated]
        .iter()
        .map(|g| g.as_str())
        .collect()
}

fn graph(c: &Candidate, value: impl FnOnce(&GraphFacts) -> Cell) -> Cell {
    Cell::fact(&c.graph, value)
}

fn nested<T>(fact: &Fact<T>, table: &'static Table, c: &Candidate) -> Cell {
    Cell::fact(fact, |_| Cell::object(Row::inside_candidate(table, c)))
}

fn grade<T>(fact: &Fact<T>) -> Cell {
    Cell::fact(fact, |_| Cell::flag(true)).map_known(fact.grade().map(Grade::as_str))
}

fn source<T>(fact: &Fact<T>) -> Cell {
    match fact.known() {
        Ok((_, evidence)) => Cell::text(&evidence.source).graded(evidence.grade),
        Err(_) => Cell::fact(fact, |_| Cell::text("")),
    }
}

impl Cell {
    /// A known cell with its value replaced by a word.
    fn map_known(self, word: Option<&'static str>) -> Self {
        match (self, word) {
            (Self::Known(_, grade), Some(word)) => Self::Known(word.into(), grade),
            (other, _) => other,
        }
    }
}

fn weights(c: &Candidate) -> Cell {
    let need = "no pretrained weights are published for it";
    Cell::option(c.key.weights.as_ref(), |tag| Cell::text(tag.as_str()), "weights", need)
}

fn runner(c: &Candidate) -> Cell {
    match c.key.runner.as_str() {
        "" => Cell::unknown("runner", "an architecture by itself has no runner"),
        name => Cell::text(name),
    }
}

fn least_ram(g: &GraphFacts, precision: Precision) -> Cell {
    let bytes = g.peak_bytes(MemoryModel::DepthwiseChannel, precision).map(|b| b.0);
    Cell::option(bytes, Cell::whole, "least_ram_bytes", "the layer graph gives no figure for this runtime")
}

#[expect(clippy::cast_precision_loss, reason = "a ratio")]
fn depthwise_share(g: &GraphFacts) -> Cell {
    Cell::real(if g.macs.0 == 0 { 0.0 } else { g.depthwise_macs.0 as f64 / g.macs.0 as f64 })
}

fn top1(c: &Candidate) -> Cell {
    Cell::fact(&c.accuracy, |a| {
        if a.metric == "top1" {
            Cell::real(a.value.0)
        } else {
            Cell::unknown("top1", format!("its accuracy is stated as {}, not as top1", a.metric))
        }
    })
}

fn year(c: &Candidate) -> Cell {
    let paper = c.architecture.paper.as_ref().map(|p| u64::from(p.year));
    Cell::option(paper, Cell::whole, "year", "no publication is recorded for it")
}

/// What its design says of its reach.
fn reach(c: &Candidate, name: &str, get: impl Fn(&Reach) -> Option<u64>) -> Cell {
    let known = c.architecture.reach.as_ref().and_then(get);
    Cell::option(known, Cell::whole, name, &format!("its family states no `{name}` under `reach`"))
}

fn maturity(c: &Candidate) -> Cell {
    let word = c.architecture.maturity.map(Maturity::as_str);
    Cell::option(word, Cell::text, "maturity", "its family states no `maturity`; add it to family.toml")
}

/// One stream's throughput is batch / latency, so that its relative interval is the latency's, turned round.
/// Without a latency of the same grade the value stands alone.
fn spread(c: &Candidate, value: PerSecond) -> Interval {
    let alone = Interval { low: value.0, high: value.0 };
    let same_grade = c.latency.grade() == c.throughput.grade();
    match c.latency.value() {
        Some(Latency { median, interval, .. }) if same_grade && interval.low > 0.0 && interval.high > 0.0 => {
            Interval { low: value.0 * median.0 / interval.high, high: value.0 * median.0 / interval.low }
        }
        _ => alone,
    }
}
