//! What others published of networks, from the records of it: figures about variants of ours, and networks that are known
//! from such figures alone.
//!
//! Records speak in their source's names. Which variant is meant is what its family says of other packages (`elsewhere`),
//! never that two names are alike. A network that no family names becomes an architecture without a layer graph and without
//! a family, so that no rule about families concerns it.

use std::collections::{BTreeMap, BTreeSet};

use convwise_store::shipped::Shipped;
use convwise_store::{Store, StoreError};
use convwise_types::{
    AddedCost, AddedResult, AddedTiming, Architecture, ArchitectureId, InputShape, Millis, Origin, Precision,
    PublishedLatency, PublishedResult, StatedCost, StatedMacs, Task, Weights, WeightsTag, Workload,
};
use serde::{Deserialize, Serialize};

/// Kind of the cached value, and its one key: only what follows from the newest records is kept.
const CACHE: &str = "published/2";
const NEWEST: &str = "newest";
/// Whose names are used where a record states no package.
const OURS: &str = "added here";
/// Tag of weights that a source does not name.
const UNNAMED: &str = "unnamed";
/// Values of one evaluation that differ by less are the same figure, rounded.
const ROUNDING: f64 = 0.0005;

/// Everything that others published, sorted by whose network it is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// About variants of ours.
    tied: BTreeMap<ArchitectureId, Told>,
    /// Networks of which nothing else is known.
    others: Vec<Architecture>,
}

/// What others say of a variant of ours.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Told {
    weights: Vec<Weights>,
    latencies: Vec<PublishedLatency>,
}

/// The records that figures are published in.
#[derive(Clone, Copy, Debug)]
pub struct Records<'a> {
    /// Accuracies.
    pub results: &'a [AddedResult],
    /// Timings.
    pub timings: &'a [AddedTiming],
    /// Counts of parameters and work.
    pub costs: &'a [AddedCost],
}

impl Published {
    /// What a knowledge base holds about `ours` and other networks. What follows from its records is remembered until they
    /// change.
    ///
    /// # Errors
    /// The knowledge base cannot be read.
    pub fn of(store: &Store, ours: &[Architecture]) -> Result<Self, StoreError> {
        let stamp = stamp(store, ours);
        if let Some(known) = store.cache_get(CACHE, NEWEST)?.and_then(|kept| remembered(&kept, &stamp)) {
            return Ok(known);
        }
        let (results, timings, costs) = (store.results(None)?, store.timings(None)?, store.costs()?);
        let records = Records { results: &results, timings: &timings, costs: &costs };
        let found = Self::from_records(&records, ours, store.shipped());
        if let Ok(text) = serde_json::to_string(&found)
            && found != Self::default()
        {
            // A cache that cannot be written only costs time.
            let _ = store.cache_put(CACHE, NEWEST, &format!("{stamp}\n{text}"));
        }
        Ok(found)
    }

    /// Sorts records by the networks that they are about.
    #[must_use]
    pub fn from_records(records: &Records<'_>, ours: &[Architecture], shipped: &Shipped) -> Self {
        let names = Names::of(ours);
        let sources = Source::all(records);
        let plain = plain_names(&sources, &names);
        let mut published = Self::default();
        for ((package, model), source) in &sources {
            match names.ours(*package, model) {
                Some(id) => published.tied.entry(id.clone()).or_default().add(source.told(*package, model)),
                None => {
                    let id = match package {
                        Some(package) if !plain.contains(model.as_str()) => {
                            format!("{package}/{model}").into()
                        }
                        _ => (*model).clone(),
                    };
                    published.others.extend(source.alone(id, *package, model, shipped));
                }
            }
        }
        published
    }

    /// Adds to variants of ours what others say of them.
    pub fn tell(&self, ours: &mut [Architecture]) {
        for architecture in ours {
            if let Some(told) = self.tied.get(&architecture.id) {
                told.weights.iter().for_each(|weights| add_weights(architecture, weights));
                architecture.latencies.extend(told.latencies.iter().cloned());
            }
        }
    }

    /// The networks of which only published figures are known.
    #[must_use]
    pub fn into_others(self) -> Vec<Architecture> {
        self.others
    }
}

/// What is kept behind a stamp, if it was made from the same.
fn remembered(kept: &str, stamp: &str) -> Option<Published> {
    let (made_from, text) = kept.split_once('\n')?;
    if made_from == stamp { serde_json::from_str(text).ok() } else { None }
}

/// Everything that the kept value depends on: the program, the records, and what families say of other packages.
fn stamp(store: &Store, ours: &[Architecture]) -> String {
    let mut digest = blake3::Hasher::new();
    for architecture in ours {
        digest.update(format!("{} {:?}\n", architecture.id, architecture.elsewhere).as_bytes());
    }
    for dataset in store.shipped().datasets.iter().map(|entry| &entry.value) {
        digest.update(format!("{} {}\n", dataset.id, dataset.task).as_bytes());
    }
    format!("{} {} {}", env!("CARGO_PKG_VERSION"), store.version(), digest.finalize().to_hex())
}

/// What packages call variants of ours.
struct Names<'a> {
    elsewhere: BTreeMap<(&'a str, &'a str), &'a ArchitectureId>,
    ids: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    fn of(ours: &'a [Architecture]) -> Self {
        let mut elsewhere = BTreeMap::new();
        for architecture in ours {
            for (package, model) in &architecture.elsewhere {
                elsewhere.entry((package.as_str(), model.as_str())).or_insert(&architecture.id);
            }
        }
        Self { elsewhere, ids: ours.iter().map(|a| a.id.as_str()).collect() }
    }

    fn ours<'n>(&self, package: Option<&str>, model: &'n ArchitectureId) -> Option<&'n ArchitectureId>
    where
        'a: 'n,
    {
        match package {
            Some(package) => self.elsewhere.get(&(package, model.as_str())).copied(),
            None => self.ids.contains(model.as_str()).then_some(model),
        }
    }
}

/// Names that stand for one network alone: no variant of ours and no other package has them.
fn plain_names<'a>(sources: &BTreeMap<Name<'a>, Source<'a>>, names: &Names<'_>) -> BTreeSet<&'a str> {
    let mut used = BTreeMap::<&str, usize>::new();
    let untied = sources.keys().filter(|(package, model)| names.ours(*package, model).is_none());
    untied.for_each(|(_, model)| *used.entry(model.as_str()).or_default() += 1);
    let alone =
        |(model, count): (&'a str, usize)| (count == 1 && !names.ids.contains(model)).then_some(model);
    used.into_iter().filter_map(alone).collect()
}

/// A network as its source calls it.
type Name<'a> = (Option<&'a str>, &'a ArchitectureId);

/// All that is published of one network.
#[derive(Default)]
struct Source<'a> {
    results: Vec<&'a AddedResult>,
    timings: Vec<&'a AddedTiming>,
    costs: Vec<&'a AddedCost>,
}

impl<'a> Source<'a> {
    /// In the order of what the figures are about and then of their sources, whatever the order of the records.
    fn all(records: &Records<'a>) -> BTreeMap<Name<'a>, Self> {
        let mut all = BTreeMap::<Name<'a>, Self>::new();
        for r in records.results {
            all.entry((r.package.as_deref(), &r.architecture)).or_default().results.push(r);
        }
        for t in records.timings {
            all.entry((t.package.as_deref(), &t.architecture)).or_default().timings.push(t);
        }
        for c in records.costs {
            all.entry((c.package.as_deref(), &c.architecture)).or_default().costs.push(c);
        }
        for source in all.values_mut() {
            source.results.sort_by_key(|r| (&r.weights, &r.result.source));
            source.timings.sort_by_key(|t| &t.source);
            source.costs.sort_by_key(|c| &c.cost.source);
        }
        all
    }

    fn told(&self, package: Option<&str>, model: &ArchitectureId) -> Told {
        Told { weights: self.weights(package, model), latencies: self.latencies() }
    }

    fn weights(&self, package: Option<&str>, model: &ArchitectureId) -> Vec<Weights> {
        let mut found: Vec<Weights> = Vec::new();
        for added in &self.results {
            let tag = tag_of(package, added.weights.as_ref());
            if found.last().is_none_or(|last| last.tag != tag) {
                found.push(unstated(tag, found_as(package, model, added.weights.as_ref())));
            }
            if let Some(weights) = found.last_mut() {
                add_result(&mut weights.results, &added.result);
            }
        }
        found
    }

    fn latencies(&self) -> Vec<PublishedLatency> {
        self.timings.iter().filter_map(|timing| latency(timing)).collect()
    }

    /// The network, known from these figures alone; `None` where they say too little: neither a task nor an input.
    fn alone(
        &self,
        id: ArchitectureId,
        package: Option<&str>,
        model: &ArchitectureId,
        shipped: &Shipped,
    ) -> Option<Architecture> {
        let (task, input) = (self.task(shipped)?, self.input()?);
        Some(Architecture {
            id,
            family: String::new(),
            title: model.to_string(),
            task,
            paper: None,
            code_licence: None,
            maturity: None,
            tags: BTreeSet::new(),
            input,
            weights: self.weights(package, model),
            elsewhere: package.map(|p| (p.to_owned(), model.to_string())).into_iter().collect(),
            graph: None,
            reach: None,
            latencies: self.latencies(),
            stated: Some(self.cost(input)),
            stated_macs: self.counts().into_iter().filter(|macs| macs.input != input).collect(),
            origin: Origin::Published(package.unwrap_or(OURS).to_owned()),
            plugin: String::new(),
        })
    }

    fn task(&self, shipped: &Shipped) -> Option<Task> {
        let of_data = || self.results.iter().find_map(|r| shipped.dataset(&r.result.dataset)).map(|d| d.task);
        self.costs.first().map(|c| c.task).or_else(of_data)
    }

    /// The size that most of it was evaluated at; of equals the smallest.
    fn input(&self) -> Option<InputShape> {
        let evaluated = most_frequent(self.results.iter().map(|r| r.result.input_size));
        let counted = || most_frequent(self.counts().into_iter().map(|macs| macs.input));
        let timed = || most_frequent(self.timings.iter().map(|t| t.input));
        evaluated.map(InputShape::square).or_else(counted).or_else(timed)
    }

    /// Multiply-accumulates, one count an input: the first by source.
    fn counts(&self) -> Vec<StatedMacs> {
        let mut by_input = BTreeMap::new();
        for macs in self.costs.iter().filter_map(|c| c.cost.macs) {
            by_input.entry(macs.input).or_insert(macs);
        }
        by_input.into_values().collect()
    }

    /// Parameters as most sources count them, and the work at an input.
    fn cost(&self, input: InputShape) -> StatedCost {
        let params = most_frequent(self.costs.iter().filter_map(|c| c.cost.params));
        let at_input = |c: &&&AddedCost| c.cost.macs.is_some_and(|macs| macs.input == input);
        let agreed = |c: &&&AddedCost| params.is_some() && c.cost.params == params;
        let both = self.costs.iter().find(|c| at_input(c) && agreed(c));
        let counted = both.or_else(|| self.costs.iter().find(at_input));
        let sized = both.or_else(|| self.costs.iter().find(agreed));
        let cited: BTreeSet<&str> =
            [sized, counted].into_iter().flatten().map(|c| c.cost.source.as_str()).collect();
        let source = match cited.is_empty() {
            true => self.any_source(),
            false => cited.into_iter().collect::<Vec<_>>().join("; "),
        };
        StatedCost {
            params,
            macs: counted.and_then(|c| c.cost.macs),
            source,
            note: sized.or(counted).and_then(|c| c.cost.note.clone()),
        }
    }

    fn any_source(&self) -> String {
        let results = self.results.iter().map(|r| &r.result.source);
        let mut all = results.chain(self.timings.iter().map(|t| &t.source));
        all.next().cloned().unwrap_or_default()
    }
}

impl Told {
    fn add(&mut self, more: Self) {
        self.weights.extend(more.weights);
        self.latencies.extend(more.latencies);
    }
}

/// The value that occurs most often; of equals the smallest.
fn most_frequent<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts = BTreeMap::<T, usize>::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(value, _)| value)
}

/// Tags of packages begin with the package's name, as ours do.
fn tag_of(package: Option<&str>, tag: Option<&WeightsTag>) -> WeightsTag {
    let tag = tag.map_or(UNNAMED, WeightsTag::as_str);
    package.map_or_else(|| tag.to_owned(), |package| format!("{package}/{tag}")).into()
}

/// What the package calls its weights: the model, with the tag where it has one.
fn found_as(package: Option<&str>, model: &ArchitectureId, tag: Option<&WeightsTag>) -> Option<String> {
    let tag = tag.map(|tag| format!(".{tag}")).unwrap_or_default();
    package.map(|package| format!("{package}/{model}{tag}"))
}

/// Weights of which nothing but their name is known: neither licence nor training data.
fn unstated(tag: WeightsTag, found_as: Option<String>) -> Weights {
    Weights {
        tag,
        covers: Default::default(),
        trained_on: Vec::new(),
        licence: None,
        url: None,
        found_as,
        preprocessing: None,
        results: Vec::new(),
    }
}

/// Figures about weights that are known already are added to these.
fn add_weights(architecture: &mut Architecture, told: &Weights) {
    let same = |known: &&mut Weights| {
        known.tag == told.tag || (known.found_as.is_some() && known.found_as == told.found_as)
    };
    match architecture.weights.iter_mut().find(same) {
        Some(known) => told.results.iter().for_each(|result| add_result(&mut known.results, result)),
        None => architecture.weights.push(told.clone()),
    }
}

/// Keeps a figure beside those that are there, unless one of them is the same.
fn add_result(results: &mut Vec<PublishedResult>, more: &PublishedResult) {
    let same =
        |known: &PublishedResult| is_of_same(known, more) && (known.value.0 - more.value.0).abs() < ROUNDING;
    if !results.iter().any(same) {
        results.push(more.clone());
    }
}

/// Whether two figures say the same thing of the same weights.
pub(crate) fn is_of_same(a: &PublishedResult, b: &PublishedResult) -> bool {
    (&a.dataset, &a.metric, a.input_size, a.precision) == (&b.dataset, &b.metric, b.input_size, b.precision)
}

/// A timing as evidence for a deployment: of inference, in one number format. A mixed one (`amp`) is not what any request
/// asks for. What the source says of the set-up stands in the runtime's text.
fn latency(timing: &AddedTiming) -> Option<PublishedLatency> {
    let precision: Precision = timing.precision.parse().ok()?;
    let setup = [&timing.options, &timing.layout].into_iter().flatten().map(String::as_str);
    let runtime = [timing.runtime.as_str()].into_iter().chain(setup).collect::<Vec<_>>().join(", ");
    (timing.workload == Workload::Inference).then_some(())?;
    Some(PublishedLatency {
        device: timing.device.clone(),
        runtime,
        precision,
        threads: timing.threads,
        batch: timing.batch,
        input: timing.input,
        latency: milliseconds(timing)?,
        includes: crate::published::NETWORK.to_owned(),
        source: timing.source.clone(),
    })
}

/// The time of a batch: as stated, else from the images a second.
#[expect(clippy::cast_precision_loss, reason = "batches are small")]
fn milliseconds(timing: &AddedTiming) -> Option<Millis> {
    let of_rate = || timing.throughput.map(|rate| 1000.0 * timing.batch as f64 / rate.0);
    let ms = timing.latency.map(|l| l.0).or_else(of_rate)?;
    (ms.is_finite() && ms > 0.0).then_some(Millis(ms))
}
