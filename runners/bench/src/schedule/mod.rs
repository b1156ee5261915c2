//! The schedule of one launch: first run, warm-up until the windows agree, then samples until the median is known well
//! enough.
//!
//! Pure: a state machine that is told what was measured and how much time has passed, and answers what to do next. It
//! must not know processes, clocks or runners, so that all of it is tested without waiting.

mod drive;
mod protocol;

pub use drive::{Clock, Interruption, LaunchRun, Observer, Sampler, drive};
pub(crate) use protocol::TARGET;
pub use protocol::{Effort, Protocol};

use std::time::Duration;

use crate::stats::{MIN_FOR_INTERVAL, MedianInterval, count, index, median, median_interval, real};

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Run the model this often, or until the runs have taken this long together, and report the times.
    Run {
        /// Runs.
        count: u64,
        /// Time for all of them together.
        budget: Duration,
    },
    /// Look whether the outputs are numbers.
    CheckOutputs,
    /// Nothing: the launch is over.
    Finish(Ending),
}

/// Why a launch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The interval of the median is narrow enough.
    Converged,
    /// The most samples were taken, and the interval is still wider than asked for.
    SampleCap,
    /// The time is over, and the interval is still wider than asked for.
    TimeCap,
    /// The caller asked to stop.
    Cancelled,
}

/// Where a launch stands, for the eyes of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Start the process, load the model.
    Load,
    /// First run.
    First,
    /// Until the windows agree.
    WarmUp,
    /// Steady state.
    Sample,
}

impl Phase {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Load => "loading",
            Self::First => "first run",
            Self::WarmUp => "warming up",
            Self::Sample => "sampling",
        }
    }
}

/// The state machine of one launch.
#[derive(Clone, Debug)]
pub struct Schedule {
    protocol: Protocol,
    state: State,
    first: u64,
    warmup: WarmUp,
    samples: Vec<u64>,
    interval: Option<MedianInterval>,
    /// How many of the samples `interval` is of.
    interval_of: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    First,
    WarmUp,
    Check,
    /// Since this moment.
    Sample(Duration),
    Done(Ending),
}

/// The windows of the warm-up.
#[derive(Clone, Debug, Default)]
struct WarmUp {
    runs: u64,
    spent: Duration,
    medians: Vec<f64>,
    settled: bool,
}

impl WarmUp {
    fn record(&mut self, window: &[u64], protocol: &Protocol) {
        self.runs += window.len() as u64;
        self.spent += Duration::from_nanos(window.iter().sum());
        self.medians.extend(median(window));
        self.settled = agree(&self.medians, protocol.windows, protocol.agreement);
    }

    fn over(&self, protocol: &Protocol) -> bool {
        self.settled || self.runs >= protocol.max_warmup_runs || self.spent >= protocol.max_warmup
    }
}

/// Whether the last `windows` medians lie within `share` of the smallest of them.
fn agree(medians: &[f64], windows: usize, share: f64) -> bool {
    let Some(last) = medians.len().checked_sub(windows).and_then(|start| medians.get(start..)) else {
        return false;
    };
    let (low, high) = last.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), &m| (low.min(m), high.max(m)));
    high <= low * (1.0 + share)
}

impl Schedule {
    /// A launch that has loaded its model and run nothing.
    #[must_use]
    pub fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            state: State::First,
            first: 0,
            warmup: WarmUp::default(),
            samples: Vec::new(),
            interval: None,
            interval_of: 0,
        }
    }

    /// What to do next, `now` after the launch began.
    #[must_use]
    pub fn next(&self, now: Duration) -> Step {
        match self.state {
            State::First => Step::Run { count: 1, budget: self.protocol.chunk },
            State::WarmUp => self.chunk(u64::MAX),
            State::Check => Step::CheckOutputs,
            State::Sample(since) => match self.ending(now.saturating_sub(since)) {
                Some(ending) => Step::Finish(ending),
                None => self.chunk(self.protocol.max_samples - self.samples.len() as u64),
            },
            State::Done(ending) => Step::Finish(ending),
        }
    }

    /// A batch of runs that takes about as long as a chunk, so that asking for it costs nothing beside it.
    fn chunk(&self, at_most: u64) -> Step {
        let typical = self.warmup.medians.last().copied().unwrap_or(real(self.first)).max(1.0);
        let fitting = index(self.protocol.chunk.as_secs_f64() * 1e9 / typical) as u64;
        Step::Run {
            count: fitting.clamp(1, self.protocol.max_chunk).min(at_most),
            budget: self.protocol.chunk,
        }
    }

    /// Takes the times of the runs that [`Schedule::next`] asked for, in nanoseconds.
    pub fn record(&mut self, times: &[u64]) {
        match self.state {
            State::First => {
                self.first = times.first().copied().unwrap_or_default();
                self.state = State::WarmUp;
            }
            State::WarmUp => {
                self.warmup.record(times, &self.protocol);
                if self.warmup.over(&self.protocol) {
                    self.state = State::Check;
                }
            }
            State::Sample(_) => {
                self.samples.extend_from_slice(times);
                self.refresh_interval();
            }
            State::Check | State::Done(_) => {}
        }
    }

    /// The interval costs as much as a few runs of a fast model: it is computed again for a tenth more samples only.
    fn refresh_interval(&mut self) {
        if self.samples.len() >= self.interval_of + self.interval_of / 10 {
            self.interval = median_interval(&self.samples);
            self.interval_of = self.samples.len();
        }
    }

    /// The outputs are numbers: sampling begins `now`.
    pub fn outputs_are_fine(&mut self, now: Duration) {
        if self.state == State::Check {
            self.state = State::Sample(now);
        }
    }

    /// Ends the launch; what was sampled stays.
    pub fn cancel(&mut self) {
        self.state = State::Done(Ending::Cancelled);
    }

    fn ending(&self, sampling: Duration) -> Option<Ending> {
        let n = self.samples.len() as u64;
        let enough = n >= self.protocol.min_samples && sampling >= self.protocol.min_time;
        let within = self.interval.is_some_and(|interval| interval.relative() <= self.protocol.target);
        if enough && within && self.samples.len() >= MIN_FOR_INTERVAL {
            Some(Ending::Converged)
        } else if n >= self.protocol.max_samples {
            Some(Ending::SampleCap)
        } else if sampling >= self.protocol.max_time {
            Some(Ending::TimeCap)
        } else {
            None
        }
    }

    /// Where the launch stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.state {
            State::First => Phase::First,
            State::WarmUp | State::Check => Phase::WarmUp,
            State::Sample(_) | State::Done(_) => Phase::Sample,
        }
    }

    /// How much of the launch is done, 0 to 1, `now` after it began. Sampling ends when its interval is narrow enough,
    /// which takes samples in proportion to the square of how much too wide it is; or at a cap, if that comes first.
    #[must_use]
    pub fn done(&self, now: Duration) -> f64 {
        match self.state {
            State::First => 0.0,
            State::WarmUp | State::Check => WARMUP_SHARE * self.warmup_done(),
            State::Sample(since) => {
                WARMUP_SHARE + (1.0 - WARMUP_SHARE) * self.sampling_done(now.saturating_sub(since))
            }
            State::Done(_) => 1.0,
        }
    }

    fn warmup_done(&self) -> f64 {
        share(self.warmup.spent, self.protocol.max_warmup)
            .max(count(self.warmup.medians.len()) / count(self.protocol.windows + 1))
            .min(1.0)
    }

    fn sampling_done(&self, sampling: Duration) -> f64 {
        let caps = share(sampling, self.protocol.max_time)
            .max(count(self.samples.len()) / real(self.protocol.max_samples));
        let width = self.interval.map_or(f64::INFINITY, |interval| interval.relative());
        let narrow = (self.protocol.target / width.max(self.protocol.target)).powi(2);
        let least = share(sampling, self.protocol.min_time)
            .min(count(self.samples.len()) / real(self.protocol.min_samples).max(1.0));
        narrow.min(least).max(caps).min(1.0)
    }

    /// The interval of the median so far.
    #[must_use]
    pub fn interval(&self) -> Option<MedianInterval> {
        self.interval
    }

    /// Steady-state samples so far.
    #[must_use]
    pub fn samples(&self) -> &[u64] {
        &self.samples
    }

    /// The first run, nanoseconds.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Runs spent warming up.
    #[must_use]
    pub fn warmup_runs(&self) -> u64 {
        self.warmup.runs
    }

    /// Whether the last windows of the warm-up agreed.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.warmup.settled
    }
}

/// What a bar shows once the warm-up is over.
const WARMUP_SHARE: f64 = 0.2;

fn share(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() { 1.0 } else { part.as_secs_f64() / whole.as_secs_f64() }
}

#[cfg(test)]
mod tests;
