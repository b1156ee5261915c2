//! Latencies that a scenario states, as the records that a benchmark on the target would have left.

use std::collections::BTreeMap;

use convwise_judge::ScenarioText;
use convwise_types::{
    Device, Diagnostic, Measurement, Millis, Quality, RecordId, Request, RunnerStamp, Scenario as Arrival,
    Statistics, Subject, Tool,
};

use super::known;
use super::read::{self, Stated};
use crate::catalogue::Catalogue;
use crate::corpus::stand_in;
use crate::place::Place;

/// One record for each stated latency.
pub(super) fn measurements(
    file: &ScenarioText,
    stated: &[Stated],
    (request, place): (&Request, &Place),
    catalogue: &Catalogue,
) -> Result<Vec<Measurement>, Box<Diagnostic>> {
    let networks: Vec<&str> = catalogue.architectures.iter().map(|a| a.id.as_str()).collect();
    let record = |stated: &Stated| {
        known(file, &stated.architecture, "architecture", &networks)?;
        let name = stated.architecture.get_ref();
        let subject = subject(stated, request, catalogue).ok_or_else(|| {
            let why = format!("`{name}` has no layer graph at this input, so that nothing can be measured");
            read::problem(file, stated.architecture.span(), why)
        })?;
        let statistics = stated.statistics().ok_or_else(|| {
            let why = "a latency needs 0 < low_ms <= ms <= high_ms".to_owned();
            read::problem(file, stated.architecture.span(), why)
        })?;
        Ok(measurement(subject, statistics, request, place))
    };
    stated.iter().map(record).collect()
}

fn subject(stated: &Stated, request: &Request, catalogue: &Catalogue) -> Option<Subject> {
    let name = stated.architecture.get_ref();
    let architecture = catalogue.architectures.iter().find(|a| a.id.as_str() == name)?;
    let input = stated.input_size.map_or(architecture.input, |side| architecture.input.resized(side));
    let facts = catalogue.graphs.get(&(name.clone(), input))?.value()?;
    Some(Subject {
        architecture: Some(architecture.id.clone()),
        file: None,
        artifact: "scenario".to_owned(),
        graph: Some(facts.graph.clone()),
        weights: "scenario".to_owned(),
        input,
        batch: request.batch,
        precision: stated.precision,
        postprocess: request.postprocess,
    })
}

fn measurement(subject: Subject, statistics: Statistics, request: &Request, place: &Place) -> Measurement {
    let name = subject.architecture.as_ref().map(ToString::to_string).unwrap_or_default();
    Measurement {
        schema: convwise_types::MEASUREMENT_SCHEMA,
        id: RecordId::from(format!("scenario-{name}")),
        subject,
        runner: RunnerStamp {
            name: request.runner.clone(),
            version: "scenario".to_owned(),
            options: BTreeMap::new(),
            simulated: false,
        },
        threads: request.threads,
        scenario: Arrival::Latency,
        rate: None,
        device: Device { id: place.id(), ..stand_in(&["avx2"], None) },
        launches: Vec::new(),
        statistics,
        verdict: Quality::Trusted,
        remarks: Vec::new(),
        conditions: BTreeMap::new(),
        taken: "2000-01-01T00:00:00Z".to_owned(),
        tool: Tool { version: "scenario".to_owned(), command: "scenario".to_owned() },
    }
}

impl Stated {
    /// What the stated figures amount to; an interval of two per cent either side where none is stated.
    fn statistics(&self) -> Option<Statistics> {
        let (low, high) = (self.low_ms.unwrap_or(self.ms * 0.98), self.high_ms.unwrap_or(self.ms * 1.02));
        (0.0 < low && low <= self.ms && self.ms <= high && high.is_finite()).then_some(Statistics {
            samples: 100,
            median: Millis(self.ms),
            ci_low: Millis(low),
            ci_high: Millis(high),
            min: Millis(low),
            mean: Millis(self.ms),
            p90: None,
            p99: None,
            mad: Millis(0.0),
            outliers: 0,
        })
    }
}
