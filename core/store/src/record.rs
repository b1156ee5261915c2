//! Records: immutable, self-describing, named by the digest of their content.

use convwise_types::{
    ArchitectureId, Measurement, PublishedResult, RecordId, RunFailure, Subject, WeightsTag, canonical, id_of,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::StoreError;
use crate::line::plain;

/// Format of the envelope and of the bodies that this program writes.
pub const RECORD_SCHEMA: u32 = 1;

/// An accuracy that somebody published, added by hand with its source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddedResult {
    /// The variant it is about.
    pub architecture: ArchitectureId,
    /// The weights that were evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsTag>,
    /// The figure and its source.
    pub result: PublishedResult,
    /// Anything worth knowing about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One fact about an architecture or a device, added by hand with its source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddedFact {
    /// What it is about: `architecture:resnet50`, `device:stm32f746`.
    pub about: String,
    /// Name of the fact as rules call it.
    pub name: String,
    /// Its value: a number, a text, a truth value.
    pub value: Value,
    /// Unit of a number, e.g. `bytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Where it is stated: a URL or a citation.
    pub source: String,
}

/// What the journal holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Record {
    /// A benchmark.
    Measurement(Box<Measurement>),
    /// A published accuracy.
    Result(AddedResult),
    /// A fact about an architecture or a device.
    Fact(AddedFact),
    /// A benchmark that a runner did not survive.
    Failure(Box<RunFailure>),
}

impl From<RunFailure> for Record {
    fn from(failure: RunFailure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

impl From<Measurement> for Record {
    fn from(measurement: Measurement) -> Self {
        Self::Measurement(Box::new(measurement))
    }
}

impl From<AddedResult> for Record {
    fn from(result: AddedResult) -> Self {
        Self::Result(result)
    }
}

impl From<AddedFact> for Record {
    fn from(fact: AddedFact) -> Self {
        Self::Fact(fact)
    }
}

impl Record {
    /// The word in the envelope: `measurement`, `result`, `fact`, `failure`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Measurement(_) => "measurement",
            Self::Result(_) => "result",
            Self::Fact(_) => "fact",
            Self::Failure(_) => "failure",
        }
    }

    /// The digest of its content, whatever id a measurement carries at the moment.
    #[must_use]
    pub fn id(&self) -> RecordId {
        id_of(&self.canonical())
    }

    /// Canonical JSON of the body, without the id.
    pub(crate) fn canonical(&self) -> String {
        match self {
            Self::Measurement(m) => canonical(m.as_ref()),
            Self::Result(r) => canonical(r),
            Self::Fact(f) => canonical(f),
            Self::Failure(f) => canonical(f.as_ref()),
        }
    }

    /// Reads a body of a known kind; `Ok(None)` for a kind or schema that only a newer program knows.
    pub(crate) fn read(kind: &str, schema: u32, id: &RecordId, body: &str) -> Result<Option<Self>, String> {
        if schema > RECORD_SCHEMA {
            return Ok(None);
        }
        match kind {
            "measurement" => read_measurement(id, body).map(Some),
            "result" => parse(body).map(Self::Result).map(Some),
            "fact" => parse(body).map(Self::Fact).map(Some),
            "failure" => parse::<RunFailure>(body).map(Self::from).map(Some),
            _ => Ok(None),
        }
    }

    /// The rules that every record keeps, whoever wrote it. The text says which one is broken.
    pub(crate) fn validate(&self) -> Result<(), String> {
        match self {
            Self::Measurement(m) => validate_measurement(m),
            Self::Result(r) => within("the accuracy", r.result.value.0, 0.0, 100.0)
                .and_then(|()| stated("the source", &r.result.source)),
            Self::Fact(f) => stated("the source", &f.source)
                .and_then(|()| stated("the fact's name", &f.name))
                .and_then(|()| stated("what it is about", &f.about)),
            Self::Failure(f) => validate_failure(f),
        }?;
        survives(self)
    }

    /// How an error calls this record.
    pub(crate) fn title(&self) -> String {
        let about = match self {
            Self::Measurement(m) => format!("of {} with {}", name_of(&m.subject), m.runner.name),
            Self::Failure(f) => format!("of {} with {}", name_of(&f.subject), f.runner),
            Self::Result(r) => format!("{} of {}", r.result.metric, r.architecture),
            Self::Fact(f) => format!("{} of {}", f.name, f.about),
        };
        format!("the {} {about}", self.kind())
    }
}

fn parse<T: DeserializeOwned>(body: &str) -> Result<T, String> {
    serde_json::from_str(body).map_err(|error| {
        // The column would count from the beginning of the body, which nobody sees.
        let text = plain(&error);
        text.split_once(" at column").map_or(text.clone(), |(front, _)| front.to_owned())
    })
}

/// The stored body has no member `id`; it is spliced in rather than parsed twice, since samples make bodies long.
fn read_measurement(id: &RecordId, body: &str) -> Result<Record, String> {
    let rest = body.trim_start().strip_prefix('{').ok_or("the body is not an object")?;
    let whole = format!("{{\"id\":{},{rest}", Value::from(id.as_str()));
    parse::<Measurement>(&whole).map(Record::from)
}

/// What was written must read back to the same value; NaN and infinities do not, JSON has no place for them.
fn survives(record: &Record) -> Result<(), String> {
    let text = record.canonical();
    let back = Record::read(record.kind(), RECORD_SCHEMA, &record.id(), &text);
    match back {
        Ok(Some(back)) if back.canonical() == text => Ok(()),
        Ok(_) => Err("it does not read back as it was written".to_owned()),
        Err(error) => Err(format!("a value is not a number or has no place in a record ({error})")),
    }
}

fn name_of(subject: &Subject) -> &str {
    let architecture = subject.architecture.as_ref().map(ArchitectureId::as_str);
    architecture.or(subject.file.as_deref()).unwrap_or(&subject.artifact)
}

fn validate_failure(f: &RunFailure) -> Result<(), String> {
    if f.schema != convwise_types::FAILURE_SCHEMA {
        let writes = convwise_types::FAILURE_SCHEMA;
        return Err(format!("its schema is {}, this program writes {writes}", f.schema));
    }
    at_least_one("batch", f.subject.batch)?;
    stated("the model's digest", &f.subject.artifact)?;
    stated("the runner", f.runner.as_str())?;
    stated("the device", f.device.as_str())?;
    stated("the kind of failure", &f.kind)?;
    stated("what happened", &f.reason)
}

fn validate_measurement(m: &Measurement) -> Result<(), String> {
    if m.schema != convwise_types::MEASUREMENT_SCHEMA {
        return Err(format!(
            "its schema is {}, this program writes {}",
            m.schema,
            convwise_types::MEASUREMENT_SCHEMA
        ));
    }
    at_least_one("batch", m.subject.batch)?;
    at_least_one("threads", m.threads)?;
    stated("the model's digest", &m.subject.artifact)?;
    stated("the runner", m.runner.name.as_str())?;
    stated("the device", m.device.id.as_str())?;
    let s = &m.statistics;
    let times = [
        ("median", s.median),
        ("ci_low", s.ci_low),
        ("ci_high", s.ci_high),
        ("min", s.min),
        ("mean", s.mean),
    ];
    for (name, value) in times {
        within(name, value.0, 0.0, LONGEST_MS)?;
    }
    for launch in &m.launches {
        within("load", launch.load.0, 0.0, LONGEST_MS)?;
        within("first", launch.first.0, 0.0, LONGEST_MS)?;
    }
    Ok(())
}

/// Ten days in milliseconds: the longest duration that a request can name.
const LONGEST_MS: f64 = 8.64e8;

fn within(what: &str, value: f64, low: f64, high: f64) -> Result<(), String> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(format!("{what} is {value}, outside {low} to {high}"))
}

fn at_least_one(what: &str, value: u64) -> Result<(), String> {
    if value > 0 { Ok(()) } else { Err(format!("{what} is 0")) }
}

fn stated(what: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() { Err(format!("{what} is not stated")) } else { Ok(()) }
}

/// Checks a record before it may enter the journal and gives it its id.
pub(crate) fn admit(record: &Record, allow_simulated: bool) -> Result<RecordId, StoreError> {
    let invalid = |why: String| StoreError::Invalid { what: record.title(), why };
    record.validate().map_err(invalid)?;
    let id = record.id();
    if let Record::Measurement(m) = record {
        if m.runner.simulated && !allow_simulated {
            return Err(StoreError::Simulated { runner: m.runner.name.to_string() });
        }
        if !m.id.as_str().is_empty() && m.id != id {
            return Err(invalid(format!("its id is {}, but its content has the digest {id}", m.id)));
        }
    }
    Ok(id)
}
