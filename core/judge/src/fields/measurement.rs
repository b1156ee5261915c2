//! Fields of a measurement, for queries of the knowledge base.

use convwise_types::{Measurement, Millis, Precision, Quality, Scenario};

use super::net::Vocabulary;
use super::{Cell, Kind, Read, Table, lower, plain};

/// A record of one benchmark.
pub static MEASUREMENT: Table = Table {
    index: 6,
    path: "measurement",
    doc: "A record of one benchmark, for `kb query`.",
    fields: &[
        plain(
            "id",
            Kind::Text,
            "",
            "Content address of the record.",
            Read::Measurement(|m| Cell::text(m.id.as_str())),
        ),
        plain("architecture", Kind::Text, "", "The variant that ran.", Read::Measurement(architecture)),
        plain("file", Kind::Text, "", "The file that ran.", Read::Measurement(file)),
        plain(
            "runner",
            Kind::Text,
            "",
            "The runner.",
            Read::Measurement(|m| Cell::text(m.runner.name.as_str())),
        ),
        plain(
            "runner_version",
            Kind::Text,
            "",
            "Version of the runner.",
            Read::Measurement(|m| Cell::text(&m.runner.version)),
        ),
        plain(
            "simulated",
            Kind::Flag,
            "",
            "Whether the timings do not come from a clock.",
            Read::Measurement(|m| Cell::flag(m.runner.simulated)),
        ),
        plain(
            "device",
            Kind::Text,
            "",
            "Name of the processor, or of the GPU where that ran it.",
            Read::Measurement(|m| Cell::text(m.device.gpu.as_deref().unwrap_or(&m.device.cpu))),
        ),
        plain(
            "device_id",
            Kind::Text,
            "",
            "Fingerprint of the device.",
            Read::Measurement(|m| Cell::text(m.device.id.as_str())),
        ),
        plain(
            "isa",
            Kind::Words,
            "",
            "Instruction sets of the device.",
            Read::Measurement(|m| Cell::words(m.device.isa.iter().map(String::as_str))),
        ),
        plain(
            "input_size",
            Kind::Whole,
            "pixels",
            "Side of the input image (its larger side).",
            Read::Measurement(|m| Cell::whole(m.subject.input.width.max(m.subject.input.height))),
        ),
        plain(
            "batch",
            Kind::Whole,
            "images",
            "Images a batch.",
            Read::Measurement(|m| Cell::whole(m.subject.batch)),
        ),
        plain(
            "threads",
            Kind::Whole,
            "threads",
            "Threads the runner was given.",
            Read::Measurement(|m| Cell::whole(m.threads)),
        ),
        plain(
            "precision",
            Kind::Word(words::<Precision>),
            "",
            "Number format.",
            Read::Measurement(|m| Cell::text(m.subject.precision.as_str())),
        ),
        plain(
            "scenario",
            Kind::Word(words::<Scenario>),
            "",
            "How requests arrived.",
            Read::Measurement(|m| Cell::text(m.scenario.as_str())),
        ),
        plain(
            "samples",
            Kind::Whole,
            "runs",
            "Steady-state samples.",
            Read::Measurement(|m| Cell::whole(m.statistics.samples)),
        ),
        plain(
            "outliers",
            Kind::Whole,
            "runs",
            "Samples beyond 1.5 interquartile ranges.",
            Read::Measurement(|m| Cell::whole(m.statistics.outliers)),
        ),
        lower(
            "median_ms",
            Kind::Real,
            "milliseconds",
            "Median.",
            Read::Measurement(|m| ms(m.statistics.median)),
        ),
        lower(
            "ci_low_ms",
            Kind::Real,
            "milliseconds",
            "Lower end of the median's 95 % interval.",
            Read::Measurement(|m| ms(m.statistics.ci_low)),
        ),
        lower(
            "ci_high_ms",
            Kind::Real,
            "milliseconds",
            "Upper end of the median's 95 % interval.",
            Read::Measurement(|m| ms(m.statistics.ci_high)),
        ),
        lower(
            "min_ms",
            Kind::Real,
            "milliseconds",
            "Fastest run.",
            Read::Measurement(|m| ms(m.statistics.min)),
        ),
        lower(
            "mean_ms",
            Kind::Real,
            "milliseconds",
            "Arithmetic mean.",
            Read::Measurement(|m| ms(m.statistics.mean)),
        ),
        lower(
            "p90_ms",
            Kind::Real,
            "milliseconds",
            "90th percentile.",
            Read::Measurement(|m| percentile(m.statistics.p90, "p90_ms", 44)),
        ),
        lower(
            "p99_ms",
            Kind::Real,
            "milliseconds",
            "99th percentile.",
            Read::Measurement(|m| percentile(m.statistics.p99, "p99_ms", 459)),
        ),
        lower(
            "load_ms",
            Kind::Real,
            "milliseconds",
            "Time to load and compile the model, first launch.",
            Read::Measurement(|m| launch(m, |l| Some(l.load.0), "load_ms")),
        ),
        lower(
            "first_ms",
            Kind::Real,
            "milliseconds",
            "First run, first launch.",
            Read::Measurement(|m| launch(m, |l| Some(l.first.0), "first_ms")),
        ),
        lower(
            "peak_rss_bytes",
            Kind::Whole,
            "bytes",
            "High-water mark of resident memory, worst launch.",
            Read::Measurement(peak_rss),
        ),
        plain(
            "verdict",
            Kind::Word(words::<Quality>),
            "",
            "Whether the samples can be relied on.",
            Read::Measurement(|m| Cell::text(m.verdict.as_str())),
        ),
        plain(
            "taken",
            Kind::Text,
            "RFC 3339",
            "When it was taken.",
            Read::Measurement(|m| Cell::text(&m.taken)),
        ),
    ],
};

fn words<W: Vocabulary>() -> Vec<&'static str> {
    W::words()
}

fn ms(value: Millis) -> Cell {
    Cell::real(value.0)
}

fn architecture(m: &Measurement) -> Cell {
    let name = m.subject.architecture.as_ref();
    Cell::option(
        name,
        |id| Cell::text(id.as_str()),
        "architecture",
        "the record is of a file, not of a known variant",
    )
}

fn file(m: &Measurement) -> Cell {
    Cell::option(m.subject.file.as_deref(), Cell::text, "file", "the record is of a variant, not of a file")
}

fn percentile(value: Option<Millis>, name: &str, samples: u32) -> Cell {
    Cell::option(value, ms, name, &format!("it takes {samples} samples"))
}

fn launch(m: &Measurement, value: impl FnOnce(&convwise_types::Launch) -> Option<f64>, name: &str) -> Cell {
    Cell::option(m.launches.first().and_then(value), Cell::real, name, "the record holds no launch")
}

fn peak_rss(m: &Measurement) -> Cell {
    let worst = m.launches.iter().filter_map(|l| l.peak_rss).max();
    Cell::option(worst.map(|b| b.0), Cell::whole, "peak_rss_bytes", "the platform did not report it")
}
