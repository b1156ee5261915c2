//! Which inputs the first pick hangs on, as a table.

use std::fmt::Write as _;

use convwise_advisor::sensitivity::{Input, Sensitivity, Turn};
use convwise_advisor::what_if::Winner;

use super::advice::request_line;
use super::table::{table, text};
use super::what_if::name;
use crate::screen::{FAINT, HEADING, styled};

/// The whole answer.
pub(crate) fn sensitivity(answer: &Sensitivity) -> String {
    let mut out = format!("{}\n", styled(HEADING, request_line(&answer.request)));
    let named = |w: &Option<Winner>| w.as_ref().map_or_else(|| "nothing".to_owned(), standing);
    let _ = writeln!(out, "first {}, then {}\n", named(&answer.winner), named(&answer.runner_up));
    let (turning, steady): (Vec<&Input>, Vec<&Input>) =
        answer.inputs.iter().partition(|i| !i.turns.is_empty());
    if turning.is_empty() {
        let _ = writeln!(out, "nothing that was tried changes the first pick");
    } else {
        let columns = [text("input"), text("now"), text("the pick stays"), text("what changes it")];
        out.push_str(&table(&columns, turning.into_iter().map(row)));
    }
    if !steady.is_empty() {
        let told: Vec<_> = steady.into_iter().map(unmoved).collect();
        let _ = writeln!(out, "\n{}", styled(FAINT, format!("change nothing: {}", told.join(", "))));
    }
    out
}

fn standing(winner: &Winner) -> String {
    let proven = if winner.proven { "proven" } else { "not proven" };
    format!("{} ({:.3}, {proven})", name(winner), winner.score)
}

fn row(input: &Input) -> Vec<String> {
    let turns: Vec<_> = input.turns.iter().map(turn).collect();
    vec![input.input.clone(), input.value.clone(), stays(input), turns.join("; ")]
}

/// `at 42.1 ms resnet50 @224`.
fn turn(turn: &Turn) -> String {
    let winner = turn.winner.as_ref().map_or_else(|| "nothing fits".to_owned(), name);
    format!("{}: {winner}", turn.at)
}

/// `42.1 ms to 75.0 ms`, as far as something beyond changes the pick.
fn stays(input: &Input) -> String {
    match (&input.from, &input.to) {
        (Some(from), Some(to)) => format!("{} to {}", from.shown, to.shown),
        (Some(from), None) => format!("from {} on", from.shown),
        (None, Some(to)) => format!("up to {}", to.shown),
        (None, None) => String::new(),
    }
}

/// An input with the range in which nothing happened.
fn unmoved(input: &Input) -> String {
    match (&input.tried_from, &input.tried_to) {
        (Some(from), Some(to)) if from != to => {
            format!("{} ({} to {})", input.input, from.shown, to.shown)
        }
        _ => input.input.clone(),
    }
}
