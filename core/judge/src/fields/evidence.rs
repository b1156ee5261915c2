//! Which evidence stands behind which field of a candidate.

use convwise_types::{Candidate, Evidence, Fact};

use super::{Field, TABLES};

/// The field at a dotted path: `net.latency.high_ms`.
pub(crate) fn field_at(path: &str) -> Option<&'static Field> {
    let (table, name) = path.rsplit_once('.')?;
    TABLES.iter().find(|t| t.path == table)?.field(name)
}

/// The evidence of the field at a path, where it has some.
pub(crate) fn evidence_of<'a>(candidate: &'a Candidate, path: &str) -> Option<&'a Evidence> {
    let c = candidate;
    match path.strip_prefix("net.")? {
        "size_bytes" => of(&c.size),
        "ram_bytes" => of(&c.ram),
        "top1" => of(&c.accuracy),
        "licence" => of(&c.code_licence),
        "weights_licence" => of(&c.weights_licence),
        "failure" => of(&c.failure),
        inner if inner.starts_with("accuracy.") => of(&c.accuracy),
        inner if inner.starts_with("latency.") => of(&c.latency),
        inner if inner.starts_with("throughput.") => of(&c.throughput),
        // Everything else that has a grade was computed from the layer graph.
        _ => of(&c.graph),
    }
}

fn of<T>(fact: &Fact<T>) -> Option<&Evidence> {
    fact.known().ok().map(|(_, evidence)| evidence)
}
