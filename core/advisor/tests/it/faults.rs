//! Which recorded failures still stand.

use convwise_advisor::faults::{Faults, Stand};
use convwise_types::{FAILURE_SCHEMA, InputShape, RunFailure, Tool};

use crate::samples::measurement;

const MORNING: &str = "2026-01-02T08:00:00Z";
const EVENING: &str = "2026-01-02T20:00:00Z";

fn stand() -> Stand {
    Stand { runner: "rten".into(), version: "1".to_owned(), device: "here".into() }
}

/// A crash of the runner with the network of a measurement.
fn crash(taken: &str) -> RunFailure {
    let m = measurement("net", "graph", 10.0);
    RunFailure {
        schema: FAILURE_SCHEMA,
        subject: m.subject,
        runner: m.runner.name,
        version: "1".to_owned(),
        options: m.runner.options,
        threads: m.threads,
        device: m.device.id,
        kind: "crashed".to_owned(),
        phase: Some("run".to_owned()),
        reason: "runner rten crashed while it ran the model: SIGSEGV\nits last words: ...".to_owned(),
        taken: taken.to_owned(),
        tool: Tool { version: "1".to_owned(), command: "convwise bench net".to_owned() },
    }
}

fn stands(failure: RunFailure, at: &Stand, forgiven: Option<&str>) -> bool {
    let subject = failure.subject.clone();
    Faults::standing(at, &[failure], &[], forgiven).of(&subject).is_some()
}

#[test]
fn a_crash_stands_where_it_happened_and_nowhere_else() {
    let at = Stand { device: crash(MORNING).device, ..stand() };
    assert!(stands(crash(MORNING), &at, None));
    assert!(!stands(crash(MORNING), &Stand { version: "2".to_owned(), ..at.clone() }, None));
    assert!(!stands(crash(MORNING), &Stand { runner: "other".into(), ..at.clone() }, None));
    assert!(!stands(crash(MORNING), &Stand { device: "elsewhere".into(), ..at.clone() }, None));
    let faults = Faults::standing(&at, &[crash(MORNING)], &[], None);
    let mut larger = crash(MORNING).subject;
    larger.input = InputShape::square(320);
    assert!(faults.of(&larger).is_none(), "another input is another network to run");
}

#[test]
fn what_says_nothing_about_the_pair_does_not_stand() {
    let at = Stand { device: crash(MORNING).device, ..stand() };
    assert!(!stands(RunFailure { kind: "refused".to_owned(), ..crash(MORNING) }, &at, None));
    assert!(!stands(RunFailure { phase: Some("open".to_owned()), ..crash(MORNING) }, &at, None));
    assert!(stands(RunFailure { kind: "not-a-number".to_owned(), ..crash(MORNING) }, &at, None));
}

#[test]
fn retrying_and_a_later_measurement_clear_it() {
    let at = Stand { device: crash(MORNING).device, ..stand() };
    assert!(!stands(crash(MORNING), &at, Some(EVENING)));
    assert!(stands(crash(EVENING), &at, Some(EVENING)), "it failed again");
    let mut later = measurement("net", "graph", 10.0);
    later.taken = EVENING.to_owned();
    let subject = later.subject.clone();
    let left = Faults::standing(&at, &[crash(MORNING)], &[later.clone()], None);
    assert!(left.of(&subject).is_none());
    let left = Faults::standing(&at, &[crash("2026-01-03T00:00:00Z")], &[later], None);
    assert!(left.of(&subject).is_some(), "it failed after it was measured");
}

#[test]
fn a_failure_is_said_in_one_line() {
    let said = crash(MORNING).summary();
    assert!(
        said.starts_with("runner rten crashed while it ran the model: SIGSEGV (2026-01-02, record "),
        "{said}"
    );
}
