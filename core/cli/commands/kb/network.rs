//! The page of an architecture: what is known of it, on which evidence, and what contradicts what.

use std::fmt::Display;

use convwise_advisor::conflicts::{Conflict, conflicts};
use convwise_advisor::listing::listing;
use convwise_store::MeasurementFilter;
use convwise_types::{AddedCost, AddedResult, AddedTiming, Architecture, Candidate, Fact, Millis};

use super::listing::shipped_results;
use super::rows::request;
use crate::args::asking::SettingArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::{count_of, grade, interval};
use crate::render::records::laid_out;
use crate::render::table::{figures, table, text};
use crate::screen::{HEADING, NAME, WARN, styled};

pub(super) fn page(context: &Context, a: &Architecture) -> Result<String, CliError> {
    let request = request(context, &SettingArgs::default())?;
    let listing = listing(&context.world()?, &request)?;
    let ours: Vec<_> = listing.candidates.iter().filter(|c| c.key.architecture == a.id).collect();
    let mut out = head(a);
    out.extend(ours.first().map(|c| facts(c)));
    out.push_str(&section(&format!("Latency on {}", listing.setting(&request)), &deployments(&ours)));
    let results = results(context, a)?;
    out.push_str(&section("Published accuracies", &accuracies(&results)));
    let against_each_other = conflicts(results.iter().map(|(result, _)| result));
    out.push_str(&section("Contradictions", &contradictions(&against_each_other)));
    out.push_str(&section("Published times", &timings(context, a)?));
    out.push_str(&section("Counted elsewhere", &costs(context, a)?));
    out.push_str(&measured(context, a)?);
    Ok(out)
}

/// A part of the page; nothing where there is nothing to say.
fn section(title: &str, body: &str) -> String {
    if body.is_empty() { String::new() } else { format!("\n{}\n{body}", styled(HEADING, title)) }
}

fn head(a: &Architecture) -> String {
    let paper = a.paper.as_ref().map(|p| format!("{}, {} {}", p.title, p.year, p.url));
    let elsewhere: Vec<_> =
        a.elsewhere.iter().map(|(package, name)| format!("{name} in {package}")).collect();
    let builds = if a.is_buildable() { "" } else { "no: only published figures are known here" };
    let lines = [
        ("paper", paper.unwrap_or_default()),
        ("task", a.task.to_string()),
        ("builds", builds.to_owned()),
        ("also called", elsewhere.join(", ")),
        ("maturity", a.maturity.map(|m| m.to_string()).unwrap_or_default()),
        ("defined in", a.origin.to_string()),
    ];
    format!("{}  {} ({})\n\n{}", styled(NAME, &a.id), a.title, a.family, laid_out(&lines))
}

/// What does not hang on the weights.
fn facts(c: &Candidate) -> String {
    let columns = [text("fact"), figures("value"), text("evidence"), text("source")];
    let rows = [
        row("parameters", &c.params(), ToString::to_string),
        row(&format!("MACs at {}", c.key.input), &c.macs(), ToString::to_string),
        row(&format!("weights, {}", c.key.precision), &c.size, ToString::to_string),
        row("peak activations", &c.ram, ToString::to_string),
        row("licence of the code", &c.code_licence, |l| l.spdx.clone()),
        row("licence of the weights", &c.weights_licence, |l| l.spdx.clone()),
    ];
    section("Facts", &table(&columns, rows))
}

fn row<T>(what: &str, fact: &Fact<T>, shown: impl Fn(&T) -> String) -> Vec<String> {
    match fact.known() {
        Ok((value, evidence)) => {
            vec![what.to_owned(), shown(value), grade(evidence.grade), evidence.source.clone()]
        }
        Err(missing) => vec![what.to_owned(), "unknown".to_owned(), String::new(), missing.need.clone()],
    }
}

fn deployments(candidates: &[&Candidate]) -> String {
    let columns = [
        text("weights"),
        figures("input"),
        figures("accuracy"),
        text("evidence"),
        figures("latency"),
        text("95 % interval"),
        text("evidence"),
        text("source"),
    ];
    let row = |c: &&Candidate| {
        let [accuracy, accuracy_grade, _] = cells(&c.accuracy, |a| format!("{} {}", a.value, a.metric));
        let [latency, latency_grade, source] = cells(&c.latency, |l| l.median.to_string());
        let range = c.latency.value().map(|l| interval(l.interval.low, l.interval.high));
        vec![
            c.key.weights.as_ref().map_or_else(|| "none published".to_owned(), ToString::to_string),
            c.key.input.height.to_string(),
            accuracy,
            accuracy_grade,
            latency,
            range.unwrap_or_default(),
            latency_grade,
            source,
        ]
    };
    table(&columns, candidates.iter().map(row))
}

/// A fact as its value, its grade and its source, or what would make it known.
fn cells<T>(fact: &Fact<T>, shown: impl Fn(&T) -> String) -> [String; 3] {
    match fact.known() {
        Ok((value, evidence)) => [shown(value), grade(evidence.grade), evidence.source.clone()],
        Err(missing) => ["unknown".to_owned(), String::new(), missing.need.clone()],
    }
}

/// Whether a record that uses a package's names, or ours without one, is about an architecture.
fn is_about(a: &Architecture, package: Option<&str>, name: &str) -> bool {
    match package {
        None => a.id.as_str() == name,
        Some(package) => a.elsewhere.get(package).is_some_and(|theirs| theirs == name),
    }
}

/// Accuracies with where each stands: in the definition, or added.
fn results(context: &Context, a: &Architecture) -> Result<Vec<(AddedResult, String)>, CliError> {
    let shipped = shipped_results(context).into_iter().filter(|(r, _)| r.architecture == a.id);
    let added = context.store()?.results(None).map_err(CliError::failed)?.into_iter();
    let added = added.filter(|r| is_about(a, r.package.as_deref(), r.architecture.as_str()));
    Ok(shipped.chain(added.map(|r| (r, "added".to_owned()))).collect())
}

fn accuracies(results: &[(AddedResult, String)]) -> String {
    if results.is_empty() {
        return String::new();
    }
    let columns = [
        text("weights"),
        text("dataset"),
        text("metric"),
        figures("value"),
        figures("input"),
        text("precision"),
        text("origin"),
        text("source"),
    ];
    let row = |(r, origin): &(AddedResult, String)| {
        vec![
            or_unknown(r.weights.as_ref()),
            r.result.dataset.clone(),
            r.result.metric.clone(),
            format!("{:.3} %", r.result.value.0),
            r.result.input_size.to_string(),
            r.result.precision.to_string(),
            origin.clone(),
            r.result.source.clone(),
        ]
    };
    table(&columns, results.iter().map(row))
}

/// Each contradiction on one line, its values beside each other with their sources.
pub(super) fn contradictions(found: &[Conflict]) -> String {
    let line = |c: &Conflict| {
        let values: Vec<_> = c.values.iter().map(|(value, source)| format!("{value} % ({source})")).collect();
        let weights = c.of.weights.as_deref().unwrap_or("unknown weights");
        let of = format!("{} {weights}, {} on {}", c.of.network, c.of.metric, c.of.dataset);
        format!(
            "{} {of} at {}, {}: {}\n",
            styled(WARN, "≠"),
            c.of.input_size,
            c.of.precision,
            values.join(" against ")
        )
    };
    found.iter().map(line).collect()
}

fn timings(context: &Context, a: &Architecture) -> Result<String, CliError> {
    let added = context.store()?.timings(None).map_err(CliError::failed)?;
    let about = |t: &&AddedTiming| is_about(a, t.package.as_deref(), t.architecture.as_str());
    let added = added.iter().filter(about).map(|t| {
        let with = t.options.as_ref().map_or_else(|| t.runtime.clone(), |o| format!("{}, {o}", t.runtime));
        [
            t.device.clone(),
            with,
            t.precision.clone(),
            t.batch.to_string(),
            t.input.to_string(),
            or_unknown(t.latency),
            t.source.clone(),
        ]
    });
    let stated = a.latencies.iter().map(|l| {
        let with = format!("{}, {}", l.runtime, l.includes);
        [
            l.device.clone(),
            with,
            l.precision.to_string(),
            l.batch.to_string(),
            l.input.to_string(),
            l.latency.to_string(),
            l.source.clone(),
        ]
    });
    let rows: Vec<_> = stated.chain(added).map(Vec::from).collect();
    if rows.is_empty() {
        return Ok(String::new());
    }
    let columns = [
        text("device"),
        text("with"),
        text("precision"),
        figures("batch"),
        text("input"),
        figures("latency"),
        text("source"),
    ];
    Ok(table(&columns, rows))
}

fn costs(context: &Context, a: &Architecture) -> Result<String, CliError> {
    let costs = context.store()?.costs().map_err(CliError::failed)?;
    let about = |c: &&AddedCost| is_about(a, c.package.as_deref(), c.architecture.as_str());
    let rows: Vec<_> = costs
        .iter()
        .filter(about)
        .map(|c| {
            let macs = c.cost.macs.map(|m| format!("{} at {}", m.count, m.input));
            vec![or_unknown(c.cost.params), or_unknown(macs), c.cost.source.clone()]
        })
        .collect();
    if rows.is_empty() {
        return Ok(String::new());
    }
    Ok(table(&[figures("parameters"), figures("MACs"), text("source")], rows))
}

/// How much was measured of it, and how to see it.
fn measured(context: &Context, a: &Architecture) -> Result<String, CliError> {
    let filter = MeasurementFilter { architecture: Some(a.id.clone()), ..MeasurementFilter::default() };
    let found = context.store()?.measurements(&filter).map_err(CliError::failed)?;
    if found.is_empty() {
        let how = if a.is_buildable() { format!(": convwise bench {}", a.id) } else { String::new() };
        return Ok(section("Measurements", &format!("none{how}\n")));
    }
    let fastest = found.iter().map(|m| m.statistics.median.0).fold(f64::INFINITY, f64::min);
    let count = count_of(found.len(), "measurement");
    let query = format!("convwise kb query --from measurements 'architecture == \"{}\"'", a.id);
    Ok(section("Measurements", &format!("{count}, the fastest {}: {query}\n", Millis(fastest))))
}

fn or_unknown(value: Option<impl Display>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
}
