//! Records: immutable, self-describing, named by the digest of their content.

use convwise_types::listing::Item;
use convwise_types::{
    AddedCost, AddedFact, AddedResult, AddedTiming, ArchitectureId, Measurement, RecordId, RunFailure,
    Subject, canonical, id_of,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::catalog::{Kind, items_of};
use crate::error::StoreError;
use crate::line::{LONGEST_BODY, plain};

/// Format of the envelope and of the bodies that this program writes.
pub const RECORD_SCHEMA: u32 = 1;

/// What the journal holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Record {
    /// A benchmark.
    Measurement(Box<Measurement>),
    /// A published accuracy.
    Result(AddedResult),
    /// A published timing.
    Timing(AddedTiming),
    /// A published count of parameters and work.
    Cost(AddedCost),
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

impl From<AddedTiming> for Record {
    fn from(timing: AddedTiming) -> Self {
        Self::Timing(timing)
    }
}

impl From<AddedCost> for Record {
    fn from(cost: AddedCost) -> Self {
        Self::Cost(cost)
    }
}

impl From<AddedFact> for Record {
    fn from(fact: AddedFact) -> Self {
        Self::Fact(fact)
    }
}

impl Record {
    /// The word in the envelope: `measurement`, `result`, `timing`, `cost`, `fact`, `failure`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Measurement(_) => "measurement",
            Self::Result(_) => "result",
            Self::Timing(_) => "timing",
            Self::Cost(_) => "cost",
            Self::Fact(_) => "fact",
            Self::Failure(_) => "failure",
        }
    }

    /// The digest of its content, whatever id a measurement carries at the moment.
    #[must_use]
    pub fn id(&self) -> RecordId {
        id_of(&self.canonical())
    }

    /// The values that can be asked for, in the order of [`Kind::fields`].
    #[must_use]
    pub fn items(&self) -> Vec<Item> {
        let mut items = items_of(self, None);
        items.truncate(Kind::of(Some(self)).fields().len());
        items
    }

    /// Canonical JSON of the body, without the id.
    pub(crate) fn canonical(&self) -> String {
        match self {
            Self::Measurement(m) => canonical(m.as_ref()),
            Self::Result(r) => canonical(r),
            Self::Timing(t) => canonical(t),
            Self::Cost(c) => canonical(c),
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
            "timing" => parse(body).map(Self::Timing).map(Some),
            "cost" => parse(body).map(Self::Cost).map(Some),
            "fact" => parse(body).map(Self::Fact).map(Some),
            "failure" => parse::<RunFailure>(body).map(Self::from).map(Some),
            _ => Ok(None),
        }
    }

    /// The rules that every record keeps, whoever wrote it. The text says which one is broken.
    pub(crate) fn validate(&self) -> Result<(), String> {
        match self {
            Self::Measurement(m) => validate_measurement(m),
            Self::Result(r) => validate_result(r),
            Self::Timing(t) => validate_timing(t),
            Self::Cost(c) => validate_cost(c),
            Self::Fact(f) => stated("the source", &f.source)
                .and_then(|()| stated("the fact's name", &f.name))
                .and_then(|()| stated("what it is about", &f.about)),
            Self::Failure(f) => validate_failure(f),
        }
    }

    /// What was written must read back to the same value; NaN and infinities do not, JSON has no place for them. The
    /// numbers of published figures were looked at already.
    fn survives(&self, id: &RecordId, body: &str) -> Result<(), String> {
        let id = match self {
            Self::Result(_) | Self::Timing(_) | Self::Cost(_) => return Ok(()),
            Self::Measurement(m) => &m.id,
            Self::Fact(_) | Self::Failure(_) => id,
        };
        match Self::read(self.kind(), RECORD_SCHEMA, id, body) {
            Ok(Some(back)) if back == *self => Ok(()),
            Ok(_) => Err("it does not read back as it was written".to_owned()),
            Err(error) => Err(format!("a value is not a number or has no place in a record ({error})")),
        }
    }

    /// How an error calls this record.
    pub(crate) fn title(&self) -> String {
        let about = match self {
            Self::Measurement(m) => format!("of {} with {}", name_of(&m.subject), m.runner.name),
            Self::Failure(f) => format!("of {} with {}", name_of(&f.subject), f.runner),
            Self::Result(r) => format!("{} of {}", r.result.metric, r.architecture),
            Self::Timing(t) => format!("of {} on {}", t.architecture, t.device),
            Self::Cost(c) => format!("of {}", c.architecture),
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

fn name_of(subject: &Subject) -> &str {
    let architecture = subject.architecture.as_ref().map(ArchitectureId::as_str);
    architecture.or(subject.file.as_deref()).unwrap_or(&subject.artifact)
}

fn validate_result(r: &AddedResult) -> Result<(), String> {
    within("the accuracy", r.result.value.0, 0.0, 100.0)?;
    stated("the architecture", r.architecture.as_str())?;
    stated("the dataset", &r.result.dataset)?;
    stated("the metric", &r.result.metric)?;
    stated("the source", &r.result.source)
}

fn validate_timing(t: &AddedTiming) -> Result<(), String> {
    let figures = [("the latency", t.latency.map(|l| l.0)), ("the throughput", t.throughput.map(|r| r.0))];
    if figures.iter().all(|(_, figure)| figure.is_none()) {
        return Err("it states neither a latency nor a throughput".to_owned());
    }
    for (what, figure) in figures {
        figure.map_or(Ok(()), |figure| above_zero(what, figure))?;
    }
    at_least_one("batch", t.batch)?;
    stated("the architecture", t.architecture.as_str())?;
    stated("the device", &t.device)?;
    stated("the runtime", &t.runtime)?;
    stated("the precision", &t.precision)?;
    stated("the source", &t.source)
}

fn validate_cost(c: &AddedCost) -> Result<(), String> {
    if c.cost.params.is_none() && c.cost.macs.is_none() {
        return Err("it states neither parameters nor work".to_owned());
    }
    stated("the architecture", c.architecture.as_str())?;
    stated("the source", &c.cost.source)
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

/// A time or a rate: more than nothing, and less than ten days or a billion.
fn above_zero(what: &str, value: f64) -> Result<(), String> {
    if value > 0.0 { within(what, value, 0.0, 1e9) } else { Err(format!("{what} is {value}, not above 0")) }
}

fn at_least_one(what: &str, value: u64) -> Result<(), String> {
    if value > 0 { Ok(()) } else { Err(format!("{what} is 0")) }
}

fn stated(what: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() { Err(format!("{what} is not stated")) } else { Ok(()) }
}

/// Checks a record before it may enter the journal; returns its id and its canonical body. `text` is what it was read from,
/// if it was: where that is the same body, it need not be read a second time.
pub(crate) fn admit(
    record: &Record,
    allow_simulated: bool,
    text: Option<&str>,
) -> Result<(RecordId, String), StoreError> {
    let invalid = |why: String| StoreError::Invalid { what: record.title(), why };
    record.validate().map_err(invalid)?;
    let body = record.canonical();
    let length = body.len() as u64;
    if length > LONGEST_BODY {
        return Err(invalid(format!(
            "it takes {length} bytes, more than the {LONGEST_BODY} that a line has room for"
        )));
    }
    let id = id_of(&body);
    if text != Some(body.as_str()) {
        record.survives(&id, &body).map_err(invalid)?;
    }
    if let Record::Measurement(m) = record {
        if m.runner.simulated && !allow_simulated {
            return Err(StoreError::Simulated { runner: m.runner.name.to_string() });
        }
        if !m.id.as_str().is_empty() && m.id != id {
            return Err(invalid(format!("its id is {}, but its content has the digest {id}", m.id)));
        }
    }
    Ok((id, body))
}
