//! A small measurement to store, and files to damage.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use convwise_store::{OpenOptions, Record, Store};
use convwise_types::{
    AddedCost, AddedFact, AddedResult, AddedTiming, Bytes, Device, DeviceKind, FAILURE_SCHEMA, InputShape,
    Launch, MEASUREMENT_SCHEMA, Measurement, Millis, Percent, Precision, PublishedResult, Quality, RecordId,
    RunFailure, RunnerStamp, Scenario, StatedCost, Statistics, Subject, Task, Tool, Workload,
};

/// A measurement whose content depends on `seed`.
pub fn measurement(seed: u64) -> Measurement {
    let ms = |factor: f64| Millis(factor * (10.0 + seed as f64 / 7.0));
    Measurement {
        schema: MEASUREMENT_SCHEMA,
        id: RecordId::from(""),
        subject: Subject {
            architecture: Some(["resnet18", "resnet50", "shufflenet_v2_x1_0"][seed as usize % 3].into()),
            file: None,
            artifact: format!("artifact-{}", seed % 5),
            graph: Some(format!("graph-{}", seed % 3)),
            weights: "seed:0".to_owned(),
            input: InputShape::square(224),
            batch: 1 + seed % 2,
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
        device: device(seed % 2),
        launches: vec![Launch {
            build: None,
            load: ms(2.0),
            first: ms(1.5),
            warmup_runs: 5,
            samples_ns: (0..40).map(|i| 10_000_000 + seed * 1000 + i * 17).collect(),
            peak_rss: Some(Bytes(120_000_000)),
        }],
        statistics: Statistics {
            samples: 40,
            median: ms(1.0),
            ci_low: ms(0.99),
            ci_high: ms(1.01),
            min: ms(0.9),
            mean: ms(1.1),
            p90: None,
            p99: None,
            mad: ms(0.01),
            outliers: 1,
        },
        verdict: Quality::Trusted,
        remarks: Vec::new(),
        conditions: BTreeMap::from([("governor".to_owned(), "performance".to_owned())]),
        taken: "2026-11-22T12:00:00Z".to_owned(),
        tool: Tool { version: "0.1.0".to_owned(), command: format!("convwise bench --run {seed}") },
    }
    .sealed()
}

fn device(number: u64) -> Device {
    Device {
        id: format!("device-{number}").into(),
        kind: DeviceKind::Cpu,
        cpu: "a processor".to_owned(),
        gpu: None,
        cores: 2,
        isa: BTreeSet::from(["avx2".to_owned()]),
        ram: Bytes(8_000_000_000),
        platform: "linux/x86_64".to_owned(),
        virtual_machine: true,
    }
}

/// A fact whose content depends on `seed`.
pub fn fact(seed: u64) -> Record {
    AddedFact {
        about: "device:x".to_owned(),
        name: format!("fact-{seed}"),
        value: serde_json::json!(seed),
        unit: None,
        source: "https://example.org/".to_owned(),
    }
    .into()
}

/// One record of each kind.
pub fn one_of_each() -> Vec<Record> {
    vec![measurement(0).into(), result().into(), timing().into(), cost().into(), fact(0), failure().into()]
}

fn result() -> AddedResult {
    AddedResult {
        package: Some("timm".to_owned()),
        architecture: "resnet50".into(),
        weights: Some("a1_in1k".into()),
        result: PublishedResult {
            dataset: "imagenet-1k/val".to_owned(),
            metric: "top1".to_owned(),
            value: Percent(80.22),
            input_size: 224,
            precision: Precision::Fp32,
            source: "results-imagenet.csv, line 3".to_owned(),
        },
        note: None,
    }
}

fn timing() -> AddedTiming {
    AddedTiming {
        package: Some("timm".to_owned()),
        architecture: "resnet50".into(),
        weights: None,
        workload: Workload::Inference,
        device: "a device".to_owned(),
        runtime: "pytorch 2.4.0".to_owned(),
        options: None,
        precision: "amp".to_owned(),
        layout: Some("nchw".to_owned()),
        threads: None,
        batch: 1024,
        input: InputShape::square(224),
        latency: Some(Millis(312.5)),
        throughput: None,
        source: "benchmark.csv, line 9".to_owned(),
    }
}

fn cost() -> AddedCost {
    AddedCost {
        package: Some("timm".to_owned()),
        architecture: "resnet50".into(),
        task: Task::Classify,
        cost: StatedCost {
            params: Some(convwise_types::Params(25_560_000)),
            macs: None,
            note: Some("rounded".to_owned()),
            source: "benchmark.csv, line 9".to_owned(),
        },
    }
}

fn failure() -> RunFailure {
    RunFailure {
        schema: FAILURE_SCHEMA,
        subject: measurement(1).subject,
        runner: "onnxruntime".into(),
        version: "1.31.1".to_owned(),
        options: BTreeMap::new(),
        threads: 1,
        device: "device-1".into(),
        kind: "crashed".to_owned(),
        phase: Some("run".to_owned()),
        reason: "the worker ended with SIGSEGV".to_owned(),
        taken: "2026-11-22T12:00:00Z".to_owned(),
        tool: Tool { version: "0.1.0".to_owned(), command: "convwise bench resnet50".to_owned() },
    }
}

pub fn records(seeds: impl IntoIterator<Item = u64>) -> Vec<Record> {
    seeds.into_iter().map(|seed| measurement(seed).into()).collect()
}

pub fn open(home: &Path) -> Store {
    Store::open(home, &OpenOptions::default()).unwrap()
}

/// A home with the measurements of these seeds, closed again.
pub fn home_with(seeds: impl IntoIterator<Item = u64>) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let store = open(home.path());
    for record in records(seeds) {
        store.append(&[record]).unwrap();
    }
    assert!(store.take_notices().is_empty());
    home
}

pub fn ids(store: &Store) -> BTreeSet<RecordId> {
    store.all_measurements().unwrap().into_iter().map(|m| m.id).collect()
}

pub fn ids_of(seeds: impl IntoIterator<Item = u64>) -> BTreeSet<RecordId> {
    seeds.into_iter().map(|seed| measurement(seed).id).collect()
}

pub fn journal(home: &Path) -> PathBuf {
    home.join("kb/journal.jsonl")
}

pub fn index(home: &Path) -> PathBuf {
    home.join("kb/index")
}

/// Changes the bytes of a file.
pub fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// What the store has to say, with the home folder's name taken out.
pub fn notices(store: &Store, home: &Path) -> String {
    let texts: Vec<String> = store.take_notices().iter().map(ToString::to_string).collect();
    without_home(&texts.join("\n"), home)
}

pub fn without_home(text: &str, home: &Path) -> String {
    text.replace(&home.display().to_string(), "<home>")
}

/// Root may write everywhere, so "cannot be written" is made with a folder where the lock file should be.
pub fn forbid_writing(home: &Path) {
    let lock = home.join("kb/lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
}
