//! A record to test with.

use std::collections::{BTreeMap, BTreeSet};

use convwise_types::{
    Bytes, Device, DeviceKind, InputShape, Launch, MEASUREMENT_SCHEMA, Measurement, Millis, Precision,
    Quality, RunnerStamp, Scenario, Subject, Tool,
};

pub(crate) fn subject() -> Subject {
    Subject {
        architecture: Some("resnet50".into()),
        file: None,
        artifact: "a".repeat(32),
        graph: None,
        weights: "seed:0".into(),
        input: InputShape::square(224),
        batch: 1,
        precision: Precision::Fp32,
        postprocess: false,
    }
}

pub(crate) fn device() -> Device {
    Device {
        id: "d0".into(),
        kind: DeviceKind::Cpu,
        cpu: "Some CPU".into(),
        gpu: None,
        cores: 4,
        isa: BTreeSet::new(),
        ram: Bytes(8 << 30),
        platform: "linux/x86_64".into(),
        virtual_machine: false,
    }
}

/// A record of launches with these samples.
pub(crate) fn measurement(launches: &[Vec<u64>]) -> Measurement {
    let launch = |samples_ns: &Vec<u64>| Launch {
        load: Millis(80.0),
        build: None,
        first: Millis(12.0),
        warmup_runs: 9,
        samples_ns: samples_ns.clone(),
        peak_rss: None,
    };
    let launches: Vec<Launch> = launches.iter().map(launch).collect();
    Measurement {
        schema: MEASUREMENT_SCHEMA,
        id: "".into(),
        subject: subject(),
        runner: RunnerStamp {
            name: "rten".into(),
            version: "1".into(),
            options: BTreeMap::new(),
            simulated: false,
        },
        threads: 1,
        scenario: Scenario::Latency,
        rate: None,
        device: device(),
        statistics: crate::stats::summarise(&launches).unwrap(),
        launches,
        verdict: Quality::Trusted,
        remarks: Vec::new(),
        conditions: BTreeMap::new(),
        taken: "2026-01-01T00:00:00Z".into(),
        tool: Tool { version: "0.1.0".into(), command: "convwise bench resnet50".into() },
    }
}
