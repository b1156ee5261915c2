//! `convwise arch`: the architectures, their costs and how exact they are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use convwise_advisor::catalogue::Catalogue;
use convwise_graph::{dot, infer, text as graph_text};
use convwise_types::{
    Architecture, Bytes, ComparisonSet, Fact, GraphFacts, MemoryModel, Precision, Severity, Weights,
};
use convwise_zoo::{BuildOptions, Variant};
use serde_json::{Map, Value, json};

use crate::args::ArchCommand;
use crate::commands::verify::Reference;
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::count_of;
use crate::render::table::{figures, table, text};
use crate::screen::{FAINT, NAME, styled};

pub(crate) fn run(context: &Context, command: &ArchCommand) -> Result<(), CliError> {
    match command {
        ArchCommand::List { words, output } => list(context, words, output.json),
        ArchCommand::Show { id, classes, input_size, graph, dot, output } => {
            let form = Form { json: output.json, graph: *graph, dot: *dot };
            show(context, id, *classes, *input_size, &form)
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

fn list(context: &Context, words: &[String], as_json: bool) -> Result<(), CliError> {
    let catalogue = Catalogue::load(context.zoo(), context.store()?, None).map_err(CliError::failed)?;
    let listed: Vec<_> = catalogue.architectures.iter().filter(|a| has_words(a, words)).collect();
    if listed.is_empty() && !words.is_empty() {
        context
            .screen
            .remark(format!("no architecture has {}; `convwise arch list` shows all", words.join(", ")));
    }
    if as_json {
        let lines: Vec<_> = listed.iter().map(|a| summary(a)).collect();
        return context.screen.json(&json!({"schema": "convwise.architectures/1", "architectures": lines}));
    }
    let unknown = || "unknown".to_owned();
    let row = |a: &Architecture| {
        let graph = a.graph.as_ref();
        let best = best_accuracy(a);
        vec![
            styled(NAME, &a.id),
            a.family.clone(),
            a.task.to_string(),
            graph.map_or_else(unknown, |g| g.params.to_string()),
            graph.map_or_else(unknown, |g| g.macs.to_string()),
            a.input.to_string(),
            best.map_or_else(unknown, |v| format!("{v:.1} %")),
            a.paper.as_ref().map_or_else(unknown, |p| p.year.to_string()),
            a.origin.to_string(),
        ]
    };
    let columns = [
        text("network"),
        text("family"),
        text("task"),
        figures("params"),
        figures("MACs"),
        text("input"),
        figures("best published"),
        figures("year"),
        text("from"),
    ];
    context.screen.result(&table(&columns, listed.into_iter().map(row)))
}

/// Whether every word stands somewhere in what an architecture is called, whatever its case.
fn has_words(a: &Architecture, words: &[String]) -> bool {
    let tags = a.tags.iter().cloned().collect::<Vec<_>>().join(" ");
    let text = format!("{} {} {} {} {tags} {}", a.id, a.family, a.title, a.task, a.origin).to_lowercase();
    words.iter().all(|word| text.contains(&word.to_lowercase()))
}

/// The best published value of the task's own metric.
fn best_accuracy(a: &Architecture) -> Option<f64> {
    let comparison = ComparisonSet::of(a.task);
    a.weights
        .iter()
        .flat_map(|w| &w.results)
        .filter(|r| comparison.covers(r))
        .map(|r| r.value.0)
        .max_by(f64::total_cmp)
}

fn summary(a: &Architecture) -> Value {
    let graph = a.graph.as_ref();
    json!({
        "id": a.id,
        "family": a.family,
        "title": a.title,
        "task": a.task,
        "params": graph.map(|g| g.params),
        "macs": graph.map(|g| g.macs),
        "input": a.input,
        "best_accuracy": best_accuracy(a),
        "year": a.paper.as_ref().map(|p| p.year),
        "maturity": a.maturity,
        "tags": a.tags,
        "origin": a.origin.to_string(),
    })
}

/// How `arch show` prints.
struct Form {
    json: bool,
    graph: bool,
    dot: bool,
}

fn show(
    context: &Context,
    id: &str,
    classes: Option<u64>,
    side: Option<u64>,
    form: &Form,
) -> Result<(), CliError> {
    let zoo = context.zoo();
    let variant = zoo.find(id)?;
    let mut architecture = zoo.architecture(variant);
    let input = side.map_or(architecture.input, |s| architecture.input.resized(s));
    if form.graph || form.dot {
        return print_graph(
            context,
            variant,
            &BuildOptions { classes, input: Some(input), like: None },
            form.dot,
        );
    }
    let facts = Catalogue::facts(zoo, context.store()?, variant, input, classes).map_err(CliError::failed)?;
    let facts = match facts {
        Fact::Known(facts, _) => facts,
        Fact::Unknown(missing) => return Err(CliError::invalid(missing.need)),
    };
    architecture.graph = Some(facts.clone());
    if form.json {
        context.screen.json(&document(&architecture, &facts))
    } else {
        context.screen.result(&shown(&architecture, &facts))
    }
}

fn print_graph(
    context: &Context,
    variant: &Variant,
    options: &BuildOptions,
    as_dot: bool,
) -> Result<(), CliError> {
    let graph = context.zoo().build(variant, options)?;
    let shapes = infer(&graph, 1).map_err(CliError::failed)?;
    context.screen.result(&if as_dot {
        dot::print(&graph, &shapes)
    } else {
        graph_text::print(&graph, &shapes)
    })
}

fn document(a: &Architecture, facts: &GraphFacts) -> Value {
    let results: Vec<_> = a
        .weights
        .iter()
        .flat_map(|w| w.results.iter().map(move |r| (w, r)))
        .map(|(w, r)| {
            json!({
                "weights": w.tag, "dataset": r.dataset, "metric": r.metric, "value": r.value,
                "input_size": r.input_size, "precision": r.precision, "source": r.source,
            })
        })
        .collect();
    let weights: Vec<_> = a
        .weights
        .iter()
        .map(|w| {
            json!({
                "tag": w.tag, "licence": w.licence, "url": w.url, "found_as": w.found_as,
                "preprocessing": w.preprocessing, "to_safetensors": to_safetensors(a, w),
            })
        })
        .collect();
    let mut document = summary(a);
    let more = json!({
        "schema": "convwise.architecture/1",
        "params": facts.params,
        "macs": facts.macs,
        "input": facts.input,
        "depthwise_macs": facts.depthwise_macs,
        "activations": facts.activations,
        "peak_activation_bytes": peaks(facts, MemoryModel::default()),
        "peak_activation_bytes_by_memory_model": peaks_by_model(facts),
        "weight_bytes": facts.weight_bytes,
        "outputs": facts.outputs,
        "ops": facts.ops,
        "results": results,
        "weights": weights,
        "elsewhere": a.elsewhere,
        "licence": {"code": a.code_licence.as_ref().map(|l| &l.spdx), "weights": weights_licences(a)},
        "paper": a.paper,
        "graph": facts.graph,
        "plugin": a.plugin,
    });
    merge(&mut document, more);
    document
}

/// Peak activations by number format, for one kind of runtime.
fn peaks(facts: &GraphFacts, model: MemoryModel) -> BTreeMap<Precision, Bytes> {
    PRECISIONS.iter().filter_map(|&p| Some((p, facts.peak_bytes(model, p)?))).collect()
}

fn peaks_by_model(facts: &GraphFacts) -> BTreeMap<MemoryModel, BTreeMap<Precision, Bytes>> {
    facts.peak_elements.keys().map(|&model| (model, peaks(facts, model))).collect()
}

/// In the order in which tables show them.
const PRECISIONS: [Precision; 3] = [Precision::Fp32, Precision::Fp16, Precision::Int8];

fn weights_licences(a: &Architecture) -> Map<String, Value> {
    a.weights.iter().map(|w| (w.tag.to_string(), json!(w.licence.as_ref().map(|l| &l.spdx)))).collect()
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

fn shown(a: &Architecture, facts: &GraphFacts) -> String {
    let mut out = format!("{}  {} ({})\n", styled(NAME, &a.id), a.title, a.family);
    if let Some(paper) = &a.paper {
        let _ = writeln!(out, "{}, {} {}", paper.title, paper.year, styled(FAINT, &paper.url));
    }
    let _ = writeln!(out);
    let per = |values: &BTreeMap<Precision, Bytes>| {
        values.iter().map(|(p, b)| format!("{b} {p}")).collect::<Vec<_>>().join(", ")
    };
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "{name:<17} {value}");
    };
    line("input", facts.input.to_string());
    line("parameters", format!("{} ({})", facts.params.0, facts.params));
    line("MACs", format!("{} ({})", facts.macs.0, facts.macs));
    line("in depthwise", facts.depthwise_macs.to_string());
    line("activations", facts.activations.to_string());
    for &model in facts.peak_elements.keys() {
        line("peak activations", format!("{}, {model}", per(&peaks(facts, model))));
    }
    line("weights", per(&facts.weight_bytes));
    let outputs =
        facts.outputs.iter().map(|o| format!("{} {:?}", o.name, o.shape)).collect::<Vec<_>>().join(", ");
    line("outputs", outputs);
    line("operations", facts.ops.iter().map(|(o, n)| format!("{n} {o}")).collect::<Vec<_>>().join(", "));
    line("code licence", a.code_licence.as_ref().map_or_else(|| "unknown".to_owned(), |l| l.spdx.clone()));
    for (package, model) in &a.elsewhere {
        line("elsewhere", format!("{package} calls it {model}, and files with its names load too"));
    }
    line("maturity", a.maturity.map_or_else(|| "unknown".to_owned(), |m| m.to_string()));
    line("defined in", a.origin.to_string());
    out.push('\n');
    out.push_str(&results(a));
    out.push_str(&sources(a));
    out
}

fn results(a: &Architecture) -> String {
    let columns = [
        text("weights"),
        text("dataset"),
        text("metric"),
        figures("value"),
        figures("input"),
        text("precision"),
        text("source"),
    ];
    let rows = a.weights.iter().flat_map(|w| {
        w.results.iter().map(move |r| {
            vec![
                w.tag.to_string(),
                r.dataset.clone(),
                r.metric.clone(),
                format!("{:.3} %", r.value.0),
                r.input_size.to_string(),
                r.precision.to_string(),
                r.source.clone(),
            ]
        })
    });
    table(&columns, rows)
}

/// Where the weights are, what they expect, and how a file that convwise reads is made of them.
fn sources(a: &Architecture) -> String {
    let mut out = String::new();
    for w in &a.weights {
        let _ = writeln!(out, "\n{}", styled(NAME, &w.tag));
        let mut line = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                let _ = writeln!(out, "  {name:<15} {value}");
            }
        };
        line("licence", Some(w.licence.as_ref().map_or_else(|| "unknown".to_owned(), |l| l.spdx.clone())));
        line("found as", w.found_as.clone());
        line("file", w.url.clone());
        line("preprocessing", w.preprocessing.as_ref().map(ToString::to_string));
        line("to safetensors", to_safetensors(a, w));
    }
    out
}

/// A command that writes the weights as a file for `export --weights`.
fn to_safetensors(a: &Architecture, weights: &Weights) -> Option<String> {
    let save = format!("save_model(m, '{}.safetensors')", a.id);
    let (package, _) = weights.tag.as_str().split_once('/')?;
    match (package, &weights.found_as, &weights.url) {
        ("torchvision", Some(found_as), _) => {
            let name = found_as.rsplit('.').next()?;
            Some(format!(
                "python -c \"import torchvision; from safetensors.torch import save_model; \
                 m = torchvision.models.get_model('{}', weights='{name}'); {save}\"",
                a.id
            ))
        }
        ("timm", Some(found_as), _) => Some(format!(
            "python -c \"import timm; from safetensors.torch import save_model; \
             m = timm.create_model('{}', pretrained=True); {save}\"",
            found_as.strip_prefix("timm/").unwrap_or(found_as)
        )),
        (_, _, Some(url)) if url.ends_with(".pth") => {
            let file = url.rsplit('/').next()?;
            Some(format!(
                "python -c \"import torch; from safetensors.torch import save_file; \
                 s = torch.load('{file}', map_location='cpu'); s = s.get('state_dict', s); \
                 save_file({{k: v.contiguous() for k, v in s.items()}}, '{}.safetensors')\"",
                a.id
            ))
        }
        _ => None,
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
