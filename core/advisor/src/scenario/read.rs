//! Scenarios from TOML. Problems are shown at their place.

use std::collections::BTreeMap;
use std::ops::Range;

use convwise_judge::ScenarioText;
use convwise_types::{Diagnostic, Label, Precision, Span, did_you_mean};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::draft::Draft;
use crate::request_file;

/// A request, what is known of its target, and what the answer must say.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub name: Spanned<String>,
    pub request: Draft,
    pub measured: Vec<Stated>,
    pub expect: Expectations,
}

/// A latency on the target, as if measured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stated {
    pub architecture: Spanned<String>,
    pub ms: f64,
    /// Lower end of the interval.
    pub low_ms: Option<f64>,
    /// Upper end of the interval.
    pub high_ms: Option<f64>,
    /// Side of the input; the network's usual one without it.
    pub input_size: Option<u64>,
    /// Number format.
    #[serde(default = "float")]
    pub precision: Precision,
}

fn float() -> Precision {
    Precision::Fp32
}

pub(super) type Names = Vec<Spanned<String>>;
pub(super) type Reasons = BTreeMap<Spanned<String>, Names>;

/// What the answer must say. Everything that is not stated is free.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Expectations {
    /// The first picks, in this order.
    pub picks: Option<Names>,
    /// Networks that are picked, in any place.
    pub among: Option<Names>,
    /// Networks that are not picked.
    pub not_among: Option<Names>,
    /// Who holds a label.
    pub labels: BTreeMap<Label, Spanned<String>>,
    /// Networks that do not fit in any form, each with the rules that reject it.
    pub rejected: Reasons,
    /// Networks of which it is open whether they fit, each with the rules that leave it so.
    pub unproven: Reasons,
    /// Rules that speak for the first pick.
    pub because: Option<Names>,
    /// Rules that remark on the first pick.
    pub notes: Option<Names>,
    /// Preferences of the guide that measured evidence overrules.
    pub overruled: Option<Names>,
    /// Settings of the training and optimisation of the first pick.
    pub settings: BTreeMap<String, String>,
    /// Rules that advise on the training and optimisation of the first pick.
    pub steps: Option<Names>,
    /// Rules that do not.
    pub no_steps: Option<Names>,
    /// Whether nothing fits.
    pub nothing_fits: Option<bool>,
}

impl Expectations {
    fn lists(&self) -> [&Option<Names>; 3] {
        [&self.picks, &self.among, &self.not_among]
    }

    fn reasons(&self) -> impl Iterator<Item = (&Spanned<String>, &Names)> {
        self.rejected.iter().chain(&self.unproven)
    }

    /// Every network that is named.
    pub fn networks(&self) -> impl Iterator<Item = &Spanned<String>> {
        let listed = self.lists().into_iter().flatten().flatten();
        listed.chain(self.labels.values()).chain(self.reasons().map(|(network, _)| network))
    }

    /// Every rule that is named.
    pub fn rules(&self) -> impl Iterator<Item = &Spanned<String>> {
        let lists = [&self.because, &self.notes, &self.overruled, &self.steps, &self.no_steps];
        let listed = lists.into_iter().flatten().flatten();
        listed.chain(self.reasons().flat_map(|(_, rules)| rules))
    }

    fn is_empty(&self) -> bool {
        let something = self.networks().next().is_some() || self.rules().next().is_some();
        !something && self.settings.is_empty() && self.nothing_fits.is_none()
    }
}

/// A file that is being read.
#[derive(Clone, Copy)]
struct Page<'a> {
    shown: &'a str,
    text: &'a str,
}

type Read<T> = Result<T, Box<Diagnostic>>;

/// The scenarios of a file, which people know as `shown`.
pub(super) fn scenarios(shown: &str, text: &str) -> Read<Vec<Scenario>> {
    let page = Page { shown, text };
    let table = DeTable::parse(text)
        .map_err(|e| page.problem("broken-scenario", e.span().unwrap_or(0..0), e.message()))?;
    let mut scenarios = Vec::new();
    for (key, value) in table.get_ref() {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("scenario", DeValue::Array(all)) => {
                for one in all {
                    scenarios.push(page.scenario(one)?);
                }
            }
            ("scenario", _) => {
                return Err(page.problem("bad-scenario", key.span(), "scenarios stand under `[[scenario]]`"));
            }
            _ => return Err(page.unknown(key.get_ref(), key.span(), &["scenario"])),
        }
    }
    Ok(scenarios)
}

/// The parts of a scenario.
const PARTS: [&str; 4] = ["name", "request", "measured", "expect"];

impl Page<'_> {
    fn scenario(self, value: &Spanned<DeValue<'_>>) -> Read<Scenario> {
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.problem("bad-scenario", value.span(), "a scenario is a table"));
        };
        if let Some(key) = table.keys().find(|key| !PARTS.contains(&key.get_ref().as_ref())) {
            return Err(self.unknown(key.get_ref(), key.span(), &PARTS));
        }
        let name: Spanned<String> = self.part(table, "name")?.ok_or_else(|| {
            self.problem("bad-scenario", value.span(), "a scenario needs a `name` that says what it is about")
        })?;
        let expect: Expectations = self.part(table, "expect")?.unwrap_or_default();
        if expect.is_empty() {
            let why = "a scenario that expects nothing cannot fail";
            let problem = self.problem("bad-scenario", name.span(), why);
            return Err(Box::new(
                problem.with_help("say in `[scenario.expect]` what the answer must say and why"),
            ));
        }
        let request = self.request(table, &name)?;
        Ok(Scenario { name, request, measured: self.part(table, "measured")?.unwrap_or_default(), expect })
    }

    fn request(self, table: &DeTable<'_>, name: &Spanned<String>) -> Read<Draft> {
        match table.get("request").map(Spanned::get_ref) {
            Some(DeValue::Table(request)) => request_file::read_table(self.shown, self.text, request),
            _ => Err(self.problem("bad-scenario", name.span(), "a scenario needs a `[scenario.request]`")),
        }
    }

    fn part<T: DeserializeOwned>(self, table: &DeTable<'_>, part: &str) -> Read<Option<T>> {
        let Some(value) = table.get(part) else { return Ok(None) };
        let read = T::deserialize(toml::de::ValueDeserializer::from(value.clone()));
        read.map(Some).map_err(|error| self.misread(part, value.span(), &error))
    }

    fn misread(self, part: &str, whole: Range<usize>, error: &toml::de::Error) -> Box<Diagnostic> {
        let at = error.span().unwrap_or(whole);
        let mut words = error.message().split('`').skip(1).step_by(2);
        match words.next().filter(|_| error.message().starts_with("unknown field")) {
            Some(written) => self.unknown(written, at, &words.collect::<Vec<_>>()),
            None => self.problem("bad-scenario", at, format!("`{part}` cannot be read: {}", error.message())),
        }
    }

    fn unknown(self, written: &str, at: Range<usize>, known: &[&str]) -> Box<Diagnostic> {
        let near = did_you_mean(written, known.iter().copied());
        let problem = self.problem("unknown-key", at, format!("there is no `{written}` here{near}"));
        Box::new(problem.with_help(format!("known are {}", known.join(", "))))
    }

    fn problem(self, code: &str, at: Range<usize>, why: impl Into<String>) -> Box<Diagnostic> {
        let problem = Diagnostic::error(code, self.shown, why);
        Box::new(problem.at(self.text, Span::of_bytes(self.text, at), "here"))
    }
}

/// A problem with a scenario that can be read.
pub(super) fn problem(file: &ScenarioText, at: Range<usize>, why: impl Into<String>) -> Box<Diagnostic> {
    Page { shown: &file.shown, text: &file.text }.problem("bad-scenario", at, why)
}
