//! What can be asked of measurements and failures.

use super::ListKind::{Flag, Name, Real, Text, Whole, Words};
use super::{Item, ListField, ListKind, field, words_of};
use crate::failure::RunFailure;
use crate::measurement::{Launch, Measurement, Quality, Scenario};
use crate::precision::Precision;

const NO_FILE: &str = "the record is of a variant, not of a file";
const NO_VARIANT: &str = "the record is of a file, not of a known variant";
const MS: &str = "milliseconds";

/// Fields of a measurement.
pub static MEASUREMENT_FIELDS: &[ListField<Measurement>] = &[
    of_run("architecture", Name, "", "The variant that ran.", |m| {
        m.subject.architecture.as_ref().map(|a| a.as_str()).into()
    })
    .unless(NO_VARIANT),
    of_run("file", Name, "", "The file that ran.", |m| m.subject.file.as_deref().into()).unless(NO_FILE),
    of_run("runner", Name, "", "The runner.", |m| m.runner.name.as_str().into()),
    of_run("runner_version", Name, "", "Version of the runner.", |m| m.runner.version.as_str().into()),
    of_run("simulated", Flag, "", "Whether the timings do not come from a clock.", |m| {
        m.runner.simulated.into()
    }),
    of_run("device", Name, "", "Name of the processor, or of the GPU where that ran it.", |m| {
        m.device.gpu.as_deref().unwrap_or(&m.device.cpu).into()
    }),
    of_run("device_id", Name, "", "Fingerprint of the device.", |m| m.device.id.as_str().into()),
    of_run("isa", Words, "", "Instruction sets of the device.", |m| {
        Item::Text(m.device.isa.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
    }),
    of_run("input_size", Whole, "pixels", "Side of the input image (its larger side).", |m| {
        m.subject.input.width.max(m.subject.input.height).into()
    }),
    of_run("input", Name, "", "Channels, rows and columns of the input: `3x224x224`.", |m| {
        Item::Text(m.subject.input.to_string())
    }),
    of_run("batch", Whole, "images", "Images a batch.", |m| m.subject.batch.into()),
    of_run("threads", Whole, "threads", "Threads the runner was given.", |m| m.threads.into()),
    of_run("precision", words_of!(Precision), "", "Number format.", |m| m.subject.precision.as_str().into()),
    of_run("postprocess", Flag, "", "Whether the network ends in answers.", |m| m.subject.postprocess.into()),
    of_run("scenario", words_of!(Scenario), "", "How requests arrived.", |m| m.scenario.as_str().into()),
    of_run("samples", Whole, "runs", "Steady-state samples.", |m| m.statistics.samples.into()),
    of_run("outliers", Whole, "runs", "Samples beyond 1.5 interquartile ranges.", |m| {
        m.statistics.outliers.into()
    }),
    of_run("median_ms", Real, MS, "Median.", |m| m.statistics.median.0.into()).lower(),
    of_run("ci_low_ms", Real, MS, "Lower end of the median's 95 % interval.", |m| {
        m.statistics.ci_low.0.into()
    })
    .lower(),
    of_run("ci_high_ms", Real, MS, "Upper end of the median's 95 % interval.", |m| {
        m.statistics.ci_high.0.into()
    })
    .lower(),
    of_run("min_ms", Real, MS, "Fastest run.", |m| m.statistics.min.0.into()).lower(),
    of_run("mean_ms", Real, MS, "Arithmetic mean.", |m| m.statistics.mean.0.into()).lower(),
    of_run("p90_ms", Real, MS, "90th percentile.", |m| m.statistics.p90.map(|p| p.0).into())
        .lower()
        .unless("it takes 44 samples"),
    of_run("p99_ms", Real, MS, "99th percentile.", |m| m.statistics.p99.map(|p| p.0).into())
        .lower()
        .unless("it takes 459 samples"),
    of_run("load_ms", Real, MS, "Time to load and compile the model, first launch.", |m| {
        first(m, |l| l.load.0)
    })
    .lower()
    .unless("the record holds no launch"),
    of_run("first_ms", Real, MS, "First run, first launch.", |m| first(m, |l| l.first.0))
        .lower()
        .unless("the record holds no launch"),
    of_run("peak_rss_bytes", Whole, "bytes", "High-water mark of resident memory, worst launch.", |m| {
        m.launches.iter().filter_map(|l| l.peak_rss).max().map(|b| b.0).into()
    })
    .lower()
    .unless("the platform did not report it"),
    of_run("verdict", words_of!(Quality), "", "Whether the samples can be relied on.", |m| {
        m.verdict.as_str().into()
    }),
    of_run("weights", Name, "", "Where the weights came from: `seed:0` or a file's digest.", |m| {
        m.subject.weights.as_str().into()
    }),
    of_run("graph", Name, "", "Digest of the layer graph.", |m| m.subject.graph.as_deref().into())
        .unless(NO_VARIANT),
    of_run("artifact", Name, "", "Digest of the model file.", |m| m.subject.artifact.as_str().into()),
    of_run("platform", Name, "", "Operating system and processor family.", |m| {
        m.device.platform.as_str().into()
    }),
    of_run("taken", Text, "RFC 3339", "When it was taken.", |m| m.taken.as_str().into()),
];

fn first(m: &Measurement, value: impl FnOnce(&Launch) -> f64) -> Item {
    m.launches.first().map(value).into()
}

/// Fields of a failure.
pub static FAILURE_FIELDS: &[ListField<RunFailure>] = &[
    of_failure("architecture", Name, "", "The variant that was to run.", |f| {
        f.subject.architecture.as_ref().map(|a| a.as_str()).into()
    })
    .unless(NO_VARIANT),
    of_failure("file", Name, "", "The file that was to run.", |f| f.subject.file.as_deref().into())
        .unless(NO_FILE),
    of_failure("runner", Name, "", "The runner.", |f| f.runner.as_str().into()),
    of_failure("runner_version", Name, "", "Version of the runner.", |f| f.version.as_str().into()),
    of_failure("device_id", Name, "", "Fingerprint of the device.", |f| f.device.as_str().into()),
    of_failure("input_size", Whole, "pixels", "Side of the input image (its larger side).", |f| {
        f.subject.input.width.max(f.subject.input.height).into()
    }),
    of_failure("batch", Whole, "images", "Images a batch.", |f| f.subject.batch.into()),
    of_failure("threads", Whole, "threads", "Threads the runner was given.", |f| f.threads.into()),
    of_failure("precision", words_of!(Precision), "", "Number format.", |f| {
        f.subject.precision.as_str().into()
    }),
    of_failure("kind", Name, "", "How it failed, in a word.", |f| f.kind.as_str().into()),
    of_failure("phase", Name, "", "What it was asked to do, in a word.", |f| f.phase.as_deref().into())
        .unless("the record does not say"),
    of_failure("reason", Name, "", "What happened.", |f| f.reason.as_str().into()),
    of_failure("graph", Name, "", "Digest of the layer graph.", |f| f.subject.graph.as_deref().into())
        .unless(NO_VARIANT),
    of_failure("artifact", Name, "", "Digest of the model file.", |f| f.subject.artifact.as_str().into()),
    of_failure("taken", Text, "RFC 3339", "When it was recorded.", |f| f.taken.as_str().into()),
];

const fn of_run(
    name: &'static str,
    kind: ListKind,
    unit: &'static str,
    doc: &'static str,
    read: fn(&Measurement) -> Item,
) -> ListField<Measurement> {
    field(name, kind, unit, doc, read)
}

const fn of_failure(
    name: &'static str,
    kind: ListKind,
    unit: &'static str,
    doc: &'static str,
    read: fn(&RunFailure) -> Item,
) -> ListField<RunFailure> {
    field(name, kind, unit, doc, read)
}
