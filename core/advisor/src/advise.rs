//! The main line: gather, judge, rank, measure what the answer rests on, judge again, report.

use std::collections::BTreeSet;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use convwise_bench::{Effort, Progress};
use convwise_host::{RunnerEntry, WorkerError};
use convwise_judge::{Inquiry, PlanError};
use convwise_store::{KnownDevice, Record, StoreError};
use convwise_types::{
    Advice, ArchitectureId, Device, KnowledgeBaseStamp, Measurement, Millis, Origin, Precision, Request,
    ShippedDevice, did_you_mean,
};
use convwise_zoo::{Variant, ZooError, unknown};

use crate::answer::{Assessment, Grounds, Manner, target_of};
use crate::catalogue::{Catalogue, Form, known};
use crate::compared::{NoComparison, settled};
use crate::draft::DraftError;
use crate::measure::{MeasureError, Setting, measure_variant};
use crate::place::{KnownDevices, Place, UnknownDevice};
use crate::predict::Prediction;
use crate::recorded::Recorded;
use crate::runner::fit_to_measure;
use crate::shortlist::{Trial, needs_closer_look, next_trial};
use crate::standing::Standing;
use crate::world::World;

/// What is asked, and how much may be spent on the answer.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The request.
    pub request: Request,
    /// How many picks are wanted.
    pub top: usize,
    /// How much may be measured; nothing without one.
    pub measure: Option<Budget>,
    /// The command line, for records and for what to repeat.
    pub command: String,
    /// Whether networks that a runner failed with are tried again.
    pub retry: bool,
}

/// How much may be measured.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Measurements at the most.
    pub count: usize,
    /// Time for all of them.
    pub time: Duration,
}

/// Follows the work.
pub trait Watch: Progress {
    /// A measurement begins: which of how many at the most.
    fn begins(&mut self, number: usize, of: usize, trial: &Trial);
    /// A measurement is done and in the knowledge base.
    fn measured(&mut self, measurement: &Measurement);
    /// A measurement failed; the others go on.
    fn failed(&mut self, trial: &Trial, error: &MeasureError);
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AdvisorError {
    /// The device is not known.
    #[error(transparent)]
    Device(#[from] UnknownDevice),
    /// The runner is not known.
    #[error("there is no runner `{name}` (`convwise runner list` shows them){hint}")]
    UnknownRunner {
        /// What was asked for.
        name: String,
        /// "did you mean".
        hint: String,
    },
    /// The runner is known and cannot be used.
    #[error("runner {name} cannot be used: {why}")]
    UnusableRunner {
        /// The runner.
        name: String,
        /// Why.
        why: String,
    },
    /// The runner's timings are made up.
    #[error("runner {name} is simulated; its timings are no evidence; name another one with --runner")]
    Simulated {
        /// The runner.
        name: String,
    },
    /// The runner does not even start.
    #[error(transparent)]
    Worker(#[from] Box<WorkerError>),
    /// This machine is not the target.
    #[error(
        "a measurement made here says nothing about {target}; measure on the target and bring its records here:\n  \
         on the target:  {bench}\n  here:           {merge}\nor add --here if this machine is the target"
    )]
    NotHere {
        /// The target.
        target: String,
        /// The command for the target.
        bench: String,
        /// The command for here.
        merge: String,
    },
    /// A limit beyond what the device has.
    #[error("{limit} {asked} is more than {device} has ({has}); leave it out, or name another device")]
    BeyondDevice {
        /// The flag.
        limit: &'static str,
        /// What was asked.
        asked: String,
        /// The device.
        device: String,
        /// What it has.
        has: String,
    },
    /// The request contradicts itself.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// Networks cannot be compared on what is asked.
    #[error(transparent)]
    Comparison(#[from] NoComparison),
    /// The architecture is not known, or its plugin is broken.
    #[error(transparent)]
    Zoo(#[from] ZooError),
    /// Only published figures of the network are known.
    #[error(
        "`{network}` cannot be built here: only {figures} are known of it; export it to ONNX with its own package and \
         measure that file (`convwise bench FILE.onnx`), or write a plugin for it (`plugins/README.md`)"
    )]
    OnlyPublished {
        /// The network.
        network: ArchitectureId,
        /// Whose figures.
        figures: Origin,
    },
    /// The rules contradict each other.
    #[error(transparent)]
    Rules(#[from] PlanError),
    /// The knowledge base failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A request with everything that is fixed while it is answered.
#[derive(Debug)]
pub struct Case<'a> {
    /// Where knowledge comes from.
    pub world: &'a World<'a>,
    /// The target and the request.
    pub inquiry: Inquiry,
    /// The target.
    pub place: Place,
    /// The runner.
    pub runner: &'a RunnerEntry,
    /// Architectures and their graphs.
    pub catalogue: Catalogue,
    /// Failures of the runner before this moment are to be tried again.
    pub forgiven: Option<String>,
}

impl<'a> Case<'a> {
    /// Opens a request: finds its target, its runner and the facts of all architectures.
    ///
    /// # Errors
    /// Device or runner are not known, a limit is beyond the device, or the knowledge base cannot be read.
    pub fn open(world: &'a World<'a>, request: &Request) -> Result<Self, AdvisorError> {
        let place = find_place(world, request)?;
        within_device(request, &place)?;
        let runner = find_runner(world, request.runner.as_str())?;
        let catalogue = Catalogue::load(world.zoo, world.store, Form::of(request))?;
        let inquiry = Inquiry { request: request.clone(), target: target_of(&place) };
        let case = Self { world, inquiry, place, runner, catalogue, forgiven: None };
        let inquiry = settled(&case.grounds())?;
        Ok(Self { inquiry, ..case })
    }

    /// The same, with everything that failed so far to be tried again.
    #[must_use]
    pub fn retrying(self, retry: bool) -> Self {
        Self { forgiven: retry.then(convwise_bench::now), ..self }
    }

    /// The architecture of a name, one that plugins define or one that is known from published figures alone.
    ///
    /// # Errors
    /// There is none.
    pub fn named(&self, name: &str) -> Result<ArchitectureId, AdvisorError> {
        let known = self.catalogue.architectures.iter().map(|a| &a.id);
        match known.clone().find(|id| id.as_str() == name) {
            Some(id) => Ok(id.clone()),
            None => Err(unknown(name, known.map(ArchitectureId::as_str)).into()),
        }
    }

    fn request(&self) -> &Request {
        &self.inquiry.request
    }

    /// Gathers, judges and ranks with what is known now.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn assess(&self) -> Result<Assessment, AdvisorError> {
        let forgiven = self.forgiven.as_deref();
        let recorded = Recorded::of(self.world, self.runner, &self.place, self.request(), forgiven)?;
        Ok(self.grounds().assess(&recorded.measurements, &recorded.faults))
    }

    /// What the answer is drawn from, but for what was measured.
    #[must_use]
    pub fn grounds(&self) -> Grounds<'_> {
        Grounds {
            rules: self.world.rules,
            inquiry: &self.inquiry,
            place: &self.place,
            catalogue: &self.catalogue,
            shipped: self.world.store.shipped(),
        }
    }

    fn setting(&self, command: &str) -> Setting {
        let request = self.request();
        Setting {
            batch: request.batch,
            threads: request.threads,
            form: Form::of(request),
            precision: Precision::Fp32,
            memory_limit: None,
            command: command.to_owned(),
        }
    }
}

pub(crate) fn find_place(world: &World<'_>, request: &Request) -> Result<Place, AdvisorError> {
    let (mut measured, mut described): (Vec<Device>, Vec<ShippedDevice>) = (Vec::new(), Vec::new());
    for known in world.store.devices()? {
        match known {
            KnownDevice::Seen(device) => measured.push(*device),
            KnownDevice::Described(device) => described.push(*device),
        }
    }
    let known = KnownDevices {
        here: world.here,
        here_has_gpu: world.here_has_gpu,
        measured: &measured,
        described: &described,
    };
    Ok(Place::of(request, &known)?)
}

/// A limit that the device itself cannot offer is a mistake of the request.
pub(crate) fn within_device(request: &Request, place: &Place) -> Result<(), AdvisorError> {
    let Place::Described(device) = place else { return Ok(()) };
    let pairs = [("--ram", request.limits.ram, device.ram), ("--flash", request.limits.flash, device.flash)];
    for (limit, asked, has) in pairs {
        if let (Some(asked), Some(has)) = (asked, has)
            && asked > has
        {
            return Err(AdvisorError::BeyondDevice {
                limit,
                asked: asked.to_string(),
                device: device.title.clone(),
                has: has.to_string(),
            });
        }
    }
    Ok(())
}

/// The variant of a name, to be built.
///
/// # Errors
/// There is none of that name, or only published figures are known of it.
pub fn find_buildable<'a>(world: &World<'a>, name: &str) -> Result<&'a Variant, AdvisorError> {
    let missing = match world.zoo.find(name) {
        Ok(variant) => return Ok(variant),
        Err(error) => error,
    };
    let found = known(world.zoo, world.store)?.into_iter().find(|a| a.id.as_str() == name);
    Err(found
        .map_or_else(|| missing.into(), |a| AdvisorError::OnlyPublished { network: a.id, figures: a.origin }))
}

/// The runner of a name, if it can be used.
///
/// # Errors
/// There is none of that name, or it cannot be used.
pub fn find_runner<'a>(world: &World<'a>, name: &str) -> Result<&'a RunnerEntry, AdvisorError> {
    let names = world.runners.runners.iter().map(|r| r.name.as_str());
    world
        .runners
        .get(name)
        .ok_or_else(|| AdvisorError::UnknownRunner { name: name.to_owned(), hint: did_you_mean(name, names) })
}

/// Answers a request. What is measured is in the knowledge base before the answer is drawn from it;
/// setting `cancel` ends measuring and answers with what is there.
///
/// # Errors
/// The request names something unknown, asks to measure what cannot be measured here, or the knowledge
/// base fails. A failing network or runner is a note of the answer, not an error.
pub fn advise(
    world: &World<'_>,
    ask: &Ask,
    watch: &mut dyn Watch,
    cancel: &AtomicBool,
) -> Result<Advice, AdvisorError> {
    // Without measuring, one opening of the knowledge base serves the whole answer.
    let _session = ask.measure.is_none().then(|| world.store.session()).transpose()?;
    // The process ends with its answer; to take thousands of networks apart first would only delay it.
    let case = ManuallyDrop::new(Case::open(world, &ask.request)?.retrying(ask.retry));
    let mut notes = Vec::new();
    if let Some(budget) = ask.measure {
        if !case.place.is_here() {
            return Err(not_here(&case, ask)?);
        }
        fit_to_measure(case.runner, world.program)?;
        notes = Trials { case: &case, ask, budget, watch, cancel, started: Instant::now() }.run()?;
    }
    let assessment = ManuallyDrop::new(case.assess()?);
    let measure =
        (ask.measure.is_none() && case.place.is_here()).then(|| format!("{} --measure", ask.command));
    let manner = Manner { top: ask.top, measured: ask.measure.is_some(), measure, notes };
    Ok(case.grounds().compose(&assessment, manner, stamp(&case)?)?)
}

fn not_here(case: &Case<'_>, ask: &Ask) -> Result<AdvisorError, AdvisorError> {
    let count = ask.measure.map_or(8, |b| b.count);
    let names: Vec<_> =
        shortlist(case, &case.assess()?, ask.top, count).iter().map(|t| t.architecture.to_string()).collect();
    let request = case.request();
    let bench = format!(
        "convwise bench {} --runner {} --threads {} --batch {} && convwise kb export -o target.jsonl",
        names.join(" "),
        request.runner,
        request.threads,
        request.batch
    );
    Ok(AdvisorError::NotHere {
        target: case.place.title(),
        bench,
        merge: "convwise kb merge target.jsonl".to_owned(),
    })
}

/// What would be measured if nothing were learnt on the way.
fn shortlist(case: &Case<'_>, assessment: &Assessment, top: usize, count: usize) -> Vec<Trial> {
    let standings = assessment.standings();
    let fits = probability(case.grounds().budget());
    let mut tried = BTreeSet::new();
    let mut list = Vec::new();
    while list.len() < count
        && let Some(trial) = next_trial(&standings, &fits, &tried, top)
    {
        tried.insert(trial.clone());
        list.push(trial);
    }
    list
}

/// Probability that a candidate keeps the budget, from its interval.
fn probability(budget: Option<Millis>) -> impl Fn(&Standing<'_>) -> f64 {
    move |standing| match (budget, standing.candidate.latency.value()) {
        (None, _) => 1.0,
        (Some(_), None) => 0.0,
        (Some(budget), Some(latency)) => {
            Prediction::from_interval(latency.median.0, latency.interval).probability_within(budget.0)
        }
    }
}

/// Said once instead of a measurement that nobody can make.
const NOTHING_TO_MEASURE: &str = "nothing was measured: of the networks that fit only published figures are known here, \
                                  none has a layer graph to export";

/// The measuring of one answer.
struct Trials<'a> {
    case: &'a Case<'a>,
    ask: &'a Ask,
    budget: Budget,
    watch: &'a mut dyn Watch,
    cancel: &'a AtomicBool,
    started: Instant,
}

impl Trials<'_> {
    /// Measures until the answer rests on measurements or the budget is spent; returns remarks.
    fn run(mut self) -> Result<Vec<String>, AdvisorError> {
        let mut tried = BTreeSet::new();
        let mut notes = Vec::new();
        let fits = probability(self.case.grounds().budget());
        let mut spent = 0;
        while spent < self.budget.count && !self.cancel.load(Ordering::Relaxed) {
            let Some(left) = self.budget.time.checked_sub(self.started.elapsed()).filter(|d| !d.is_zero())
            else {
                notes.push(format!("measuring stopped after {spent} networks: --measure-time is spent"));
                break;
            };
            let assessment = self.case.assess()?;
            let Some(trial) = next_trial(&assessment.standings(), &fits, &tried, self.ask.top) else { break };
            spent += 1;
            self.watch.begins(spent, self.budget.count, &trial);
            tried.insert(trial.clone());
            if let Err(error) = self.attempt(&trial, left)? {
                self.watch.failed(&trial, &error);
                self.learn_failure(&error)?;
                notes.push(format!("{} could not be measured: {error}", trial.architecture));
            }
        }
        if spent == 0 && notes.is_empty() && self.case.assess()?.nothing_to_measure() {
            notes.push(NOTHING_TO_MEASURE.to_owned());
        }
        if self.cancel.load(Ordering::Relaxed) {
            notes.push("measuring was interrupted; what was measured is kept".to_owned());
        }
        Ok(notes)
    }

    /// Screens a network; one whose screening leaves the budget in doubt is looked at closely.
    fn attempt(&mut self, trial: &Trial, left: Duration) -> Result<Result<(), MeasureError>, AdvisorError> {
        let screening = match self.measure(trial, Effort::Screening, left) {
            Ok(measurement) => measurement,
            Err(error) => return Ok(Err(error)),
        };
        self.learn(&screening)?;
        let s = &screening.statistics;
        let left = self.budget.time.saturating_sub(self.started.elapsed());
        if needs_closer_look(s.ci_low, s.ci_high, self.case.grounds().budget()) && !left.is_zero() {
            match self.measure(trial, Effort::Full, left) {
                Ok(measurement) => self.learn(&measurement)?,
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }

    fn measure(
        &mut self,
        trial: &Trial,
        effort: Effort,
        time: Duration,
    ) -> Result<Measurement, MeasureError> {
        let world = self.case.world;
        let variant = world.zoo.find(trial.architecture.as_str())?;
        let setting = self.case.setting(&self.ask.command);
        measure_variant(
            world,
            variant,
            trial.input,
            self.case.runner,
            &setting,
            effort,
            time,
            self.watch,
            self.cancel,
        )
    }

    /// Keeps a failure, so that the network is not tried on this runner again unasked.
    fn learn_failure(&self, error: &MeasureError) -> Result<(), AdvisorError> {
        if let MeasureError::Bench { failure: Some(failure), .. } = error {
            self.case.world.store.append(&[Record::from((**failure).clone())])?;
        }
        Ok(())
    }

    /// Keeps a measurement before anything is concluded from it.
    fn learn(&mut self, measurement: &Measurement) -> Result<(), AdvisorError> {
        self.case.world.store.append(&[Record::from(measurement.clone())])?;
        self.watch.measured(measurement);
        Ok(())
    }
}

pub(crate) fn stamp(case: &Case<'_>) -> Result<KnowledgeBaseStamp, AdvisorError> {
    let stats = case.world.store.stats()?;
    Ok(KnowledgeBaseStamp {
        version: case.world.store.version(),
        architectures: u64::try_from(case.catalogue.architectures.len()).unwrap_or(u64::MAX),
        measurements: stats.measurements,
    })
}
