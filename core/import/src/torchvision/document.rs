//! What torchvision's `meta` says of all weights, as one JSON object: name -> meta with the keywords of its transforms.

use std::collections::BTreeMap;

use convwise_types::{InputShape, StatedMacs};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Cited, EVALUATIONS, Evaluation, Name, macs, place};
use crate::desk::{Desk, Problem};
use crate::input::Input;

/// What is read of one `meta`; the rest is about other things.
#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "_metrics")]
    metrics: BTreeMap<String, BTreeMap<String, f64>>,
    #[serde(default)]
    num_params: Option<u64>,
    #[serde(default, rename = "_ops")]
    ops: Option<f64>,
    #[serde(default)]
    transforms: Map<String, Value>,
    #[serde(default)]
    crop_size: Option<Value>,
}

pub(super) fn read(input: Input, desk: &mut Desk<'_, '_>) -> Result<(), Problem> {
    let text = input.document()?;
    let read = text.len() as u64;
    let all: Map<String, Value> = serde_json::from_str(&text).map_err(|e| refusal(&e, &text))?;
    drop(text);
    if all.contains_key("schema") && all.contains_key("body") {
        return Err(Problem::of_file(crate::lines::EXPORTED));
    }
    if all.is_empty() {
        return Err(Problem::of_file("names no weights"));
    }
    for (name, meta) in all {
        desk.report.rows += 1;
        if let Err(why) = hand(&name, meta, read, desk) {
            desk.problem(Problem::of_file(why).in_column(&name));
        }
    }
    if desk.report.blank > 0 {
        let left_out = desk.report.blank;
        desk.report.remarks.push(format!(
            "{left_out} figures are of other tasks, of metrics that are not known here, or without the size of their images"
        ));
    }
    Ok(())
}

fn refusal(error: &serde_json::Error, text: &str) -> Problem {
    let exported = text.starts_with("{\"schema\"") && text.contains("\"body\"");
    if exported {
        return Problem::of_file(crate::lines::EXPORTED);
    }
    let (line, column) = (error.line() as u64, error.column());
    let cut = if error.is_eof() { "; was the file cut off?" } else { "" };
    Problem::at(line, format!("is not JSON at character {column}{cut}"))
}

fn hand(name: &str, meta: Value, read: u64, desk: &mut Desk<'_, '_>) -> Result<(), String> {
    let id = Name::read(name)?;
    let meta: Meta =
        serde_json::from_value(meta).map_err(|e| format!("its meta is not torchvision's: {e}"))?;
    let image = image(&meta);
    let mut known = None;
    for (dataset, metrics) in &meta.metrics {
        let evaluation = EVALUATIONS.iter().find(|e| e.theirs == dataset);
        known = known.or(evaluation);
        for (metric, value) in metrics {
            match evaluation.and_then(|e| ours(e, metric)).zip(image) {
                Some(((dataset, metric), side)) => {
                    if !(0.0..=100.0).contains(value) {
                        return Err(format!("{metric} is {value}, outside 0 to 100 percent"));
                    }
                    let entry = id.result(dataset, metric, *value, side, desk.source_of(name));
                    desk.hand(entry, place(None, name, read));
                }
                None => desk.report.blank += 1,
            }
        }
    }
    if let Some(evaluation) = known {
        hand_cost(name, &id, &meta, evaluation, desk, read);
    }
    Ok(())
}

fn ours(evaluation: &Evaluation, metric: &str) -> Option<(&'static str, &'static str)> {
    let (_, ours) = evaluation.metrics.iter().find(|(theirs, _)| *theirs == metric)?;
    Some((evaluation.ours, ours))
}

fn hand_cost(
    name: &str,
    id: &Name,
    meta: &Meta,
    evaluation: &Evaluation,
    desk: &mut Desk<'_, '_>,
    read: u64,
) {
    let side = image(meta).map(InputShape::square);
    let count = meta.ops.and_then(macs);
    // Detectors and segmenters are counted at a size that the meta does not say.
    let whole = evaluation.task == convwise_types::Task::Classify;
    let work = count.zip(side).filter(|_| whole).map(|(count, input)| StatedMacs { count, input });
    if meta.num_params.is_none() && work.is_none() {
        return;
    }
    let note =
        if work.is_some() { "work rounded to a million" } else { "the input of the work is not stated" };
    let cited = Cited { source: desk.source_of(name), note };
    desk.hand(id.cost(evaluation.task, meta.num_params, work, cited), place(None, name, read));
}

/// Side of the crop, else what the shorter side is scaled to.
fn image(meta: &Meta) -> Option<u64> {
    let stated = meta.crop_size.as_ref().or_else(|| meta.transforms.get("crop_size"));
    let side = |value: &Value| match value {
        Value::Array(sides) => sides.iter().filter_map(Value::as_u64).min(),
        other => other.as_u64(),
    };
    stated.or_else(|| meta.transforms.get("resize_size")).and_then(side).filter(|side| *side > 0)
}
