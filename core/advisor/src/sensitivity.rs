//! Which inputs the first pick hangs on: how far each figure, word and uncertain fact may move before it changes.
//! Nothing is measured.

use convwise_store::StoreError;
use convwise_types::{
    Candidate, CandidateKey, Domain, Effort, Fact, Grade, Interval, KnowledgeBaseStamp, LicenceDemand,
    MemoryModel, Millis, PerSecond, Priority, Request, RuleSetStamp, RunnerName,
};
use serde::Serialize;

use crate::advise::{AdvisorError, Case, stamp, within_device};
use crate::draft::refuse_contradictions;
use crate::knob::{Changes, KNOBS, Knob};
use crate::round::{Records, Round};
use crate::standing::Standing;
use crate::what_if::{Moment, Mover, Sweep, Value, Winner, value_of, winner_of};
use crate::world::World;

/// Name of the JSON format of [`Sensitivity`].
pub const SENSITIVITY_SCHEMA: &str = "convwise.sensitivity/1";
/// How many times larger or smaller a figure is tried.
const REACH: f64 = 10.0;

/// What kind of input it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// A figure of the request.
    Figure,
    /// A word of the request.
    Word,
    /// A fact that is not certain.
    Fact,
}

/// A value of an input with which something else is picked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Turn {
    /// The value: for figures and facts the first one, seen from where it stands.
    pub at: String,
    /// What is picked then; `None` if nothing fits.
    pub winner: Option<Winner>,
    /// How many times the present value it is, for figures and facts.
    pub ratio: Option<f64>,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Input {
    /// Its name: `latency`, `priority`, `latency of resnet50`.
    pub input: String,
    /// Figure, word or fact.
    pub kind: InputKind,
    /// What it is now.
    pub value: String,
    /// The least value that keeps the pick; `None` if none that was tried changes it.
    pub from: Option<Value>,
    /// The greatest one; `None` likewise.
    pub to: Option<Value>,
    /// The values that were tried: from here,
    pub tried_from: Option<Value>,
    /// to here.
    pub tried_to: Option<Value>,
    /// What changes the pick.
    pub turns: Vec<Turn>,
}

impl Input {
    /// How near the nearest change is, as a logarithm of the ratio; words are further than any figure.
    fn distance(&self) -> (u8, f64) {
        let ratios = self.turns.iter().filter_map(|t| t.ratio).map(|r| r.ln().abs());
        match (self.turns.is_empty(), ratios.min_by(f64::total_cmp)) {
            (true, _) => (2, 0.0),
            (false, Some(near)) => (0, near),
            (false, None) => (1, 0.0),
        }
    }
}

/// Which inputs the first pick hangs on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sensitivity {
    /// [`SENSITIVITY_SCHEMA`].
    pub schema: &'static str,
    /// The merged request.
    pub request: Request,
    /// Which knowledge base answered.
    pub kb: KnowledgeBaseStamp,
    /// Which rules answered.
    pub rules: RuleSetStamp,
    /// The first pick; `None` if nothing fits.
    pub winner: Option<Winner>,
    /// The next network behind it.
    pub runner_up: Option<Winner>,
    /// Every input, the one whose change is nearest first, those that change nothing last.
    pub inputs: Vec<Input>,
}

/// Moves every input of a request on its own.
///
/// # Errors
/// The request names something unknown, or the knowledge base fails.
pub fn sensitivity(world: &World<'_>, request: &Request) -> Result<Sensitivity, AdvisorError> {
    let _session = world.store.session()?;
    let case = Case::open(world, request)?;
    let records = Records::of(&case);
    let base = records.open(request, &case.catalogue)?;
    let bench = Bench { records: &records, base: &base };
    let mut inputs = bench.figures()?;
    inputs.extend(bench.words()?);
    inputs.extend(bench.facts());
    inputs.sort_by(|a, b| {
        let ((class, near), (other_class, other_near)) = (a.distance(), b.distance());
        class.cmp(&other_class).then(near.total_cmp(&other_near)).then_with(|| a.input.cmp(&b.input))
    });
    Ok(Sensitivity {
        schema: SENSITIVITY_SCHEMA,
        request: request.clone(),
        kb: stamp(&case)?,
        rules: world.rules.stamp(),
        winner: winner_of(&base),
        runner_up: bench.runner_up().map(|s| Winner::of(&s)),
        inputs,
    })
}

struct Bench<'b, 'c> {
    records: &'b Records<'c>,
    base: &'b Round<'c>,
}

fn key_of(round: &Round<'_>) -> Option<CandidateKey> {
    round.first().map(|f| f.key)
}

impl<'c> Bench<'_, 'c> {
    fn request(&self) -> &Request {
        &self.base.inquiry.request
    }

    /// The best candidate of another network than the first.
    fn runner_up(&self) -> Option<Standing<'_>> {
        let first = self.base.hopeful().next()?.candidate.key.clone();
        self.base.hopeful().find(|s| !same_network(&s.candidate.key, &first))
    }

    fn figures(&self) -> Result<Vec<Input>, AdvisorError> {
        let stated = KNOBS.iter().filter_map(|k| Some((k, (k.get)(self.request())?)));
        stated.map(|(knob, now)| self.figure(knob, now)).collect()
    }

    fn figure(&self, knob: &'static Knob, now: f64) -> Result<Input, AdvisorError> {
        let (low, high) = self.range(knob, now);
        let down = self.turn(knob, low, now, true)?;
        let up = self.turn(knob, now, high, false)?;
        let value = |v: f64| value_of(knob, v);
        let turn = |t: &Found<'c>| Turn {
            at: knob.show(t.there.value),
            winner: t.there.winner(),
            ratio: Some(t.there.value / now),
        };
        Ok(Input {
            input: knob.name.to_owned(),
            kind: InputKind::Figure,
            value: knob.show(now),
            from: down.as_ref().map(|t| value(t.here)),
            to: up.as_ref().map(|t| value(t.here)),
            tried_from: Some(value(low)),
            tried_to: Some(value(high)),
            turns: down.iter().chain(up.iter()).map(turn).collect(),
        })
    }

    /// How far a figure is moved: ten times down and up, as far as it makes sense and the device allows.
    fn range(&self, knob: &Knob, now: f64) -> (f64, f64) {
        let (low, high) = (knob.snap(now / REACH), knob.snap(now * REACH));
        #[expect(clippy::cast_precision_loss, reason = "processors of one machine")]
        let cores = self.base.inquiry.target.cores.unwrap_or(1) as f64;
        let high = match knob.name {
            "min-accuracy" => 100.0,
            "threads" => cores.max(now),
            _ => high,
        };
        let allowed = |v: &f64| {
            let turned = knob.turned(self.request(), *v);
            within_device(&turned, &self.records.case.place).is_ok() && refuse_contradictions(&turned).is_ok()
        };
        (Some(low).filter(allowed).unwrap_or(now), Some(high).filter(allowed).unwrap_or(now))
    }

    /// The nearest value between two ends with another pick, seen from the end where the figure stands.
    fn turn(
        &self,
        knob: &'static Knob,
        low: f64,
        high: f64,
        downwards: bool,
    ) -> Result<Option<Found<'c>>, AdvisorError> {
        if low >= high {
            return Ok(None);
        }
        let steps = match knob.changes {
            Changes::Rules => 24,
            Changes::Latencies => 6,
            Changes::Networks => 3,
        };
        let mut track = Mover { records: self.records, base: self.base, knob }.track(&Sweep {
            knob,
            low,
            high,
            steps,
        })?;
        if downwards {
            track.reverse();
        }
        let first = key_of(self.base).map(network_of);
        let there = track.iter().position(|m| m.first.as_ref().map(|f| network_of(f.key.clone())) != first);
        let here = there.and_then(|at| track.get(at.checked_sub(1)?)).map(|m| m.value);
        Ok(there.zip(here).map(|(at, here)| Found { here, there: track.swap_remove(at) }))
    }

    fn words(&self) -> Result<Vec<Input>, StoreError> {
        let r = self.request();
        let or_not = |word: Option<&str>| word.unwrap_or("not stated").to_owned();
        let priority = all(Priority::ALL, |r, v| r.priority = v);
        let effort = all(Effort::ALL, |r, v| r.situation.effort = Some(v));
        let domain = all(Domain::ALL, |r, v| r.situation.domain = Some(v));
        let licence = all(LicenceDemand::ALL, |r, v| r.limits.licence = v);
        let memory = all(MemoryModel::ALL, |r, v| r.memory_model = v);
        let real_time = vec![
            ("stated".to_owned(), turned(r, |r| r.limits.real_time = true)),
            ("not stated".to_owned(), turned(r, |r| r.limits.real_time = false)),
        ];
        let stated = |values: Vec<(String, Change)>| values.into_iter().map(|(w, c)| (w, c(r))).collect();
        let words = [
            self.word("priority", r.priority.to_string(), stated(priority)),
            self.word("effort", or_not(r.situation.effort.map(Effort::as_str)), stated(effort)),
            self.word("domain", or_not(r.situation.domain.map(Domain::as_str)), stated(domain)),
            self.word("licence", r.limits.licence.to_string(), stated(licence)),
            self.word("memory-model", r.memory_model.to_string(), stated(memory)),
            self.word("real-time", or_not(r.limits.real_time.then_some("stated")), real_time),
            self.word("runner", r.runner.to_string(), self.runners()),
        ];
        words.into_iter().collect()
    }

    /// The request for every other runner that can be used.
    fn runners(&self) -> Vec<(String, Request)> {
        let usable = self.records.case.world.runners.runners.iter().filter(|r| r.why_not.is_none());
        let request = |name: &str| turned(self.request(), |r| r.runner = RunnerName::from(name));
        usable.map(|runner| (runner.name.clone(), request(&runner.name))).collect()
    }

    fn word(&self, name: &str, now: String, values: Vec<(String, Request)>) -> Result<Input, StoreError> {
        let first = key_of(self.base).map(network_of);
        let others = values.into_iter().filter(|(word, _)| *word != now);
        let regathered = ["memory-model", "runner"].contains(&name);
        let mut turns = Vec::new();
        for (word, request) in others.filter(|(_, r)| refuse_contradictions(r).is_ok()) {
            let round = match regathered {
                true => self.records.open(&request, &self.records.case.catalogue)?,
                false => self.base.again(&request),
            };
            if key_of(&round).map(network_of) != first {
                turns.push(Turn { at: word, winner: winner_of(&round), ratio: None });
            }
        }
        let (from, to, tried_from, tried_to) = (None, None, None, None);
        Ok(Input {
            input: name.to_owned(),
            kind: InputKind::Word,
            value: now,
            from,
            to,
            tried_from,
            tried_to,
            turns,
        })
    }

    /// What is uncertain about the first pick and the next network.
    fn facts(&self) -> Vec<Input> {
        let first = self.base.hopeful().next();
        [first, self.runner_up()].into_iter().flatten().flat_map(|s| self.uncertain(&s)).collect()
    }

    fn uncertain(&self, standing: &Standing<'_>) -> Vec<Input> {
        let Some(latency) = standing.candidate.latency.value() else { return Vec::new() };
        let Ok(knob) = Knob::named("latency") else { return Vec::new() };
        let (key, now) = (&standing.candidate.key, latency.median.0);
        let (low, high) = (latency.interval.low, latency.interval.high);
        let down = self.true_latency(knob, key, now, low);
        let up = self.true_latency(knob, key, now, high);
        let turn = |(_, there, winner): &(f64, f64, Option<Winner>)| Turn {
            at: knob.show(*there),
            winner: winner.clone(),
            ratio: Some(there / now),
        };
        let grade = standing.candidate.latency.grade().map(Grade::as_str).unwrap_or_default();
        let latency = Input {
            input: format!("latency of {}", key.architecture),
            kind: InputKind::Fact,
            value: format!("{}, {grade}", Millis(now)),
            from: down.as_ref().map(|(here, ..)| value_of(knob, *here)),
            to: up.as_ref().map(|(here, ..)| value_of(knob, *here)),
            tried_from: Some(value_of(knob, low)),
            tried_to: Some(value_of(knob, high)),
            turns: down.iter().chain(up.iter()).map(turn).collect(),
        };
        [Some(latency), self.evidence(key, now, grade)].into_iter().flatten().collect()
    }

    /// The nearest latency from the best estimate to one end of its interval with which another network is picked:
    /// the last that changes nothing, the first that does, and what is picked then.
    fn true_latency(
        &self,
        knob: &Knob,
        key: &CandidateKey,
        now: f64,
        end: f64,
    ) -> Option<(f64, f64, Option<Winner>)> {
        let first = key_of(self.base).map(network_of);
        let at = |ms: f64| Some(self.supposing(key, ms, None)).filter(|r| key_of(r).map(network_of) != first);
        let (mut here, mut there) = (now, None);
        for i in 1..=8_i32 {
            let ms = now * (end / now).powf(f64::from(i) / 8.0);
            match at(ms) {
                Some(round) => {
                    there = Some((ms, round));
                    break;
                }
                None => here = ms,
            }
        }
        let (mut there, mut round) = there?;
        while let Some(middle) = knob.between(here.min(there), here.max(there)) {
            match at(middle) {
                Some(found) => (there, round) = (middle, found),
                None => here = middle,
            }
        }
        Some((here, there, winner_of(&round)))
    }

    /// What a measurement that comes out as expected would change.
    fn evidence(&self, key: &CandidateKey, now: f64, grade: &str) -> Option<Input> {
        if grade == Grade::Measured.as_str() {
            return None;
        }
        let round = self.supposing(key, now, Some(Grade::Measured));
        let changed = key_of(&round).map(network_of) != key_of(self.base).map(network_of);
        let at = format!("measured at {}", Millis(now));
        let turns =
            if changed { vec![Turn { at, winner: winner_of(&round), ratio: None }] } else { Vec::new() };
        Some(Input {
            input: format!("evidence for the latency of {}", key.architecture),
            kind: InputKind::Fact,
            value: grade.to_owned(),
            from: None,
            to: None,
            tried_from: None,
            tried_to: None,
            turns,
        })
    }

    /// The round in which a network, with whatever weights, takes exactly so long.
    fn supposing(&self, key: &CandidateKey, ms: f64, grade: Option<Grade>) -> Round<'c> {
        let batch = self.request().batch;
        let concerned = self.base.candidates.iter().enumerate().filter(|(_, c)| same_network(&c.key, key));
        let changed = concerned.map(|(index, c)| (index, taking(c.clone(), ms, batch, grade))).collect();
        self.base.with(changed)
    }
}

/// A change of the pick: the last value that keeps it, and the answer at the first that does not.
struct Found<'c> {
    here: f64,
    there: Moment<'c>,
}

/// The network, whatever its weights and whoever runs it.
fn network_of(key: CandidateKey) -> CandidateKey {
    CandidateKey { weights: None, runner: RunnerName::from(""), ..key }
}

fn same_network(a: &CandidateKey, b: &CandidateKey) -> bool {
    (&a.architecture, a.input, a.precision) == (&b.architecture, b.input, b.precision)
}

/// A candidate whose latency is known exactly.
fn taking(mut candidate: Candidate, ms: f64, batch: u64, grade: Option<Grade>) -> Candidate {
    if let Fact::Known(latency, evidence) = &mut candidate.latency {
        latency.median = Millis(ms);
        latency.interval = Interval { low: ms, high: ms };
        evidence.grade = grade.unwrap_or(evidence.grade);
    }
    if let Fact::Known(throughput, evidence) = &mut candidate.throughput {
        #[expect(clippy::cast_precision_loss, reason = "at most 4096")]
        let images = batch as f64;
        *throughput = PerSecond(1000.0 * images / ms);
        evidence.grade = grade.unwrap_or(evidence.grade);
    }
    candidate
}

type Change = Box<dyn Fn(&Request) -> Request>;

/// Every word of a closed list, with the request that says it.
fn all<W: Copy + ToString + 'static>(words: &'static [W], set: fn(&mut Request, W)) -> Vec<(String, Change)> {
    let change = |word: W| -> Change { Box::new(move |request| turned(request, |r| set(r, word))) };
    words.iter().map(|word| (word.to_string(), change(*word))).collect()
}

fn turned(request: &Request, change: impl FnOnce(&mut Request)) -> Request {
    let mut turned = request.clone();
    change(&mut turned);
    turned
}
