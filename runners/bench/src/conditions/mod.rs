//! What else the machine did while we measured: other programs, a hypervisor, the clock, a quota.
//!
//! Two looks at the kernel's counters, before and after, and their difference. Reading is apart from understanding;
//! every figure is optional, because containers, virtual machines and other systems hide some or all of them.

mod counters;
mod read;

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use counters::Processors;

/// One look at the machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Snapshot {
    /// Ticks of all processors together since the start of the machine.
    pub processors: Option<Processors>,
    /// Programs that wanted to run, averaged over the last minute.
    pub load: Option<f64>,
    /// Frequency policy.
    pub governor: Option<String>,
    /// Clock of the fastest processor in MHz.
    pub mhz: Option<f64>,
    /// Times a processor was slowed down because of heat.
    pub heat_throttles: Option<u64>,
    /// Microseconds for which the container's quota stopped us.
    pub quota_stopped_us: Option<u64>,
}

impl Snapshot {
    /// Looks at this machine now.
    pub(crate) fn take() -> Self {
        read::snapshot()
    }
}

/// What happened between two looks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Disturbance {
    /// Share of the machine's time that the hypervisor gave to others, 0 to 1.
    pub steal: Option<f64>,
    /// Processors that other programs kept busy, on average.
    pub others: Option<f64>,
    /// Processors of the machine.
    pub processors: Option<f64>,
    /// Clock at the beginning and at the end, MHz.
    pub clock: Option<(f64, f64)>,
    /// Times a processor was slowed down because of heat.
    pub heat_throttles: Option<u64>,
    /// Share of the time for which the container's quota stopped us.
    pub quota_stopped: Option<f64>,
    /// Programs that wanted to run, averaged over the minute before.
    pub load: Option<f64>,
    /// Frequency policy.
    pub governor: Option<String>,
}

impl Disturbance {
    /// The difference of two looks `elapsed` apart, during which the measurement itself used `own` processor time.
    pub(crate) fn between(before: &Snapshot, after: &Snapshot, elapsed: Duration, own: Duration) -> Self {
        let passed = before.processors.zip(after.processors).map(|(before, after)| after.since(before));
        let wall = elapsed.as_secs_f64().max(1e-9);
        let stopped = difference(before.quota_stopped_us, after.quota_stopped_us);
        Self {
            steal: passed.map(|passed| passed.steal()),
            others: passed.map(|passed| (passed.busy() - own.as_secs_f64() / wall).max(0.0)),
            processors: passed.map(|passed| passed.processors()),
            clock: before.mhz.zip(after.mhz),
            heat_throttles: difference(before.heat_throttles, after.heat_throttles),
            quota_stopped: stopped.map(|us| Duration::from_micros(us).as_secs_f64() / wall),
            load: before.load,
            governor: after.governor.clone(),
        }
    }

    /// The clock at the end as a share of the clock at the beginning.
    pub(crate) fn clock_kept(&self) -> Option<f64> {
        self.clock.map(|(before, after)| after / before.max(1.0))
    }

    /// The worse of two in every respect: a record of several launches answers for all of them.
    pub(crate) fn worst(self, other: Self) -> Self {
        let slower = |own: &Self, other: &Self| other.clock_kept() < own.clock_kept();
        Self {
            clock: if self.clock.is_none() || slower(&self, &other) { other.clock } else { self.clock },
            steal: larger(self.steal, other.steal),
            others: larger(self.others, other.others),
            processors: larger(self.processors, other.processors),
            heat_throttles: self.heat_throttles.max(other.heat_throttles),
            quota_stopped: larger(self.quota_stopped, other.quota_stopped),
            load: larger(self.load, other.load),
            governor: other.governor.or(self.governor),
        }
    }

    /// As text, for the record.
    pub(crate) fn texts(&self) -> BTreeMap<String, String> {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let texts = [
            ("governor", self.governor.clone()),
            ("load", self.load.map(|load| format!("{load:.2}"))),
            ("steal", self.steal.map(percent)),
            ("other_programs", self.others.map(|busy| format!("{busy:.2} processors"))),
            ("clock", self.clock.map(|(before, after)| format!("{before:.0} MHz, then {after:.0} MHz"))),
            ("heat_throttles", self.heat_throttles.map(|count| count.to_string())),
            ("quota_stopped", self.quota_stopped.map(percent)),
        ];
        texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?))).collect()
    }
}

fn larger(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.zip(b).map(|(a, b)| a.max(b)).or(a).or(b)
}

fn difference(before: Option<u64>, after: Option<u64>) -> Option<u64> {
    before.zip(after).map(|(before, after)| after.saturating_sub(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(stat: &str) -> Snapshot {
        Snapshot { processors: Processors::parse(stat), ..Snapshot::default() }
    }

    const BEFORE: &str = "cpu  100 0 100 1000 0 0 0 0 0 0\ncpu0 1\ncpu1 1\n";

    #[test]
    fn own_time_is_not_held_against_others() {
        // 400 ticks passed on two processors: 200 each, 300 of them busy, 20 stolen.
        let after = look("cpu  380 0 100 1100 0 0 0 20 0 0\ncpu0 1\ncpu1 1\n");
        let seen =
            Disturbance::between(&look(BEFORE), &after, Duration::from_secs(2), Duration::from_secs(2));
        assert_eq!(seen.processors, Some(2.0));
        assert!((seen.steal.unwrap() - 0.05).abs() < 1e-9);
        // 280 of 400 ticks were work: 1.4 processors, of which ours was 1.
        assert!((seen.others.unwrap() - 0.4).abs() < 1e-9, "{seen:?}");
        assert_eq!(seen.texts()["steal"], "5.0 %");
        assert_eq!(seen.texts()["other_programs"], "0.40 processors");
    }

    #[test]
    fn clock_heat_and_quota() {
        let before = Snapshot {
            mhz: Some(3000.0),
            heat_throttles: Some(7),
            quota_stopped_us: Some(0),
            ..Snapshot::default()
        };
        let after = Snapshot {
            mhz: Some(2400.0),
            heat_throttles: Some(9),
            quota_stopped_us: Some(500_000),
            governor: Some("powersave".into()),
            ..Snapshot::default()
        };
        let seen = Disturbance::between(&before, &after, Duration::from_secs(10), Duration::ZERO);
        assert_eq!(
            (seen.clock_kept(), seen.heat_throttles, seen.quota_stopped),
            (Some(0.8), Some(2), Some(0.05))
        );
        assert_eq!(seen.texts()["governor"], "powersave");
        assert_eq!(seen.texts()["clock"], "3000 MHz, then 2400 MHz");
    }

    #[test]
    fn the_worst_launch_counts() {
        let quiet = Disturbance { steal: Some(0.0), clock: Some((3000.0, 3000.0)), ..Disturbance::default() };
        let loud = Disturbance { steal: Some(0.2), clock: Some((3000.0, 2000.0)), ..Disturbance::default() };
        assert_eq!(quiet.clone().worst(loud.clone()), loud);
        assert_eq!(loud.clone().worst(quiet), loud);
        assert_eq!(Disturbance::default().worst(loud.clone()), loud);
    }

    #[test]
    fn a_machine_that_hides_everything_is_not_accused() {
        let nothing = Snapshot::default();
        let seen = Disturbance::between(&nothing, &nothing, Duration::ZERO, Duration::ZERO);
        assert_eq!(seen, Disturbance::default());
    }
}
