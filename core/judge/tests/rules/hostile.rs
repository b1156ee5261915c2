//! Rule files that mean harm: each is refused or stopped, names itself, and the rest of the rules still run.
//!
//! The files are the seeds of the fuzzer too.

use std::fs;
use std::path::PathBuf;

use crate::support::{Made, budget, mobilenet, resnet50, shipped, with_file};
use convwise_judge::{Hearing, Judgement, RuleSet};
use convwise_types::{Candidate, Diagnostic, FindingKind, Verdict};

/// Name and text of every hostile file.
fn hostile() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/rules");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    // The tenth megabyte is not worth keeping in a repository.
    files.push((
        "ten-megabytes.rhai".to_owned(),
        format!("require(#{{ id: \"x\", holds: true }});{}", " ".repeat(10_000_000)),
    ));
    files
}

fn file(name: &str) -> (RuleSet, Vec<Diagnostic>) {
    let (_, text) = hostile().into_iter().find(|(n, _)| n == name).unwrap();
    with_file(name, &text)
}

/// Many, so that what is dear is dear many times.
fn candidates() -> Vec<Candidate> {
    let one = |i: u64| Made { id: format!("net{i}"), params: 5_000_000 + i, ..mobilenet() }.candidate();
    let slow = Made { id: "slow".into(), ..resnet50() }.candidate();
    (0..150).map(one).chain([slow]).collect()
}

fn failed(judgement: &Judgement) -> Vec<&str> {
    let is_failed = |kind: &FindingKind| matches!(kind, FindingKind::Failed { .. });
    judgement.findings.iter().filter(|f| is_failed(&f.kind)).map(|f| f.rule.as_str()).collect()
}

#[test]
fn the_shipped_rules_still_reject_and_the_file_names_itself() {
    let candidates = candidates();
    for (name, text) in hostile() {
        let (rules, problems) = with_file(&name, &text);
        let judged = rules.judge(&budget(20.0), &candidates);
        let (slow, fast) = (judged.last().unwrap(), judged.first().unwrap());
        assert_eq!(slow.verdict, Verdict::Rejected, "{name}");
        assert!(slow.findings.iter().any(|f| f.rule.as_str() == "latency-over-budget"), "{name}");
        // A preference that fails is listed with everything that was asked.
        let explained = rules.explain(&budget(20.0), candidates.first().unwrap());
        let shown =
            |j: &Judgement| j.findings.iter().any(|f| f.file.contains(&name) || f.reason.contains(&name));
        let named = problems.iter().any(|p| p.file.contains(&name)) || shown(fast) || shown(&explained);
        assert!(named, "{name} is not named: {problems:?} {fast:?}");
        let requires = text.contains("require(#{");
        assert_eq!(fast.verdict == Verdict::Proven, !requires, "{name}: {fast:?}");
    }
}

#[test]
fn all_candidates_are_judged_alike_however_they_stand() {
    let mut candidates = candidates();
    for (name, text) in hostile() {
        let by_key = |candidates: &[Candidate]| {
            let judged = with_file(&name, &text).0.judge(&budget(60.0), candidates);
            let mut all: Vec<_> = candidates.iter().map(|c| c.key.clone()).zip(judged).collect();
            all.sort_by(|a, b| a.0.cmp(&b.0));
            all
        };
        let one_way = by_key(&candidates);
        candidates.reverse();
        assert_eq!(one_way, by_key(&candidates), "{name}");
    }
}

#[test]
fn hearing_again_says_what_judging_says() {
    let candidates = candidates();
    for (name, text) in hostile() {
        let (rules, _) = with_file(&name, &text);
        let judged = rules.judge(&budget(20.0), &candidates);
        let outlines = Hearing::open(&rules, &budget(20.0), &candidates).outlines();
        let verdicts: Vec<_> = judged.iter().map(|j| j.verdict).collect();
        assert_eq!(verdicts, outlines.iter().map(|o| o.verdict).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn a_file_of_rules_that_are_each_too_slow_is_stopped_as_a_whole() {
    let (rules, problems) = file("just-below-the-limit.rhai");
    assert_eq!(problems, []);
    assert_eq!(rules.len(), shipped().len() + 900);
    let judged = rules.judge(&budget(60.0), &candidates());
    for judgement in [&judged[0], &judged[149]] {
        assert_eq!(failed(judgement).len(), 900, "every rule of the file, of every candidate");
        assert!(
            judgement
                .findings
                .iter()
                .any(|f| f.reason.contains("the rules of mine/just-below-the-limit.rhai take too long"))
        );
        assert_eq!(judgement.verdict, Verdict::Proven, "preferences prove nothing and disprove nothing");
    }
    let calm = shipped().judge(&budget(60.0), &candidates());
    assert_eq!(judged[0].preference.to_bits(), calm[0].preference.to_bits(), "nor do they count");
}

#[test]
fn one_rule_that_never_ends_fails_and_its_neighbours_run() {
    let text = "prefer(#{ id: \"endless\", score: |net| { loop { } } });\nnote(#{ id: \"neighbour\", because: \"I run\" });";
    let (rules, _) = with_file("mixed.rhai", text);
    let explained = rules.explain(&budget(60.0), &mobilenet().candidate());
    assert_eq!(failed(&explained), ["endless"]);
    assert!(explained.findings.iter().any(|f| f.rule.as_str() == "neighbour" && f.reason == "I run"));
}

#[test]
fn names_of_the_program_are_not_taken() {
    let mut said = Vec::new();
    for name in [
        "shadowed-arguments.rhai",
        "shadowed-functions.rhai",
        "shadowed-declarations.rhai",
        "too-many-rules.rhai",
    ] {
        let (rules, problems) = file(name);
        assert_eq!(rules.show("latency-over-budget").unwrap().file, "rules/deployment.rhai", "{name}");
        said.extend(problems.iter().map(|p| p.render(false)));
    }
    insta::assert_snapshot!(said.join("\n\n"));
}
