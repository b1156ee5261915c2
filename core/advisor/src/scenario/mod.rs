//! Scenarios: whole answers that a rule set must give, stated in TOML as a request, what is known of the target, and
//! what the answer must say and why.
//!
//! They run through the same pipeline as a request, over the architectures that ship with the program, and on a
//! stand-in for this machine: a server of four processors with AVX2 and without a GPU. So they come out alike everywhere.

mod check;
mod read;

use std::collections::BTreeMap;

use convwise_judge::{Inquiry, Plan, RuleSet, ScenarioText};
use convwise_store::shipped::Shipped;
use convwise_types::{
    Advice, Device, Diagnostic, KnowledgeBaseStamp, Measurement, Millis, Quality, RecordId, Request,
    RunnerStamp, Scenario as Arrival, ShippedDevice, Span, Statistics, Subject, Tool, did_you_mean,
};
use convwise_zoo::Zoo;

use self::read::{Expectations, Scenario, Stated};
use crate::answer::{Assessment, Grounds, Manner, target_of};
use crate::catalogue::Catalogue;
use crate::corpus::stand_in;
use crate::draft::Surroundings;
use crate::faults::Faults;
use crate::place::{KnownDevices, Place};

/// Picks that a scenario looks at, as many as `advise` shows.
const TOP: usize = 5;

/// How one scenario went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioResult {
    /// Its file.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What it is about.
    pub name: String,
    /// Expected against actual with what decided it, readable; `None` if all came out as expected.
    pub difference: Option<String>,
}

/// How all scenarios went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScenarioReport {
    /// Every scenario, by file and line.
    pub results: Vec<ScenarioResult>,
    /// Files and scenarios that cannot be read.
    pub problems: Vec<Diagnostic>,
}

impl ScenarioReport {
    /// Scenarios that did not go as expected.
    pub fn failures(&self) -> impl Iterator<Item = &ScenarioResult> {
        self.results.iter().filter(|r| r.difference.is_some())
    }

    /// Whether every scenario went as expected and every file could be read.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failures().next().is_none() && self.problems.is_empty()
    }
}

/// Runs the scenarios of a rule set whose name or file contains `filter`; all if there is none.
#[must_use]
pub fn run(rules: &RuleSet, filter: Option<&str>) -> ScenarioReport {
    let mut report = ScenarioReport::default();
    let mut ground = Ground::new(rules);
    for file in rules.scenarios() {
        match read::scenarios(&file.shown, &file.text) {
            Ok(scenarios) => {
                for scenario in scenarios.iter().filter(|s| selected(s, file, filter)) {
                    ground.run(file, scenario, &mut report);
                }
            }
            Err(problem) => report.problems.push(*problem),
        }
    }
    report
}

fn selected(scenario: &Scenario, file: &ScenarioText, filter: Option<&str>) -> bool {
    filter.is_none_or(|wanted| scenario.name.get_ref().contains(wanted) || file.shown.contains(wanted))
}

/// What all scenarios stand on. Networks are built only once there is a scenario, and once a number of classes.
struct Ground<'a> {
    rules: &'a RuleSet,
    shipped: Shipped,
    zoo: Option<Zoo>,
    catalogues: BTreeMap<Option<u64>, Catalogue>,
}

/// An answer with all that it was drawn from.
struct Answered<'a> {
    grounds: Grounds<'a>,
    assessment: Assessment,
    advice: Advice,
    /// What is to be done with the first pick.
    plan: Plan,
}

impl<'a> Ground<'a> {
    fn new(rules: &'a RuleSet) -> Self {
        Self { rules, shipped: Shipped::default(), zoo: None, catalogues: BTreeMap::new() }
    }

    fn run(&mut self, file: &ScenarioText, scenario: &Scenario, report: &mut ScenarioReport) {
        match self.differences(file, scenario) {
            Err(problem) => report.problems.push(*problem),
            Ok(lines) => report.results.push(ScenarioResult {
                file: file.shown.clone(),
                line: Span::of_bytes(&file.text, scenario.name.span()).line,
                name: scenario.name.get_ref().clone(),
                difference: (!lines.is_empty()).then(|| lines.join("\n")),
            }),
        }
    }

    fn differences(
        &mut self,
        file: &ScenarioText,
        scenario: &Scenario,
    ) -> Result<Vec<String>, Box<Diagnostic>> {
        let bad = |why: String| read::problem(file, scenario.name.span(), why);
        let described: Vec<ShippedDevice> = self.shipped.devices.iter().map(|d| d.value.clone()).collect();
        let request = request(scenario, &described).map_err(bad)?;
        let here = stand_in(&["avx2"], None);
        let known = KnownDevices { here: &here, here_has_gpu: false, measured: &[], described: &described };
        let place = Place::of(&request, &known).map_err(|e| bad(e.to_string()))?;
        let inquiry = Inquiry { target: target_of(&place), request };
        let (rules, classes) = (self.rules, inquiry.request.situation.classes);
        let catalogue = self.catalogue(classes);
        refuse_unknown(file, &scenario.expect, rules, catalogue)?;
        let measured = measurements(file, &scenario.measured, (&inquiry.request, &place), catalogue)?;
        let catalogue = self.catalogues.get(&classes).ok_or_else(|| bad("no networks".to_owned()))?;
        let grounds = Grounds { rules, inquiry: &inquiry, place: &place, catalogue, shipped: &self.shipped };
        let assessment = grounds.assess(&measured, &Faults::default());
        let manner = Manner { top: TOP, ..Manner::default() };
        let advice = grounds.compose(&assessment, manner, unstamped()).map_err(|e| bad(e.to_string()))?;
        let first = check::first(&assessment, &advice).and_then(|at| assessment.candidates.get(at));
        let plan = first.map(|candidate| rules.steps(&inquiry, candidate)).transpose();
        let plan = plan.map_err(|e| bad(e.to_string()))?.unwrap_or_default();
        Ok(check::differences(&scenario.expect, &Answered { grounds, assessment, advice, plan }))
    }

    fn catalogue(&mut self, classes: Option<u64>) -> &Catalogue {
        let zoo = self.zoo.get_or_insert_with(|| Zoo::load(&[]).0);
        self.catalogues.entry(classes).or_insert_with(|| Catalogue::build(zoo, &self.shipped, classes))
    }
}

fn request(scenario: &Scenario, described: &[ShippedDevice]) -> Result<Request, String> {
    let cores_of = |name: &str| described.iter().find(|d| d.id.as_str() == name)?.cores;
    let around = Surroundings { cores: 4, cores_of: &cores_of };
    scenario.request.clone().complete(&around, BTreeMap::new()).map_err(|e| e.to_string())
}

/// No knowledge base is looked at.
fn unstamped() -> KnowledgeBaseStamp {
    KnowledgeBaseStamp { version: "scenario".to_owned(), architectures: 0, measurements: 0 }
}

/// Expectations of networks and rules that there are not would never be met, or always.
fn refuse_unknown(
    file: &ScenarioText,
    expect: &Expectations,
    rules: &RuleSet,
    catalogue: &Catalogue,
) -> Result<(), Box<Diagnostic>> {
    let networks: Vec<&str> = catalogue.architectures.iter().map(|a| a.id.as_str()).collect();
    for named in expect.networks() {
        known(file, named, "architecture", &networks)?;
    }
    let infos = rules.list();
    let ids: Vec<&str> = infos.iter().map(|rule| rule.id.as_str()).collect();
    expect.rules().try_for_each(|named| known(file, named, "rule", &ids))
}

fn known(
    file: &ScenarioText,
    named: &toml::Spanned<String>,
    what: &str,
    there: &[&str],
) -> Result<(), Box<Diagnostic>> {
    let name = named.get_ref().as_str();
    if there.contains(&name) {
        return Ok(());
    }
    let near = did_you_mean(name, there.iter().copied());
    Err(read::problem(file, named.span(), format!("there is no {what} `{name}`{near}")))
}

/// Stated latencies as the records that a benchmark on the target would have left.
fn measurements(
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
