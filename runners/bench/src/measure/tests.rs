//! Whole measurements in a made-up world: no process, no clock, no machine.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use convwise_host::{RunnerSource, WorkerSpec};
use convwise_types::{Bytes, Quality, RunnerStamp, Scenario};

use super::*;
use crate::conditions::{Processors, Snapshot};
use crate::launch::{Launched, Usage};
use crate::sample::{device, subject};
use crate::schedule::{Clock, Effort, Sampler};
use crate::stats::{Outcome as Compared, compare};

const MS: u64 = 1_000_000;

/// Nanoseconds of (plan, launch, run); nothing is a failure.
type TimeOf = dyn Fn(&str, usize, u64) -> Option<u64>;

/// Every launch of plan `k` runs `k`'s function of (launch, run).
struct Dream {
    time_of: Box<TimeOf>,
    now: Cell<Duration>,
    launches: RefCell<Vec<String>>,
    simulated: bool,
    /// Ticks that other programs use while we measure, of 100 a second and two processors.
    others: u64,
    cancel_at: Option<(usize, u64)>,
    cancel: AtomicBool,
}

impl Dream {
    fn new(time_of: impl Fn(&str, usize, u64) -> Option<u64> + 'static) -> Self {
        Self {
            time_of: Box::new(time_of),
            now: Cell::default(),
            launches: RefCell::default(),
            simulated: false,
            others: 0,
            cancel_at: None,
            cancel: AtomicBool::new(false),
        }
    }

    fn measure(&self, plans: &[BenchPlan]) -> Vec<Result<Measurement, BenchError>> {
        self.watched(plans, &mut crate::Silent)
    }

    fn watched(
        &self,
        plans: &[BenchPlan],
        progress: &mut dyn Progress,
    ) -> Vec<Result<Measurement, BenchError>> {
        let stamp = Stamp { device: device(), taken: "2026-01-01T00:00:00Z".into(), version: "0.1.0".into() };
        measure_in(self, plans, &stamp, progress, &self.cancel)
    }
}

impl Clock for Dream {
    fn now(&self) -> Duration {
        self.now.get()
    }
}

impl World for Dream {
    fn launch<'a>(&'a self, plan: &BenchPlan) -> Result<Box<dyn Launched + 'a>, BenchError> {
        let title = plan.title();
        let launch = self.launches.borrow().iter().filter(|made| **made == title).count();
        self.launches.borrow_mut().push(title.clone());
        let stamp = RunnerStamp {
            name: "dream".into(),
            version: "1 (nothing)".into(),
            options: plan.all_options(),
            simulated: self.simulated,
        };
        Ok(Box::new(Running { dream: self, title, launch, runs: 0, stamp, notes: BTreeMap::new() }))
    }

    fn look(&self) -> Snapshot {
        let ticks = self.now.get().as_millis() as u64 / 5;
        let (ours, others) = (ticks / 2, ticks * self.others / 200);
        let idle = ticks - ours - others;
        let stat = format!("cpu {} 0 0 {idle} 0 0 0\ncpu0 1\ncpu1 1\n", ours + others);
        Snapshot { processors: Processors::parse(&stat), ..Snapshot::default() }
    }
}

struct Running<'a> {
    dream: &'a Dream,
    title: String,
    launch: usize,
    runs: u64,
    stamp: RunnerStamp,
    notes: BTreeMap<String, String>,
}

impl Sampler for Running<'_> {
    type Error = BenchError;

    fn run(&mut self, count: u64, budget: Duration) -> Result<Vec<u64>, BenchError> {
        let (mut times, mut spent) = (Vec::new(), Duration::ZERO);
        while (times.len() as u64) < count && (times.is_empty() || spent < budget) {
            if self.dream.cancel_at == Some((self.launch, self.runs)) {
                self.dream.cancel.store(true, Ordering::Relaxed);
            }
            let time = (self.dream.time_of)(&self.title, self.launch, self.runs);
            let failure = || BenchError::NoTimes { subject: self.title.clone(), runner: "dream".into() };
            let time = time.ok_or_else(failure)?;
            self.runs += 1;
            spent += Duration::from_nanos(time);
            times.push(time);
        }
        if !self.dream.simulated {
            self.dream.now.set(self.dream.now.get() + spent);
        }
        Ok(times)
    }

    fn check_outputs(&mut self) -> Result<(), BenchError> {
        Ok(())
    }
}

impl Launched for Running<'_> {
    fn stamp(&self) -> &RunnerStamp {
        &self.stamp
    }
    fn notes(&self) -> &BTreeMap<String, String> {
        &self.notes
    }
    fn load_ns(&self) -> u64 {
        80 * MS
    }
    fn build_ns(&self) -> Option<u64> {
        None
    }
    fn usage(&mut self) -> Usage {
        Usage { peak_rss: Some(Bytes(1 << 20)), processor: self.dream.now.get() }
    }
    fn close(self: Box<Self>) -> Option<String> {
        None
    }
}

fn plan(name: &str, effort: Effort) -> BenchPlan {
    let mut subject = subject();
    subject.architecture = Some(name.into());
    let worker = WorkerSpec::new("dream", RunnerSource::Builtin { name: "dream".into() }, "/nowhere");
    BenchPlan::new(subject, "model.onnx", worker).with_effort(effort)
}

/// ± 2 % without any order in it.
fn jitter(centre: u64, run: u64) -> u64 {
    centre - centre / 50 + Order::new(run).number() % (centre / 25)
}

#[test]
fn a_screening_is_one_launch() {
    let dream = Dream::new(|_, _, run| Some(jitter(if run == 0 { 300 * MS } else { 10 * MS }, run)));
    let record = dream.measure(&[plan("a", Effort::Screening)]).pop().unwrap().unwrap();
    assert_eq!(record.launches.len(), 1);
    assert_eq!(record.verdict, Quality::Trusted, "{:?}", record.remarks);
    assert!((record.statistics.median.0 - 10.0).abs() < 0.1);
    assert!((record.launches[0].first.0 - 300.0).abs() < 10.0, "the first run is apart");
    assert_eq!(record.launches[0].load, Millis(80.0));
    assert_eq!(record.runner.options["threads"], "1");
    assert_eq!(record.conditions["effort"], "screening");
    assert_eq!(record.id, convwise_types::content_id(&record));
}

#[test]
fn a_full_measurement_is_three_launches_in_mixed_order() {
    let dream = Dream::new(|_, _, run| Some(jitter(10 * MS, run)));
    let plans = ["a", "b", "c", "d"].map(|name| plan(name, Effort::Full));
    let records = dream.measure(&plans);
    assert!(records.iter().all(|record| record.as_ref().unwrap().launches.len() == 3));
    let order = dream.launches.borrow().concat();
    assert_eq!(order.len(), 12);
    let rounds: Vec<&str> = (0..3).map(|round| &order[round * 4..round * 4 + 4]).collect();
    for round in &rounds {
        assert!("abcd".chars().all(|name| round.contains(name)), "every round has every plan: {order}");
    }
    assert!(rounds[0] != rounds[1] || rounds[1] != rounds[2], "{order}");
}

#[test]
fn launches_that_disagree_call_for_more_and_spoil_the_verdict() {
    let dream = Dream::new(|_, launch, run| Some(jitter([10, 13, 11, 12, 10][launch] * MS, run)));
    let record = dream.measure(&[plan("a", Effort::Full)]).pop().unwrap().unwrap();
    assert_eq!((record.launches.len(), record.verdict), (5, Quality::Noisy));
    let medians: Vec<f64> = vec![10.0, 13.0];
    assert!(record.statistics.ci_low.0 <= medians[0] + 0.1, "{:?}", record.statistics);
    assert!(record.statistics.ci_high.0 >= 12.0, "{:?}", record.statistics);
    assert!(record.remarks.iter().any(|remark| remark.starts_with("fresh processes differ by")));
}

#[test]
fn one_failure_concerns_one_plan() {
    let dream = Dream::new(|name, _, run| (name != "bad" || run < 20).then(|| jitter(10 * MS, run)));
    let plans = [plan("good", Effort::Full), plan("bad", Effort::Full)];
    let records = dream.measure(&plans);
    assert!(records[0].is_ok());
    assert!(matches!(records[1], Err(BenchError::NoTimes { .. })));
    let tried = dream.launches.borrow().iter().filter(|name| *name == "bad").count();
    assert_eq!(tried, 1, "what failed is not tried again");
}

#[test]
fn stopping_keeps_what_was_sampled() {
    let mut dream = Dream::new(|_, _, run| Some(jitter(10 * MS, run)));
    dream.cancel_at = Some((1, 80));
    let record = dream.measure(&[plan("a", Effort::Full)]).pop().unwrap().unwrap();
    assert_eq!(record.launches.len(), 2);
    assert!(record.remarks.contains(&"2 of 3 launches were made".to_owned()), "{:?}", record.remarks);
    assert!(record.remarks.contains(&"stopped early; what was sampled until then is kept".to_owned()));
}

#[test]
fn stopping_before_the_first_sample_is_no_record() {
    let mut dream = Dream::new(|_, _, run| Some(jitter(10 * MS, run)));
    dream.cancel_at = Some((0, 3));
    let result = dream.measure(&[plan("a", Effort::Full), plan("b", Effort::Full)]);
    assert!(result.iter().all(|result| matches!(result, Err(BenchError::Cancelled { .. }))));
    assert_eq!(dream.launches.borrow().len(), 1);
}

#[test]
fn too_few_samples_are_insufficient() {
    let dream = Dream::new(|_, _, _| Some(1_500 * MS));
    let record = dream.measure(&[plan("a", Effort::Screening)]).pop().unwrap().unwrap();
    assert_eq!(record.verdict, Quality::Insufficient);
    assert!(record.remarks[0].contains("samples are too few"), "{:?}", record.remarks);
    assert_eq!((record.statistics.p90, record.statistics.p99), (None, None));
}

#[test]
fn other_programs_are_noticed() {
    let mut dream = Dream::new(|_, _, run| Some(jitter(10 * MS, run)));
    dream.others = 70;
    let record = dream.measure(&[plan("a", Effort::Screening)]).pop().unwrap().unwrap();
    assert_eq!(record.verdict, Quality::Noisy);
    let others = &record.conditions["other_programs"];
    assert!(others.starts_with("0.7") || others.starts_with("0.69"), "{others}");
}

#[test]
fn a_simulation_depends_on_nothing_but_its_numbers() {
    let record = |others| {
        let mut dream = Dream::new(|_, _, run| Some(jitter(10 * MS, run)));
        (dream.simulated, dream.others) = (true, others);
        dream.measure(&[plan("a", Effort::Full)]).pop().unwrap().unwrap()
    };
    let (quiet, loud) = (record(0), record(90));
    assert!(quiet.runner.simulated);
    assert_eq!(quiet.id, loud.id);
    assert!(quiet.statistics.samples < 1_000, "its time passes: {}", quiet.statistics.samples);
    assert_eq!(compare(&quiet, &loud).unwrap().outcome, Compared::Tie);
}

#[test]
fn what_cannot_be_measured_is_said_at_once() {
    let dream = Dream::new(|_, _, _| Some(MS));
    let mut rate = plan("a", Effort::Full);
    rate.scenario = Scenario::Rate;
    let mut none = plan("b", Effort::Full);
    none.threads = 0;
    let texts: Vec<String> =
        dream.measure(&[rate, none]).into_iter().map(|result| result.unwrap_err().to_string()).collect();
    assert_eq!(texts, ["scenario rate is not available yet; use latency", "b: threads must be at least 1"]);
    assert!(dream.launches.borrow().is_empty());
}

#[derive(Default)]
struct Log {
    done: Vec<f64>,
    finished: Vec<usize>,
    last_left: Option<Duration>,
}

impl Progress for Log {
    fn update(&mut self, update: &Update<'_>) {
        assert!(update.launch < update.launches && update.plan < update.plans, "{update:?}");
        self.done.push(update.done);
        self.last_left = update.left;
    }
    fn finished(&mut self, plan: usize, result: &Result<Measurement, BenchError>) {
        assert!(result.is_ok());
        self.finished.push(plan);
    }
}

#[test]
fn progress_grows_and_ends_with_every_plan_finished_once() {
    let dream = Dream::new(|_, _, run| Some(jitter(10 * MS, run)));
    let mut log = Log::default();
    dream.watched(&[plan("a", Effort::Full), plan("b", Effort::Screening)], &mut log);
    assert!(log.done.iter().all(|done| (0.0..=1.0).contains(done)));
    assert!(log.done.last().unwrap() > &0.95, "{:?}", log.done.last());
    log.finished.sort_unstable();
    assert_eq!(log.finished, [0, 1]);
    assert!(log.last_left.unwrap() < Duration::from_secs(1));
}
