//! What the knowledge base holds of a device that a request can use: asked for by setting, never all of it.

use convwise_host::RunnerEntry;
use convwise_store::{MeasurementFilter, Store, StoreError};
use convwise_types::{DeviceId, Measurement, Request, RunFailure, RunnerName, Scenario};

use crate::faults::{Faults, Stand};
use crate::place::Place;
use crate::world::World;

/// The records of one setting on one device.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// The newest usable measurement of each network with the request's runner, threads and batch.
    pub measurements: Vec<Measurement>,
    /// Failures of the runner that still stand.
    pub faults: Faults,
}

impl Recorded {
    /// For a request that runs at a place; failures before the moment `forgiven` do not count.
    pub fn of(
        world: &World<'_>,
        runner: &RunnerEntry,
        place: &Place,
        request: &Request,
        forgiven: Option<&str>,
    ) -> Result<Self, StoreError> {
        let filter = MeasurementFilter {
            device: Some(place.id()),
            runner: Some(request.runner.clone()),
            threads: Some(request.threads),
            batch: Some(request.batch),
            scenario: Some(Scenario::Latency),
            usable: true,
            ..MeasurementFilter::default()
        };
        let at = Stand::of(world, runner, place.id());
        let faults = faults(world.store, &at, forgiven)?;
        Ok(Self { measurements: world.store.newest_measurements(&filter)?, faults })
    }
}

/// The failures that still stand somewhere.
///
/// # Errors
/// The knowledge base cannot be read.
pub fn faults(store: &Store, at: &Stand, forgiven: Option<&str>) -> Result<Faults, StoreError> {
    let mut failures = store.failures()?;
    failures.retain(|f| f.is_fault() && f.device == at.device && f.runner == at.runner);
    let mut later = Vec::new();
    for failure in &failures {
        for filter in same_network(failure, &at.device, &at.runner) {
            later.extend(store.measurements(&filter)?);
        }
    }
    Ok(Faults::standing(at, &failures, &later, forgiven))
}

/// What finds the measurements of a network that a runner failed with: by its graph, and by its file.
fn same_network(failure: &RunFailure, device: &DeviceId, runner: &RunnerName) -> Vec<MeasurementFilter> {
    let subject = &failure.subject;
    let setting = MeasurementFilter {
        device: Some(device.clone()),
        runner: Some(runner.clone()),
        batch: Some(subject.batch),
        precision: Some(subject.precision),
        input: Some(subject.input),
        ..MeasurementFilter::default()
    };
    let file = MeasurementFilter { artifact: Some(subject.artifact.clone()), ..setting.clone() };
    let graph = subject.graph.clone().map(|graph| MeasurementFilter { graph: Some(graph), ..setting });
    graph.into_iter().chain([file]).collect()
}
