//! From a judged and ranked answer to the decision record.

use std::collections::{BTreeMap, BTreeSet};

use convwise_judge::Judgement;
use convwise_types::{
    AccuracyCell, ArchitectureId, Candidate, CandidateKey, CommandLine, Fact, Finding, FindingKind,
    FindingLine, Label, LatencyCell, Need, NoFit, Pick, Precision, Rejection, Request, Verdict,
};

use crate::catalogue::Form;
use crate::standing::Standing;

/// Nearest misses that are shown when nothing fits.
const NEAREST: usize = 5;

/// A pick: the candidate with its labels, reasons and the commands that reproduce its numbers.
#[must_use]
pub fn pick(standing: &Standing<'_>, labels: Vec<Label>, findings: &[Finding], request: &Request) -> Pick {
    let candidate = standing.candidate;
    Pick {
        architecture: candidate.key.architecture.clone(),
        title: candidate.architecture.title.clone(),
        family: candidate.architecture.family.clone(),
        buildable: candidate.architecture.is_buildable(),
        weights: candidate.key.weights.clone(),
        input_size: candidate.key.input.height,
        precision: candidate.key.precision,
        runner: candidate.key.runner.clone(),
        proven: standing.verdict == Verdict::Proven,
        labels,
        score: standing.score,
        accuracy: accuracy_cell(candidate),
        latency: latency_cell(candidate),
        params: candidate.params().value().map(|p| p.0),
        macs: candidate.macs().value().map(|m| m.0),
        weight_bytes: candidate.size.value().map(|b| b.0),
        peak_activation_bytes: candidate.ram.value().map(|b| b.0),
        findings: findings.iter().filter(|f| says_something(f)).map(finding_line).collect(),
        reproduce: reproduce(candidate, request),
    }
}

/// A preference that scored nothing is no reason for a pick, and neither is a requirement that has nothing to say.
fn says_something(finding: &Finding) -> bool {
    match finding.kind {
        FindingKind::Preferred { score, .. } => score > 0.0,
        FindingKind::Step(_) => false,
        _ => !finding.reason.is_empty(),
    }
}

pub(crate) fn accuracy_cell(candidate: &Candidate) -> Option<AccuracyCell> {
    let Fact::Known(accuracy, evidence) = &candidate.accuracy else { return None };
    Some(AccuracyCell {
        value: accuracy.value.0,
        metric: accuracy.metric.clone(),
        dataset: accuracy.dataset.clone(),
        grade: evidence.grade,
        source: evidence.source.clone(),
    })
}

pub(crate) fn latency_cell(candidate: &Candidate) -> Option<LatencyCell> {
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
    command.push_str(&Form::of(request).flags());
    if key.precision != Precision::Fp32 {
        command.push_str(&format!(" --precision {}", key.precision));
    }
    format!("{command} --input-size {}", key.input.height)
}

fn reproduce(candidate: &Candidate, request: &Request) -> Vec<String> {
    let key = &candidate.key;
    let form = Form::of(request).flags();
    let mut commands = Vec::new();
    if candidate.graph.value().is_some() {
        commands
            .push(format!("convwise arch show {} --input-size {}{form}", key.architecture, key.input.height));
    }
    if let Some(record) = candidate.latency.value().and_then(|l| l.record.as_ref()) {
        commands.push(bench_command(key, request));
        commands.push(format!("convwise kb show {record}"));
    }
    commands
}

/// What was rejected, nearest misses first: fewest failed requirements, then by requirement the smallest miss.
#[must_use]
pub fn rejections<'a>(judged: impl Iterator<Item = (&'a Candidate, &'a Judgement)>) -> Vec<Rejection> {
    let mut found: Vec<_> = judged.filter_map(|(c, j)| Some((miss(j), rejection(c, j)?))).collect();
    found.sort_by(|(miss_a, a), (miss_b, b)| {
        let by_requirement = (a.rules.len(), &a.rule).cmp(&(b.rules.len(), &b.rule));
        by_requirement
            .then_with(|| miss_a.total_cmp(miss_b))
            .then_with(|| a.architecture.cmp(&b.architecture))
    });
    found.into_iter().map(|(_, rejection)| rejection).collect()
}

/// By how much the first failing requirement is missed, in its own unit.
fn miss(judgement: &Judgement) -> f64 {
    let first = judgement.findings.iter().find(|f| f.kind == FindingKind::Rejected);
    first.and_then(|f| f.margin).map_or(f64::INFINITY, f64::abs)
}

/// One entry a candidate, with its first failing requirement in front.
fn rejection(candidate: &Candidate, judgement: &Judgement) -> Option<Rejection> {
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

/// The nearest misses, of rejections in the order of nearness.
#[must_use]
pub fn nearest(rejected: &[Rejection]) -> NoFit {
    NoFit { nearest: rejected.iter().take(NEAREST).cloned().collect() }
}

/// What is not known yet, one entry a fact, with the networks it would decide. `measure` is the command
/// that would settle a latency, where one does.
#[must_use]
pub fn needs(judged: &[(&Candidate, &Judgement)], measure: Option<&str>) -> Vec<Need> {
    let mut by_fact: BTreeMap<&str, BTreeMap<&ArchitectureId, &str>> = BTreeMap::new();
    let mut measurable = BTreeSet::new();
    for (candidate, judgement) in judged.iter().filter(|(_, j)| j.verdict == Verdict::Unproven) {
        for missing in &judgement.needs {
            by_fact.entry(&missing.fact).or_default().insert(&candidate.key.architecture, &missing.need);
            if candidate.architecture.is_buildable() {
                measurable.insert(missing.fact.as_str());
            }
        }
    }
    let command = |fact: &str| measure.filter(|_| measurable.contains(fact));
    by_fact.into_iter().map(|(fact, needs)| need_of(fact, &needs, command(fact))).collect()
}

fn need_of(fact: &str, needs: &BTreeMap<&ArchitectureId, &str>, measure: Option<&str>) -> Need {
    let words: BTreeSet<_> = needs.values().collect();
    let need = match (needs.first_key_value(), words.len()) {
        (Some((id, need)), 2..) => format!("for example {id}: {need}"),
        (first, _) => first.map(|(_, need)| (*need).to_owned()).unwrap_or_default(),
    };
    Need {
        fact: fact.to_owned(),
        architectures: needs.keys().map(|id| (*id).clone()).collect(),
        need,
        command: measure.filter(|_| ["latency", "throughput"].contains(&fact)).map(str::to_owned),
    }
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
