//! Where the first pick changes while a figure moves, and which inputs it hangs on: compared with asking anew.

use serde_json::Value;

use crate::harness::Home;

const REQUEST: &str = "advise --task classify --deploy cpu-server --threads 1";

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().unwrap_or_else(|| panic!("no list `{name}` in {value}"))
}

/// What is picked first with these flags: architecture, weights and whether it is proven.
fn picked(home: &Home, flags: &str) -> Option<(String, String, bool)> {
    let answer = home.run(&format!("{REQUEST} {flags} --top 1 --json"));
    let advice = answer.json();
    list(&advice, "picks").first().map(named)
}

fn named(winner: &Value) -> (String, String, bool) {
    let text = |name: &str| winner[name].as_str().unwrap_or_default().to_owned();
    (text("architecture"), text("weights"), winner["proven"].as_bool().unwrap())
}

/// Both ends of every stretch are answered as `advise` answers them.
fn agrees(home: &Home, field: &str, range: &str, at_least: usize) {
    let answer = home.json(&format!("{REQUEST} --what-if {field}={range} --json"));
    assert_eq!((&answer["schema"], &answer["field"]), (&"convwise.what-if/1".into(), &field.into()));
    let stretches = list(&answer, "stretches");
    assert!(stretches.len() >= at_least, "{field}: {answer}");
    for stretch in stretches {
        let expected = (!stretch["winner"].is_null()).then(|| named(&stretch["winner"]));
        for end in ["from", "to"] {
            let flag = stretch[end]["flag"].as_str().unwrap();
            assert_eq!(picked(home, &format!("--{field} {flag}")), expected, "{field} {flag}");
        }
    }
    assert!(stretches[0]["left"].is_null());
    assert!(stretches.iter().skip(1).all(|s| !s["left"].as_str().unwrap().is_empty()));
}

#[test]
fn every_stretch_is_answered_as_asking_anew_answers() {
    let home = Home::new();
    agrees(&home, "latency", "1ms..200ms", 3);
    agrees(&home, "throughput", "1/s..2000/s:12", 2);
    agrees(&home, "min-accuracy", "60..90", 3);
    agrees(&home, "max-size", "1MB..200MB", 3);
    agrees(&home, "max-params", "500k..50M", 3);
    agrees(&home, "train-images", "100..10000000:6", 1);
}

#[test]
fn figures_that_change_the_facts_are_answered_with_new_facts() {
    let home = Home::new();
    let answer = home.json(&format!("{REQUEST} --latency 60ms --what-if batch=1..16:5 --json"));
    for stretch in list(&answer, "stretches") {
        let expected = (!stretch["winner"].is_null()).then(|| named(&stretch["winner"]));
        for end in ["from", "to"] {
            let flag = stretch[end]["flag"].as_str().unwrap();
            assert_eq!(picked(&home, &format!("--latency 60ms --batch {flag}")), expected, "{flag}");
        }
    }
    assert!(list(&answer, "stretches").len() > 1, "a larger batch takes longer");
}

#[test]
fn two_stretches_meet_with_nothing_between_them() {
    let home = Home::new();
    let answer = home.json(&format!("{REQUEST} --what-if latency=1ms..200ms --json"));
    let stretches = list(&answer, "stretches");
    for pair in stretches.windows(2) {
        let (to, from) =
            (pair[0]["to"]["value"].as_f64().unwrap(), pair[1]["from"]["value"].as_f64().unwrap());
        let digit = 10_f64.powf(to.log10().floor() - 2.0);
        assert!(from > to && from - to < 1.5 * digit, "{to} to {from}");
    }
}

#[test]
fn what_cannot_be_moved_says_so() {
    let home = Home::new();
    let fails =
        |sweep: &str, words: &[&str]| home.run(&format!("{REQUEST} --what-if {sweep}")).fails(3, words);
    fails("latncy=10ms..100ms", &["latncy", "did you mean `latency`", "throughput"]);
    fails("priority=speed..size", &["`priority` is no figure", "--sensitivity"]);
    fails("latency=100ms..10ms", &["begins at 100 ms and ends at 10.0 ms"]);
    fails("latency=10..100ms", &["latency", "`10` has no unit"]);
    fails("latency=10ms", &["no range", "latency=10ms..100ms"]);
    fails("latency", &["names no range"]);
    fails("latency=10ms..100ms:1", &["`1` is no number of points"]);
    fails("batch=0..8", &["not a whole number from 1 to 4096"]);
    fails("latency=10ms..100ms --measure", &["--measure"]);
    fails("latency=10ms..100ms --real-time", &["contradict"]);
    let board = "--deploy edge --device stm32f746";
    home.run(&format!("advise --task classify {board} --what-if ram=64kB..10MB"))
        .fails(3, &["--ram", "more than"]);
}

fn input<'a>(answer: &'a Value, name: &str) -> &'a Value {
    list(answer, "inputs")
        .iter()
        .find(|i| i["input"] == name)
        .unwrap_or_else(|| panic!("no {name}: {answer}"))
}

#[test]
fn sensitivity_says_how_far_a_limit_may_move() {
    let home = Home::new();
    let answer = home.json(&format!("{REQUEST} --max-size 30MB --sensitivity --json"));
    assert_eq!(answer["schema"], "convwise.sensitivity/1");
    let first = named(&answer["winner"]);
    assert_eq!(picked(&home, "--max-size 30MB"), Some(first.clone()));
    let size = input(&answer, "max-size");
    let turns = list(size, "turns");
    assert!(!turns.is_empty(), "{size}");
    for end in ["from", "to"] {
        if let Some(flag) = size[end]["flag"].as_str() {
            assert_eq!(
                picked(&home, &format!("--max-size {flag}")).map(|p| p.0),
                Some(first.0.clone()),
                "{flag}"
            );
        }
    }
    for turn in turns {
        let shown = turn["at"].as_str().unwrap().replace(' ', "");
        let found = picked(&home, &format!("--max-size {shown}")).map(|p| p.0);
        assert_eq!(found.as_deref(), turn["winner"]["architecture"].as_str(), "{shown}");
        assert_ne!(found, Some(first.0.clone()));
    }
}

#[test]
fn sensitivity_tries_the_other_words() {
    let home = Home::new();
    let answer = home.json(&format!("{REQUEST} --latency 60ms --sensitivity --json"));
    let first = named(&answer["winner"]).0;
    let turns = list(input(&answer, "priority"), "turns");
    for word in ["accuracy", "speed", "size", "simplicity"] {
        let found = picked(&home, &format!("--latency 60ms --priority {word}")).unwrap().0;
        let turn = turns.iter().find(|t| t["at"] == word);
        assert_eq!(turn.is_some(), found != first, "{word}: {found}");
        assert!(turn.is_none_or(|t| t["winner"]["architecture"] == *found), "{word}");
    }
}

#[test]
fn the_nearest_change_comes_first_and_what_changes_nothing_last() {
    let home = Home::new();
    let answer = home.json(&format!("{REQUEST} --latency 60ms --sensitivity --json"));
    let distance = |i: &Value| {
        let ratios = list(i, "turns").iter().filter_map(|t| t["ratio"].as_f64());
        let near = ratios.map(|r| r.ln().abs()).fold(f64::INFINITY, f64::min);
        if list(i, "turns").is_empty() { f64::INFINITY } else { near.min(1e9) }
    };
    let distances: Vec<f64> = list(&answer, "inputs").iter().map(distance).collect();
    assert!(distances.is_sorted(), "{distances:?}");
    assert!(distances[0].is_finite());
}

#[test]
fn an_uncertain_latency_is_followed_to_where_the_pick_changes() {
    let home = Home::new();
    let answer = home.json(&format!("{REQUEST} --latency 60ms --sensitivity --json"));
    let first = named(&answer["winner"]).0;
    let fact = input(&answer, &format!("latency of {first}"));
    let turns = list(fact, "turns");
    let slower = turns.iter().find(|t| t["ratio"].as_f64().unwrap() > 1.0).unwrap();
    assert_ne!(slower["winner"]["architecture"], *first, "{fact}");
    assert!(fact["value"].as_str().unwrap().contains("estimated"));
}

#[test]
fn what_a_person_reads() {
    let home = Home::new();
    // A phone that nobody named: nothing of this machine is in the answer.
    let request = "advise --task classify --deploy mobile --threads 1";
    let moved = home.run(&format!("{request} --max-size 20MB --what-if max-size=1MB..100MB"));
    insta::assert_snapshot!("what_if", moved.stdout);
    assert!(!moved.stdout.contains('\u{1b}'), "no colour outside a terminal");
    insta::assert_snapshot!(
        "sensitivity",
        home.run(&format!("{request} --max-size 20MB --sensitivity")).stdout
    );
}
