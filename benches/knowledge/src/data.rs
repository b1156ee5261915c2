//! Generated measurements: two hundred networks, four devices, three runners, plausible times. The same number gives the same
//! record.

use std::collections::{BTreeMap, BTreeSet};

use convwise_types::{
    AddedTiming, Bytes, Device, DeviceKind, InputShape, Launch, MEASUREMENT_SCHEMA, Measurement, Millis,
    PerSecond, Precision, Quality, RunnerStamp, Scenario, Statistics, Subject, Tool, Workload,
};

/// Scatters the bits of a number.
fn mixed(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

const RUNNERS: [&str; 3] = ["rten", "onnxruntime", "libtorch"];
const SIZES: [u64; 4] = [192, 224, 256, 384];
const THREADS: [u64; 3] = [1, 2, 4];

pub fn measurement(seed: u64) -> Measurement {
    let r = mixed(seed);
    let network = r % 200;
    let median = (1 + network) as f64 * 0.37 + (r >> 40) as f64 % 997.0 / 100.0;
    let ms = |factor: f64| Millis((median * factor * 1e6).round() / 1e6);
    let day = 1 + (r >> 32) % 28;
    Measurement {
        schema: MEASUREMENT_SCHEMA,
        id: "".into(),
        subject: Subject {
            architecture: Some(format!("network_{network:03}").into()),
            file: None,
            artifact: format!("{:032x}", u128::from(network) << 64 | 7),
            graph: Some(format!("{:032x}", u128::from(network) << 64 | 9)),
            weights: "seed:0".to_owned(),
            input: InputShape::square(SIZES[(r >> 8) as usize % 4]),
            batch: 1,
            precision: Precision::Fp32,
            postprocess: false,
        },
        runner: RunnerStamp {
            name: RUNNERS[(r >> 16) as usize % 3].into(),
            version: "1.0.0".to_owned(),
            options: BTreeMap::new(),
            simulated: false,
        },
        threads: THREADS[(r >> 20) as usize % 3],
        scenario: Scenario::Latency,
        rate: None,
        device: Device {
            id: format!("{:032x}", (r >> 24) % 4).into(),
            kind: DeviceKind::Cpu,
            cpu: format!("processor {}", (r >> 24) % 4),
            gpu: None,
            cores: 4,
            isa: BTreeSet::from(["avx2".to_owned()]),
            ram: Bytes(8_000_000_000),
            platform: "linux/x86_64".to_owned(),
            virtual_machine: false,
        },
        launches: vec![Launch {
            build: None,
            load: ms(5.0),
            first: ms(3.0),
            warmup_runs: 5,
            samples_ns: (0..10).map(|i| (median * 1e6) as u64 + mixed(r + i) % 10_000).collect(),
            peak_rss: Some(Bytes(50_000_000 + r % 1_000_000)),
        }],
        statistics: Statistics {
            samples: 10,
            median: ms(1.0),
            ci_low: ms(0.99),
            ci_high: ms(1.01),
            min: ms(0.98),
            mean: ms(1.002),
            p90: None,
            p99: None,
            mad: ms(0.001),
            outliers: r % 3,
        },
        verdict: if r % 10 == 0 { Quality::Noisy } else { Quality::Trusted },
        remarks: Vec::new(),
        conditions: BTreeMap::new(),
        taken: format!("2026-11-{day:02}T{:02}:{:02}:{:02}Z", r % 24, seed % 60, (seed / 60) % 60),
        tool: Tool { version: "0.1.0".to_owned(), command: format!("convwise bench network_{network:03}") },
    }
}

pub fn timing(seed: u64) -> AddedTiming {
    let r = mixed(seed);
    let ms = 1.0 + (r % 100_000) as f64 / 1000.0;
    AddedTiming {
        package: Some("timm".to_owned()),
        architecture: format!("network_{:04}", r % 1556).into(),
        weights: None,
        workload: Workload::Inference,
        device: format!("device-{}", (r >> 20) % 5),
        runtime: "pytorch 2.4.0".to_owned(),
        options: Some("cuda 12.4".to_owned()),
        precision: "amp".to_owned(),
        layout: Some("nchw".to_owned()),
        threads: None,
        batch: 256,
        input: InputShape::square(224),
        latency: Some(Millis(ms)),
        throughput: Some(PerSecond((256_000.0 / ms * 100.0).round() / 100.0)),
        source: format!("benchmark-infer.csv, line {}", seed + 2),
    }
}
