//! What differs between two states of knowledge: what was measured again, what is new, what contradicts what.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use convwise_bench::stats::{Outcome, compare};
use convwise_store::{ARRIVED, Record, RecordKind, Store, StoreError};
use convwise_types::listing::{Columns, Item};
use convwise_types::{AddedResult, InputShape, Measurement, Millis, Precision, RecordId};
use serde::Serialize;

use crate::conflicts::{Conflict, Evaluation, conflicts, named};

/// A knowledge base as it is, or as it was.
#[derive(Clone, Copy, Debug)]
pub struct State<'a> {
    /// Where the records are.
    pub store: &'a Store,
    /// Only those that had arrived by then, in seconds since 1970. Of the oldest records no arrival is known; they were
    /// always there.
    pub until: Option<u64>,
}

/// Columns that name the network of a measurement; the first that is known counts.
const NETWORK: [&str; 3] = ["architecture", "file", "artifact"];

/// Columns that tell one setting of a network from another.
const SETTING: [&str; 8] =
    ["input", "precision", "postprocess", "runner", "device_id", "batch", "threads", "scenario"];

/// Records of measurements read at a time; they hold all their samples.
const PAIRS: usize = 256;

/// The newest measurement of a setting: its id, and the row that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Newest {
    id: String,
    row: usize,
}

impl State<'_> {
    /// The rows of a kind that count.
    fn rows(&self, kind: RecordKind) -> Result<Vec<usize>, StoreError> {
        let Some(until) = self.until else {
            return Ok((0..self.store.columns(kind, &[])?.rows()).collect());
        };
        let columns = self.store.columns(kind, &[ARRIVED])?;
        let arrived = |row: usize| columns.whole(ARRIVED, row).and_then(|at| u64::try_from(at).ok());
        Ok((0..columns.rows()).filter(|row| arrived(*row).is_none_or(|at| at <= until)).collect())
    }

    /// Ids of a kind as numbers, in order: those of a million records take 16 MB.
    fn ids(&self, kind: RecordKind) -> Result<Vec<u128>, StoreError> {
        let rows = self.rows(kind)?;
        let columns = self.store.columns(kind, &["id"])?;
        let id = |row: usize| u128::from_str_radix(columns.text("id", row)?, 16).ok();
        let mut ids: Vec<u128> = rows.into_iter().filter_map(id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The networks that records are about, with the package in front where the name is a package's own.
    fn networks(&self) -> Result<BTreeSet<String>, StoreError> {
        let mut names = BTreeSet::new();
        let kinds = [RecordKind::Measurement, RecordKind::Result, RecordKind::Timing, RecordKind::Cost];
        for kind in kinds {
            let columns = self.store.columns(kind, &["package", "architecture"])?;
            let mut seen = BTreeSet::new();
            for row in self.rows(kind)? {
                let fresh = seen.insert(["package", "architecture"].map(|field| columns.code(field, row)));
                if let Some(network) = columns.text("architecture", row).filter(|_| fresh) {
                    names.insert(named(columns.text("package", row), network));
                }
            }
        }
        Ok(names)
    }

    fn results(&self) -> Result<Vec<AddedResult>, StoreError> {
        let records = self.store.records_at(RecordKind::Result, &self.rows(RecordKind::Result)?)?;
        let result = |(_, record)| if let Record::Result(result) = record { Some(result) } else { None };
        Ok(records.into_iter().filter_map(result).collect())
    }

    /// The newest measurement of everything that counts as evidence, by setting.
    fn newest(&self) -> Result<BTreeMap<String, Newest>, StoreError> {
        let names = [NETWORK.as_slice(), &SETTING, &["taken", "simulated", "id"]].concat();
        let columns = self.store.columns(RecordKind::Measurement, &names)?;
        let age = |row: usize| (columns.text("taken", row), columns.text("id", row));
        let mut found: HashMap<SettingCode, usize> = HashMap::new();
        for row in self.rows(RecordKind::Measurement)? {
            if columns.item("simulated", row) == Item::Flag(true) {
                continue;
            }
            let kept = found.entry(setting_in(&columns, row)).or_insert(row);
            if age(row) > age(*kept) {
                *kept = row;
            }
        }
        let id = |row: usize| columns.text("id", row).unwrap_or_default().to_owned();
        let named = |row: usize| (setting_text(&columns, row), Newest { id: id(row), row });
        Ok(found.into_values().map(named).collect())
    }

    fn measurements(&self, rows: &[usize]) -> Result<Vec<Measurement>, StoreError> {
        let records = self.store.records_at(RecordKind::Measurement, rows)?;
        let measurement = |(_, record)| if let Record::Measurement(m) = record { Some(*m) } else { None };
        Ok(records.into_iter().filter_map(measurement).collect())
    }
}

/// A setting as what names the network, and numbers that tell it from the others of the same columns.
type SettingCode = (&'static str, [Option<u64>; 9]);

/// The columns that tell the setting of a row, the network's first.
fn telling(columns: &Columns, row: usize) -> [&'static str; 9] {
    let network = NETWORK.into_iter().find(|field| columns.code(field, row).is_some());
    let [input, precision, postprocess, runner, device, batch, threads, scenario] = SETTING;
    let network = network.unwrap_or("artifact");
    [network, input, precision, postprocess, runner, device, batch, threads, scenario]
}

fn setting_in(columns: &Columns, row: usize) -> SettingCode {
    let fields @ [network, ..] = telling(columns, row);
    let code = |field| match columns.item(field, row) {
        Item::Whole(whole) => Some(whole.cast_unsigned()),
        Item::Flag(flag) => Some(u64::from(flag)),
        _ => columns.code(field, row).map(u64::from),
    };
    (network, fields.map(code))
}

/// A setting as text that is the same in every knowledge base.
fn setting_text(columns: &Columns, row: usize) -> String {
    telling(columns, row).map(|field| format!("{field} {:?}", columns.item(field, row))).join("\u{1f}")
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
///
/// # Errors
/// A knowledge base cannot be read.
pub fn changes(
    first: &State<'_>,
    second: &State<'_>,
    shipped: &[AddedResult],
) -> Result<Changes, StoreError> {
    // Always in one order, so that two comparisons never wait for each other.
    let mut stores = [first.store, second.store];
    stores.sort_by_key(|store| store.path());
    let _sessions = (stores[0].session()?, stores[1].session()?);
    let (known, now) = (first.networks()?, second.networks()?);
    let stated = |state: &State<'_>| Ok::<_, StoreError>(conflicts(shipped.iter().chain(&state.results()?)));
    let before: BTreeSet<_> = stated(first)?.into_iter().map(key).collect();
    let mut new_conflicts = stated(second)?;
    new_conflicts.retain(|conflict| !before.contains(&key(conflict.clone())));
    Ok(Changes {
        kinds: RecordKind::READABLE
            .into_iter()
            .map(|k| counted(k, first, second))
            .collect::<Result<_, _>>()?,
        measured_again: measured_again(first, second)?,
        new_networks: now.difference(&known).cloned().collect(),
        lost_networks: known.difference(&now).cloned().collect(),
        new_conflicts,
    })
}

/// A conflict by what it is about and what is stated.
fn key(conflict: Conflict) -> (Evaluation, Vec<u64>) {
    (conflict.of, conflict.values.iter().map(|(value, _)| value.to_bits()).collect())
}

fn counted(kind: RecordKind, first: &State<'_>, second: &State<'_>) -> Result<KindCount, StoreError> {
    let (first, second) = (first.ids(kind)?, second.ids(kind)?);
    let both = first.iter().filter(|id| second.binary_search(id).is_ok()).count();
    Ok(KindCount {
        kind: kind.word(),
        first: first.len(),
        second: second.len(),
        only_first: first.len() - both,
        only_second: second.len() - both,
    })
}

fn measured_again(first: &State<'_>, second: &State<'_>) -> Result<Vec<MeasuredAgain>, StoreError> {
    let (before, now) = (first.newest()?, second.newest()?);
    let pair = |(setting, a): (&String, &Newest)| now.get(setting).map(|b| (a.clone(), b.clone()));
    let pairs: Vec<_> = before.iter().filter_map(pair).filter(|(a, b)| a.id != b.id).collect();
    let mut found = Vec::with_capacity(pairs.len());
    for pairs in pairs.chunks(PAIRS) {
        let (a, b): (Vec<_>, Vec<_>) = pairs.iter().map(|(a, b)| (a.row, b.row)).unzip();
        let (a, b) = (first.measurements(&a)?, second.measurements(&b)?);
        found.extend(a.iter().zip(&b).map(|(a, b)| side_by_side(Setting::of(a), a, b)));
    }
    found.sort_by(|a, b| a.setting.cmp(&b.setting));
    Ok(found)
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
    use convwise_store::OpenOptions;

    #[test]
    fn a_conflict_with_a_shipped_figure_is_new_once() {
        let (empty, full) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let open = |folder: &tempfile::TempDir| Store::open(folder.path(), &OpenOptions::default()).unwrap();
        let (empty, full) = (open(&empty), open(&full));
        full.append(&[result("a", 80.4, "third").into()]).unwrap();
        let state = |store| State { store, until: None };
        let shipped = [result("a", 80.1, "shipped")];
        let found = changes(&state(&empty), &state(&full), &shipped).unwrap();
        assert_eq!(found.new_conflicts.len(), 1);
        assert_eq!((found.kinds[1].only_first, found.kinds[1].only_second), (0, 1));
        assert_eq!(found.new_networks, ["resnet50"]);
        let found = changes(&state(&full), &state(&full), &shipped).unwrap();
        assert_eq!((found.new_conflicts.len(), found.new_networks.len()), (0, 0));
    }
}
