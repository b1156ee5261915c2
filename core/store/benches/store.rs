//! What opening, asking and adding cost. `cargo bench -p convwise-store`.

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::path::Path;

use convwise_store::{MeasurementFilter, OpenOptions, Record, Store};
use convwise_types::{
    Bytes, Device, DeviceKind, InputShape, Launch, MEASUREMENT_SCHEMA, Measurement, Millis, Precision,
    Quality, RunnerStamp, Scenario, Statistics, Subject, Tool,
};
use criterion::{Criterion, criterion_group, criterion_main};

fn measurement(seed: u64) -> Measurement {
    let ms = Millis(10.0 + f64::from(u32::try_from(seed % 1000).unwrap_or(0)) / 7.0);
    Measurement {
        schema: MEASUREMENT_SCHEMA,
        id: "".into(),
        subject: Subject {
            architecture: Some(format!("architecture-{}", seed % 50).into()),
            file: None,
            artifact: format!("artifact-{}", seed % 200),
            graph: Some(format!("graph-{}", seed % 100)),
            weights: "seed:0".to_owned(),
            input: InputShape::square(224),
            batch: 1,
            precision: Precision::Fp32,
            postprocess: false,
        },
        runner: RunnerStamp {
            name: "rten".into(),
            version: "0.27.0".to_owned(),
            options: BTreeMap::new(),
            simulated: false,
        },
        threads: 1,
        scenario: Scenario::Latency,
        rate: None,
        device: Device {
            id: format!("device-{}", seed % 4).into(),
            kind: DeviceKind::Cpu,
            cpu: "a processor".to_owned(),
            gpu: None,
            cores: 2,
            isa: BTreeSet::from(["avx2".to_owned()]),
            ram: Bytes(8_000_000_000),
            platform: "linux/x86_64".to_owned(),
            virtual_machine: true,
        },
        launches: vec![Launch {
            build: None,
            load: ms,
            first: ms,
            warmup_runs: 5,
            samples_ns: (0..100).map(|i| 10_000_000 + seed * 13 + i * 17).collect(),
            peak_rss: None,
        }],
        statistics: Statistics {
            samples: 100,
            median: ms,
            ci_low: ms,
            ci_high: ms,
            min: ms,
            mean: ms,
            p90: None,
            p99: None,
            mad: Millis(0.1),
            outliers: 0,
        },
        verdict: Quality::Trusted,
        remarks: Vec::new(),
        conditions: BTreeMap::new(),
        taken: "2026-11-22T12:00:00Z".to_owned(),
        tool: Tool { version: "0.1.0".to_owned(), command: format!("run {seed}") },
    }
    .sealed()
}

fn open(home: &Path) -> Option<Store> {
    Store::open(home, &OpenOptions::default()).ok()
}

fn small(criterion: &mut Criterion) {
    let Ok(home) = tempfile::tempdir() else { return };
    let Some(store) = open(home.path()) else { return };
    let records: Vec<Record> = (0..200).map(|seed| measurement(seed).into()).collect();
    let added = store.append(&records);
    assert!(added.is_ok(), "{added:?}");
    criterion.bench_function("open, 200 measurements", |b| b.iter(|| black_box(open(home.path()))));
    criterion.bench_function("open and read all of 200 measurements", |b| {
        b.iter(|| open(home.path()).map(|store| black_box(store.all_measurements())));
    });
    let filter = MeasurementFilter { architecture: Some("architecture-7".into()), ..Default::default() };
    criterion.bench_function("point query in 200 measurements", |b| {
        b.iter(|| black_box(store.measurements(&filter)));
    });
    let mut seed = 1000;
    criterion.bench_function("append one, synced", |b| {
        b.iter(|| {
            seed += 1;
            black_box(store.append(&[measurement(seed).into()]))
        });
    });
}

fn large(criterion: &mut Criterion) {
    let Ok(home) = tempfile::tempdir() else { return };
    let Some(store) = open(home.path()) else { return };
    let records: Vec<Record> = (0..20_000).map(|seed| measurement(seed).into()).collect();
    let added = store.append(&records);
    assert!(added.is_ok(), "{added:?}");
    let mut group = criterion.benchmark_group("20,000 measurements");
    group.sample_size(10);
    group.bench_function("open", |b| b.iter(|| black_box(open(home.path()))));
    let filter = MeasurementFilter { artifact: Some("artifact-7".to_owned()), ..Default::default() };
    group.bench_function("find and read 100", |b| b.iter(|| black_box(store.measurements(&filter))));
    group.bench_function("rebuild", |b| b.iter(|| black_box(store.rebuild())));
}

criterion_group!(benches, small, large);
criterion_main!(benches);
