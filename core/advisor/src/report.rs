//! From a judged and ranked answer to the decision record.

use std::collections::{BTreeMap, BTreeSet};

use convwise_judge::Judgement;
use convwise_types::{
    AccuracyCell, Candidate, CandidateKey, CommandLine, Fact, Finding, FindingKind, FindingLine, Label, LatencyCell,
    Need, NoFit, Pick, Precision, Rejection, Request, Verdict,
};

use crate::standing::Standing;

/// Nearest misses that are shown when nothing fits.
const NEAREST: usize = 5;

/// A pick: the candidate with its labels, reasons and the commands that reproduce its numbers.
#[must_use]
pub fn pick(standing: &Standing<'_>, labels: Vec<Label>, findings: &[Finding], request: &Request) -> Pick {
    let candidate = standing.candidate;
    let graph = candidate.graph.value();
    Pick {
        architecture: candidate.key.architecture.clone(),
        title: candidate.architecture.title.clone(),
        family: candidate.architecture.family.clone(),
        weights: candidate.key.weights.clone(),
        input_size: candidate.key.input.height,
        precision: candidate.key.precision,
        runner: candidate.key.runner.clone(),
        proven: standing.verdict == Verdict::Proven,
        labels,
        score: standing.score,
        accuracy: accuracy_cell(candidate),
        latency: latency_cell(candidate),
        params: graph.map(|g| g.params.0),
        macs: graph.map(|g| g.macs.0),
        weight_bytes: candidate.size.value().map(|b| b.0),
        peak_activation_bytes: candidate.ram.value().map(|b| b.0),
        findings: findings.iter().filter(|f| says_something(f)).map(finding_line).collect(),
        reproduce: reproduce(candidate, request),
    }
}

/// A preference that scored nothing is no reason for a pick.
fn says_something(finding: &Finding) -> bool {
    match finding.kind {
        FindingKind::Preferred { score, .. } => score > 0.0,
        FindingKind::Step(_) => false,
        _ => true,
    }
}

fn accuracy_cell(candidate: &Candidate) -> Option<AccuracyCell> {
    let Fact::Known(accuracy, evidence) = &candidate.accuracy else { return None };
    Some(AccuracyCell {
        value: accuracy.value.0,
        metric: accuracy.metric.clone(),
        dataset: accuracy.dataset.clone(),
        grade: evidence.grade,
        source: evidence.source.clone(),
    })
}

fn latency_cell(candidate: &Candidate) -> Option<LatencyCell> {
    let Fact::Known(latency, evidence) = &candidate.latency else { return None };
    Some(LatencyCell {
        ms: latency.median.0,
        low_ms: latency.interval.low,
        high_ms: latency.interval.high,
        grade: evidence.grade,
        runner: latency.runner.clone(),
        device: latency.device.to_string(),
        record: latency.record.clone(),
        source: evidence.source.clone(),
    })
}

/// A finding as it is printed.
#[must_use]
pub fn finding_line(finding: &Finding) -> FindingLine {
    let kind = match &finding.kind {
        FindingKind::Rejected => "rejected",
        FindingKind::Passed => "passed",
        FindingKind::Preferred { .. } => "preferred",
        FindingKind::Noted => "noted",
        FindingKind::Step(_) => "step",
        FindingKind::Undecided(_) => "undecided",
        FindingKind::Failed { .. } => "failed",
    };
    FindingLine {
        rule: finding.rule.clone(),
        kind: kind.to_owned(),
        reason: finding.reason.clone(),
        file: finding.file.clone(),
        line: finding.line,
        values: finding.observed.iter().map(|o| (o.field.clone(), o.value.clone())).collect(),
    }
}

/// The command that measures a candidate as the request would run it.
#[must_use]
pub fn bench_command(key: &CandidateKey, request: &Request) -> String {
    let mut command = format!(
        "convwise bench {} --runner {} --threads {} --batch {}",
        key.architecture, key.runner, request.threads, request.batch
    );
    if let Some(classes) = request.situation.classes {
        command.push_str(&format!(" --classes {classes}"));
    }
    if key.precision != Precision::Fp32 {
        command.push_str(&format!(" --precision {}", key.precision));
    }
    format!("{command} --input-size {}", key.input.height)
}

fn reproduce(candidate: &Candidate, request: &Request) -> Vec<String> {
    let key = &candidate.key;
    let classes = request.situation.classes.map(|c| format!(" --classes {c}")).unwrap_or_default();
    let mut commands = Vec::new();
    if candidate.graph.value().is_some() {
        commands.push(format!("convwise arch show {} --input-size {}{classes}", key.architecture, key.input.height));
    }
    if let Some(record) = candidate.latency.value().and_then(|l| l.record.as_ref()) {
        commands.push(bench_command(key, request));
        commands.push(format!("convwise kb show {record}"));
    }
    commands
}

/// What was rejected: one entry a candidate, with its first failing requirement in front.
#[must_use]
pub fn rejection(candidate: &Candidate, judgement: &Judgement) -> Option<Rejection> {
    let failed: Vec<_> = judgement.findings.iter().filter(|f| f.kind == FindingKind::Rejected).collect();
    let first = failed.first()?;
    Some(Rejection {
        architecture: candidate.key.architecture.clone(),
        weights: candidate.key.weights.clone(),
        input_size: candidate.key.input.height,
        precision: candidate.key.precision,
        rule: first.rule.clone(),
        rules: failed.iter().map(|f| f.rule.clone()).collect(),
        reason: failed.iter().map(|f| f.reason.as_str()).collect::<Vec<_>>().join("; "),
        counterfactual: judgement.counterfactual.as_ref().map(|flags| format!("would fit with {flags}")),
    })
}

/// The nearest misses: fewest failed requirements first, in the given order of nearness.
#[must_use]
pub fn nearest(rejected: &[Rejection]) -> NoFit {
    let mut nearest = rejected.to_vec();
    nearest.sort_by_key(|r| r.rules.len());
    nearest.truncate(NEAREST);
    NoFit { nearest }
}

/// What is not known yet, one entry a fact, with the candidates it would decide.
#[must_use]
pub fn needs(judged: &[(&Candidate, &Judgement)], request: &Request, here: bool) -> Vec<Need> {
    let mut by_fact: BTreeMap<&str, (&str, Vec<&CandidateKey>)> = BTreeMap::new();
    for (candidate, judgement) in judged.iter().filter(|(_, j)| j.verdict == Verdict::Unproven) {
        for missing in &judgement.needs {
            let (_, keys) = by_fact.entry(&missing.fact).or_insert((&missing.need, Vec::new()));
            keys.push(&candidate.key);
        }
    }
    by_fact.into_iter().map(|(fact, (need, keys))| need_of(fact, need, &keys, request, here)).collect()
}

fn need_of(fact: &str, need: &str, keys: &[&CandidateKey], request: &Request, here: bool) -> Need {
    let architectures: BTreeSet<_> = keys.iter().map(|k| k.architecture.clone()).collect();
    let measurable = here && fact.starts_with("latency");
    let command = keys.first().filter(|_| measurable).map(|k| bench_command(k, request));
    Need { fact: fact.to_owned(), architectures: architectures.into_iter().collect(), need: need.to_owned(), command }
}

/// Commands that reproduce the first pick's numbers, each once.
#[must_use]
pub fn commands(picks: &[Pick]) -> Vec<CommandLine> {
    let Some(first) = picks.first() else { return Vec::new() };
    let purpose = |command: &str| match command.split_whitespace().nth(1) {
        Some("bench") => format!("the latency of {}, measured again", first.architecture),
        Some("kb") => "the record behind it, with every sample".to_owned(),
        _ => format!("parameters, MACs, sizes and published results of {}", first.architecture),
    };
    first.reproduce.iter().map(|c| CommandLine { purpose: purpose(c), command: c.clone() }).collect()
}
