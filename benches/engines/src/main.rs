//! One policy of 40 rules over 1,500 candidates, in our rules, in Rego (regorus) and in a decision graph (zen-engine).
//!
//! The three must agree on every candidate before anything is timed. They take turns, so that what disturbs the
//! machine disturbs all of them; each figure is the median of the rounds.

mod candidates;
mod ours;
mod regorus;
mod zen;

use std::time::{Duration, Instant};

use self::candidates::Situation;

/// What a policy says of one candidate.
#[derive(Debug, PartialEq)]
struct Answer {
    /// Ids of the requirements that it misses, in order, each with the reason.
    failed: Vec<(String, String)>,
    /// Weighted mean of the preferences.
    preference: f64,
}

/// One engine with the policy and the candidates loaded.
struct Contestant {
    name: &'static str,
    /// Judges all candidates once; what it gives is dropped by the caller.
    judge: Box<dyn FnMut() -> Vec<Answer>>,
    /// The same without reading the result out: what is timed.
    run: Box<dyn FnMut()>,
}

const ROUNDS: usize = 15;

fn main() {
    let situation = Situation::new(1500);
    let mut contestants = vec![
        ours::contestant("ours, traces on", &situation, ours::Mode::Traced),
        ours::contestant("ours, what decides", &situation, ours::Mode::Decisive),
        regorus::interpreter(&situation),
        regorus::virtual_machine(&situation),
        zen::contestant("zen-engine, trace on", &situation, true),
        zen::contestant("zen-engine, trace off", &situation, false),
    ];
    agree(&mut contestants);
    let times = take_turns(&mut contestants);
    println!("40 rules x 1,500 candidates, median of {ROUNDS} rounds in turns");
    for (contestant, mut times) in contestants.iter().zip(times) {
        times.sort();
        let ms = |d: Duration| d.as_secs_f64() * 1e3;
        let (low, median, high) = (times[0], times[ROUNDS / 2], times[ROUNDS - 1]);
        println!("{:<28} {:>8.1} ms  [{:.1}, {:.1}]", contestant.name, ms(median), ms(low), ms(high));
    }
}

/// The policy in one engine's language.
fn policy(file: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/").to_owned() + file;
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Every engine says the same of every candidate, or the comparison means nothing.
fn agree(contestants: &mut [Contestant]) {
    let answers: Vec<Vec<Answer>> = contestants.iter_mut().map(|c| (c.judge)()).collect();
    let (first, rest) = answers.split_first().expect("there are contestants");
    let rejected = first.iter().filter(|a| !a.failed.is_empty()).count();
    assert!(rejected > 300 && rejected < 1200, "the policy decides something: {rejected} are rejected");
    for (answers, contestant) in rest.iter().zip(contestants.iter().skip(1)) {
        for (at, (a, b)) in first.iter().zip(answers).enumerate() {
            // Our own short form does not ask for preferences of what is rejected.
            let same = (a.preference - b.preference).abs() < 1e-9 || b.preference.is_nan();
            assert!(a.failed == b.failed && same, "{} differs at {at}: {a:?} and {b:?}", contestant.name);
        }
    }
    println!("all agree on {} candidates, {rejected} of them rejected", first.len());
}

fn take_turns(contestants: &mut [Contestant]) -> Vec<Vec<Duration>> {
    let mut times = vec![Vec::new(); contestants.len()];
    for round in 0..=ROUNDS {
        for (contestant, times) in contestants.iter_mut().zip(&mut times) {
            let began = Instant::now();
            (contestant.run)();
            // The first round warms up.
            if round > 0 {
                times.push(began.elapsed());
            }
        }
    }
    times
}
