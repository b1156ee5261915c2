//! Every device that something is known of, with how much was measured there and published of it.

use std::collections::BTreeMap;

use convwise_store::{KnownDevice, RecordKind, Store, StoreError};
use convwise_types::{Architecture, RunnerName};

/// How much is known of what ran on a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Measurements, by runner.
    pub measurements: BTreeMap<RunnerName, u64>,
    /// Failures of runners.
    pub failures: u64,
    /// Timings that others published, usable as evidence or not.
    pub published: u64,
}

impl Figures {
    /// Whether nothing is known of what ran there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A device.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its id, or its name as a source writes it.
    pub id: String,
    /// What is known of the device itself; `None` where timings only name it.
    pub device: Option<KnownDevice>,
    /// What ran there.
    pub figures: Figures,
}

/// Devices that something was measured on, then those that files describe, then those that timings only name; `ours` are
/// architectures whose definitions may state latencies.
///
/// # Errors
/// The knowledge base cannot be read.
pub fn devices(store: &Store, ours: &[Architecture]) -> Result<Vec<Listed>, StoreError> {
    let mut figures = counted(store, ours)?;
    let known = store.devices()?.into_iter().map(|device| {
        let id = device.id().to_string();
        Listed { figures: figures.remove(&id).unwrap_or_default(), id, device: Some(device) }
    });
    let mut all: Vec<_> = known.collect();
    all.extend(figures.into_iter().map(|(id, figures)| Listed { id, device: None, figures }));
    Ok(all)
}

fn counted(store: &Store, ours: &[Architecture]) -> Result<BTreeMap<String, Figures>, StoreError> {
    let mut all = BTreeMap::<String, Figures>::new();
    for ([device, runner], count) in tally(store, RecordKind::Measurement, ["device_id", "runner"])? {
        all.entry(device).or_default().measurements.insert(runner.into(), count);
    }
    for ([device], count) in tally(store, RecordKind::Failure, ["device_id"])? {
        all.entry(device).or_default().failures += count;
    }
    for ([device], count) in tally(store, RecordKind::Timing, ["device"])? {
        all.entry(device).or_default().published += count;
    }
    for latency in ours.iter().flat_map(|architecture| &architecture.latencies) {
        all.entry(latency.device.clone()).or_default().published += 1;
    }
    Ok(all)
}

/// How many records of a kind have the same names in some fields.
fn tally<const N: usize>(
    store: &Store,
    kind: RecordKind,
    fields: [&'static str; N],
) -> Result<BTreeMap<[String; N], u64>, StoreError> {
    let columns = store.columns(kind, &fields)?;
    let mut counts = BTreeMap::<[Option<u32>; N], (usize, u64)>::new();
    for row in 0..columns.rows() {
        counts.entry(fields.map(|field| columns.code(field, row))).or_insert((row, 0)).1 += 1;
    }
    let named =
        |(row, count)| (fields.map(|field| columns.text(field, row).unwrap_or_default().to_owned()), count);
    Ok(counts.into_values().map(named).collect())
}
