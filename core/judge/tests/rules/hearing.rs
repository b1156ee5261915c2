//! Accounts of single rules, the formula's parts, and hearings that repeat only what changed.

use convwise_judge::{Account, Entrant, Hearing, Inquiry, RuleSet};
use convwise_types::{
    Bytes, Candidate, Deploy, Domain, Effort, Grade, LicenceDemand, Limits, Millis, Params, PerSecond,
    Percent, Priority, Verdict,
};

use crate::support::{Made, budget, mobilenet, request, resnet50, shipped, with_file};

fn nets() -> Vec<Candidate> {
    let guessed = |id: &str, ms: f64| Made {
        id: id.into(),
        latency: Some((ms, ms / 3.0, ms * 3.0, Grade::Estimated)),
        top1: None,
        maturity: None,
        ..resnet50()
    };
    [resnet50(), mobilenet(), guessed("a", 5.0), guessed("b", 50.0)].iter().map(Made::candidate).collect()
}

/// Requests that differ from `budget(60)` in one thing each.
fn changes() -> Vec<Inquiry> {
    type Change = fn(&mut Inquiry);
    let all: [Change; 16] = [
        |q| q.request.limits.latency = Some(Millis(20.0)),
        |q| q.request.limits.latency = None,
        |q| q.request.limits.throughput = Some(PerSecond(40.0)),
        |q| q.request.limits.min_accuracy = Some(Percent(78.0)),
        |q| q.request.limits.max_size = Some(Bytes(40_000_000)),
        |q| q.request.limits.max_params = Some(Params(10_000_000)),
        |q| q.request.limits.ram = Some(Bytes(1_000)),
        |q| q.request.limits.licence = LicenceDemand::Permissive,
        |q| q.request.limits.real_time = true,
        |q| q.request.situation.train_images = Some(5_000_000),
        |q| q.request.situation.domain = Some(Domain::Medical),
        |q| q.request.situation.effort = Some(Effort::Low),
        |q| q.request.priority = Priority::Simplicity,
        |q| q.request.deploy = Deploy::GpuServer,
        |q| q.request.deploy = Deploy::Edge,
        |q| q.request.batch = 8,
    ];
    all.iter()
        .map(|change| {
            let mut inquiry = budget(60.0);
            change(&mut inquiry);
            inquiry
        })
        .collect()
}

/// A hearing and judging from scratch must say the same of every candidate.
fn agrees(rules: &RuleSet, hearing: &Hearing<'_>, inquiry: &Inquiry, candidates: &[Candidate]) {
    let judged = rules.judge(inquiry, candidates);
    for (outline, judgement) in hearing.outlines().iter().zip(&judged) {
        assert_eq!(outline.verdict, judgement.verdict, "{:?}", inquiry.request);
        if judgement.verdict != Verdict::Rejected {
            assert_eq!(outline.opinion, judgement.opinion, "{:?}", inquiry.request);
        }
    }
    let pairs: Vec<_> = candidates.iter().zip(&judged).collect();
    let preferences: Vec<_> = judged.iter().map(|j| j.preference).collect();
    let contest = hearing.contest(candidates, &hearing.outlines(), &preferences);
    assert_eq!(contest.order(), rules.rank(inquiry, &pairs));
}

#[test]
fn a_hearing_repeated_for_another_request_says_what_judging_anew_says() {
    let (rules, candidates) = (shipped(), nets());
    let first = Hearing::open(&rules, &budget(60.0), &candidates);
    agrees(&rules, &first, &budget(60.0), &candidates);
    for inquiry in changes() {
        let again = first.again(&inquiry);
        agrees(&rules, &again, &inquiry, &candidates);
        // And back, from wherever it is.
        agrees(&rules, &again.again(&budget(60.0)), &budget(60.0), &candidates);
        for other in changes() {
            agrees(&rules, &again.again(&other), &other, &candidates);
        }
    }
}

#[test]
fn a_hearing_with_one_candidate_changed_says_what_judging_it_says() {
    let (rules, mut candidates) = (shipped(), nets());
    let hearing = Hearing::open(&rules, &budget(60.0), &candidates);
    candidates[3] = Made { latency: Some((70.0, 69.0, 71.0, Grade::Measured)), ..mobilenet() }.candidate();
    let changed = hearing.with(3, &candidates[3]);
    agrees(&rules, &changed, &budget(60.0), &candidates);
    agrees(&rules, &changed.again(&budget(80.0)), &budget(80.0), &candidates);
}

#[test]
fn a_rule_that_exhausts_its_budget_on_one_candidate_has_failed_for_all_in_a_hearing_too() {
    let body = "{ if net.id == \"resnet50\" { loop {} } true }";
    let text = format!("require(#{{ id: \"r\", holds: |net, need| {body} }});");
    let (rules, _) = with_file("r.rhai", &text);
    let candidates = nets();
    let hearing = Hearing::open(&rules, &budget(60.0), &candidates);
    agrees(&rules, &hearing, &budget(60.0), &candidates);
    assert!(hearing.outlines().iter().all(|o| o.verdict != Verdict::Proven));
    let text = text.replace("require", "prefer").replace("holds", "score").replace("true }", "0.1 }");
    let (rules, _) = with_file("r.rhai", &text);
    let hearing = Hearing::open(&rules, &budget(60.0), &candidates);
    agrees(&rules, &hearing, &budget(60.0), &candidates);
    // Rejected, it is not asked for its preferences, and the others' count.
    agrees(&rules, &hearing.again(&budget(20.0)), &budget(20.0), &candidates);
}

fn account<'a>(accounts: &'a [Account], rule: &str) -> &'a Account {
    accounts.iter().find(|a| a.rule == rule).unwrap()
}

#[test]
fn every_rule_gives_an_account_with_what_it_read_and_where_that_comes_from() {
    let rules = shipped();
    let mut inquiry = budget(20.0);
    inquiry.request.origins.insert("latency".into(), "flag".into());
    let accounts = rules.accounts(&inquiry, &resnet50().candidate());
    let judging = rules.list().into_iter().filter(|r| r.kind != "rank").count();
    assert_eq!(accounts.len(), judging);

    let latency = account(&accounts, "latency-over-budget");
    assert_eq!((latency.kind, latency.verdict), ("require", "fails"));
    let margin = latency.margin.as_ref().unwrap();
    assert!((margin.value + 17.1).abs() < 1e-9 && margin.unit == "milliseconds");
    assert!((margin.of_limit.unwrap() + 17.1 / 20.0).abs() < 1e-9);
    let read = latency.fields.iter().find(|f| f.field == "net.latency.high_ms").unwrap();
    assert_eq!((read.grade, read.source.as_deref()), (Some(Grade::Measured), Some("bench")));
    let asked = latency.fields.iter().find(|f| f.field == "need.latency_ms").unwrap();
    assert_eq!((asked.value.as_str(), asked.source.as_deref()), ("20", Some("flag")));

    let size = account(&accounts, "weights-over-size");
    assert_eq!((size.verdict, size.margin.as_ref()), ("skips", None));
    assert_eq!(size.fields[0].value, "unknown", "it says why it does not apply");
    let small = account(&accounts, "small-network-for-cpu-server");
    assert_eq!((small.verdict, small.score, small.weight), ("prefers", Some(0.3), Some(2.0)));
}

#[test]
fn a_lower_demand_is_compared_with_its_own_limit() {
    let limits = Limits { min_accuracy: Some(Percent(90.0)), ..Limits::default() };
    let accounts = shipped().accounts(&request(limits), &resnet50().candidate());
    let margin = account(&accounts, "accuracy-below-floor").margin.clone().unwrap();
    assert!((margin.of_limit.unwrap() - (80.858 - 90.0) / 90.0).abs() < 1e-6, "{margin:?}");
}

#[test]
fn every_graded_fact_that_a_rule_reads_names_its_source() {
    let accounts = shipped().accounts(&budget(60.0), &resnet50().candidate());
    for field in accounts.iter().flat_map(|a| &a.fields) {
        assert_eq!(field.grade.is_some(), field.grade.and(field.source.as_ref()).is_some(), "{field:?}");
    }
}

fn formula_of(text: &str) -> Result<convwise_judge::Formula, String> {
    let (rules, problems) = with_file("rank.rhai", text);
    assert_eq!(problems, []);
    let candidate = resnet50().candidate();
    let entrant = Entrant { index: 0, candidate: &candidate, proven: true, preference: 0.5 };
    rules.contest(&budget(60.0), vec![entrant]).formula(0)
}

#[test]
fn the_parts_of_a_formula_are_its_score() {
    let parts =
        formula_of("rank(#{ id: \"r\", parts: |net| #{ a: 0.25, preference: net.preference } });").unwrap();
    assert!((parts.score - 0.75).abs() < 1e-12);
    assert_eq!(parts.parts.unwrap()["preference"], 0.5);
    let both = formula_of("rank(#{ id: \"r\", score: 0.75, parts: |net| #{ a: 0.25, b: 0.5 } });").unwrap();
    assert_eq!(both.score, 0.75);
    let alone = formula_of("rank(#{ id: \"r\", score: |net| net.preference });").unwrap();
    assert_eq!((alone.score, alone.parts), (0.5, None));
}

#[test]
fn parts_that_are_not_the_score_are_an_error() {
    let check = |text: &str, says: &str| {
        let error = formula_of(text).unwrap_err();
        assert!(error.contains(says), "{error}");
    };
    check("rank(#{ id: \"r\", score: 0.7, parts: #{ a: 0.25 } });", "the parts sum to 0.25");
    check("rank(#{ id: \"r\", parts: #{ a: 0.25, b: 0.9 } });", "not between 0 and 1");
    check("rank(#{ id: \"r\", parts: 3 });", "map of numbers");
    check("rank(#{ id: \"r\", parts: #{ a: \"much\" } });", "map of numbers");
    let (_, problems) = with_file("rank.rhai", "rank(#{ id: \"r\" });");
    assert_eq!(problems[0].code, "missing-clause");
}
