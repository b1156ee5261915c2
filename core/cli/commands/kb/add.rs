//! `convwise kb add`: one figure with its source.

use convwise_store::{Record, TakenOver};
use convwise_types::{
    AddedCost, AddedFact, AddedResult, AddedTiming, Bytes, InputSize, Macs, PublishedResult, StatedCost,
    StatedMacs, did_you_mean,
};
use serde_json::{Value, json};

use super::names::{DESCRIBE, undescribed};
use super::taken::{self, Stop};
use crate::args::intake::{AddCommand, Added, Whose};
use crate::context::Context;
use crate::error::CliError;

pub(super) fn run(context: &Context, command: &AddCommand) -> Result<(), CliError> {
    let (record, added) = match command {
        AddCommand::Result { added, .. } => (result(context, command)?, added),
        AddCommand::Timing { added, .. } => (timing(context, command), added),
        AddCommand::Cost { added, .. } => (cost(context, command), added),
        AddCommand::Fact { added, .. } => (fact(context, command)?, added),
    };
    let record = record.ok_or_else(|| CliError::failed("there is nothing to add"))?;
    store(context, record, added)
}

fn store(context: &Context, record: Record, added: &Added) -> Result<(), CliError> {
    let (kind, id) = (record.kind(), record.id());
    let taken = context.store()?.take_over(false, |intake| intake.take(record).map_err(Stop::Refused));
    let taken = taken.map_err(|stop| match stop {
        Stop::Refused(why) => CliError::invalid(format!("the {kind} cannot be kept: {why}")),
        Stop::Store(error) => CliError::failed(error),
    })?;
    if added.output.json {
        return context.screen.json(
            &json!({"schema": "convwise.kb-add/1", "kind": kind, "id": id, "taken": taken::document(&taken)}),
        );
    }
    if let Some(warning) = taken::warning(&taken) {
        context.screen.warning(warning);
    }
    context.screen.result(&match taken {
        TakenOver { new: 1, .. } => format!("{kind} {id} added"),
        TakenOver { repeated: 1, .. } => format!("this {kind} is known already, from another source"),
        _ => format!("{kind} {id} is known already"),
    })
}

fn result(context: &Context, command: &AddCommand) -> Result<Option<Record>, CliError> {
    let AddCommand::Result { whose, weights, metric, dataset, value, input_size, precision, note, added } =
        command
    else {
        return Ok(None);
    };
    let shape = input_size.image();
    let result = PublishedResult {
        dataset: dataset.clone(),
        metric: metric.clone(),
        value: *value,
        input_size: shape.height.min(shape.width),
        precision: *precision,
        source: added.source.clone(),
    };
    if let Some(why) = undescribed(context.shipped(), &result) {
        return Err(CliError::invalid(format!("{why}; {DESCRIBE}")));
    }
    remark_on(context, whose);
    let body = AddedResult {
        package: whose.package.clone(),
        architecture: whose.architecture.as_str().into(),
        weights: weights.as_deref().map(Into::into),
        result,
        note: note.clone(),
    };
    Ok(Some(body.into()))
}

fn timing(context: &Context, command: &AddCommand) -> Option<Record> {
    let AddCommand::Timing {
        whose,
        weights,
        workload,
        device,
        runtime,
        options,
        precision,
        layout,
        threads,
        batch,
        input_size,
        latency,
        throughput,
        added,
    } = command
    else {
        return None;
    };
    remark_on(context, whose);
    remark_on_device(context, device);
    let body = AddedTiming {
        package: whose.package.clone(),
        architecture: whose.architecture.as_str().into(),
        weights: weights.as_deref().map(Into::into),
        workload: *workload,
        device: device.clone(),
        runtime: runtime.clone(),
        options: options.clone(),
        precision: precision.clone(),
        layout: layout.clone(),
        threads: *threads,
        batch: *batch,
        input: input_size.image(),
        latency: *latency,
        throughput: *throughput,
        source: added.source.clone(),
    };
    Some(body.into())
}

fn cost(context: &Context, command: &AddCommand) -> Option<Record> {
    let AddCommand::Cost { whose, task, params, macs, input_size, note, added } = command else {
        return None;
    };
    remark_on(context, whose);
    let input = input_size.map(InputSize::image);
    let macs = macs.zip(input).map(|(count, input)| StatedMacs { count: Macs(count.0), input });
    let cost = StatedCost { params: *params, macs, source: added.source.clone(), note: note.clone() };
    let body = AddedCost {
        package: whose.package.clone(),
        architecture: whose.architecture.as_str().into(),
        task: *task,
        cost,
    };
    Some(body.into())
}

fn fact(context: &Context, command: &AddCommand) -> Result<Option<Record>, CliError> {
    let AddCommand::Fact { about, name, value, unit, added } = command else { return Ok(None) };
    match about.split_once(':') {
        Some(("device", id)) if !id.is_empty() => remark_on_device(context, id),
        Some(("architecture", id)) if !id.is_empty() => {
            remark_on(context, &Whose { architecture: id.to_owned(), package: None });
        }
        _ => {
            return Err(CliError::invalid(format!(
                "`{about}` does not say what the fact is about; write architecture:resnet50 or device:stm32f746"
            )));
        }
    }
    let (value, known) = stated(value, unit.is_some());
    let unit = unit.clone().or_else(|| known.map(str::to_owned));
    let body =
        AddedFact { about: about.clone(), name: name.clone(), value, unit, source: added.source.clone() };
    Ok(Some(body.into()))
}

/// A number, a truth value, a size in bytes, or text.
fn stated(text: &str, has_unit: bool) -> (Value, Option<&'static str>) {
    if let Ok(whole) = text.parse::<i64>() {
        return (json!(whole), None);
    }
    if let Some(number) = text.parse::<f64>().ok().filter(|number| number.is_finite()) {
        return (json!(number), None);
    }
    match (text, text.parse::<Bytes>()) {
        ("true", _) => (json!(true), None),
        ("false", _) => (json!(false), None),
        (_, Ok(size)) if !has_unit => (json!(size.0), Some("bytes")),
        _ => (json!(text), None),
    }
}

/// A network that is not known here may be known tomorrow; a misspelt one is worth a word.
fn remark_on(context: &Context, whose: &Whose) {
    let id = whose.architecture.as_str();
    if whose.package.is_some() || context.zoo().find(id).is_ok() {
        return;
    }
    let hint = did_you_mean(id, context.zoo().variants().map(|variant| variant.id().as_str()));
    context.screen.warning(format!("convwise has no network `{id}`{hint}; --package says whose name it is"));
}

fn remark_on_device(context: &Context, id: &str) {
    let known = || context.shipped().devices.iter().map(|entry| entry.value.id.as_str());
    if !known().any(|known| known == id) {
        let hint = did_you_mean(id, known());
        context
            .screen
            .remark(format!("`{id}` is no described device (`convwise device list` shows them){hint}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_what_they_look_like() {
        let check =
            |text: &str, expect: (Value, Option<&str>)| assert_eq!(stated(text, false), expect, "{text}");
        check("3", (json!(3), None));
        check("1.5", (json!(1.5), None));
        check("true", (json!(true), None));
        check("320kB", (json!(320_000), Some("bytes")));
        check("1 MiB", (json!(1_048_576), Some("bytes")));
        check("Cortex-M7", (json!("Cortex-M7"), None));
        check("NaN", (json!("NaN"), None));
        assert_eq!(stated("320kB", true), (json!("320kB"), None));
    }
}
