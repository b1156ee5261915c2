//! `convwise explain`: why or why not one network, and what would change that.

use std::fmt::Write as _;

use convwise_advisor::explain::{Explanation, explain};
use convwise_types::{Millis, Verdict};

use super::request;
use crate::args::ExplainArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::{finding_line, grade, interval, request_line};
use crate::screen::{BAD, FAINT, GOOD, HEADING, WARN, styled};

pub(crate) fn run(context: &Context, args: &ExplainArgs) -> Result<(), CliError> {
    let request = request(context, &args.request)?;
    let world = context.world()?;
    let explanation = explain(&world, &request, &args.architecture)?;
    if args.output.json {
        return context.screen.json(&explanation);
    }
    context.screen.result(&shown(&explanation))
}

fn shown(explanation: &Explanation) -> String {
    let mut out = format!("{}\n", styled(HEADING, request_line(&explanation.request)));
    for candidate in &explanation.candidates {
        let pick = &candidate.pick;
        let weights =
            pick.weights.as_ref().map_or_else(|| "no published weights".to_owned(), ToString::to_string);
        let _ = writeln!(
            out,
            "\n{} {weights} @{} {}: {}",
            styled(HEADING, &pick.title),
            pick.input_size,
            pick.precision,
            verdict(candidate.verdict)
        );
        if let Some(place) = candidate.place {
            let _ = writeln!(
                out,
                "  place {place} of {} feasible, score {:.3}",
                explanation.feasible, pick.score
            );
        }
        if let Some(accuracy) = &pick.accuracy {
            let _ = writeln!(
                out,
                "  accuracy {:.2} % {} ({}, {})",
                accuracy.value, accuracy.metric, accuracy.dataset, accuracy.grade
            );
        }
        if let Some(latency) = &pick.latency {
            let _ = writeln!(
                out,
                "  latency  {} [{}] {} {}",
                Millis(latency.ms),
                interval(latency.low_ms, latency.high_ms),
                grade(latency.grade),
                styled(FAINT, &latency.source)
            );
        }
        for finding in &pick.findings {
            let _ = writeln!(out, "  {}", finding_line(finding));
            for (field, value) in &finding.values {
                let _ = writeln!(out, "      {}", styled(FAINT, format!("{field} = {value}")));
            }
        }
        if let Some(change) = &candidate.counterfactual {
            let _ = writeln!(out, "  would fit with {change}");
        }
    }
    out
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Proven => styled(GOOD, "fits, proven"),
        Verdict::Unproven => styled(WARN, "not proven"),
        Verdict::Rejected => styled(BAD, "rejected"),
    }
}
