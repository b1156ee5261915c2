//! What differs between two states of knowledge: what was measured again, what is new, what contradicts what.

use std::collections::{BTreeMap, BTreeSet};

use convwise_bench::stats::{Outcome, compare};
use convwise_store::{Store, StoreError};
use convwise_types::{
    AddedCost, AddedFact, AddedResult, AddedTiming, InputShape, Measurement, Millis, Precision, RecordId,
    RunFailure, content_id,
};
use serde::Serialize;

use crate::conflicts::{Conflict, Evaluation, conflicts, named};

/// Every record of a knowledge base, by kind.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each holds the records of its name")]
pub struct Records {
    pub measurements: Vec<Measurement>,
    pub results: Vec<AddedResult>,
    pub timings: Vec<AddedTiming>,
    pub costs: Vec<AddedCost>,
    pub facts: Vec<AddedFact>,
    pub failures: Vec<RunFailure>,
}

impl Records {
    /// Everything that a knowledge base holds.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn of(store: &Store) -> Result<Self, StoreError> {
        let _session = store.session()?;
        Ok(Self {
            measurements: store.all_measurements()?,
            results: store.results(None)?,
            timings: store.timings(None)?,
            costs: store.costs()?,
            facts: store.facts()?,
            failures: store.failures()?,
        })
    }

    /// Without what was measured after a moment (RFC 3339, UTC). What others published has no such moment and stays.
    #[must_use]
    pub fn until(mut self, moment: &str) -> Self {
        self.measurements.retain(|m| m.taken.as_str() <= moment);
        self.failures.retain(|f| f.taken.as_str() <= moment);
        self
    }

    /// Ids by kind.
    fn ids(&self) -> [(&'static str, BTreeSet<RecordId>); 6] {
        [
            ("measurement", self.measurements.iter().map(|m| m.id.clone()).collect()),
            ("result", self.results.iter().map(content_id).collect()),
            ("timing", self.timings.iter().map(content_id).collect()),
            ("cost", self.costs.iter().map(content_id).collect()),
            ("fact", self.facts.iter().map(content_id).collect()),
            ("failure", self.failures.iter().map(content_id).collect()),
        ]
    }

    /// The networks that records are about, with the package in front where the name is a package's own.
    fn networks(&self) -> BTreeSet<String> {
        let measured = self.measurements.iter().filter_map(|m| m.subject.architecture.as_ref());
        let mut names: BTreeSet<_> = measured.map(ToString::to_string).collect();
        names.extend(self.results.iter().map(|r| named(r.package.as_deref(), r.architecture.as_str())));
        names.extend(self.timings.iter().map(|t| named(t.package.as_deref(), t.architecture.as_str())));
        names.extend(self.costs.iter().map(|c| named(c.package.as_deref(), c.architecture.as_str())));
        names
    }
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changes {
    /// Records by kind.
    pub kinds: Vec<KindCount>,
    /// What was measured on both sides and has another newest measurement on the second.
    pub measured_again: Vec<MeasuredAgain>,
    /// Networks that only the second side knows something about.
    pub new_networks: Vec<String>,
    /// Networks that only the first side knows something about.
    pub lost_networks: Vec<String>,
    /// Published accuracies that contradict each other on the second side and did not on the first.
    pub new_conflicts: Vec<Conflict>,
}

/// How many records of a kind there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KindCount {
    /// As `kb show` calls it.
    pub kind: &'static str,
    /// On the first side.
    pub first: usize,
    /// On the second side.
    pub second: usize,
    /// On the first side only.
    pub only_first: usize,
    /// On the second side only.
    pub only_second: usize,
}

/// One network in one setting, measured on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeasuredAgain {
    /// What ran, and how.
    #[serde(flatten)]
    pub setting: Setting,
    /// The newest measurement of the first side.
    pub first: Median,
    /// The newest measurement of the second side.
    pub second: Median,
    /// Whether the second is `faster`, `slower` or a `tie`, at the 5 % level; `unknown` without samples.
    pub outcome: &'static str,
    /// Second median over first, with its 95 % interval.
    pub ratio: Option<[f64; 3]>,
    /// Why the two may not be comparable.
    pub caveats: Vec<String>,
}

/// What must be equal for two measurements to be of the same thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[expect(missing_docs, reason = "each is the field of a measurement of the same name")]
pub struct Setting {
    pub network: String,
    pub input: InputShape,
    pub precision: Precision,
    pub postprocess: bool,
    pub runner: String,
    pub device: String,
    pub batch: u64,
    pub threads: u64,
    pub scenario: &'static str,
}

impl Setting {
    /// The setting of a measurement.
    #[must_use]
    pub fn of(m: &Measurement) -> Self {
        let s = &m.subject;
        let variant = s.architecture.as_ref().map(ToString::to_string);
        Self {
            network: variant.or_else(|| s.file.clone()).unwrap_or_else(|| s.artifact.clone()),
            input: s.input,
            precision: s.precision,
            postprocess: s.postprocess,
            runner: m.runner.name.to_string(),
            device: m.device.id.to_string(),
            batch: s.batch,
            threads: m.threads,
            scenario: m.scenario.as_str(),
        }
    }
}

/// A measurement in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Median {
    /// The record.
    pub record: RecordId,
    /// The median in milliseconds.
    pub median_ms: Millis,
    /// Its 95 % interval.
    pub interval_ms: [f64; 2],
    /// When it was taken.
    pub taken: String,
}

impl Median {
    fn of(m: &Measurement) -> Self {
        let s = &m.statistics;
        let (record, taken) = (m.id.clone(), m.taken.clone());
        Self { record, median_ms: s.median, interval_ms: [s.ci_low.0, s.ci_high.0], taken }
    }
}

/// What the second side has that the first has not, and what changed between them. `shipped` are the accuracies that come
/// with the program, which both sides know.
#[must_use]
pub fn changes(first: &Records, second: &Records, shipped: &[AddedResult]) -> Changes {
    let (known, now) = (first.networks(), second.networks());
    let before: BTreeSet<_> = conflicts(shipped.iter().chain(&first.results)).into_iter().map(key).collect();
    let conflicts = conflicts(shipped.iter().chain(&second.results)).into_iter();
    Changes {
        kinds: first.ids().iter().zip(&second.ids()).map(|(a, b)| counted(a.0, &a.1, &b.1)).collect(),
        measured_again: measured_again(&first.measurements, &second.measurements),
        new_networks: now.difference(&known).cloned().collect(),
        lost_networks: known.difference(&now).cloned().collect(),
        new_conflicts: conflicts.filter(|c| !before.contains(&key(c.clone()))).collect(),
    }
}

/// A conflict by what it is about and what is stated.
fn key(conflict: Conflict) -> (Evaluation, Vec<u64>) {
    (conflict.of, conflict.values.iter().map(|(value, _)| value.to_bits()).collect())
}

fn counted(kind: &'static str, first: &BTreeSet<RecordId>, second: &BTreeSet<RecordId>) -> KindCount {
    KindCount {
        kind,
        first: first.len(),
        second: second.len(),
        only_first: first.difference(second).count(),
        only_second: second.difference(first).count(),
    }
}

fn measured_again(first: &[Measurement], second: &[Measurement]) -> Vec<MeasuredAgain> {
    let (first, second) = (newest(first), newest(second));
    let pairs = first.into_iter().filter_map(|(setting, a)| Some((a, *second.get(&setting)?, setting)));
    pairs.filter(|(a, b, _)| a.id != b.id).map(|(a, b, setting)| side_by_side(setting, a, b)).collect()
}

/// The newest measurement of everything that counts as evidence.
fn newest(measurements: &[Measurement]) -> BTreeMap<Setting, &Measurement> {
    let mut found: BTreeMap<Setting, &Measurement> = BTreeMap::new();
    for m in measurements.iter().filter(|m| !m.runner.simulated) {
        let kept = found.entry(Setting::of(m)).or_insert(m);
        if (&m.taken, &m.id) > (&kept.taken, &kept.id) {
            *kept = m;
        }
    }
    found
}

fn side_by_side(setting: Setting, first: &Measurement, second: &Measurement) -> MeasuredAgain {
    let compared = compare(second, first);
    let mut caveats = compared.as_ref().map(|c| c.caveats.clone()).unwrap_or_default();
    if first.subject.graph != second.subject.graph {
        caveats.push("the layer graphs differ".to_owned());
    }
    MeasuredAgain {
        setting,
        first: Median::of(first),
        second: Median::of(second),
        outcome: compared.as_ref().map_or("unknown", |c| outcome(c.outcome)),
        ratio: compared.map(|c| [c.ratio, c.low, c.high]),
        caveats,
    }
}

/// The outcome of a comparison in a word.
#[must_use]
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Faster => "faster",
        Outcome::Slower => "slower",
        Outcome::Tie => "tie",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conflicts::tests::result;

    #[test]
    fn a_conflict_with_a_shipped_figure_is_new_once() {
        let with = |results: &[AddedResult]| Records { results: results.to_vec(), ..Records::default() };
        let (shipped, other) = ([result("a", 80.1, "shipped")], [result("a", 80.4, "third")]);
        let found = changes(&with(&[]), &with(&other), &shipped);
        assert_eq!(found.new_conflicts.len(), 1);
        assert_eq!((found.kinds[1].only_first, found.kinds[1].only_second), (0, 1));
        assert_eq!(found.new_networks, ["resnet50"]);
        let found = changes(&with(&other), &with(&other), &shipped);
        assert_eq!((found.new_conflicts.len(), found.new_networks.len()), (0, 0));
    }
}
