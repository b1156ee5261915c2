//! What can be asked of figures that others published.

use serde_json::Value;

use super::ListKind::{Name, Real, Whole};
use super::{Item, ListField, ListKind, field, words_of};
use crate::added::{AddedCost, AddedFact, AddedResult, AddedTiming, Workload};
use crate::precision::Precision;
use crate::request::Task;

const OURS: &str = "the names are convwise's own";
const UNSTATED: &str = "the source does not say";
const PACKAGE: &str = "The package whose names are used.";

/// Fields of a published accuracy.
pub static RESULT_FIELDS: &[ListField<AddedResult>] = &[
    of_result("package", Name, "", PACKAGE, |r| r.package.as_deref().into()).unless(OURS),
    of_result("architecture", Name, "", "The variant.", |r| r.architecture.as_str().into()),
    of_result("weights", Name, "", "The weights that were evaluated.", |r| {
        r.weights.as_ref().map(|w| w.as_str()).into()
    })
    .unless(UNSTATED),
    of_result("dataset", Name, "", "Dataset and split.", |r| r.result.dataset.as_str().into()),
    of_result("metric", Name, "", "Metric.", |r| r.result.metric.as_str().into()),
    of_result("value", Real, "percent", "The accuracy.", |r| r.result.value.0.into()).higher(),
    of_result("input_size", Whole, "pixels", "Rows of the evaluated image.", |r| r.result.input_size.into()),
    of_result("precision", words_of!(Precision), "", "Number format that was evaluated.", |r| {
        r.result.precision.as_str().into()
    }),
    of_result("note", Name, "", "Anything worth knowing about it.", |r| r.note.as_deref().into())
        .unless("there is none"),
    of_result("source", Name, "", "Where it is stated, without the line.", |r| place(&r.result.source).0),
    of_result("line", Whole, "", "Line of the file.", |r| place(&r.result.source).1)
        .unless("the source is no file"),
];

/// Fields of a published timing.
pub static TIMING_FIELDS: &[ListField<AddedTiming>] = &[
    of_timing("package", Name, "", PACKAGE, |t| t.package.as_deref().into()).unless(OURS),
    of_timing("architecture", Name, "", "The variant that ran.", |t| t.architecture.as_str().into()),
    of_timing("weights", Name, "", "Its weights.", |t| t.weights.as_ref().map(|w| w.as_str()).into())
        .unless(UNSTATED),
    of_timing("workload", words_of!(Workload), "", "What was timed.", |t| t.workload.as_str().into()),
    of_timing("device", Name, "", "Id of a known device, or its name as the source writes it.", |t| {
        t.device.as_str().into()
    }),
    of_timing("runtime", Name, "", "Inference engine with its version.", |t| t.runtime.as_str().into()),
    of_timing("options", Name, "", "What else the source says of the set-up.", |t| {
        t.options.as_deref().into()
    })
    .unless(UNSTATED),
    of_timing("precision", Name, "", "Number format as the source calls it.", |t| {
        t.precision.as_str().into()
    }),
    of_timing("layout", Name, "", "Order of the axes of tensors in memory.", |t| t.layout.as_deref().into())
        .unless(UNSTATED),
    of_timing("threads", Whole, "threads", "Threads.", |t| t.threads.into()).unless(UNSTATED),
    of_timing("batch", Whole, "images", "Images a batch.", |t| t.batch.into()),
    of_timing("input_size", Whole, "pixels", "Side of the input image (its larger side).", |t| {
        t.input.width.max(t.input.height).into()
    }),
    of_timing("latency_ms", Real, "milliseconds", "Time of one batch.", |t| t.latency.map(|l| l.0).into())
        .lower()
        .unless(UNSTATED),
    of_timing("images_per_second", Real, "images a second", "Throughput.", |t| {
        t.throughput.map(|r| r.0).into()
    })
    .higher()
    .unless(UNSTATED),
    of_timing("source", Name, "", "Where it is stated, without the line.", |t| place(&t.source).0),
    of_timing("line", Whole, "", "Line of the file.", |t| place(&t.source).1).unless("the source is no file"),
];

/// Fields of a cost that somebody counted.
pub static COST_FIELDS: &[ListField<AddedCost>] = &[
    of_cost("package", Name, "", PACKAGE, |c| c.package.as_deref().into()).unless(OURS),
    of_cost("architecture", Name, "", "The variant.", |c| c.architecture.as_str().into()),
    of_cost("task", words_of!(Task), "", "What it does.", |c| c.task.as_str().into()),
    of_cost("params", Whole, "parameters", "Trained parameters.", |c| c.cost.params.map(|p| p.0).into())
        .lower()
        .unless(UNSTATED),
    of_cost("macs", Whole, "multiply-accumulates", "Work of one image.", |c| {
        c.cost.macs.map(|m| m.count.0).into()
    })
    .lower()
    .unless(UNSTATED),
    of_cost("input", Name, "", "Input that the work holds for.", |c| {
        c.cost.macs.map_or(Item::Unknown, |m| Item::Text(m.input.to_string()))
    })
    .unless(UNSTATED),
    of_cost("note", Name, "", "What is and is not counted.", |c| c.cost.note.as_deref().into())
        .unless("there is none"),
    of_cost("source", Name, "", "Where it is stated, without the line.", |c| place(&c.cost.source).0),
    of_cost("line", Whole, "", "Line of the file.", |c| place(&c.cost.source).1)
        .unless("the source is no file"),
];

/// Fields of a single fact.
pub static FACT_FIELDS: &[ListField<AddedFact>] = &[
    of_fact("about", Name, "", "What it is about: `architecture:resnet50`, `device:stm32f746`.", |f| {
        f.about.as_str().into()
    }),
    of_fact("name", Name, "", "Name of the fact.", |f| f.name.as_str().into()),
    of_fact("value", Name, "", "Its value.", |f| match &f.value {
        Value::String(text) => text.as_str().into(),
        other => Item::Text(other.to_string()),
    }),
    of_fact("unit", Name, "", "Unit of a number.", |f| f.unit.as_deref().into()).unless("it has none"),
    of_fact("source", Name, "", "Where it is stated.", |f| f.source.as_str().into()),
];

/// A source apart from the line in it: `results.csv, line 2`.
fn place(source: &str) -> (Item, Item) {
    let parts =
        source.rsplit_once(", line ").and_then(|(file, line)| Some((file, line.parse::<u64>().ok()?)));
    match parts {
        Some((file, line)) => (file.into(), line.into()),
        None => (source.into(), Item::Unknown),
    }
}

const fn of_result(
    name: &'static str,
    kind: ListKind,
    unit: &'static str,
    doc: &'static str,
    read: fn(&AddedResult) -> Item,
) -> ListField<AddedResult> {
    field(name, kind, unit, doc, read)
}

const fn of_timing(
    name: &'static str,
    kind: ListKind,
    unit: &'static str,
    doc: &'static str,
    read: fn(&AddedTiming) -> Item,
) -> ListField<AddedTiming> {
    field(name, kind, unit, doc, read)
}

const fn of_cost(
    name: &'static str,
    kind: ListKind,
    unit: &'static str,
    doc: &'static str,
    read: fn(&AddedCost) -> Item,
) -> ListField<AddedCost> {
    field(name, kind, unit, doc, read)
}

const fn of_fact(
    name: &'static str,
    kind: ListKind,
    unit: &'static str,
    doc: &'static str,
    read: fn(&AddedFact) -> Item,
) -> ListField<AddedFact> {
    field(name, kind, unit, doc, read)
}
