//! Every network as it could be deployed in one setting, for queries: no limit, no rule, no ranking.

use convwise_types::{Candidate, Precision, Request, Task};

use crate::advise::{AdvisorError, find_place, find_runner};
use crate::catalogue::{Catalogue, Form};
use crate::compared::named;
use crate::gather::{Evidences, gather};
use crate::place::Place;
use crate::recorded::Recorded;
use crate::world::World;

/// Networks in a setting.
#[derive(Debug)]
pub struct Listing {
    /// Of all tasks, in the order of their keys.
    pub candidates: Vec<Candidate>,
    /// Where they would run.
    pub place: Place,
}

/// The candidates of all tasks on the device, runner, batch, threads and precisions of a request; its task and its limits
/// do not matter. What was measured there is preferred to what is calibrated, that to what is published, and that to an
/// estimate, as in every answer.
///
/// # Errors
/// Device, runner or dataset are not known, or the knowledge base cannot be read.
pub fn listing(world: &World<'_>, request: &Request) -> Result<Listing, AdvisorError> {
    let _session = world.store.session()?;
    let place = find_place(world, request)?;
    let runner = find_runner(world, request.runner.as_str())?;
    let catalogue = Catalogue::load(world.zoo, world.store, Form::of(request))?;
    let recorded = Recorded::of(world, runner, &place, request, None)?;
    let mut candidates = Vec::new();
    for task in Task::ALL {
        let request = of_task(world, request, *task)?;
        let evidences = Evidences {
            request: &request,
            place: &place,
            graphs: &catalogue.graphs,
            measurements: &recorded.measurements,
            faults: &recorded.faults,
        };
        candidates.extend(gather(&catalogue.architectures, &evidences));
    }
    candidates.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(Listing { candidates, place })
}

/// The request for one task, compared on its dataset if that tests the task.
fn of_task(world: &World<'_>, request: &Request, task: Task) -> Result<Request, AdvisorError> {
    let shipped = world.store.shipped();
    let comparison = match &request.dataset {
        Some(id) if shipped.dataset(id).is_none_or(|d| d.task == task) => Some(named(shipped, task, id)?),
        _ => None,
    };
    Ok(Request { task, comparison, ..request.clone() })
}

impl Listing {
    /// The setting in words.
    #[must_use]
    pub fn setting(&self, request: &Request) -> String {
        let formats =
            request.precisions.iter().copied().map(Precision::as_str).collect::<Vec<_>>().join(", ");
        let threads = if request.threads == 1 { "thread" } else { "threads" };
        format!(
            "{} with {}, batch {}, {} {threads}, {formats}",
            self.place.title(),
            request.runner,
            request.batch,
            request.threads
        )
    }
}
