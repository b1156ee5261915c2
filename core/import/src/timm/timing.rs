//! timm's `benchmark-infer-*.csv` and `benchmark-train-*.csv`: time of a batch and images a second.

use convwise_types::{AddedTiming, Millis, PerSecond, Workload};

use super::name::{SetUp, set_up};
use super::{Model, PACKAGE, STYLE, TimmOptions, image, place};
use crate::desk::{Desk, Problem};
use crate::row::Row;
use crate::rows::Rows;
use crate::{Entry, device};

/// Where the timings of one workload stand, and what they were taken with.
pub(super) struct Columns {
    workload: Workload,
    rate: Option<usize>,
    step: Option<usize>,
    batch: usize,
    size: usize,
    device: String,
    runtime: String,
    precision: String,
    layout: Option<String>,
    options: Option<String>,
}

/// What tables call a workload.
const WORKLOADS: &[(Workload, &str)] = &[(Workload::Inference, "infer"), (Workload::Training, "train")];

/// By how much images a second and the time of a batch may disagree beyond their rounding: the one is counted over all of
/// a run, the other is a mean of steps. In the tables of 2026 they differ by up to 3.2 %.
const DISAGREEMENT: f64 = 0.05;

impl Columns {
    /// The columns of every workload that the table has.
    pub fn find(rows: &Rows, options: &TimmOptions, file: &str) -> Result<Vec<Self>, Problem> {
        let mut found = Vec::new();
        for (workload, prefix) in WORKLOADS {
            let column = |name: &str| rows.column(&format!("{prefix}_{name}"));
            let (rate, step) = (column("samples_per_sec"), column("step_time"));
            if rate.is_none() && step.is_none() {
                continue;
            }
            let need = |name: &str| {
                let missing = format!("{prefix}_{name}");
                column(name).ok_or_else(|| rows.lacks(&[&missing], "timm's table of timings"))
            };
            let (batch, size) = (need("batch_size")?, need("img_size")?);
            found.push(Self::of(*workload, [rate, step], [batch, size], options, set_up(file))?);
        }
        Ok(found)
    }

    /// What a person said comes before what the name says.
    fn of(
        workload: Workload,
        [rate, step]: [Option<usize>; 2],
        [batch, size]: [usize; 2],
        stated: &TimmOptions,
        named: SetUp,
    ) -> Result<Self, Problem> {
        let device = decide(&stated.device, named.device, "the device", "--device rtx3090")?;
        let options = (!named.options.is_empty()).then(|| named.options.join(", "));
        Ok(Self {
            workload,
            rate,
            step,
            batch,
            size,
            device: device::known(&device, &stated.devices).map_or_else(|| device.clone(), str::to_owned),
            runtime: decide(&stated.runtime, named.runtime, "the engine", "--runtime 'pytorch 2.4.0'")?,
            precision: decide(&stated.precision, named.precision, "the number format", "--precision amp")?,
            layout: stated.layout.clone().or(named.layout),
            options: stated.options.clone().or(options),
        })
    }

    /// Hands over the timing of a row; networks that did not fit into memory have none.
    pub fn hand(&self, row: Row<'_>, model: &Model, desk: &mut Desk<'_, '_>) -> Result<(), Problem> {
        let above_zero = |at: Option<usize>| {
            let at = at.filter(|at| row.filled(Some(*at)).is_some());
            at.map(|at| row.above_zero(at, STYLE)).transpose()
        };
        let (rate, step) = (above_zero(self.rate)?, above_zero(self.step)?);
        let Some(column) = step.and(self.step).or(rate.and(self.rate)) else {
            desk.report.blank += 1;
            return Ok(());
        };
        let batch = row.whole(self.batch, STYLE)?;
        if let (Some(rate), Some(step), Some(at)) = (rate, step, self.step) {
            agree(rate, step, batch).map_err(|why| row.wrong(at, why))?;
        }
        let entry = AddedTiming {
            package: Some(PACKAGE.to_owned()),
            architecture: model.architecture.clone(),
            weights: model.weights.clone(),
            workload: self.workload,
            device: self.device.clone(),
            runtime: self.runtime.clone(),
            options: self.options.clone(),
            precision: self.precision.clone(),
            layout: self.layout.clone(),
            threads: None,
            batch,
            input: image(row, self.size)?,
            latency: step.map(Millis),
            throughput: rate.map(PerSecond),
            source: desk.source_at(row.line),
        };
        desk.hand(Entry::Timing(entry), place(row, column));
        Ok(())
    }
}

fn decide(stated: &Option<String>, named: Option<String>, what: &str, flag: &str) -> Result<String, Problem> {
    let found = stated.clone().or(named);
    found.ok_or_else(|| {
        Problem::of_file(format!("its name does not say {what} of the timings; say it: {flag}"))
    })
}

/// Whether a rate, rounded to hundredths, and the milliseconds of a batch, rounded to thousandths, say the same.
fn agree(rate: f64, step: f64, batch: u64) -> Result<(), String> {
    #[expect(clippy::cast_precision_loss, reason = "compared within percents")]
    let images = batch as f64;
    let seen = rate * step / 1000.0;
    let room = DISAGREEMENT + 0.005 / rate + 0.0005 / step;
    if (seen / images - 1.0).abs() <= room {
        return Ok(());
    }
    Err(format!(
        "contradicts its row: {step} ms for each batch of {batch} images is {:.2} images a second, stated are {rate}",
        images * 1000.0 / step
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_rate_must_say_the_same() {
        let check = |rate, step, batch, sound: bool| {
            assert_eq!(agree(rate, step, batch).is_ok(), sound, "{rate} {step}")
        };
        check(109_337.21, 9.356, 1024, true);
        check(11_915.85, 41.681, 512, true);
        check(0.05, 21_270.331, 1, true);
        check(100.0, 9.356, 1024, false);
        check(50.0, 21.0, 1, true);
        check(50.0, 22.0, 1, false);
        let text = agree(100.0, 20.0, 1).unwrap_err();
        assert_eq!(
            text,
            "contradicts its row: 20 ms for each batch of 1 images is 50.00 images a second, stated are 100"
        );
    }
}
