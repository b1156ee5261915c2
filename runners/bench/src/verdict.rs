//! Whether the samples can be relied on, and if not, why and what to try.
//!
//! One total function from what was seen to a verdict and its remarks. Pure.

use convwise_types::Quality;

use crate::conditions::Disturbance;
use crate::schedule::Effort;
use crate::schedule::TARGET;
use crate::stats::MIN_FOR_INTERVAL;

/// What was seen of one measurement.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'a> {
    /// How thorough it was to be.
    pub effort: Effort,
    /// Launches made.
    pub launches: usize,
    /// Steady-state samples.
    pub samples: usize,
    /// Half the width of the median's interval as a share of the median.
    pub within: f64,
    /// Largest relative drift within a launch.
    pub drift: f64,
    /// Largest median of a launch over the smallest, minus 1.
    pub launch_gap: f64,
    /// Whether every warm-up ended because its windows agreed.
    pub settled: bool,
    /// Whether the caller stopped it.
    pub cancelled: bool,
    /// Threads of the runner.
    pub threads: f64,
    /// What else the machine did.
    pub disturbance: &'a Disturbance,
}

/// The verdict, and one sentence for each thing that was seen.
pub(crate) fn judge(seen: &Seen<'_>) -> (Quality, Vec<String>) {
    let (insufficient, throttled, noisy) = (insufficient(seen), throttled(seen), noisy(seen));
    let quality = match (insufficient.is_empty(), throttled.is_empty(), noisy.is_empty()) {
        (false, _, _) => Quality::Insufficient,
        (_, false, _) => Quality::Throttled,
        (_, _, false) => Quality::Noisy,
        _ => Quality::Trusted,
    };
    (quality, [insufficient, throttled, noisy, notes(seen)].concat())
}

fn sentences<const N: usize>(found: [Option<String>; N]) -> Vec<String> {
    found.into_iter().flatten().collect()
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn insufficient(seen: &Seen<'_>) -> Vec<String> {
    let few = (seen.samples < MIN_FOR_INTERVAL).then(|| {
        format!(
            "{} samples are too few for an interval of the median, which needs {MIN_FOR_INTERVAL}; give it more time",
            seen.samples
        )
    });
    sentences([few])
}

fn throttled(seen: &Seen<'_>) -> Vec<String> {
    let disturbance = seen.disturbance;
    let heat = disturbance.heat_throttles.filter(|times| *times > 0).map(|times| {
        format!(
            "the processor was slowed down {times} times because of heat; let it cool, or fix its clock below the limit"
        )
    });
    let quota = disturbance.quota_stopped.filter(|share| *share > 0.01).map(|share| {
        format!(
            "the container's processor quota stopped the run for {} of the time; raise the quota or use fewer threads",
            percent(share)
        )
    });
    // A lower clock alone may be the governor's whim at the moment of looking; slower runs with it are not.
    let clock = disturbance.clock_kept().filter(|kept| *kept < 0.9 && seen.drift > 0.05).map(|kept| {
        format!(
            "the clock fell to {} of its value while the runs became {} slower; fix the clock or let the machine cool",
            percent(kept),
            percent(seen.drift)
        )
    });
    sentences([heat, quota, clock])
}

fn noisy(seen: &Seen<'_>) -> Vec<String> {
    let wide = (seen.within > TARGET).then(|| {
        format!(
            "the median is known only within {}; a quieter machine or more time would bring it below {}",
            percent(seen.within),
            percent(TARGET)
        )
    });
    let gap = (seen.launch_gap > 0.05).then(|| {
        format!(
            "fresh processes differ by {}; stop other programs, fix the clock or pin the threads, and measure again",
            percent(seen.launch_gap)
        )
    });
    let unsettled = (!seen.settled).then(|| {
        "the runs were still changing when the time for warming up was over; give it more time".to_owned()
    });
    let drifting = (seen.drift.abs() > 0.05).then(|| {
        let way = if seen.drift > 0.0 { "slower" } else { "faster" };
        format!(
            "the runs became {} {way} while sampling; let the machine come to rest and measure again",
            percent(seen.drift.abs())
        )
    });
    sentences([wide, gap, unsettled, drifting, stolen(seen), crowded(seen)])
}

fn stolen(seen: &Seen<'_>) -> Option<String> {
    let steal = seen.disturbance.steal.filter(|steal| *steal > 0.02)?;
    Some(format!(
        "the hypervisor gave {} of the processor time to other machines; measure when the host is quieter",
        percent(steal)
    ))
}

/// Other programs count once they leave fewer processors free than the runner has threads, or use a quarter of all.
fn crowded(seen: &Seen<'_>) -> Option<String> {
    let (others, all) = seen.disturbance.others.zip(seen.disturbance.processors)?;
    let in_the_way = others > 0.25 && (others + seen.threads > all + 0.1 || others > all / 4.0);
    in_the_way.then(|| {
        format!("other programs kept {others:.1} of {all:.0} processors busy; stop them and measure again")
    })
}

fn notes(seen: &Seen<'_>) -> Vec<String> {
    let screening = (seen.effort == Effort::Screening).then(|| {
        "screening: one process, so differences between processes are not in the interval".to_owned()
    });
    let short = (seen.launches < seen.effort.launches())
        .then(|| format!("{} of {} launches were made", seen.launches, seen.effort.launches()));
    let cancelled = seen.cancelled.then(|| "stopped early; what was sampled until then is kept".to_owned());
    sentences([screening, short, cancelled])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl Fn(&mut Seen<'_>), disturbance: Disturbance, expect: Quality, remark: &str) {
        let mut seen = Seen {
            effort: Effort::Full,
            launches: 3,
            samples: 200,
            within: 0.01,
            drift: 0.0,
            launch_gap: 0.01,
            settled: true,
            cancelled: false,
            threads: 1.0,
            disturbance: &disturbance,
        };
        change(&mut seen);
        let (quality, remarks) = judge(&seen);
        assert_eq!((quality, remarks.join("\n").as_str()), (expect, remark));
    }

    fn crowd(others: f64, processors: f64) -> Disturbance {
        Disturbance { others: Some(others), processors: Some(processors), ..Disturbance::default() }
    }

    #[test]
    fn quiet_and_steady_is_trusted() {
        check(|_| (), Disturbance::default(), Quality::Trusted, "");
        check(|_| (), crowd(0.2, 2.0), Quality::Trusted, "");
        check(|_| (), crowd(3.0, 64.0), Quality::Trusted, "");
    }

    #[test]
    fn every_cause_has_its_words() {
        let quiet = Disturbance::default;
        check(
            |seen| seen.samples = 5,
            quiet(),
            Quality::Insufficient,
            "5 samples are too few for an interval of the median, which needs 6; give it more time",
        );
        check(
            |_| (),
            Disturbance { heat_throttles: Some(2), ..quiet() },
            Quality::Throttled,
            "the processor was slowed down 2 times because of heat; let it cool, or fix its clock below the limit",
        );
        check(
            |_| (),
            Disturbance { quota_stopped: Some(0.3), ..quiet() },
            Quality::Throttled,
            "the container's processor quota stopped the run for 30.0 % of the time; raise the quota or use fewer threads",
        );
        check(
            |seen| seen.within = 0.034,
            quiet(),
            Quality::Noisy,
            "the median is known only within 3.4 %; a quieter machine or more time would bring it below 2.0 %",
        );
        check(
            |seen| seen.launch_gap = 0.2,
            quiet(),
            Quality::Noisy,
            "fresh processes differ by 20.0 %; stop other programs, fix the clock or pin the threads, and measure again",
        );
        check(
            |_| (),
            Disturbance { steal: Some(0.1), ..quiet() },
            Quality::Noisy,
            "the hypervisor gave 10.0 % of the processor time to other machines; measure when the host is quieter",
        );
        check(
            |seen| seen.threads = 2.0,
            crowd(1.3, 2.0),
            Quality::Noisy,
            "other programs kept 1.3 of 2 processors busy; stop them and measure again",
        );
        check(
            |seen| seen.settled = false,
            quiet(),
            Quality::Noisy,
            "the runs were still changing when the time for warming up was over; give it more time",
        );
        check(
            |seen| seen.drift = -0.08,
            quiet(),
            Quality::Noisy,
            "the runs became 8.0 % faster while sampling; let the machine come to rest and measure again",
        );
    }

    #[test]
    fn a_falling_clock_is_throttling_only_if_the_runs_follow() {
        let fallen = || Disturbance { clock: Some((2000.0, 1400.0)), ..Disturbance::default() };
        check(|_| (), fallen(), Quality::Trusted, "");
        check(
            |seen| seen.drift = 0.2,
            fallen(),
            Quality::Throttled,
            "the clock fell to 70.0 % of its value while the runs became 20.0 % slower; fix the clock or let the machine cool\n\
             the runs became 20.0 % slower while sampling; let the machine come to rest and measure again",
        );
    }

    #[test]
    fn notes_do_not_spoil_the_verdict() {
        check(
            |seen| {
                seen.effort = Effort::Screening;
                seen.launches = 1;
            },
            Disturbance::default(),
            Quality::Trusted,
            "screening: one process, so differences between processes are not in the interval",
        );
        check(
            |seen| {
                seen.launches = 2;
                seen.cancelled = true;
            },
            Disturbance::default(),
            Quality::Trusted,
            "2 of 3 launches were made\nstopped early; what was sampled until then is kept",
        );
    }
}
