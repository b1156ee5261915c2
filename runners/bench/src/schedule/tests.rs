//! The whole schedule on made-up run times and a made-up clock: nothing here waits.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;

/// Takes its times from a function of the run's number; the clock moves by what the runs took.
struct Mock<F> {
    time_of: F,
    runs: u64,
    batches: Vec<u64>,
    clock: Rc<Cell<Duration>>,
    outputs: Result<(), &'static str>,
    checked_at: Option<u64>,
    fail_at: u64,
}

struct MockClock(Rc<Cell<Duration>>);

impl Clock for MockClock {
    fn now(&self) -> Duration {
        self.0.get()
    }
}

impl<F: FnMut(u64) -> u64> Sampler for Mock<F> {
    type Error = &'static str;

    fn run(&mut self, count: u64, budget: Duration) -> Result<Vec<u64>, Self::Error> {
        let (mut times, mut spent) = (Vec::new(), Duration::ZERO);
        while (times.len() as u64) < count && (times.is_empty() || spent < budget) {
            if self.runs == self.fail_at {
                return Err("crashed");
            }
            let time = (self.time_of)(self.runs);
            self.runs += 1;
            spent += Duration::from_nanos(time);
            times.push(time);
        }
        self.clock.set(self.clock.get() + spent);
        self.batches.push(times.len() as u64);
        Ok(times)
    }

    fn check_outputs(&mut self) -> Result<(), Self::Error> {
        self.checked_at = Some(self.runs);
        self.outputs
    }
}

fn mock<F: FnMut(u64) -> u64>(time_of: F) -> Mock<F> {
    Mock {
        time_of,
        runs: 0,
        batches: Vec::new(),
        clock: Rc::default(),
        outputs: Ok(()),
        checked_at: None,
        fail_at: u64::MAX,
    }
}

#[derive(Default)]
struct Log(Vec<(Phase, f64)>);

impl Observer for Log {
    fn at(&mut self, phase: Phase, done: f64, _: Option<MedianInterval>) {
        self.0.push((phase, done));
    }
}

fn launch<F: FnMut(u64) -> u64>(
    mock: &mut Mock<F>,
    protocol: Protocol,
) -> Result<LaunchRun, Interruption<&'static str>> {
    let clock = MockClock(Rc::clone(&mock.clock));
    drive(protocol, mock, &clock, &mut Log::default(), &AtomicBool::new(false))
}

fn screening() -> Protocol {
    Protocol::for_launch(Effort::Screening, Duration::from_secs(5))
}

const MS: u64 = 1_000_000;

/// A spread of ± `percent` round `centre` without any order in it.
fn spread(centre: u64, percent: u64, run: u64) -> u64 {
    let random = crate::order::Order::new(run).number() % 2001;
    centre - centre * percent / 100 + centre * percent * random / 100_000
}

#[test]
fn a_steady_model_converges_after_warming_up() {
    let mut mock = mock(|run| if run == 0 { 500 * MS } else { spread(10 * MS, 3, run) });
    let run = launch(&mut mock, screening()).unwrap();
    assert_eq!((run.ending, run.settled, run.first), (Ending::Converged, true, 500 * MS));
    assert!(run.warmup_runs >= 3, "{run:?}");
    assert!(run.samples.len() >= 50, "{}", run.samples.len());
    assert_eq!(mock.checked_at, Some(1 + run.warmup_runs), "outputs are looked at after the warm-up");
    assert_eq!(mock.runs, 1 + run.warmup_runs + run.samples.len() as u64, "no run is dropped");
}

#[test]
fn slow_first_runs_stay_out_of_the_samples() {
    let mut mock = mock(|run| if run < 20 { (30 - run) * MS } else { 10 * MS });
    let run = launch(&mut mock, screening()).unwrap();
    assert!(run.settled);
    assert!(run.samples.iter().all(|&sample| sample < 13 * MS), "{:?}", &run.samples[..5]);
}

#[test]
fn runs_that_never_settle_end_at_the_warm_up_cap() {
    let mut mock = mock(|run| 10 * MS + run * MS);
    let run = launch(&mut mock, screening()).unwrap();
    assert!(!run.settled);
    assert!(!run.samples.is_empty());
}

#[test]
fn batches_fill_a_chunk() {
    let mut mock = mock(|_| 20_000);
    launch(&mut mock, screening()).unwrap();
    assert_eq!(mock.batches[0], 1, "the first run is alone");
    assert!(mock.batches[1..].iter().all(|&count| (5_000..=7_500).contains(&count)), "{:?}", mock.batches);
}

#[test]
fn a_noisy_model_stops_at_the_time_cap_and_a_fast_one_at_the_sample_cap() {
    let mut slow = mock(|run| if run % 2 == 0 { 50 * MS } else { 150 * MS });
    assert_eq!(launch(&mut slow, screening()).unwrap().ending, Ending::TimeCap);
    let mut fast = mock(|run| if run % 2 == 0 { 10_000 } else { 30_000 });
    let run = launch(&mut fast, screening()).unwrap();
    assert_eq!((run.ending, run.samples.len()), (Ending::SampleCap, 10_000));
}

#[test]
fn a_model_slower_than_the_time_still_gives_what_it_gives() {
    let mut mock = mock(|_| 3_000 * MS);
    let run = launch(&mut mock, screening()).unwrap();
    assert_eq!((run.ending, run.warmup_runs), (Ending::TimeCap, 1));
    assert_eq!(run.samples.len(), 2);
}

#[test]
fn a_failure_and_bad_outputs_end_the_launch() {
    let mut failing = mock(|_| 10 * MS);
    failing.fail_at = 12;
    assert_eq!(launch(&mut failing, screening()), Err(Interruption::Failed("crashed")));
    let mut wrong = mock(|_| 10 * MS);
    wrong.outputs = Err("not a number");
    assert_eq!(launch(&mut wrong, screening()), Err(Interruption::Failed("not a number")));
}

#[test]
fn a_sampler_without_times_does_not_hang() {
    struct Empty;
    impl Sampler for Empty {
        type Error = ();
        fn run(&mut self, _: u64, _: Duration) -> Result<Vec<u64>, ()> {
            Ok(Vec::new())
        }
        fn check_outputs(&mut self) -> Result<(), ()> {
            Ok(())
        }
    }
    let clock = MockClock(Rc::default());
    let run = drive(screening(), &mut Empty, &clock, &mut Log::default(), &AtomicBool::new(false));
    assert_eq!(run, Err(Interruption::NoTimes));
}

#[test]
fn cancelling_keeps_what_was_sampled() {
    let cancel = AtomicBool::new(false);
    let mut mock = mock(|run| {
        if run == 200 {
            cancel.store(true, Ordering::Relaxed);
        }
        if run % 2 == 0 { 5 * MS } else { 15 * MS }
    });
    let clock = MockClock(Rc::clone(&mock.clock));
    let run = drive(screening(), &mut mock, &clock, &mut Log::default(), &cancel).unwrap();
    assert_eq!(run.ending, Ending::Cancelled);
    assert!((50..=215).contains(&run.samples.len()), "{}", run.samples.len());
}

#[test]
fn progress_moves_forward_through_the_phases() {
    let mut mock = mock(|run| spread(10 * MS, 30, run));
    let (clock, mut log) = (MockClock(Rc::clone(&mock.clock)), Log::default());
    drive(screening(), &mut mock, &clock, &mut log, &AtomicBool::new(false)).unwrap();
    let mut phases: Vec<Phase> = log.0.iter().map(|(phase, _)| *phase).collect();
    phases.dedup();
    assert_eq!(phases, [Phase::First, Phase::WarmUp, Phase::Sample]);
    assert!(log.0.iter().all(|(_, done)| (0.0..=1.0).contains(done)), "{:?}", log.0);
    assert!(log.0.last().unwrap().1 > 0.9, "{:?}", log.0.last());
}

#[test]
fn a_full_measurement_shares_its_time_between_launches() {
    let protocol = Protocol::for_launch(Effort::Full, Duration::from_secs(30));
    assert_eq!(protocol.max_time + protocol.max_warmup, Duration::from_secs(10));
    let tiny = Protocol::for_launch(Effort::Full, Duration::ZERO);
    assert_eq!(tiny.max_time, Duration::ZERO);
}
