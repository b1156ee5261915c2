//! The conformance suite: numbered requirements that every runner must meet, whoever wrote it.
//!
//! Owns the requirements, the small graphs and bad models they are tried with, and the reference that says what the
//! graphs compute. Everything happens in worker processes of `host`: a runner that crashes breaks one requirement, and
//! the next one is tried. It must not know any runner.
//!
//! ```text
//! Subject -> Room (description, probe, model files) -> Requirement::check, one after the other -> Report
//! ```

mod graphs;
mod hostile;
pub mod reference;
mod report;
mod requirements;
mod room;
mod verdict;

pub use report::{Finding, Outcome, Report};
pub use requirements::{Requirement, requirements};
pub use room::Subject;

use room::Room;

/// Tries the `chosen` requirements one after the other; `progress` is told which comes next. What a requirement needs
/// and the runner does not have (a format, a device, real times) leaves it not examined.
pub fn examine(subject: &Subject, chosen: &[&Requirement], progress: &mut dyn FnMut(&Requirement)) -> Report {
    let room = Room::for_subject(subject);
    let findings = chosen.iter().map(|requirement| {
        progress(requirement);
        requirement.try_in(&room)
    });
    Report { runner: subject.spec.name.clone(), findings: findings.collect() }
}
