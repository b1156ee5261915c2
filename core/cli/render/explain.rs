//! Why or why not one network, as a person reads it.

use std::fmt::Write as _;

use convwise_advisor::explain::{
    Change, ChangeOf, Contribution, Explained, Explanation, Gap, Miss, TraceLine, WhyNot,
};
use convwise_judge::{Margin, Reading};
use convwise_types::{Bytes, Millis, Params, PerSecond, Percent, Verdict};

use super::advice::{count_of, evidence_cells, grade, interval, not_buildable, request_line};
use super::table::{figures, table, text};
use crate::screen::{BAD, FAINT, GOOD, HEADING, NAME, WARN, styled};

/// Kinds of rules with the headings under which they are shown.
const KINDS: [(&str, &str); 5] = [
    ("require", "Requirements"),
    ("prefer", "Preferences"),
    ("note", "Remarks"),
    ("train", "Training"),
    ("optimise", "Optimisation"),
];
/// Where the words under a rule begin.
const INDENT: &str = "                 ";
/// Changes that are shown, the smallest first.
const CHANGES_SHOWN: usize = 6;

/// The whole explanation; `all` shows every candidate in full, and the rules that do not apply.
pub(crate) fn explanation(explanation: &Explanation, all: bool) -> String {
    let mut out = format!("{}\n", styled(HEADING, request_line(&explanation.request)));
    let shown = if all { explanation.candidates.len() } else { 1 };
    for candidate in explanation.candidates.iter().take(shown) {
        in_full(candidate, explanation, all, &mut out);
    }
    others(explanation.candidates.get(shown..).unwrap_or_default(), &mut out);
    out
}

fn section(title: &str, out: &mut String) {
    let _ = writeln!(out, "\n{}", styled(HEADING, title));
}

fn in_full(candidate: &Explained, explanation: &Explanation, all: bool, out: &mut String) {
    heading(candidate, explanation, out);
    for (kind, title) in KINDS {
        let lines: Vec<&TraceLine> = candidate.trace.iter().filter(|l| l.account.kind == kind).collect();
        rules_of_kind(title, &lines, all, out);
    }
    score(candidate, out);
    if let Some(why_not) = &candidate.why_not {
        not_first(why_not, out);
    }
}

fn heading(candidate: &Explained, explanation: &Explanation, out: &mut String) {
    let pick = &candidate.pick;
    let weights =
        pick.weights.as_ref().map_or_else(|| "no published weights".to_owned(), ToString::to_string);
    let name = styled(HEADING, &pick.title);
    let verdict = verdict(candidate.verdict);
    let (size, precision, mark) = (pick.input_size, pick.precision, not_buildable(pick));
    let _ = writeln!(out, "\n{name} {weights} @{size} {precision}{mark}: {verdict}");
    if let Some(place) = candidate.place {
        let _ = writeln!(
            out,
            "  place     {place} of {} feasible, score {:.3}",
            explanation.feasible, pick.score
        );
    }
    if let Some(a) = &pick.accuracy {
        let source = styled(FAINT, &a.source);
        let _ = writeln!(
            out,
            "  accuracy  {:.2} % {} on {}, {} {source}",
            a.value,
            a.metric,
            a.dataset,
            grade(a.grade)
        );
    }
    if let Some(l) = &pick.latency {
        let (range, source) = (interval(l.low_ms, l.high_ms), styled(FAINT, &l.source));
        let _ = writeln!(out, "  latency   {} [{range}], {} {source}", Millis(l.ms), grade(l.grade));
    }
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Proven => styled(GOOD, "fits, proven"),
        Verdict::Unproven => styled(WARN, "not proven"),
        Verdict::Rejected => styled(BAD, "rejected"),
    }
}

fn rules_of_kind(title: &str, lines: &[&TraceLine], all: bool, out: &mut String) {
    let (applying, silent): (Vec<&TraceLine>, Vec<&TraceLine>) =
        lines.iter().copied().partition(|l| l.account.verdict != "skips");
    if applying.is_empty() && (silent.is_empty() || !all) {
        return;
    }
    section(title, out);
    // What a step read is of interest to its author; the reason says it to all others.
    let decides = applying.first().is_some_and(|l| ["require", "prefer"].contains(&l.account.kind));
    for line in &applying {
        rule(line, all || decides, out);
    }
    if all {
        silent.iter().for_each(|line| does_not_apply(line, out));
    } else if !silent.is_empty() {
        let names: Vec<_> = silent.iter().map(|l| l.account.rule.as_str()).collect();
        let _ = writeln!(out, "  {}", styled(FAINT, format!("do not apply: {}", names.join(", "))));
    }
}

fn rule(line: &TraceLine, in_full: bool, out: &mut String) {
    let account = &line.account;
    let place = styled(FAINT, format!("{}:{}", account.file, account.line));
    let _ = writeln!(out, "  {} {}  {place}", said(account.verdict), styled(NAME, &account.rule));
    let why = Some(account.reason.clone()).filter(|r| !r.is_empty());
    let margin = account.margin.as_ref().map(|m| margin(m, account.verdict));
    let adds = line.contribution.as_ref().map(|c| contribution(c, account.score, account.weight));
    for words in [why, margin, adds].into_iter().flatten() {
        let _ = writeln!(out, "{INDENT}{words}");
    }
    if in_full {
        readings(&account.fields, out);
    }
}

/// What a rule read, in columns.
fn readings(fields: &[Reading], out: &mut String) {
    let values: Vec<_> = fields.iter().map(value).collect();
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let names = width(&mut fields.iter().map(|f| f.field.chars().count()));
    let widest = width(&mut values.iter().map(|v| v.chars().count()).filter(|w| *w <= 24));
    for (field, value) in fields.iter().zip(&values) {
        let words = format!("{:names$}  {value:widest$}  {}", field.field, evidence(field));
        let _ = writeln!(out, "{INDENT}{}", styled(FAINT, words.trim_end()));
    }
}

/// A value in its unit.
fn value(field: &Reading) -> String {
    match field.value.parse::<f64>() {
        Ok(number) if ["milliseconds", "images a second", "bytes", "parameters"].contains(&field.unit) => {
            quantity(number, field.unit)
        }
        Ok(_) if field.unit == "percent" => format!("{} %", field.value),
        Ok(_) if ["images", "classes", "threads", "pixels", "cores"].contains(&field.unit) => {
            format!("{} {}", field.value, field.unit)
        }
        _ => field.value.clone(),
    }
}

/// Grade and source of a value.
fn evidence(field: &Reading) -> String {
    match (field.grade, &field.source) {
        (Some(grade), Some(source)) => format!("{grade}: {source}"),
        (Some(grade), None) => grade.to_string(),
        (None, Some(source)) if source == "flag" => "stated by flag".to_owned(),
        (None, Some(source)) if source == "default" => "by default".to_owned(),
        (None, Some(source)) => format!("stated in {source}"),
        (None, None) => String::new(),
    }
}

/// A rule that does not apply, in one line with what it asked.
fn does_not_apply(line: &TraceLine, out: &mut String) {
    let asked: Vec<_> = line.account.fields.iter().map(|f| format!("{} = {}", f.field, f.value)).collect();
    let words = format!("does not apply  {}  {}", line.account.rule, asked.join(", "));
    let _ = writeln!(out, "  {}", styled(FAINT, words));
}

/// What a rule says, with its mark, in a column.
fn said(verdict: &str) -> String {
    let (style, mark, words) = match verdict {
        "holds" => (GOOD, "✓", "holds"),
        "holds-weakly" => (WARN, "✓", "holds weakly"),
        "fails" => (BAD, "✗", "fails"),
        "unknown" => (WARN, "?", "unknown"),
        "error" => (BAD, "!", "failed"),
        "prefers" => (GOOD, "+", "prefers"),
        "advises" => (GOOD, "→", "advises"),
        _ => (FAINT, "·", "notes"),
    };
    styled(style, format!("{mark} {words:<12}"))
}

/// `missed by 17.1 ms, 86 % of the limit`.
fn margin(margin: &Margin, verdict: &str) -> String {
    let share =
        margin.of_limit.map(|s| format!(", {:.0} % of the limit", 100.0 * s.abs())).unwrap_or_default();
    let words = match (margin.value < 0.0, verdict) {
        (false, _) => "margin",
        (true, "unknown") => "short of certainty by",
        (true, _) => "missed by",
    };
    format!("{words} {}{share}", quantity(margin.value.abs(), margin.unit))
}

/// A value in its unit, as people write it.
pub(crate) fn quantity(value: f64, unit: &str) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, which is what is wanted"
    )]
    let whole = value.round() as u64;
    match unit {
        "milliseconds" => Millis(value).to_string(),
        "images a second" => PerSecond(value).to_string(),
        "percent" => Percent(value).to_string().replace(" %", " points"),
        "bytes" => Bytes(whole).to_string(),
        "parameters" => Params(whole).to_string(),
        "" => format!("{value:.3}"),
        unit => format!("{value} {unit}"),
    }
}

fn contribution(c: &Contribution, score: Option<f64>, weight: Option<f64>) -> String {
    let (score, weight) = (score.unwrap_or(0.0), weight.unwrap_or(0.0));
    let moves = c.moves.map(|m| format!(", moves the final score by {m:+.3}")).unwrap_or_default();
    format!("score {score:.2} x weight {weight} = {:.3} of the mean preference{moves}", c.share)
}

fn score(candidate: &Explained, out: &mut String) {
    let Some(rank) = &candidate.rank else { return };
    section("Score", out);
    let place = styled(FAINT, format!("{}:{}", rank.file, rank.line));
    let _ = writeln!(out, "  {:.3}  {}  {place}", rank.score, styled(NAME, &rank.rule));
    let _ = writeln!(out, "  {}", rank.reason);
    for (name, value) in rank.parts.iter().flatten() {
        let _ = writeln!(out, "  {value:.3}  {name}");
    }
    if rank.inherited > 0.0 {
        let _ = writeln!(
            out,
            "  its preference is {:.3} higher than its own: it beats networks that the guide prefers, by measurement",
            rank.inherited
        );
    }
}

fn not_first(why_not: &WhyNot, out: &mut String) {
    section(if why_not.gap.is_some() { "Why not first" } else { "Why not" }, out);
    for miss in &why_not.misses {
        let _ = writeln!(out, "  {} {}", said(miss.verdict), missed(miss));
    }
    for remark in &why_not.remarks {
        let _ = writeln!(out, "  {remark}");
    }
    changes("with one change it fits:", &why_not.changes, out);
    changes("together these make it fit:", &why_not.together, out);
    if let Some(gap) = &why_not.gap {
        let _ = writeln!(out, "  {}", distance(gap));
    }
}

fn missed(miss: &Miss) -> String {
    let by = miss.margin.as_ref().map(|m| format!(" ({})", margin(m, miss.verdict))).unwrap_or_default();
    format!("{}: {}{by}", styled(NAME, &miss.rule), miss.reason)
}

fn changes(title: &str, changes: &[Change], out: &mut String) {
    if changes.is_empty() {
        return;
    }
    let _ = writeln!(out, "  {title}");
    for change in changes.iter().take(CHANGES_SHOWN) {
        let _ = writeln!(out, "    {}", changed(change));
    }
    if changes.len() > CHANGES_SHOWN {
        let more = format!("and {} more; --json lists them all", changes.len() - CHANGES_SHOWN);
        let _ = writeln!(out, "    {}", styled(FAINT, more));
    }
}

/// `--latency 607ms instead of 60ms (10.1 times); on evidence that cannot prove it`.
fn changed(change: &Change) -> String {
    let what = match (&change.flag, change.of) {
        (Some(flag), _) => styled(NAME, flag),
        (None, ChangeOf::Network) => format!("{} {}", change.what, change.to),
        (None, _) => format!("{} {}", change.what, change.to),
    };
    let ratio = change.ratio.map(|r| format!(" (x {r:.2})")).unwrap_or_default();
    let proof = match change.verdict {
        Verdict::Proven => "proven",
        _ => "on evidence that cannot prove it yet",
    };
    format!("{what} instead of {}{ratio}, {proof}", change.from)
}

/// `0.120 behind efficientnet_b0: 0.090 accuracy, 0.050 fast-family, -0.020 size`.
pub(crate) fn distance(gap: &Gap) -> String {
    let parts: Vec<_> = gap
        .parts
        .iter()
        .filter(|p| p.behind.abs() >= 5e-4)
        .map(|p| {
            format!(
                "{:.3} {}",
                p.behind,
                if p.preference { format!("preference {}", p.name) } else { p.name.clone() }
            )
        })
        .collect();
    let split = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    let standing = if gap.behind >= 0.0 {
        format!("{:.3} behind {}{split}", gap.behind, gap.to)
    } else {
        format!("{:.3} ahead of {} by score{split}", -gap.behind, gap.to)
    };
    let mut told = vec![standing];
    if gap.unproven {
        told.push(format!("{} is proven and this is not, which counts before any score", gap.to));
    }
    if gap.beyond_budget {
        told.push(
            "its best estimate is beyond the latency budget, so it is no pick until it is measured"
                .to_owned(),
        );
    }
    told.join("; ")
}

/// The other weights, inputs and number formats of the network, a line each.
fn others(rest: &[Explained], out: &mut String) {
    if rest.is_empty() {
        return;
    }
    section(&format!("{} of this network", count_of(rest.len(), "other candidate")), out);
    let columns = [
        text("weights"),
        figures("input"),
        text("format"),
        figures("accuracy"),
        figures("latency"),
        text("evidence"),
        text("verdict"),
        figures("place"),
        figures("score"),
    ];
    out.push_str(&table(&columns, rest.iter().map(other)));
    let _ = writeln!(out, "{}", styled(FAINT, "--all shows them in full"));
}

fn other(candidate: &Explained) -> Vec<String> {
    let pick = &candidate.pick;
    let [weights, accuracy, latency, _, grade] = evidence_cells(pick);
    vec![
        weights,
        pick.input_size.to_string(),
        pick.precision.to_string(),
        accuracy,
        latency,
        grade,
        verdict(candidate.verdict),
        candidate.place.map(|p| p.to_string()).unwrap_or_default(),
        candidate.place.map(|_| format!("{:.3}", pick.score)).unwrap_or_default(),
    ]
}
