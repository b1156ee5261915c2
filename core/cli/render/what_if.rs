//! Where the first pick changes, as a table and a small chart.

use std::fmt::Write as _;

use convwise_advisor::what_if::{Stretch, WhatIf, Winner};
use convwise_types::Millis;

use super::advice::{grade, request_line};
use super::table::{figures, table, text};
use crate::screen::{FAINT, HEADING, NAME, styled, width};

/// Columns of the bars at the most.
const WIDEST: usize = 72;
/// What a stretch looks like whose pick is proven, and one whose pick is not.
const PROVEN: char = '█';
const UNPROVEN: char = '░';
/// What marks the value that the request states.
const HERE: char = '▲';

/// The whole answer.
pub(crate) fn what_if(answer: &WhatIf) -> String {
    let mut out = format!("{}\n", styled(HEADING, request_line(&answer.request)));
    let ends = answer.stretches.first().zip(answer.stretches.last());
    if let Some((first, last)) = ends {
        let range = format!("{} from {} to {}", answer.field, first.from.shown, last.to.shown);
        let _ = writeln!(out, "\n{}", styled(HEADING, format!("What if {range}")));
    }
    out.push_str(&stretches(answer));
    chart(answer, &mut out);
    out
}

fn stretches(answer: &WhatIf) -> String {
    let columns = [
        figures("from"),
        figures("to"),
        text("first pick"),
        text("weights"),
        figures("accuracy"),
        figures("latency"),
        text("evidence"),
        text("proven"),
        text("why"),
    ];
    table(&columns, answer.stretches.iter().map(row))
}

fn row(stretch: &Stretch) -> Vec<String> {
    let mut cells = vec![stretch.from.shown.clone(), stretch.to.shown.clone()];
    cells.extend(match &stretch.winner {
        Some(winner) => pick(winner),
        None => {
            let mut blank = vec![String::new(); 6];
            if let Some(first) = blank.first_mut() {
                "nothing fits".clone_into(first);
            }
            blank
        }
    });
    cells.push(stretch.left.clone().unwrap_or_default());
    cells
}

fn pick(winner: &Winner) -> Vec<String> {
    let c = &winner.candidate;
    vec![
        name(winner),
        c.weights.as_ref().map_or_else(|| "none published".to_owned(), ToString::to_string),
        c.accuracy.as_ref().map_or_else(|| "unknown".to_owned(), |a| format!("{:.1} %", a.value)),
        c.latency.as_ref().map_or_else(|| "unknown".to_owned(), |l| Millis(l.ms).to_string()),
        c.latency.as_ref().map_or_else(String::new, |l| grade(l.grade)),
        if winner.proven { "yes" } else { "no" }.to_owned(),
    ]
}

/// `resnet50 @224`.
pub(crate) fn name(winner: &Winner) -> String {
    format!("{} @{}", styled(NAME, &winner.candidate.architecture), winner.candidate.input_size)
}

/// One bar a pick over the range of the figure.
fn chart(answer: &WhatIf, out: &mut String) {
    let mut names: Vec<String> = Vec::new();
    for stretch in &answer.stretches {
        let label = label(stretch);
        if !names.contains(&label) {
            names.push(label);
        }
    }
    let margin = names.iter().map(|n| n.chars().count()).max().unwrap_or(0);
    let Some(scale) = Scale::of(answer, width().saturating_sub(margin + 4).clamp(16, WIDEST)) else { return };
    out.push('\n');
    for wanted in &names {
        let _ = writeln!(out, "  {wanted:margin$}  {}", bar(answer, &scale, wanted).trim_end());
    }
    let _ = writeln!(out, "  {:margin$}  {}", "", styled(FAINT, scale.axis(answer)));
    if let Some(stated) = answer.stated.as_ref().filter(|s| s.value >= scale.low && s.value <= scale.high) {
        let at = scale.column(stated.value);
        let _ = writeln!(out, "  {:margin$}  {:at$}{HERE} {} as stated", "", "", stated.shown);
    }
    let _ = writeln!(
        out,
        "  {:margin$}  {}",
        "",
        styled(FAINT, format!("{PROVEN} proven  {UNPROVEN} not proven"))
    );
}

fn label(stretch: &Stretch) -> String {
    stretch.winner.as_ref().map_or_else(
        || "nothing fits".to_owned(),
        |w| format!("{} @{}", w.candidate.architecture, w.candidate.input_size),
    )
}

fn bar(answer: &WhatIf, scale: &Scale, wanted: &str) -> String {
    let mut cells = vec![' '; scale.columns];
    for stretch in answer.stretches.iter().filter(|s| label(s) == wanted) {
        let mark = match &stretch.winner {
            Some(w) if w.proven => PROVEN,
            Some(_) => UNPROVEN,
            None => '·',
        };
        // A stretch too narrow for a column is still seen.
        let (from, to) = (scale.column(stretch.from.value), scale.column(stretch.to.value));
        cells.iter_mut().take(to + 1).skip(from).for_each(|cell| *cell = mark);
    }
    cells.into_iter().collect()
}

/// Values of the figure on the columns of the chart.
struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    columns: usize,
}

impl Scale {
    fn of(answer: &WhatIf, columns: usize) -> Option<Self> {
        let (low, high) = (answer.stretches.first()?.from.value, answer.stretches.last()?.to.value);
        (high > low).then_some(Self { low, high, logarithmic: answer.logarithmic, columns })
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "columns of a terminal"
    )]
    fn column(&self, value: f64) -> usize {
        let share = if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        let last = self.columns.saturating_sub(1);
        ((share.clamp(0.0, 1.0) * last as f64).round() as usize).min(last)
    }

    /// Both ends, as they are written.
    fn axis(&self, answer: &WhatIf) -> String {
        let shown = |s: Option<&str>| s.unwrap_or_default().to_owned();
        let low = shown(answer.stretches.first().map(|s| s.from.shown.as_str()));
        let high = shown(answer.stretches.last().map(|s| s.to.shown.as_str()));
        let gap = self.columns.saturating_sub(low.chars().count() + high.chars().count()).max(2);
        format!("{low}{:gap$}{high}", "")
    }
}
