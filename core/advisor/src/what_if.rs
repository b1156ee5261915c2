//! Where the first pick changes while one figure of the request moves.
//!
//! Facts are gathered once where the figure does not change them; then only the rules that read it are heard again.
//! A change between two points is narrowed down until no value that can be printed lies between its two sides.

use convwise_types::{Contender, KnowledgeBaseStamp, Request, RuleSetStamp, Verdict};
use serde::Serialize;

use crate::advise::{AdvisorError, Case, stamp, within_device};
use crate::answer::{budget_of, expected_beyond};
use crate::catalogue::{Catalogue, Form};
use crate::draft::refuse_contradictions;
use crate::explain::why_it_left;
use crate::knob::{Changes, Knob};
use crate::prior::contender;
use crate::round::{First, Records, Round};
use crate::standing::Standing;
use crate::world::World;

/// Name of the JSON format of [`WhatIf`].
pub const WHAT_IF_SCHEMA: &str = "convwise.what-if/1";
/// Points where nobody says how many.
const STEPS: usize = 20;
/// The most points that are looked at.
const MOST_STEPS: usize = 1000;

/// A figure and the range that it is moved through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sweep {
    /// The figure.
    pub knob: &'static Knob,
    /// From here.
    pub low: f64,
    /// To here.
    pub high: f64,
    /// Points to look at, ends included; what changes between two is narrowed down.
    pub steps: usize,
}

impl Sweep {
    /// Reads `latency=10ms..100ms` or `latency=10ms..100ms:40`.
    ///
    /// # Errors
    /// What is wrong with it, and how it is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let usage = "write for example latency=10ms..100ms, or latency=10ms..100ms:40 for 40 points";
        let (name, range) =
            text.split_once('=').ok_or_else(|| format!("`{text}` names no range; {usage}"))?;
        let knob = Knob::named(name.trim())?;
        let (low, high) = range.split_once("..").ok_or_else(|| format!("`{range}` is no range; {usage}"))?;
        let (high, steps) = match high.rsplit_once(':') {
            Some((high, steps)) => (high, points(steps)?),
            None => (high, STEPS),
        };
        let value = |text: &str| knob.read(text.trim()).map_err(|why| format!("{}: {why}", knob.name));
        let (low, high) = (value(low)?, value(high)?);
        if low >= high {
            let (a, b) = (knob.show(low), knob.show(high));
            return Err(format!("the range of {} begins at {a} and ends at {b}; {usage}", knob.name));
        }
        Ok(Self { knob, low, high, steps })
    }

    /// The values to look at: evenly spread, each one that can be printed.
    fn values(&self) -> Vec<f64> {
        let share = |i: usize| {
            #[expect(clippy::cast_precision_loss, reason = "at most a thousand")]
            let t = i as f64 / (self.steps - 1) as f64;
            if self.knob.logarithmic {
                self.low * (self.high / self.low).powf(t)
            } else {
                self.low + (self.high - self.low) * t
            }
        };
        let inner = (1..self.steps - 1).map(|i| self.knob.snap(share(i)));
        let inside = inner.filter(|v| *v > self.low && *v < self.high);
        let mut values: Vec<f64> = [self.low].into_iter().chain(inside).chain([self.high]).collect();
        values.dedup();
        values
    }
}

fn points(text: &str) -> Result<usize, String> {
    let count = text.trim().parse().ok().filter(|n| (2..=MOST_STEPS).contains(n));
    count.ok_or_else(|| format!("`{text}` is no number of points; use 2 to {MOST_STEPS}"))
}

/// A value of the figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Value {
    /// In the figure's unit.
    pub value: f64,
    /// As its flag has it.
    pub flag: String,
    /// As people read it.
    pub shown: String,
}

/// Who is picked first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Winner {
    /// As people write it.
    pub title: String,
    /// The candidate with its accuracy and latency.
    #[serde(flatten)]
    pub candidate: Contender,
    /// Whether every requirement is proven.
    pub proven: bool,
    /// Its score.
    pub score: f64,
}

/// A stretch of values with one and the same first pick.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stretch {
    /// The first value with this pick.
    pub from: Value,
    /// The last one.
    pub to: Value,
    /// The pick at its beginning; `None` if nothing fits.
    pub winner: Option<Winner>,
    /// Why the pick before it is first no more; `None` for the first stretch.
    pub left: Option<String>,
}

/// One of the values that were looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The value.
    #[serde(flatten)]
    pub value: Value,
    /// The first pick's architecture; `None` if nothing fits.
    pub winner: Option<String>,
    /// Its score.
    pub score: Option<f64>,
    /// Candidates that are not rejected.
    pub feasible: usize,
}

/// Where the first pick changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIf {
    /// [`WHAT_IF_SCHEMA`].
    pub schema: &'static str,
    /// The merged request.
    pub request: Request,
    /// Which knowledge base answered.
    pub kb: KnowledgeBaseStamp,
    /// Which rules answered.
    pub rules: RuleSetStamp,
    /// The figure that moves.
    pub field: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Whether equal ratios are equal steps.
    pub logarithmic: bool,
    /// What the request states, if it does.
    pub stated: Option<Value>,
    /// The stretches, in order; between two of them lies no value that can be printed.
    pub stretches: Vec<Stretch>,
    /// The values that were looked at on the way, changes aside.
    pub points: Vec<Point>,
}

/// Moves one figure of a request through a range.
///
/// # Errors
/// The request names something unknown, an end of the range is beyond what the device has or contradicts the request, or
/// the knowledge base fails.
pub fn what_if(world: &World<'_>, request: &Request, sweep: &Sweep) -> Result<WhatIf, AdvisorError> {
    let _session = world.store.session()?;
    let case = Case::open(world, request)?;
    for end in [sweep.low, sweep.high] {
        let turned = sweep.knob.turned(request, end);
        within_device(&turned, &case.place)?;
        refuse_contradictions(&turned)?;
    }
    let records = Records::of(&case);
    let base = records.open(request, &case.catalogue)?;
    let track = Mover { records: &records, base: &base, knob: sweep.knob }.track(sweep)?;
    let value = |value| value_of(sweep.knob, value);
    Ok(WhatIf {
        schema: WHAT_IF_SCHEMA,
        request: request.clone(),
        kb: stamp(&case)?,
        rules: world.rules.stamp(),
        field: sweep.knob.name,
        unit: sweep.knob.unit,
        logarithmic: sweep.knob.logarithmic,
        stated: (sweep.knob.get)(request).map(value),
        stretches: stretches(sweep.knob, &track),
        points: track.iter().filter(|m| m.planned).map(|m| m.point(sweep.knob)).collect(),
    })
}

pub(crate) fn value_of(knob: &Knob, value: f64) -> Value {
    Value { value, flag: knob.write(value), shown: knob.show(value) }
}

/// Answers the question for one value after another.
pub(crate) struct Mover<'m, 'c> {
    pub records: &'m Records<'c>,
    /// The question as it was asked.
    pub base: &'m Round<'c>,
    pub knob: &'static Knob,
}

/// The answer for one value.
pub(crate) struct Moment<'c> {
    pub value: f64,
    pub round: Round<'c>,
    pub first: Option<First>,
    /// Whether it is one of the points of the sweep, not one of those that narrow a change down.
    planned: bool,
}

impl<'c> Mover<'_, 'c> {
    /// The answers at all points of a sweep and on both sides of every change, in order of the values.
    pub fn track(&self, sweep: &Sweep) -> Result<Vec<Moment<'c>>, AdvisorError> {
        let mut track: Vec<Moment<'c>> = Vec::new();
        for value in sweep.values() {
            let next = self.at(value, track.last().map_or(self.base, |m| &m.round), true)?;
            let between = match track.last() {
                Some(last) => self.narrow(last, &next)?,
                None => Vec::new(),
            };
            track.extend(between);
            track.push(next);
        }
        Ok(track)
    }

    /// The answer for a value; `near` is one for another value, of which as much is kept as may be.
    pub fn at(&self, value: f64, near: &Round<'c>, planned: bool) -> Result<Moment<'c>, AdvisorError> {
        let request = self.knob.turned(&self.base.inquiry.request, value);
        let case = self.records.case;
        let round = match self.knob.changes {
            Changes::Rules => near.again(&request),
            Changes::Latencies => self.records.open(&request, &case.catalogue)?,
            Changes::Networks => {
                let catalogue = Catalogue::load(case.world.zoo, case.world.store, Form::of(&request))?;
                self.records.open(&request, &catalogue)?
            }
        };
        Ok(Moment { value, first: round.first(), round, planned })
    }

    /// Answers between two values, until the two sides of every change are neighbours. A pick that comes and goes
    /// between two points that have the same one is not seen.
    fn narrow(&self, low: &Moment<'c>, high: &Moment<'c>) -> Result<Vec<Moment<'c>>, AdvisorError> {
        if First::is_same(low.first.as_ref(), high.first.as_ref()) {
            return Ok(Vec::new());
        }
        let Some(value) = self.knob.between(low.value, high.value) else { return Ok(Vec::new()) };
        let middle = self.at(value, &low.round, false)?;
        let (before, after) = (self.narrow(low, &middle)?, self.narrow(&middle, high)?);
        Ok(before.into_iter().chain([middle]).chain(after).collect())
    }
}

impl Moment<'_> {
    fn point(&self, knob: &Knob) -> Point {
        Point {
            value: value_of(knob, self.value),
            winner: self.first.as_ref().map(|f| f.key.architecture.to_string()),
            score: self.first.as_ref().map(|f| f.score),
            feasible: self.round.standings().count(),
        }
    }

    pub fn winner(&self) -> Option<Winner> {
        winner_of(&self.round)
    }
}

/// Who is picked first in a round.
pub(crate) fn winner_of(round: &Round<'_>) -> Option<Winner> {
    round.hopeful().next().map(|s| Winner::of(&s))
}

impl Winner {
    pub(crate) fn of(standing: &Standing<'_>) -> Self {
        Self {
            title: standing.candidate.architecture.title.clone(),
            candidate: contender(standing.candidate),
            proven: standing.verdict == Verdict::Proven,
            score: standing.score,
        }
    }
}

/// Values with one and the same pick, together.
pub(crate) fn stretches(knob: &Knob, track: &[Moment<'_>]) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut before: Option<&Moment<'_>> = None;
    for moment in track {
        let same = before.is_some_and(|b| First::is_same(b.first.as_ref(), moment.first.as_ref()));
        match found.last_mut().filter(|_| same) {
            Some(last) => last.to = value_of(knob, moment.value),
            None => found.push(Stretch {
                from: value_of(knob, moment.value),
                to: value_of(knob, moment.value),
                winner: moment.winner(),
                left: before.map(|b| left(b, moment)),
            }),
        }
        before = Some(moment);
    }
    found
}

/// Why the pick changed between two neighbouring values.
fn left(before: &Moment<'_>, now: &Moment<'_>) -> String {
    let (former, new) = (&before.first, &now.first);
    match (former, new) {
        (None, _) => "nothing fitted before".to_owned(),
        (Some(former), Some(new)) if former.key == new.key => {
            if new.proven { "proven from here on" } else { "no longer proven" }.to_owned()
        }
        (Some(former), _) => {
            let held = now.round.of(&former.key);
            let gone = held.is_none_or(|s| expected_beyond(&s, budget_of(&now.round.inquiry.request)));
            match new {
                Some(new) if !gone => overtaken(before, now, new),
                _ => why_it_left(&now.round, &former.key),
            }
        }
    }
}

/// The former pick still fits, and another stands in front of it.
fn overtaken(before: &Moment<'_>, now: &Moment<'_>, new: &First) -> String {
    let former = before.first.as_ref().and_then(|f| now.round.of(&f.key));
    let scores = former.map(|s| format!("{:.3} against {:.3}", new.score, s.score)).unwrap_or_default();
    let stood = before.round.of(&new.key);
    let fitted = stood.is_some_and(|s| !expected_beyond(&s, budget_of(&before.round.inquiry.request)));
    let proven = before.round.of(&new.key).is_some_and(|s| s.verdict == Verdict::Proven);
    match (fitted, new.proven && !proven) {
        (false, _) => format!("{} fits from here on and scores {scores}", new.key.architecture),
        (true, true) => format!("{} is proven from here on", new.key.architecture),
        (true, false) => format!("{} scores better, {scores}", new.key.architecture),
    }
}
