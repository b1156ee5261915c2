//! `convwise arch show`: one network with everything that is known of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use convwise_advisor::AdvisorError::OnlyPublished;
use convwise_advisor::catalogue::{Catalogue, Form, known};
use convwise_graph::{dot, infer, text as graph_text};
use convwise_types::{Architecture, Bytes, Fact, GraphFacts, InputSize, Precision, PublishedLatency};
use convwise_zoo::{BuildOptions, Variant, unknown};

use super::document::{document, peaks, stated_sizes};
use super::sources::sources;
use crate::context::Context;
use crate::error::CliError;
use crate::render::table::{figures, table, text};
use crate::screen::{FAINT, NAME, styled};

/// How `arch show` prints.
pub(super) struct Print {
    pub(super) json: bool,
    pub(super) graph: bool,
    pub(super) dot: bool,
}

pub(super) fn run(
    context: &Context,
    id: &str,
    form: Form,
    size: Option<InputSize>,
    print: &Print,
) -> Result<(), CliError> {
    let (zoo, store) = (context.zoo(), context.store()?);
    let known = known(zoo, store).map_err(CliError::failed)?;
    let Some(mut architecture) = known.iter().find(|a| a.id.as_str() == id).cloned() else {
        return Err(unknown(id, known.iter().map(|a| a.id.as_str())).into());
    };
    let Ok(variant) = zoo.find(id) else {
        return match print.graph || print.dot {
            true => Err(OnlyPublished { network: architecture.id, figures: architecture.origin }.into()),
            false => page(context, &architecture, print),
        };
    };
    let input = size.map_or(architecture.input, |size| size.of(architecture.input));
    if print.graph || print.dot {
        return print_graph(context, variant, &form.at(input), print.dot);
    }
    if architecture.is_buildable() {
        let facts = Catalogue::facts(zoo, store, variant, input, form).map_err(CliError::failed)?;
        match facts {
            Fact::Known(facts, _) => architecture.graph = Some(facts),
            Fact::Unknown(missing) => return Err(CliError::invalid(missing.need)),
        }
    }
    page(context, &architecture, print)
}

fn page(context: &Context, architecture: &Architecture, print: &Print) -> Result<(), CliError> {
    if print.json {
        context.screen.json(&document(architecture))
    } else {
        context.screen.result(&shown(architecture))
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

fn shown(a: &Architecture) -> String {
    let family = if a.family.is_empty() { String::new() } else { format!(" ({})", a.family) };
    let mut out = format!("{}  {}{family}\n", styled(NAME, &a.id), a.title);
    if let Some(paper) = &a.paper {
        let _ = writeln!(out, "{}, {} {}", paper.title, paper.year, styled(FAINT, &paper.url));
    }
    let _ = writeln!(out);
    let lines = a.graph.as_ref().map_or_else(|| stated_lines(a), graph_lines);
    for (name, value) in lines.into_iter().chain(family_lines(a)) {
        let _ = writeln!(out, "{name:<17} {value}");
    }
    out.push('\n');
    out.push_str(&results(a));
    out.push_str(&latencies(a));
    out.push_str(&sources(a));
    out
}

/// One line of `arch show`: what it states, and the value.
type Line = (&'static str, String);

fn graph_lines(facts: &GraphFacts) -> Vec<Line> {
    let outputs = facts.outputs.iter().map(|o| format!("{} {:?}", o.name, o.shape)).collect::<Vec<_>>();
    let ops = facts.ops.iter().map(|(o, n)| format!("{n} {o}")).collect::<Vec<_>>();
    let peaks = facts.peak_elements.keys().map(|&model| {
        let bound = if facts.bounded.contains(&model) { " (at most: a better order may exist)" } else { "" };
        ("peak activations", format!("{}, {model}{bound}", per_precision(&peaks(facts, model))))
    });
    let mut lines = vec![
        ("input", facts.input.to_string()),
        ("parameters", format!("{} ({})", facts.params.0, facts.params)),
        ("MACs", format!("{} ({})", facts.macs.0, facts.macs)),
        ("in depthwise", facts.depthwise_macs.to_string()),
        ("activations", facts.activations.to_string()),
    ];
    lines.extend(peaks);
    lines.push(("weights", per_precision(&facts.weight_bytes)));
    lines.push(("outputs", outputs.join(", ")));
    lines.push(("operations", ops.join(", ")));
    lines
}

/// What somebody else states of a network that has no layer graph here.
fn stated_lines(a: &Architecture) -> Vec<Line> {
    let unknown = || "unknown".to_owned();
    let stated = a.stated.as_ref();
    let macs = stated.and_then(|s| s.macs);
    let mut lines = vec![
        (
            "builds",
            "no: only published figures are known, there is no layer graph to export or measure".to_owned(),
        ),
        ("input", a.input.to_string()),
        ("parameters", a.params().map_or_else(unknown, |p| format!("{} ({p}), stated", p.0))),
        (
            "MACs",
            macs.map_or_else(unknown, |m| format!("{} ({}) at {}, stated", m.count.0, m.count, m.input)),
        ),
        ("weights", per_precision(&stated_sizes(a))),
    ];
    lines.extend(stated.map(|s| ("stated by", s.source.clone())));
    lines.extend(stated.and_then(|s| Some(("", s.note.clone()?))));
    lines.retain(|(_, value)| !value.is_empty());
    lines
}

fn family_lines(a: &Architecture) -> Vec<Line> {
    let unknown = || "unknown".to_owned();
    let elsewhere = a.elsewhere.iter().map(|(package, model)| {
        let loads = if a.is_buildable() { ", and files with its names load too" } else { "" };
        ("elsewhere", format!("{package} calls it {model}{loads}"))
    });
    let mut lines = vec![("code licence", a.code_licence.as_ref().map_or_else(unknown, |l| l.spdx.clone()))];
    lines.extend(elsewhere);
    lines.push(("maturity", a.maturity.map_or_else(unknown, |m| m.to_string())));
    lines.push(("defined in", a.origin.to_string()));
    lines
}

fn per_precision(values: &BTreeMap<Precision, Bytes>) -> String {
    values.iter().map(|(p, b)| format!("{b} {p}")).collect::<Vec<_>>().join(", ")
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

/// Latencies that others published, on devices and engines of theirs.
fn latencies(a: &Architecture) -> String {
    if a.latencies.is_empty() {
        return String::new();
    }
    let columns = [
        text("published on"),
        text("with"),
        text("precision"),
        text("input"),
        figures("batch"),
        figures("latency"),
        text("of"),
        text("source"),
    ];
    let row = |l: &PublishedLatency| {
        vec![
            l.device.clone(),
            l.runtime.clone(),
            l.precision.to_string(),
            format!("{}x{}", l.input.height, l.input.width),
            l.batch.to_string(),
            l.latency.to_string(),
            l.includes.clone(),
            l.source.clone(),
        ]
    };
    format!("\n{}", table(&columns, a.latencies.iter().map(row)))
}
