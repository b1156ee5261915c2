//! The situations that rules are watched in: requests of every kind, each with all candidates there are for it.
//!
//! Nothing is measured; where a rule demands measurements, every second request has its estimates taken for measured,
//! so that a limit on the latency is met, missed and left undecided.

use std::collections::BTreeMap;

use convwise_judge::{Corpus, Inquiry, Situation};
use convwise_store::shipped::Shipped;
use convwise_types::{
    Bytes, Candidate, Device, DeviceKind, Evidence, Fact, Grade, Interval, RecordId, Request, ShippedDevice,
    Task,
};

use crate::answer::target_of;
use crate::catalogue::Catalogue;
use crate::draft::{Draft, Surroundings};
use crate::faults::Faults;
use crate::gather::{Evidences, gather};
use crate::place::{KnownDevices, Place};

/// Where it runs, what matters most and what the team has, apart from the task: every word that a request may use, and
/// limits from generous to tight. In the words of the flags.
const REQUESTS: &[&str] = &[
    "deploy=cpu-server",
    "deploy=gpu-server",
    "deploy=mobile",
    "deploy=edge",
    "deploy=cpu-server priority=accuracy effort=high",
    "deploy=cpu-server priority=speed effort=medium",
    "deploy=cpu-server priority=size licence=permissive",
    "deploy=cpu-server priority=simplicity effort=low",
    "deploy=gpu-server priority=accuracy batch=32",
    "deploy=gpu-server priority=speed precision=fp32,fp16,int8",
    "deploy=gpu-server priority=balanced effort=low latency=5ms",
    "deploy=gpu-server real-time=true latency=30ms",
    "deploy=cpu-server latency=20ms",
    "deploy=cpu-server latency=100ms precision=fp32,int8",
    "deploy=cpu-server latency=400ms threads=1",
    "deploy=cpu-server throughput=10/s threads=4",
    "deploy=cpu-server throughput=100/s threads=4",
    "deploy=cpu-server real-time=true",
    "deploy=cpu-server batch=16 real-time=true",
    "deploy=cpu-server max-size=30MB",
    "deploy=cpu-server max-params=10M",
    "deploy=cpu-server min-accuracy=40",
    "deploy=cpu-server min-accuracy=75",
    "deploy=mobile max-size=20MB",
    "deploy=mobile latency=200ms priority=speed",
    "deploy=mobile real-time=true",
    "deploy=mobile priority=accuracy effort=high",
    "deploy=mobile priority=size effort=low licence=permissive",
    "deploy=edge ram=512kB",
    "deploy=edge ram=1MB memory-model=depthwise-channel",
    "deploy=edge flash=2MB",
    "deploy=edge priority=size",
    "deploy=edge priority=accuracy effort=medium real-time=true",
    "deploy=cpu-server domain=natural classes=10 train-images=200",
    "deploy=cpu-server domain=natural classes=100 train-images=15000",
    "deploy=cpu-server domain=natural classes=1000 train-images=100000",
    "deploy=cpu-server domain=natural classes=1000 train-images=600000",
    "deploy=cpu-server domain=natural train-images=2000000",
    "deploy=gpu-server domain=medical classes=2 train-images=1500",
    "deploy=gpu-server domain=medical train-images=1500000 effort=high",
    "deploy=gpu-server domain=satellite classes=20 train-images=30000",
    "deploy=gpu-server domain=satellite classes=20 train-images=3000000",
    "deploy=cpu-server domain=industrial classes=4 train-images=120",
    "deploy=cpu-server domain=document classes=16 train-images=320000",
    "deploy=gpu-server domain=microscopy classes=8 train-images=900",
    "deploy=gpu-server domain=microscopy train-images=1200000",
    "deploy=cpu-server domain=synthetic classes=50 train-images=50000",
    "deploy=mobile domain=other classes=5 train-images=5000",
    "deploy=edge domain=industrial classes=3 train-images=60000",
    "deploy=gpu-server objects=80 object-size=12",
    "deploy=gpu-server objects=200 runner=tensorrt",
    "deploy=cpu-server objects=30 object-size=40",
    "deploy=cpu-server object-size=16 real-time=true",
    "deploy=mobile objects=20 object-size=6",
    "deploy=edge objects=5 object-size=24",
];

/// Every request of the corpus, for each task and for each described device.
///
/// The words are fixed, so that nothing here can fail but by a mistake in them, which a test looks for.
#[must_use]
pub fn corpus(catalogue: &Catalogue, shipped: &Shipped) -> Corpus {
    let tasks = Task::ALL.iter().filter(|task| catalogue.architectures.iter().any(|a| a.task == **task));
    let described: Vec<ShippedDevice> = shipped.devices.iter().map(|d| d.value.clone()).collect();
    let lines = tasks.flat_map(|task| {
        let devices = described.iter().map(|device| {
            let deploy = if device.kind == DeviceKind::Gpu { "gpu-server" } else { "edge" };
            format!("deploy={deploy} device={}", device.id)
        });
        let stated = REQUESTS.iter().map(|line| (*line).to_owned()).chain(devices);
        stated.map(move |line| format!("task={task} {line}")).collect::<Vec<_>>()
    });
    let situations = lines.enumerate().filter_map(|(at, line)| situation(catalogue, &described, at, line));
    Corpus { situations: situations.collect() }
}

fn situation(
    catalogue: &Catalogue,
    described: &[ShippedDevice],
    at: usize,
    line: String,
) -> Option<Situation> {
    let request = request(&line)?;
    let isa: &[&str] = if at.is_multiple_of(2) { &["avx2", "avx512f", "avx512_vnni"] } else { &["avx2"] };
    let stand_in = stand_in(isa, at.is_multiple_of(3).then_some("NVIDIA L4"));
    let known =
        KnownDevices { here: &stand_in, here_has_gpu: stand_in.gpu.is_some(), measured: &[], described };
    let place = Place::of(&request, &known).ok()?;
    let candidates = candidates(catalogue, &request, &place, at);
    let inquiry = Inquiry { target: target_of(&place), request };
    Some(Situation { name: line, inquiry, candidates })
}

/// The request of a line of `name=value`.
fn request(line: &str) -> Option<Request> {
    let mut draft = Draft::default();
    for pair in line.split(' ') {
        let (name, value) = pair.split_once('=')?;
        draft.set(name, value).ok()?;
    }
    draft.complete(&Surroundings { cores: 4, cores_of: &|_| None }, BTreeMap::new()).ok()
}

/// A machine of four processors to take for this one, the same everywhere.
pub(crate) fn stand_in(isa: &[&str], gpu: Option<&str>) -> Device {
    Device {
        id: "stand-in".into(),
        kind: DeviceKind::Cpu,
        cpu: "a server".to_owned(),
        gpu: gpu.map(str::to_owned),
        cores: 4,
        isa: isa.iter().map(|word| (*word).to_owned()).collect(),
        ram: Bytes(16_000_000_000),
        platform: "linux-x86_64".to_owned(),
        virtual_machine: false,
    }
}

fn candidates(catalogue: &Catalogue, request: &Request, place: &Place, at: usize) -> Vec<Candidate> {
    let evidences = Evidences {
        request,
        place,
        graphs: &catalogue.graphs,
        measurements: &[],
        faults: &Faults::default(),
    };
    let mut candidates = gather(&catalogue.architectures, &evidences);
    if !at.is_multiple_of(2) {
        candidates.iter_mut().for_each(measure);
    }
    // Some network fails with every runner some day.
    if let Some(candidate) = candidates.get_mut(at) {
        let failure = "runner rten ran out of memory while it ran the model".to_owned();
        candidate.failure = Fact::Known(failure, Evidence::new(Grade::Measured, "record of the corpus"));
    }
    candidates
}

/// Takes an estimate of the latency for a measurement.
fn measure(candidate: &mut Candidate) {
    let evidence = Evidence::new(Grade::Measured, "record of the corpus");
    if let Fact::Known(latency, grade) = &mut candidate.latency {
        latency.interval = Interval { low: latency.median.0 * 0.98, high: latency.median.0 * 1.02 };
        latency.record = Some(RecordId::from("corpus"));
        *grade = evidence.clone();
    }
    if let Fact::Known(_, grade) = &mut candidate.throughput {
        *grade = evidence;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_request() {
        for line in REQUESTS {
            assert!(request(&format!("task=classify {line}")).is_some(), "{line}");
        }
    }
}
