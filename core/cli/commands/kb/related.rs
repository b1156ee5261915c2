//! Records about the same thing as one record, and whether they agree with it.

use convwise_advisor::changes::Setting;
use convwise_advisor::conflicts::Evaluation;
use convwise_store::{MeasurementFilter, Record, Store, StoreError};
use convwise_types::{
    AddedCost, AddedFact, AddedResult, AddedTiming, Measurement, RecordId, RunFailure, Subject, content_id,
};

use super::listing::shipped_results;
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::{count_of, short};
use crate::render::bench::{against, name};
use crate::render::table::{figures, table, text};
use crate::screen::{GOOD, HEADING, NAME, WARN, styled};

/// Records of one kind about the same thing.
pub(super) struct Related {
    /// What they have in common with the record.
    title: String,
    others: Vec<Other>,
    /// What else there is to know.
    more: Option<String>,
}

/// One of them.
struct Other {
    /// The record, or `shipped`.
    record: String,
    value: String,
    agrees: String,
    /// When it was taken, or where it is stated.
    stated: String,
}

impl Related {
    /// As a table under its title.
    pub(super) fn shown(&self) -> String {
        let mut out = format!("\n{}\n", styled(HEADING, &self.title));
        if self.others.is_empty() {
            out.push_str("none\n");
        } else {
            let columns = [text("record"), figures("value"), text("beside this one"), text("stated")];
            let row = |o: &Other| {
                vec![styled(NAME, &o.record), o.value.clone(), o.agrees.clone(), o.stated.clone()]
            };
            out.push_str(&table(&columns, self.others.iter().map(row)));
        }
        out.extend(self.more.iter().map(|more| format!("{more}\n")));
        out
    }
}

/// What is known about the same thing as a record.
pub(super) fn related(context: &Context, record: &Record) -> Result<Vec<Related>, CliError> {
    let store = context.store()?;
    let found = match record {
        Record::Measurement(m) => measurement(store, m),
        Record::Failure(f) => failure(store, f),
        Record::Result(r) => result(context, store, r),
        Record::Timing(t) => timing(store, t),
        Record::Cost(c) => cost(store, c),
        Record::Fact(f) => fact(store, f),
        _ => return Ok(Vec::new()),
    };
    Ok(vec![found.map_err(CliError::failed)?])
}

fn measurement(store: &Store, m: &Measurement) -> Result<Related, StoreError> {
    let (network, setting) = (same_network(&m.subject), Setting::of(m));
    let same = store.measurements(&in_setting(network.clone(), m))?;
    let here: Vec<_> = same.iter().filter(|o| o.id != m.id && Setting::of(o) == setting).collect();
    let elsewhere = store.count_measurements(&network)?.saturating_sub(here.len() + 1);
    let other = |o: &&Measurement| Other {
        record: short_id(&o.id),
        value: o.statistics.median.to_string(),
        agrees: against(m, o),
        stated: format!("{}, {}", o.taken, o.verdict),
    };
    let more = (elsewhere > 0).then(|| {
        let more = count_of(elsewhere, "more measurement");
        format!("{more} of the same network in other settings: {}", query_for(m))
    });
    let title =
        format!("The same network in the same setting: {} of it", count_of(here.len(), "other measurement"));
    Ok(Related { title, others: here.iter().map(other).collect(), more })
}

fn same_network(subject: &Subject) -> MeasurementFilter {
    match &subject.graph {
        Some(graph) => MeasurementFilter { graph: Some(graph.clone()), ..MeasurementFilter::default() },
        None => {
            MeasurementFilter { artifact: Some(subject.artifact.clone()), ..MeasurementFilter::default() }
        }
    }
}

/// Only what was measured as a measurement was: the rest need not be read.
fn in_setting(network: MeasurementFilter, m: &Measurement) -> MeasurementFilter {
    MeasurementFilter {
        device: Some(m.device.id.clone()),
        runner: Some(m.runner.name.clone()),
        threads: Some(m.threads),
        batch: Some(m.subject.batch),
        precision: Some(m.subject.precision),
        input: Some(m.subject.input),
        scenario: Some(m.scenario),
        ..network
    }
}

fn query_for(m: &Measurement) -> String {
    let field = if m.subject.architecture.is_some() { "architecture" } else { "file" };
    format!("convwise kb query --from measurements '{field} == \"{}\"'", name(m))
}

fn short_id(id: &RecordId) -> String {
    short(id.as_str()).to_owned()
}

fn failure(store: &Store, f: &RunFailure) -> Result<Related, StoreError> {
    let (all, id) = (store.failures()?, f.id());
    let again =
        all.iter().filter(|o| o.id() != id && o.device == f.device && o.concerns(&f.subject, &f.runner));
    let (device, runner) = (Some(f.device.clone()), Some(f.runner.clone()));
    let measured = store.measurements(&MeasurementFilter { device, runner, ..same_network(&f.subject) })?;
    let measured =
        measured.iter().filter(|m| m.device.id == f.device && f.concerns(&m.subject, &m.runner.name));
    let failed = again.map(|o| Other {
        record: short_id(&o.id()),
        value: o.kind.clone(),
        agrees: if o.version == f.version { "failed again" } else { "another version failed too" }.to_owned(),
        stated: o.taken.clone(),
    });
    let worked = measured.map(|m| Other {
        record: short_id(&m.id),
        value: m.statistics.median.to_string(),
        agrees: styled(GOOD, if m.taken >= f.taken { "worked since" } else { "worked before" }),
        stated: format!("{} with {}", m.taken, m.runner.version),
    });
    let others = failed.chain(worked).collect();
    Ok(Related { title: "The same network with this runner on this device".to_owned(), others, more: None })
}

fn result(context: &Context, store: &Store, r: &AddedResult) -> Result<Related, StoreError> {
    let (id, of) = (content_id(r), Evaluation::of(r));
    let added = store.results(None)?.into_iter().map(|o| (short_id(&content_id(&o)), o));
    let shipped = shipped_results(context).into_iter().map(|(result, origin)| (origin, result));
    let same = shipped.chain(added).filter(|(_, o)| content_id(o) != id && Evaluation::of(o) == of);
    let others = same.map(|(record, o)| Other {
        record,
        value: o.result.value.to_string(),
        agrees: agreement(o.result.value.0, r.result.value.0, " points"),
        stated: o.result.source,
    });
    let title = "The same weights, dataset, metric, input and number format".to_owned();
    Ok(Related { title, others: others.collect(), more: None })
}

/// Whether a figure is the one beside it.
fn agreement(other: f64, this: f64, unit: &str) -> String {
    if other == this {
        styled(GOOD, "agrees")
    } else {
        styled(WARN, format!("contradicts it by {:+.3}{unit}", other - this))
    }
}

fn timing(store: &Store, t: &AddedTiming) -> Result<Related, StoreError> {
    let id = content_id(t);
    let all = store.timings(Some(&t.architecture))?;
    let (same, elsewhere): (Vec<_>, Vec<_>) = all
        .iter()
        .filter(|o| content_id(*o) != id && o.package == t.package)
        .partition(|o| is_same_run(o, t));
    let ratio = |o: &AddedTiming| o.latency.zip(t.latency).map(|(other, this)| other.0 / this.0);
    let other = |o: &&AddedTiming| Other {
        record: short_id(&content_id(*o)),
        value: o.latency.map_or_else(|| "unknown".to_owned(), |l| l.to_string()),
        agrees: ratio(o).map_or_else(String::new, |ratio| format!("{ratio:.3} times as long")),
        stated: o.source.clone(),
    };
    let more = (!elsewhere.is_empty()).then(|| {
        let more = count_of(elsewhere.len(), "more timing");
        let query = format!("convwise kb query --from timings 'architecture == \"{}\"'", t.architecture);
        format!("{more} of the same network in other settings: {query}")
    });
    Ok(Related {
        title: "The same network, device, engine and setting".to_owned(),
        others: same.iter().map(other).collect(),
        more,
    })
}

fn is_same_run(a: &AddedTiming, b: &AddedTiming) -> bool {
    let engine = |t: &AddedTiming| (t.device.clone(), t.runtime.clone(), t.options.clone(), t.layout.clone());
    let run = |t: &AddedTiming| (t.workload, t.precision.clone(), t.threads, t.batch, t.input);
    engine(a) == engine(b) && run(a) == run(b)
}

fn cost(store: &Store, c: &AddedCost) -> Result<Related, StoreError> {
    let id = content_id(c);
    let all = store.costs()?;
    let same = all
        .iter()
        .filter(|o| content_id(*o) != id && (&o.package, &o.architecture) == (&c.package, &c.architecture));
    let others = same.map(|o| Other {
        record: short_id(&content_id(o)),
        value: o.cost.params.map_or_else(|| "unknown".to_owned(), |p| p.to_string()),
        agrees: if (o.cost.params, o.cost.macs) == (c.cost.params, c.cost.macs) {
            styled(GOOD, "agrees")
        } else {
            styled(WARN, "other counts")
        },
        stated: o.cost.source.clone(),
    });
    Ok(Related { title: "The same network".to_owned(), others: others.collect(), more: None })
}

fn fact(store: &Store, f: &AddedFact) -> Result<Related, StoreError> {
    let id = content_id(f);
    let all = store.facts()?;
    let same = all.iter().filter(|o| content_id(*o) != id && (&o.about, &o.name) == (&f.about, &f.name));
    let others = same.map(|o| Other {
        record: short_id(&content_id(o)),
        value: format!("{} {}", o.value, o.unit.as_deref().unwrap_or_default()).trim_end().to_owned(),
        agrees: if (&o.value, &o.unit) == (&f.value, &f.unit) {
            styled(GOOD, "agrees")
        } else {
            styled(WARN, "contradicts it")
        },
        stated: o.source.clone(),
    });
    Ok(Related { title: "The same fact".to_owned(), others: others.collect(), more: None })
}
