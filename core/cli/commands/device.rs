//! `convwise device`: this machine and the devices that are known.

use std::fmt::Write as _;

use convwise_advisor::devices::{Figures, Listed, devices};
use convwise_store::KnownDevice;
use convwise_types::{Device, ShippedDevice, did_you_mean};
use serde_json::{Value, json};

use crate::args::{DeviceArgs, DeviceCommand};
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;
use crate::render::table::{figures, table, text};
use crate::screen::{NAME, styled};

pub(crate) fn run(context: &Context, args: &DeviceArgs) -> Result<(), CliError> {
    match &args.command {
        None => show_here(context, args.output.json),
        Some(DeviceCommand::Show { id: None, output }) => show_here(context, output.json),
        Some(DeviceCommand::Show { id: Some(id), output }) => show(context, id, output.json),
        Some(DeviceCommand::List(output)) => list(context, output.json),
    }
}

fn show_here(context: &Context, as_json: bool) -> Result<(), CliError> {
    let here = context.here();
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.device/1", "device": here}));
    }
    context.screen.result(&seen(here))
}

fn seen(device: &Device) -> String {
    let mut out = format!("{}  {}\n", styled(NAME, &device.id), device.cpu);
    let isa = device.isa.iter().cloned().collect::<Vec<_>>().join(" ");
    let _ = writeln!(out, "kind        {}", device.kind);
    if let Some(gpu) = &device.gpu {
        let _ = writeln!(out, "GPU         {gpu}");
    }
    let _ = writeln!(out, "processors  {}", device.cores);
    let _ = writeln!(out, "isa         {isa}");
    let _ = writeln!(out, "memory      {}", device.ram);
    let virtual_machine = if device.virtual_machine { ", virtual machine" } else { "" };
    let _ = writeln!(out, "platform    {}{virtual_machine}", device.platform);
    out
}

fn described(device: &ShippedDevice) -> String {
    let unknown = || "unknown".to_owned();
    let mut out = format!("{}  {}\n", styled(NAME, &device.id), device.title);
    let _ = writeln!(out, "kind        {}", device.kind);
    let _ = writeln!(out, "RAM         {}", device.ram.map_or_else(unknown, |b| b.to_string()));
    let _ = writeln!(out, "flash       {}", device.flash.map_or_else(unknown, |b| b.to_string()));
    let _ = writeln!(out, "processors  {}", device.cores.map_or_else(unknown, |n| n.to_string()));
    let _ = writeln!(out, "peak        {}", peak(device).unwrap_or_else(unknown));
    let _ = writeln!(out, "bandwidth   {}", bandwidth(device).unwrap_or_else(unknown));
    if !device.isa.is_empty() {
        let _ = writeln!(out, "isa         {}", device.isa.iter().cloned().collect::<Vec<_>>().join(" "));
    }
    let _ = writeln!(out, "source      {}", device.source);
    out
}

/// fp32 multiply-accumulates a second.
fn peak(device: &ShippedDevice) -> Option<String> {
    device.macs_per_second.map(|rate| format!("{:.3} GMAC/s", rate / 1e9))
}

fn bandwidth(device: &ShippedDevice) -> Option<String> {
    device.bytes_per_second.map(|rate| format!("{:.1} GB/s", rate / 1e9))
}

fn show(context: &Context, id: &str, as_json: bool) -> Result<(), CliError> {
    if id == context.here().id.as_str() {
        return show_here(context, as_json);
    }
    let known = context.store()?.devices().map_err(CliError::failed)?;
    let Some(device) = known.iter().find(|d| d.id().as_str() == id) else {
        let hint = did_you_mean(id, known.iter().map(|d| d.id().as_str()));
        return Err(CliError::invalid(format!(
            "there is no device `{id}` (`convwise device list` shows them){hint}"
        )));
    };
    if as_json {
        return context.screen.json(&json!({"schema": "convwise.device/1", "device": value(device)}));
    }
    context.screen.result(&match device {
        KnownDevice::Seen(device) => seen(device),
        KnownDevice::Described(device) => described(device),
    })
}

fn value(device: &KnownDevice) -> Value {
    match device {
        KnownDevice::Seen(device) => json!(device),
        KnownDevice::Described(device) => json!(device),
    }
}

/// Every device with what ran there.
pub(crate) fn list(context: &Context, as_json: bool) -> Result<(), CliError> {
    let ours: Vec<_> = context.zoo().variants().map(|variant| context.zoo().architecture(variant)).collect();
    let all = devices(context.store()?, &ours).map_err(CliError::failed)?;
    if as_json {
        let devices: Vec<_> = all.iter().map(listed).collect();
        return context
            .screen
            .json(&json!({"schema": "convwise.devices/1", "here": context.here(), "devices": devices}));
    }
    let columns = [
        text("id"),
        text("kind"),
        text("device"),
        figures("RAM"),
        figures("flash"),
        figures("peak, fp32"),
        figures("bandwidth"),
        text("known from"),
        text("what ran there"),
    ];
    context.screen.result(&table(&columns, all.iter().map(row)))
}

fn listed(listed: &Listed) -> Value {
    let mut document = listed.device.as_ref().map_or_else(|| json!({"id": listed.id}), value);
    if let Value::Object(members) = &mut document {
        let Figures { measurements, failures, published } = &listed.figures;
        members.insert("measurements".to_owned(), json!(measurements));
        members.insert("failures".to_owned(), json!(failures));
        members.insert("published_timings".to_owned(), json!(published));
    }
    document
}

fn row(listed: &Listed) -> Vec<String> {
    let unknown = || "unknown".to_owned();
    let of_device = match &listed.device {
        Some(KnownDevice::Seen(d)) => [
            d.kind.to_string(),
            d.cpu.clone(),
            d.ram.to_string(),
            String::new(),
            String::new(),
            String::new(),
            "measured on".to_owned(),
        ],
        Some(KnownDevice::Described(d)) => [
            d.kind.to_string(),
            d.title.clone(),
            d.ram.map_or_else(unknown, |b| b.to_string()),
            d.flash.map_or_else(unknown, |b| b.to_string()),
            peak(d).unwrap_or_else(unknown),
            bandwidth(d).unwrap_or_else(unknown),
            "data sheet".to_owned(),
        ],
        None => {
            let [kind, ram, flash, peak, bandwidth] = std::array::from_fn(|_| unknown());
            [kind, listed.id.clone(), ram, flash, peak, bandwidth, "published timings".to_owned()]
        }
    };
    let mut cells = vec![styled(NAME, &listed.id)];
    cells.extend(of_device);
    cells.push(what_ran(&listed.figures));
    cells
}

/// `9 measured with rten, 1 failure, 12 published`.
fn what_ran(figures: &Figures) -> String {
    let measured =
        figures.measurements.iter().map(|(runner, count)| format!("{count} measured with {runner}"));
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let failed = (figures.failures > 0).then(|| count_of(count(figures.failures), "failure"));
    let published = (figures.published > 0).then(|| format!("{} published", figures.published));
    measured.chain(failed).chain(published).collect::<Vec<_>>().join(", ")
}
