//! Scenarios: whole answers that a rule set must give, stated in TOML as a request, what is known of the target, and
//! what the answer must say and why.
//!
//! They run through the same pipeline as a request, over the architectures that ship with the program, and on a
//! stand-in for this machine: a server of four processors with AVX2 and without a GPU. So they come out alike everywhere.

mod answered;
mod bless;
mod check;
mod read;
mod stated;

use std::collections::BTreeMap;

use convwise_judge::{Blessed, Inquiry, RuleSet, ScenarioText};
use convwise_store::shipped::Shipped;
use convwise_types::{Diagnostic, KnowledgeBaseStamp, Request, ShippedDevice, Span, did_you_mean};
use convwise_zoo::Zoo;

use self::answered::Answered;
use self::read::{Expectations, Scenario};
use crate::answer::{Grounds, Manner, target_of};
use crate::catalogue::{Catalogue, Form};
use crate::compared::settled;
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

/// The files whose scenarios fail, with those rewritten to what the rules answer. Scenarios that cannot be read or
/// answered are left.
#[must_use]
pub fn bless(rules: &RuleSet, filter: Option<&str>) -> Vec<Blessed> {
    let mut ground = Ground::new(rules);
    let files: Vec<&ScenarioText> = rules.scenarios().collect();
    files.into_iter().filter_map(|file| bless::file(&mut ground, file, filter)).collect()
}

fn selected(scenario: &Scenario, file: &ScenarioText, filter: Option<&str>) -> bool {
    filter.is_none_or(|wanted| scenario.name.get_ref().contains(wanted) || file.shown.contains(wanted))
}

/// What all scenarios stand on. Networks are built only once there is a scenario, and once a form.
struct Ground<'a> {
    rules: &'a RuleSet,
    shipped: Shipped,
    zoo: Option<Zoo>,
    catalogues: BTreeMap<Form, Catalogue>,
}

impl<'a> Ground<'a> {
    fn new(rules: &'a RuleSet) -> Self {
        Self { rules, shipped: Shipped::default(), zoo: None, catalogues: BTreeMap::new() }
    }

    fn run(&mut self, file: &ScenarioText, scenario: &Scenario, report: &mut ScenarioReport) {
        let differences =
            self.answer(file, scenario, |answered| check::differences(&scenario.expect, answered));
        match differences {
            Err(problem) => report.problems.push(*problem),
            Ok(lines) => report.results.push(ScenarioResult {
                file: file.shown.clone(),
                line: Span::of_bytes(&file.text, scenario.name.span()).line,
                name: scenario.name.get_ref().clone(),
                difference: (!lines.is_empty()).then(|| lines.join("\n")),
            }),
        }
    }

    /// What `look` sees in the answer to a scenario's request.
    fn answer<T>(
        &mut self,
        file: &ScenarioText,
        scenario: &Scenario,
        look: impl FnOnce(&Answered<'_>) -> T,
    ) -> Result<T, Box<Diagnostic>> {
        let bad = |why: String| read::problem(file, scenario.name.span(), why);
        let described: Vec<ShippedDevice> = self.shipped.devices.iter().map(|d| d.value.clone()).collect();
        let request = request(scenario, &described).map_err(bad)?;
        let here = stand_in(&["avx2"], None);
        let known = KnownDevices { here: &here, here_has_gpu: false, measured: &[], described: &described };
        let place = Place::of(&request, &known).map_err(|e| bad(e.to_string()))?;
        let inquiry = Inquiry { target: target_of(&place), request };
        let (rules, form) = (self.rules, Form::of(&inquiry.request));
        let catalogue = self.catalogue(form);
        refuse_unknown(file, &scenario.expect, rules, catalogue)?;
        let measured = stated::measurements(file, &scenario.measured, (&inquiry.request, &place), catalogue)?;
        let catalogue = self.catalogues.get(&form).ok_or_else(|| bad("no networks".to_owned()))?;
        let grounds = Grounds { rules, inquiry: &inquiry, place: &place, catalogue, shipped: &self.shipped };
        let inquiry = settled(&grounds).map_err(|e| bad(e.to_string()))?;
        let grounds = Grounds { inquiry: &inquiry, ..grounds };
        let assessment = grounds.assess(&measured, &Faults::default());
        let manner = Manner { top: TOP, ..Manner::default() };
        let advice = grounds.compose(&assessment, manner, unstamped()).map_err(|e| bad(e.to_string()))?;
        let first = answered::first(&assessment, &advice).and_then(|at| assessment.candidates.get(at));
        let plan = first.map(|candidate| rules.steps(&inquiry, candidate)).transpose();
        let plan = plan.map_err(|e| bad(e.to_string()))?.unwrap_or_default();
        Ok(look(&Answered { grounds, assessment, advice, plan }))
    }

    fn catalogue(&mut self, form: Form) -> &Catalogue {
        let zoo = self.zoo.get_or_insert_with(|| Zoo::load(&[]).0);
        self.catalogues.entry(form).or_insert_with(|| Catalogue::build(zoo, &self.shipped, form))
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
