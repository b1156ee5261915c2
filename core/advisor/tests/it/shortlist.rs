//! What is worth a measurement, and when the answer rests on measurements.

use std::collections::BTreeSet;

use convwise_advisor::Standing;
use convwise_advisor::shortlist::{Trial, needs_closer_look, next_trial};
use convwise_types::{Candidate, Maturity, Millis, Precision, Verdict};

use crate::samples::{candidate, changed, measured, standings, unknown};

/// Candidates with their scores and their chances of keeping the budget.
struct Field {
    pool: Vec<(Candidate, f64)>,
    chances: Vec<f64>,
    rejected: Vec<usize>,
    tried: BTreeSet<Trial>,
    top: usize,
}

impl Field {
    fn of(pool: Vec<(Candidate, f64, f64)>) -> Self {
        let chances = pool.iter().map(|(_, _, p)| *p).collect();
        let pool = pool.into_iter().map(|(c, score, _)| (c, score)).collect();
        Self { pool, chances, rejected: Vec::new(), tried: BTreeSet::new(), top: 1 }
    }

    fn top(mut self, top: usize) -> Self {
        self.top = top;
        self
    }

    fn rejecting(mut self, index: usize) -> Self {
        self.rejected.push(index);
        self
    }

    fn trying(mut self, index: usize) -> Self {
        self.tried.insert(Trial::of(&self.pool[index].0.key));
        self
    }

    fn next(&self) -> Option<String> {
        let mut standings = standings(&self.pool);
        for index in &self.rejected {
            standings[*index].verdict = Verdict::Rejected;
        }
        let fits = |s: &Standing<'_>| self.chances[s.index];
        next_trial(&standings, &fits, &self.tried, self.top).map(|t| t.architecture.to_string())
    }
}

fn check(field: &Field, expect: Option<&str>) {
    assert_eq!(field.next().as_deref(), expect);
}

/// Better than [`poor`] in all but size, where they draw: with the better score it holds every label beside it.
fn good(id: &str) -> Candidate {
    changed(candidate(id, 80.0, 10.0), |a| a.maturity = Some(Maturity::Ubiquitous))
}

fn poor(id: &str) -> Candidate {
    candidate(id, 60.0, 20.0)
}

#[test]
fn the_most_promising_goes_first() {
    let likely = Field::of(vec![(poor("hopes"), 0.9, 0.3), (poor("likely"), 0.6, 1.0)]);
    check(&likely, Some("likely"));
    let certain = Field::of(vec![(poor("hopes"), 0.9, 1.0), (poor("likely"), 0.6, 1.0)]);
    check(&certain, Some("hopes"));
    let drawn = Field::of(vec![(poor("b"), 0.5, 1.0), (poor("a"), 0.5, 1.0)]);
    check(&drawn, Some("a"));
}

#[test]
fn nothing_is_left_once_what_the_answer_rests_on_is_measured() {
    let pool = || vec![(measured(good("first")), 0.9, 1.0), (poor("second"), 0.5, 1.0)];
    check(&Field::of(pool()).top(1), None);
    check(&Field::of(pool()).top(2), Some("second"));
    let both = vec![(measured(good("first")), 0.9, 1.0), (measured(poor("second")), 0.5, 1.0)];
    check(&Field::of(both).top(9), None);
    check(&Field::of(Vec::new()), None);
}

#[test]
fn what_was_tried_and_measured_keeps_its_place() {
    let pool = vec![(measured(good("first")), 0.9, 1.0), (poor("second"), 0.5, 1.0)];
    check(&Field::of(pool).trying(0), None);
}

#[test]
fn other_weights_of_a_network_take_no_place_among_the_picks() {
    let mut weights = measured(good("first"));
    weights.key.weights = Some("V2".into());
    let pool = vec![(measured(good("first")), 0.9, 1.0), (weights, 0.8, 1.0), (poor("second"), 0.5, 1.0)];
    check(&Field::of(pool).top(2), Some("second"));
}

#[test]
fn the_holder_of_a_label_is_measured_before_the_next_best_pick() {
    let accurate = candidate("accurate", 90.0, 500.0);
    let pool = vec![(measured(good("first")), 0.9, 1.0), (poor("second"), 0.5, 1.0), (accurate, 0.1, 1.0)];
    check(&Field::of(pool).top(2), Some("accurate"));
}

#[test]
fn what_cannot_be_run_is_never_tried() {
    let precise = |precision| {
        let mut c = good("other");
        c.key.precision = precision;
        c
    };
    let mut unbuildable = good("unbuildable");
    unbuildable.graph = unknown("graph");
    for never in [precise(Precision::Int8), precise(Precision::Fp16), unbuildable] {
        let pool = vec![(never.clone(), 0.9, 1.0), (poor("runs"), 0.1, 1.0)];
        check(&Field::of(pool).top(2), Some("runs"));
        check(&Field::of(vec![(never, 0.9, 1.0)]).top(2), None);
    }
    check(&Field::of(vec![(precise(Precision::Fp32), 0.9, 1.0)]), Some("other"));
}

#[test]
fn the_rejected_are_never_tried() {
    let pool = || vec![(good("rejected"), 0.9, 1.0), (poor("other"), 0.1, 1.0)];
    check(&Field::of(pool()).rejecting(0).top(2), Some("other"));
    check(&Field::of(pool()).rejecting(0).rejecting(1).top(2), None);
}

#[test]
fn what_was_tried_in_vain_is_not_tried_again_with_any_weights() {
    let mut weights = good("failed");
    weights.key.weights = Some("V2".into());
    let pool = || vec![(good("failed"), 0.9, 1.0), (weights.clone(), 0.8, 1.0), (poor("other"), 0.1, 1.0)];
    check(&Field::of(pool()), Some("failed"));
    check(&Field::of(pool()).trying(0), Some("other"));
    check(&Field::of(pool()).trying(0).trying(2), None);
}

#[test]
fn the_unlikely_are_tried_only_while_nothing_measured_fits() {
    let accurate = || candidate("unlikely", 90.0, 500.0);
    let with = |first: Candidate, chance| Field::of(vec![(first, 0.9, 1.0), (accurate(), 0.8, chance)]);
    check(&with(measured(good("fits")), 0.1), None);
    check(&with(measured(good("fits")), 0.3), Some("unlikely"));
    check(&with(measured(good("misses")), 0.1).rejecting(0), Some("unlikely"));
    check(&with(measured(good("misses")), 0.005).rejecting(0), None);
}

#[test]
fn a_closer_look_is_needed_where_the_budget_is_in_doubt() {
    let look = |budget: f64| needs_closer_look(Millis(18.0), Millis(22.0), Some(Millis(budget)));
    assert!(look(18.0) && look(20.0) && look(22.0), "inside the interval");
    assert!(look(17.2) && look(23.0), "within 5 % of it");
    assert!(!look(17.0) && !look(23.2), "clear of it");
    assert!(!needs_closer_look(Millis(18.0), Millis(22.0), None), "no budget, no doubt");
}
