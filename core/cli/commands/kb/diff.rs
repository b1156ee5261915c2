//! `convwise kb diff`: what differs between two knowledge bases, or between two moments of this one.

use convwise_advisor::changes::{Changes, KindCount, MeasuredAgain, Median, changes};
use convwise_types::Millis;
use serde_json::json;

use super::listing::shipped_results;
use super::network::contradictions;
use super::side::read;
use crate::args::asking::DiffArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::render::advice::{count_of, interval, short};
use crate::render::table::{figures, table, text};
use crate::screen::{FAINT, GOOD, HEADING, NAME, styled};

/// Names that are printed one by one; the rest is counted.
const NAMES_SHOWN: usize = 20;

pub(super) fn run(context: &Context, args: &DiffArgs) -> Result<(), CliError> {
    let (first, second) = (read(context, &args.first)?, read(context, &args.second)?);
    let shipped: Vec<_> = shipped_results(context).into_iter().map(|(result, _)| result).collect();
    let found = changes(&first.state(), &second.state(), &shipped).map_err(CliError::failed)?;
    if args.output.json {
        let sides = json!({"first": first.title, "second": second.title});
        return context
            .screen
            .json(&json!({"schema": "convwise.kb-diff/1", "sides": sides, "changes": found}));
    }
    context.screen.result(&shown(&found, &first.title, &second.title))
}

fn shown(found: &Changes, first: &str, second: &str) -> String {
    let mut out = format!("{} against {}\n\n", styled(HEADING, first), styled(HEADING, second));
    if found.kinds.iter().all(|k| k.first + k.second == 0) {
        return out + "nothing is recorded on either side\n";
    }
    out.push_str(&kinds(&found.kinds));
    let same = found.kinds.iter().all(|k| k.only_first + k.only_second == 0);
    if same {
        out.push_str("\nthe same records on both sides\n");
        return out;
    }
    out.push_str(&section("Measured again", &again(&found.measured_again)));
    out.push_str(&section("Networks that are new", &names(&found.new_networks)));
    out.push_str(&section("Networks that are gone", &names(&found.lost_networks)));
    out.push_str(&section("New contradictions", &contradictions(&found.new_conflicts)));
    out
}

fn section(title: &str, body: &str) -> String {
    if body.is_empty() { String::new() } else { format!("\n{}\n{body}", styled(HEADING, title)) }
}

fn kinds(kinds: &[KindCount]) -> String {
    let columns =
        [text("kind"), figures("first"), figures("second"), figures("only first"), figures("only second")];
    let row = |k: &KindCount| {
        let counts = [k.first, k.second, k.only_first, k.only_second];
        std::iter::once(k.kind.to_owned()).chain(counts.map(|count| count.to_string())).collect()
    };
    table(&columns, kinds.iter().filter(|k| k.first + k.second > 0).map(row))
}

fn again(measured: &[MeasuredAgain]) -> String {
    if measured.is_empty() {
        return String::new();
    }
    let columns = [
        text("network"),
        text("with"),
        text("on"),
        figures("first"),
        text("95 % interval"),
        figures("second"),
        text("95 % interval"),
        text("second / first"),
        text("records"),
    ];
    let mut out = table(&columns, measured.iter().map(line));
    for m in measured.iter().filter(|m| !m.caveats.is_empty()) {
        let caveats = m.caveats.join("; ");
        out.push_str(&format!("{}\n", styled(FAINT, format!("{}: {caveats}", m.setting.network))));
    }
    out
}

fn line(m: &MeasuredAgain) -> Vec<String> {
    let s = &m.setting;
    let range = |of: &Median| interval(of.interval_ms[0], of.interval_ms[1]);
    let ratio = m.ratio.map(|[ratio, low, high]| format!(" {ratio:.2} [{low:.2}, {high:.2}]"));
    let outcome = if m.outcome == "faster" { styled(GOOD, m.outcome) } else { m.outcome.to_owned() };
    vec![
        format!("{} @{}", styled(NAME, &s.network), s.input.height),
        format!(
            "{}, {}, batch {}, {}",
            s.runner,
            count_of(usize::try_from(s.threads).unwrap_or(0), "thread"),
            s.batch,
            s.precision
        ),
        s.device.clone(),
        Millis(m.first.median_ms.0).to_string(),
        range(&m.first),
        Millis(m.second.median_ms.0).to_string(),
        range(&m.second),
        format!("{outcome}{}", ratio.unwrap_or_default()),
        format!("{} {}", short(m.first.record.as_str()), short(m.second.record.as_str())),
    ]
}

fn names(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(NAMES_SHOWN).map(String::as_str).collect();
    let more = names.len().saturating_sub(NAMES_SHOWN);
    match (shown.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!("{}\n", shown.join(", ")),
        (false, more) => format!("{} and {more} more\n", shown.join(", ")),
    }
}
