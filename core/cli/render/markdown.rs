//! The answer as Markdown, for a design document or a ticket.

use std::fmt::Write as _;

use convwise_types::{Advice, Bytes, Millis, Pick, StepLine};

use super::advice::{different_networks, interval, not_buildable, packs, request_line, short};

/// The whole answer.
pub(crate) fn advice(advice: &Advice) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# Which network: {}\n", request_line(&advice.request));
    picks(&advice.picks, &mut out);
    why(&advice.picks, &mut out);
    rejections(advice, &mut out);
    steps("Training", &advice.training, &mut out);
    steps("Optimisation", &advice.optimisation, &mut out);
    list(
        "Ties",
        advice.ties.iter().map(|t| {
            let names = t.architectures.iter().map(|a| format!("`{a}`")).collect::<Vec<_>>().join(", ");
            format!("{}: {names} ({})", t.on, t.reason)
        }),
        &mut out,
    );
    let overruled = advice.evidence_over_guide.iter();
    list(
        "Evidence over the guide",
        overruled.map(|o| format!("{} (`{}`, {}:{})", o.remark, o.rule, o.file, o.line)),
        &mut out,
    );
    list(
        "Still needed",
        advice.needs.iter().map(|n| {
            let command = n.command.as_ref().map(|c| format!(": `{c}`")).unwrap_or_default();
            format!("{}: {}{command}", n.fact, n.need)
        }),
        &mut out,
    );
    list("Notes", advice.notes.iter().cloned(), &mut out);
    list("Rules", packs(advice).into_iter().chain(advice.rules.overrides.iter().cloned()), &mut out);
    list("Reproduce", advice.commands.iter().map(|c| format!("`{}` ({})", c.command, c.purpose)), &mut out);
    let _ = writeln!(
        out,
        "\nKnowledge base `{}`, rules `{}`.",
        short(&advice.kb.version),
        short(&advice.rules.fingerprint)
    );
    out
}

fn picks(picks: &[Pick], out: &mut String) {
    if picks.is_empty() {
        let _ = writeln!(out, "**Nothing fits.**\n");
        return;
    }
    let _ = writeln!(
        out,
        "| # | network | weights | accuracy | latency | 95 % interval | evidence | size | labels |"
    );
    let _ = writeln!(out, "|-:|---|---|-:|-:|---|---|-:|---|");
    for (i, pick) in picks.iter().enumerate() {
        let _ = writeln!(out, "| {} |", pick_cells(i + 1, pick).join(" | "));
    }
    out.push('\n');
}

fn pick_cells(place: usize, pick: &Pick) -> Vec<String> {
    let proven = if pick.proven { "" } else { " (not proven)" };
    let latency = pick.latency.as_ref();
    let unknown = || "unknown".to_owned();
    vec![
        place.to_string(),
        format!("{} @{} {}{}{proven}", pick.title, pick.input_size, pick.precision, not_buildable(pick)),
        pick.weights.as_ref().map_or_else(unknown, ToString::to_string),
        pick.accuracy.as_ref().map_or_else(unknown, |a| format!("{:.1} %", a.value)),
        latency.map_or_else(unknown, |l| Millis(l.ms).to_string()),
        latency.map_or_else(String::new, |l| interval(l.low_ms, l.high_ms)),
        latency.map_or_else(String::new, |l| l.grade.to_string()),
        pick.weight_bytes.map_or_else(unknown, |b| Bytes(b).to_string()),
        pick.labels.iter().map(|l| l.as_str()).collect::<Vec<_>>().join(", "),
    ]
}

fn why(picks: &[Pick], out: &mut String) {
    let Some(first) = picks.first() else { return };
    let findings =
        first.findings.iter().map(|f| format!("{} (`{}`, {}:{})", f.reason, f.rule, f.file, f.line));
    list(&format!("Why {}", first.title), findings, out);
}

fn rejections(advice: &Advice, out: &mut String) {
    let lines = different_networks(&advice.rejected).into_iter().map(|r| {
        let change = r.counterfactual.as_ref().map(|c| format!("; {c}")).unwrap_or_default();
        format!("`{}` @{}: {} (`{}`){change}", r.architecture, r.input_size, r.reason, r.rule)
    });
    list("Rejected", lines, out);
}

fn steps(title: &str, steps: &[StepLine], out: &mut String) {
    if steps.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## {title}\n");
    for (i, step) in steps.iter().enumerate() {
        let _ = writeln!(out, "{}. {}: {} (`{}`)", i + 1, step.step, step.reason, step.rule);
        if let Some(command) = &step.command {
            let _ = writeln!(out, "   `{command}`");
        }
    }
}

fn list(title: &str, items: impl Iterator<Item = String>, out: &mut String) {
    let items: Vec<_> = items.collect();
    if items.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## {title}\n");
    for item in items {
        let _ = writeln!(out, "- {item}");
    }
}
