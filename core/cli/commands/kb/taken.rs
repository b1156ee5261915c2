//! What became of figures that were taken over: new, known, known from another source, or different from a known one.

use convwise_store::{Conflict, Record, StoreError, TakenOver};
use convwise_types::{AddedCost, AddedTiming};
use serde_json::{Value, json};

use super::amount;
use crate::render::advice::count_of;

/// Why a takeover ended early.
pub(super) enum Stop {
    /// What was to be taken over is wrong; the text, if any, says why.
    Refused(String),
    /// The knowledge base failed.
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The counts in words.
pub(super) fn counts(taken: &TakenOver) -> String {
    let mut out = format!("{}, {} known already", count_of(amount(taken.new), "new record"), taken.known);
    if taken.repeated > 0 {
        out.push_str(&format!(", {} known from another source or line", taken.repeated));
    }
    out
}

/// The counts and conflicts as members of a document.
pub(super) fn document(taken: &TakenOver) -> Value {
    let conflicts: Vec<_> = taken.conflicts.iter().map(described).collect();
    json!({
        "new": taken.new,
        "known": taken.known,
        "repeated": taken.repeated,
        "conflicting": taken.conflicting,
        "conflicts": conflicts,
    })
}

fn described(conflict: &Conflict) -> Value {
    let of = |record: &Record| {
        let (_, figure, source) = told(record);
        json!({"figure": figure, "source": source})
    };
    json!({
        "kind": conflict.new.kind(),
        "about": told(&conflict.new).0,
        "known": of(&conflict.known),
        "new": of(&conflict.new),
    })
}

/// What a person should know of figures that contradict each other; nothing where none does.
pub(super) fn warning(taken: &TakenOver) -> Option<String> {
    if taken.conflicting == 0 {
        return None;
    }
    let count = count_of(amount(taken.conflicting), "figure");
    let verb = if taken.conflicting == 1 { "differs" } else { "differ" };
    let mut out = format!("{count} {verb} from another one of the same thing; both are kept");
    for conflict in &taken.conflicts {
        let (about, known, known_source) = told(&conflict.known);
        let (_, new, source) = told(&conflict.new);
        out.push_str(&format!("\n  {about}: {known} ({known_source}), {new} ({source})"));
    }
    let more = taken.conflicting.saturating_sub(taken.conflicts.len() as u64);
    if more > 0 {
        out.push_str(&format!("\n  and {more} more"));
    }
    Some(out)
}

/// What a record is about, its figure, and its source.
fn told(record: &Record) -> (String, String, &str) {
    match record {
        Record::Result(r) => {
            let weights = r.weights.as_ref().map(|tag| format!(" {tag}")).unwrap_or_default();
            let p = &r.result;
            let about =
                format!("{} of {}{weights} @{} on {}", p.metric, r.architecture, p.input_size, p.dataset);
            (about, format!("{} %", p.value.0), &p.source)
        }
        Record::Timing(t) => {
            let about = format!("{} of {} on {} with {}", t.workload, t.architecture, t.device, t.runtime);
            (about, time(t), &t.source)
        }
        Record::Cost(c) => (format!("cost of {}", c.architecture), work(c), &c.cost.source),
        Record::Fact(f) => (format!("{} of {}", f.name, f.about), f.value.to_string(), &f.source),
        other => (other.kind().to_owned(), String::new(), ""),
    }
}

fn time(t: &AddedTiming) -> String {
    let latency = t.latency.map(|l| format!("{} ms", l.0));
    let rate = t.throughput.map(|r| format!("{} images/s", r.0));
    [latency, rate].into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

/// Without rounding, which would hide a difference.
fn work(c: &AddedCost) -> String {
    let params = c.cost.params.map(|p| format!("{} parameters", p.0));
    let macs = c.cost.macs.map(|m| format!("{} multiply-accumulates at {}", m.count.0, m.input));
    [params, macs].into_iter().flatten().collect::<Vec<_>>().join(" and ")
}
