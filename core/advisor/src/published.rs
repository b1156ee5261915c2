//! Latencies that somebody published for the very device, engine and setting of a request.

use convwise_types::{
    Architecture, Evidence, Fact, Grade, InputShape, Interval, Latency, Precision, PublishedLatency,
};

use crate::gather::Evidences;

/// How far the same network may be from a figure that was published for the same device and engine: other versions, clocks
/// and cooling. This project's judgement, for sources state no interval.
const SPREAD: f64 = 1.25;
/// What a source says where a figure covers the network alone.
const NETWORK: &str = "network";

/// The latency of a network in the setting of a request, where one is published: same device, engine, number format, batch
/// and input, and what it covers is what the request asks for.
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
            && p.is_of(&request.runner)
            && p.includes == NETWORK
            && !request.postprocess
    };
    let found = architecture.latencies.iter().find(fits)?;
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
