//! Latencies that somebody published for the very device, engine and setting of a request.

use convwise_types::{
    Architecture, DeviceKind, Evidence, Fact, Grade, InputShape, Interval, Latency, Precision,
    PublishedLatency,
};

use crate::gather::Evidences;
use crate::place::Place;

/// How far the same network may be from a figure that was published for the same device and engine: other versions, clocks
/// and cooling. This project's judgement, for sources state no interval.
const SPREAD: f64 = 1.25;
/// What a source says where a figure covers the network alone, and how it begins where it covers what follows too.
pub(crate) const NETWORK: &str = "network";
const ANSWERS: &str = "network and ";

/// Most sources do not state threads: engines use all processors unless they are told otherwise.
fn uses_all_cores(evidences: &Evidences<'_>) -> bool {
    match evidences.place {
        Place::Described(device) if device.kind == DeviceKind::Cpu => {
            device.cores == Some(evidences.request.threads)
        }
        _ => true,
    }
}

/// The latency of a network in the setting of a request, where one is published: same device, engine, number format, batch
/// and input, and what it covers is what the request asks for. Of several set-ups of the engine the one whose text sorts last,
/// mostly the newest version: so that networks of one table are compared in one set-up.
pub(crate) fn latency(
    architecture: &Architecture,
    input: InputShape,
    precision: Precision,
    evidences: &Evidences<'_>,
) -> Option<Fact<Latency>> {
    let (request, device) = (evidences.request, evidences.place.id());
    let fits = |p: &&PublishedLatency| {
        p.device == device.as_str()
            && (p.precision, p.batch, p.input) == (precision, request.batch, input)
            && p.threads.map_or_else(|| uses_all_cores(evidences), |threads| threads == request.threads)
            && p.is_of(&request.runner)
            && if request.postprocess { p.includes.starts_with(ANSWERS) } else { p.includes == NETWORK }
    };
    let fitting = architecture.latencies.iter().filter(fits);
    let found = fitting.rev().max_by(|a, b| a.runtime.cmp(&b.runtime))?;
    let ms = found.latency.0;
    Some(Fact::Known(
        Latency {
            median: found.latency,
            interval: Interval { low: ms / SPREAD, high: ms * SPREAD },
            device,
            runner: request.runner.clone(),
            record: None,
        },
        Evidence::new(Grade::Published, format!("{}, {}", found.runtime, found.source)),
    ))
}
