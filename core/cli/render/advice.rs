//! The answer as a person reads it in a terminal.

use std::fmt::Write as _;

use convwise_types::{
    Advice, ArchitectureId, Bytes, Contender, Deploy, FindingLine, Grade, Millis, PackStamp, Params, Pick,
    Rejection, Request, StepLine,
};

use super::table::{figures, table, text};
use crate::screen::{BAD, FAINT, GOOD, HEADING, NAME, WARN, styled};

/// Rejections that are printed one by one; the rest is counted.
const REJECTIONS_SHOWN: usize = 8;

/// Names of a list that are printed.
const NAMES_SHOWN: usize = 6;

/// The whole answer.
pub(crate) fn advice(advice: &Advice) -> String {
    let mut out = String::new();
    heading_of(advice, &mut out);
    if advice.picks.is_empty() {
        nothing_fits(advice, &mut out);
    } else {
        picks(&advice.picks, &mut out);
        compared_on(advice, &mut out);
        why(&advice.picks, &mut out);
        ties(advice, &mut out);
        evidence_over_guide(advice, &mut out);
    }
    rejections(advice, &mut out);
    steps("Training", &advice.training, &mut out);
    steps("Optimisation", &advice.optimisation, &mut out);
    needs(advice, &mut out);
    notes(advice, &mut out);
    commands(advice, &mut out);
    out
}

fn section(title: &str, out: &mut String) {
    let _ = writeln!(out, "\n{}", styled(HEADING, title));
}

fn heading_of(advice: &Advice, out: &mut String) {
    let _ = writeln!(out, "{}", styled(HEADING, request_line(&advice.request)));
    let kb = &advice.kb;
    let _ = writeln!(
        out,
        "{}",
        styled(
            FAINT,
            format!(
                "{} architectures and {} known (knowledge base {}), {} rules ({})",
                kb.architectures,
                count_of(usize::try_from(kb.measurements).unwrap_or(usize::MAX), "measurement"),
                short(&kb.version),
                advice.rules.rules,
                short(&advice.rules.fingerprint)
            )
        )
    );
    for said in packs(advice).iter().chain(&advice.rules.overrides) {
        let _ = writeln!(out, "{}", styled(FAINT, said));
    }
}

/// The packs beside the shipped rules, one line each.
pub(crate) fn packs(advice: &Advice) -> Vec<String> {
    let line = |pack: &PackStamp| {
        let refused = pack.refused.as_ref().map(|why| format!(" is not used: {why}")).unwrap_or_default();
        format!("pack {} {} ({}){refused}", pack.name, pack.version, pack.layer)
    };
    advice.rules.packs.iter().map(line).collect()
}

/// The request in one line.
pub(crate) fn request_line(request: &Request) -> String {
    let limits = &request.limits;
    let mut parts = vec![format!("{} on {}", request.task, deployment(request))];
    let mut limit = |name: &str, value: Option<String>| parts.extend(value.map(|v| format!("{name} {v}")));
    limit("latency ≤", limits.latency.map(|v| v.to_string()));
    limit("throughput ≥", limits.throughput.map(|v| v.to_string()));
    limit("accuracy ≥", limits.min_accuracy.map(|v| v.to_string()));
    limit("size ≤", limits.max_size.map(|v| v.to_string()));
    limit("parameters ≤", limits.max_params.map(|v| v.to_string()));
    limit("RAM ≤", limits.ram.map(|v| v.to_string()));
    limit("flash ≤", limits.flash.map(|v| v.to_string()));
    limit(
        "licence",
        (limits.licence != convwise_types::LicenceDemand::Any).then(|| limits.licence.to_string()),
    );
    if limits.real_time {
        parts.push("real time".to_owned());
    }
    if request.postprocess {
        parts.push("with post-processing".to_owned());
    }
    parts.push(format!("priority {}", request.priority));
    parts.join(", ")
}

fn deployment(request: &Request) -> String {
    let place = match (&request.device, request.deploy) {
        (Some(device), deploy) => format!("{deploy} {device}"),
        (None, Deploy::Mobile | Deploy::Edge) if request.here => format!("{} (this machine)", request.deploy),
        (None, deploy) => deploy.to_string(),
    };
    let threads = if request.threads == 1 { "thread" } else { "threads" };
    format!("{place} with {}, batch {}, {} {threads}", request.runner, request.batch, request.threads)
}

/// The first characters of a digest.
pub(crate) fn short(digest: &str) -> &str {
    digest.get(..8).unwrap_or(digest)
}

fn picks(picks: &[Pick], out: &mut String) {
    section("Picks", out);
    let columns = [
        figures("#"),
        text("network"),
        text("weights"),
        figures("accuracy"),
        figures("latency"),
        text("95 % interval"),
        text("evidence"),
        figures("size"),
        figures("params"),
        text("labels"),
    ];
    let rows = picks.iter().enumerate().map(|(i, pick)| pick_row(i + 1, pick));
    out.push_str(&table(&columns, rows));
    if picks.iter().any(|p| !p.proven) {
        let _ = writeln!(
            out,
            "{}",
            styled(
                WARN,
                "? not proven: a requirement rests on evidence that cannot carry it; see what is still needed"
            )
        );
    }
}

/// On what the accuracies are compared, and which networks have none there.
fn compared_on(advice: &Advice, out: &mut String) {
    let compared = &advice.compared;
    let (with, without) = (compared.networks.len(), compared.left_out.len());
    if without == 0 {
        return;
    }
    let fit = with + without;
    let line = format!(
        "accuracy is {} on {}, which {with} of the {fit} networks that fit have; left out for want of it: {}",
        compared.metric,
        compared.dataset,
        names(&compared.left_out)
    );
    let _ = writeln!(out, "{}", styled(FAINT, line));
    for other in &compared.elsewhere {
        let line = format!("--dataset {} compares {}", other.dataset, names(&other.networks));
        let _ = writeln!(out, "{}", styled(FAINT, line));
    }
}

/// The first few names of a list.
fn names(ids: &[ArchitectureId]) -> String {
    let shown = ids.iter().take(NAMES_SHOWN).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(NAMES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn pick_row(place: usize, pick: &Pick) -> Vec<String> {
    let mark = if pick.proven { "" } else { "?" };
    let size = format!("{} {}", styled(NAME, &pick.architecture), detail(pick));
    let [weights, accuracy, latency, interval, grade] = evidence_cells(pick);
    vec![
        format!("{mark}{place}"),
        size.trim_end().to_owned(),
        weights,
        accuracy,
        latency,
        interval,
        grade,
        pick.weight_bytes.map_or_else(|| "unknown".to_owned(), |b| Bytes(b).to_string()),
        pick.params.map_or_else(|| "unknown".to_owned(), |p| Params(p).to_string()),
        pick.labels.iter().map(|l| l.as_str()).collect::<Vec<_>>().join(", "),
    ]
}

/// Weights, accuracy, latency, its interval and its grade, as every table of networks shows them.
pub(crate) fn evidence_cells(pick: &Pick) -> [String; 5] {
    let latency = pick.latency.as_ref();
    [
        pick.weights.as_ref().map_or_else(|| "none published".to_owned(), ToString::to_string),
        pick.accuracy.as_ref().map_or_else(|| "unknown".to_owned(), |a| format!("{:.1} %", a.value)),
        latency.map_or_else(|| "unknown".to_owned(), |l| Millis(l.ms).to_string()),
        latency.map_or_else(String::new, |l| interval(l.low_ms, l.high_ms)),
        latency.map_or_else(String::new, |l| grade(l.grade)),
    ]
}

/// What is said beside a network that cannot be exported and measured here.
pub(crate) fn not_buildable(pick: &Pick) -> &'static str {
    if pick.buildable { "" } else { " (not buildable here)" }
}

fn detail(pick: &Pick) -> String {
    let precision = if pick.precision == convwise_types::Precision::Fp32 {
        String::new()
    } else {
        format!(" {}", pick.precision)
    };
    format!("@{}{precision}{}", pick.input_size, not_buildable(pick))
}

/// An interval with as many digits as its ends need.
pub(crate) fn interval(low: f64, high: f64) -> String {
    format!("{} … {}", Millis(low), Millis(high))
}

/// A grade in its colour.
pub(crate) fn grade(grade: Grade) -> String {
    let style = match grade {
        Grade::Measured => GOOD,
        Grade::Calibrated | Grade::Published => NAME,
        Grade::Estimated => WARN,
    };
    styled(style, grade)
}

fn why(picks: &[Pick], out: &mut String) {
    for (i, pick) in picks.iter().enumerate().take(3) {
        section(&format!("Why {} is {}", pick.title, ordinal(i)), out);
        if let Some(accuracy) = &pick.accuracy {
            let _ = writeln!(
                out,
                "  {:.2} % {} on {} ({}: {})",
                accuracy.value, accuracy.metric, accuracy.dataset, accuracy.grade, accuracy.source
            );
        }
        if let Some(latency) = &pick.latency {
            let _ = writeln!(
                out,
                "  {} on {} with {} ({}: {})",
                Millis(latency.ms),
                latency.device,
                latency.runner,
                latency.grade,
                latency.source
            );
        }
        for finding in &pick.findings {
            let _ = writeln!(out, "  {}", finding_line(finding));
        }
    }
}

fn ordinal(i: usize) -> String {
    match i {
        0 => "first".to_owned(),
        1 => "second".to_owned(),
        2 => "third".to_owned(),
        n => format!("number {}", n + 1),
    }
}

/// A finding with its mark, rule and place.
pub(crate) fn finding_line(finding: &FindingLine) -> String {
    let mark = match finding.kind.as_str() {
        "passed" => styled(GOOD, "✓"),
        "preferred" => styled(GOOD, "+"),
        "rejected" => styled(BAD, "✗"),
        "undecided" => styled(WARN, "?"),
        "failed" => styled(BAD, "!"),
        _ => "·".to_owned(),
    };
    let place = styled(FAINT, format!("{} {}:{}", finding.rule, finding.file, finding.line));
    format!("{mark} {}  {place}", finding.reason)
}

fn ties(advice: &Advice, out: &mut String) {
    if advice.ties.is_empty() {
        return;
    }
    section("Ties", out);
    for tie in &advice.ties {
        let names = tie.architectures.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "  {}: {names} ({})", tie.on, tie.reason);
    }
}

/// Where measurements contradict the guide.
fn evidence_over_guide(advice: &Advice, out: &mut String) {
    if advice.evidence_over_guide.is_empty() {
        return;
    }
    section("Evidence over the guide", out);
    for overruled in &advice.evidence_over_guide {
        let place = styled(FAINT, format!("{} {}:{}", overruled.rule, overruled.file, overruled.line));
        let order = if overruled.changed_the_order { "; that decides their order" } else { "" };
        let _ = writeln!(out, "  {}{order}  {place}", overruled.remark);
        for contender in [&overruled.preferred, &overruled.better] {
            let _ = writeln!(out, "      {}", styled(FAINT, in_one_line(contender)));
        }
    }
}

/// A candidate with its figures and the record behind them.
fn in_one_line(contender: &Contender) -> String {
    let accuracy = contender.accuracy.as_ref().map(|a| format!(", {:.2} % {}", a.value, a.metric));
    let latency = contender.latency.as_ref().map(|l| {
        let record = l.record.as_ref().map(|r| format!(", record {r}")).unwrap_or_default();
        format!(", {} [{}]{record}", Millis(l.ms), interval(l.low_ms, l.high_ms))
    });
    let figures = [accuracy, latency].into_iter().flatten().collect::<String>();
    format!("{} @{}{figures}", contender.architecture, contender.input_size)
}

fn nothing_fits(advice: &Advice, out: &mut String) {
    section("Nothing fits", out);
    let nearest = advice.nothing_fits.as_ref().map(|n| n.nearest.as_slice()).unwrap_or_default();
    if nearest.is_empty() {
        let _ = writeln!(out, "  no known network does {}", advice.request.task);
        return;
    }
    let _ = writeln!(out, "  the nearest misses:");
    for rejection in nearest {
        rejection_line(rejection, out);
    }
}

fn rejections(advice: &Advice, out: &mut String) {
    if advice.rejected.is_empty() {
        return;
    }
    let different = different_networks(&advice.rejected);
    section(&format!("Rejected ({})", different.len()), out);
    for rejection in different.iter().take(REJECTIONS_SHOWN) {
        rejection_line(rejection, out);
    }
    if different.len() > REJECTIONS_SHOWN {
        let rest = different.len() - REJECTIONS_SHOWN;
        let _ = writeln!(out, "  {}", styled(FAINT, format!("and {rest} more; --json lists them all")));
    }
}

/// Of weights of one network that fail for the same reason, the first.
pub(crate) fn different_networks(rejected: &[Rejection]) -> Vec<&Rejection> {
    let mut kept: Vec<&Rejection> = Vec::new();
    for rejection in rejected {
        let same = |k: &&Rejection| k.architecture == rejection.architecture && k.reason == rejection.reason;
        if !kept.iter().any(same) {
            kept.push(rejection);
        }
    }
    kept
}

fn rejection_line(rejection: &Rejection, out: &mut String) {
    let weights = rejection.weights.as_ref().map(|w| format!(" {w}")).unwrap_or_default();
    let _ = writeln!(
        out,
        "  {} {}@{}{weights}: {}  {}",
        styled(BAD, "✗"),
        styled(NAME, &rejection.architecture),
        rejection.input_size,
        rejection.reason,
        styled(FAINT, &rejection.rule)
    );
    if let Some(counterfactual) = &rejection.counterfactual {
        let _ = writeln!(out, "      {counterfactual}");
    }
}

fn steps(title: &str, steps: &[StepLine], out: &mut String) {
    if steps.is_empty() {
        return;
    }
    section(title, out);
    for (i, step) in steps.iter().enumerate() {
        let _ = writeln!(out, "  {}. {}", i + 1, step.step);
        let place = styled(FAINT, format!("{} {}:{}", step.rule, step.file, step.line));
        let _ = writeln!(out, "     {}  {place}", step.reason);
        for extra in [&step.expect, &step.command].into_iter().flatten() {
            let _ = writeln!(out, "     {}", styled(FAINT, extra));
        }
    }
}

fn needs(advice: &Advice, out: &mut String) {
    if advice.needs.is_empty() {
        return;
    }
    section("Still needed", out);
    for need in &advice.needs {
        let _ = writeln!(
            out,
            "  {}: {} ({})",
            need.fact,
            need.need,
            count_of(need.architectures.len(), "network")
        );
        if let Some(command) = &need.command {
            let _ = writeln!(out, "      {}", styled(NAME, command));
        }
    }
}

/// `1 network`, `3 networks`.
pub(crate) fn count_of(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn notes(advice: &Advice, out: &mut String) {
    if advice.notes.is_empty() {
        return;
    }
    section("Notes", out);
    for note in &advice.notes {
        let _ = writeln!(out, "  {note}");
    }
}

fn commands(advice: &Advice, out: &mut String) {
    if advice.commands.is_empty() {
        return;
    }
    section("Reproduce", out);
    for line in &advice.commands {
        let _ = writeln!(
            out,
            "  {}  {}",
            styled(NAME, &line.command),
            styled(FAINT, format!("# {}", line.purpose))
        );
    }
}
