//! `convwise arch`: the architectures, their costs and how exact they are.

mod document;
mod list;
mod show;
mod sources;

use std::path::Path;

use convwise_advisor::catalogue::Form;
use convwise_types::Severity;
use serde_json::json;

use self::show::Print;
use crate::args::ArchCommand;
use crate::commands::verify::Reference;
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;

pub(crate) fn run(context: &Context, command: &ArchCommand) -> Result<(), CliError> {
    match command {
        ArchCommand::List { words, output } => list::run(context, words, output.json),
        ArchCommand::Show { id, classes, input_size, postprocess, graph, dot, output } => {
            let print = Print { json: output.json, graph: *graph, dot: *dot };
            let form = Form { classes: *classes, postprocess: *postprocess };
            show::run(context, id, form, *input_size, &print)
        }
        ArchCommand::Check(args) => check(context, args.json),
        ArchCommand::Verify { id, fixture, weights, runner, output } => {
            let reference = Reference { fixture, weights: weights.as_deref() };
            super::verify::run(context, id, &reference, runner, output.json)
        }
        ArchCommand::New { name, dir } => new(context, name, dir),
        ArchCommand::Eject { dir } => eject(context, dir),
    }
}

fn check(context: &Context, as_json: bool) -> Result<(), CliError> {
    let found = context.zoo().check();
    let errors = found.iter().filter(|d| d.severity == Severity::Error).count();
    if as_json {
        context
            .screen
            .json(&json!({"schema": "convwise.arch-check/1", "ok": errors == 0, "findings": found}))?;
    } else {
        let shown: Vec<_> = found.iter().map(|d| d.render(true)).collect();
        let variants = context.zoo().variants().count();
        let end = format!("{}: {}", count_of(variants, "architecture"), count_of(errors, "error"));
        context.screen.result(&[shown.as_slice(), &[end]].concat().join("\n\n"))?;
    }
    if errors == 0 { Ok(()) } else { Err(CliError::Reported(3)) }
}

fn new(context: &Context, name: &str, dir: &Path) -> Result<(), CliError> {
    super::plain_name(name)?;
    let written = convwise_zoo::scaffold(name, dir).map_err(CliError::failed)?;
    context.screen.result(&written.display().to_string())?;
    context.screen.remark(
        "edit it, then run `convwise arch check`; reference.py in it is the same network in PyTorch, to verify it with",
    );
    Ok(())
}

fn eject(context: &Context, dir: &Path) -> Result<(), CliError> {
    let ejected = convwise_zoo::eject(dir).map_err(CliError::failed)?;
    for kept in &ejected.kept {
        context.screen.remark(format!("{} is there already and was left alone", kept.display()));
    }
    context
        .screen
        .result(&ejected.written.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join("\n"))
}
