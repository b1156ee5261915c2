//! `convwise advise`: the answer.

use std::time::Duration;

use convwise_advisor::measure::MeasureError;
use convwise_advisor::sensitivity::sensitivity;
use convwise_advisor::shortlist::Trial;
use convwise_advisor::what_if::{Sweep, what_if};
use convwise_advisor::{Ask, Budget, Watch, advise};
use convwise_bench::{Progress as BenchProgress, Update};
use convwise_types::{Measurement, Millis};

use super::{command_line, interruptible, request};
use crate::args::AdviseArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::progress::Progress;
use crate::render;
use crate::screen::Screen;

pub(crate) fn run(context: &Context, args: &AdviseArgs) -> Result<(), CliError> {
    match &args.what_if {
        Some(sweep) => moved(context, args, sweep),
        None if args.sensitivity => tried(context, args),
        None => answered(context, args),
    }
}

/// Where the first pick changes while one figure moves.
fn moved(context: &Context, args: &AdviseArgs, sweep: &str) -> Result<(), CliError> {
    let sweep = Sweep::parse(sweep).map_err(|why| CliError::invalid(format!("--what-if: {why}")))?;
    let answer = what_if(&context.world()?, &request(context, &args.request)?, &sweep)?;
    if args.json {
        return context.screen.json(&answer);
    }
    context.screen.result(&render::what_if::what_if(&answer))
}

/// Which inputs the first pick hangs on.
fn tried(context: &Context, args: &AdviseArgs) -> Result<(), CliError> {
    let answer = sensitivity(&context.world()?, &request(context, &args.request)?)?;
    if args.json {
        return context.screen.json(&answer);
    }
    context.screen.result(&render::sensitivity::sensitivity(&answer))
}

fn answered(context: &Context, args: &AdviseArgs) -> Result<(), CliError> {
    let ask = Ask {
        request: request(context, &args.request)?,
        top: usize::try_from(args.top).unwrap_or(usize::MAX),
        measure: args.measure.map(|count| Budget {
            count: usize::try_from(count).unwrap_or(usize::MAX),
            time: duration(args.measure_time),
        }),
        command: command_line(),
        retry: args.retry,
    };
    let world = context.world()?;
    let cancel = interruptible();
    let mut watch = Reporter::new(context.screen);
    let advice = advise(&world, &ask, &mut watch, &cancel)?;
    drop(watch);
    if args.json {
        context.screen.json(&advice)?;
    } else if args.markdown {
        context.screen.result(&render::markdown::advice(&advice))?;
    } else {
        context.screen.result(&render::advice::advice(&advice))?;
    }
    if advice.picks.is_empty() { Err(CliError::NothingFits) } else { Ok(()) }
}

/// A duration that a person typed.
pub(crate) fn duration(time: Millis) -> Duration {
    Duration::from_secs_f64((time.0 / 1000.0).clamp(0.0, 864_000.0))
}

/// Tells a person how the measuring goes.
pub(crate) struct Reporter {
    screen: Screen,
    progress: Option<Progress>,
    number: usize,
    of: usize,
}

impl Reporter {
    pub(crate) fn new(screen: Screen) -> Self {
        Self { screen, progress: None, number: 0, of: 0 }
    }

    /// One that shows progress from the start.
    pub(crate) fn watching(screen: Screen) -> Self {
        Self { progress: Some(Progress::new(screen)), ..Self::new(screen) }
    }

    fn line(&self, text: &str) {
        match &self.progress {
            Some(progress) => progress.line(self.screen, text),
            None => self.screen.remark(text),
        }
    }
}

/// A measurement in one line.
pub(crate) fn summary(m: &Measurement) -> String {
    let s = &m.statistics;
    let name = m
        .subject
        .architecture
        .as_ref()
        .map_or_else(|| m.subject.file.clone().unwrap_or_else(|| "model".to_owned()), ToString::to_string);
    format!("{name}: {} [{}, {}], {} samples, {}", s.median, s.ci_low, s.ci_high, s.samples, m.verdict)
}

impl BenchProgress for Reporter {
    fn update(&mut self, update: &Update<'_>) {
        let Some(progress) = &self.progress else { return };
        let median = update.median.map(|m| format!(", {m} so far")).unwrap_or_default();
        let what = if self.of > 0 {
            format!(
                "{} of at most {}: {} ({}{median})",
                self.number,
                self.of,
                update.title,
                update.phase.as_str()
            )
        } else {
            format!("{} ({}{median})", update.title, update.phase.as_str())
        };
        #[expect(clippy::cast_precision_loss, reason = "counts of measurements")]
        let done = if self.of > 0 {
            (self.number.saturating_sub(1) as f64 + update.done) / self.of as f64
        } else {
            update.done
        };
        progress.show(done, &what, update.left);
    }
}

impl Watch for Reporter {
    fn begins(&mut self, number: usize, of: usize, _: &Trial) {
        (self.number, self.of) = (number, of);
        self.progress.get_or_insert_with(|| Progress::new(self.screen));
    }

    fn measured(&mut self, measurement: &Measurement) {
        self.line(&format!("measured {}", summary(measurement)));
    }

    fn failed(&mut self, trial: &Trial, error: &MeasureError) {
        self.line(&format!("{} could not be measured: {error}", trial.architecture));
    }
}
