//! Verdicts, findings, order and plans over real candidates.

use crate::support::{Made, budget, checked, mobilenet, request, resnet50, shipped, with_file};
use convwise_judge::{Entrant, Judgement, RuleSet};
use convwise_types::{Candidate, Domain, Effort, FindingKind, Grade, Limits, Millis, Priority, Verdict};

fn judge_one(rules: &RuleSet, inquiry: &convwise_judge::Inquiry, made: &Made) -> Judgement {
    rules.judge(inquiry, &[made.candidate()]).remove(0)
}

fn check(latency: Option<(f64, f64, f64, Grade)>, expect: Verdict) {
    let made = Made { latency, ..resnet50() };
    let judged = judge_one(&shipped(), &budget(60.0), &made);
    assert_eq!(judged.verdict, expect, "{latency:?}: {judged:#?}");
}

#[test]
fn a_latency_is_decided_by_its_interval_and_its_grade() {
    check(Some((36.8, 36.5, 37.1, Grade::Measured)), Verdict::Proven);
    check(Some((36.8, 20.0, 59.0, Grade::Estimated)), Verdict::Unproven);
    check(Some((36.8, 20.0, 61.0, Grade::Estimated)), Verdict::Unproven);
    check(Some((60.0, 59.0, 61.0, Grade::Measured)), Verdict::Unproven);
    check(Some((99.0, 61.0, 300.0, Grade::Estimated)), Verdict::Rejected);
    check(Some((61.5, 61.0, 62.0, Grade::Measured)), Verdict::Rejected);
    check(None, Verdict::Unproven);
}

#[test]
fn an_unproven_candidate_says_what_would_decide_it() {
    let rules = shipped();
    let unknown = judge_one(&rules, &budget(60.0), &Made { latency: None, ..resnet50() });
    assert_eq!(unknown.needs[0].fact, "latency");
    assert_eq!(unknown.needs[0].need, "run `convwise bench`");
    let weak = Made { latency: Some((20.0, 10.0, 40.0, Grade::Estimated)), ..resnet50() };
    let weak = judge_one(&rules, &budget(60.0), &weak);
    assert_eq!(weak.needs[0].fact, "latency");
    assert!(weak.needs[0].need.contains("the evidence is estimated, only measured evidence proves it"));
    assert!(matches!(weak.findings[0].kind, FindingKind::Passed));
}

#[test]
fn the_counterfactual_admits_the_candidate() {
    let rules = shipped();
    let limits =
        Limits { latency: Some(Millis(20.0)), max_params: Some("10M".parse().unwrap()), ..Limits::default() };
    let judged = judge_one(&rules, &request(limits), &resnet50());
    assert_eq!(judged.verdict, Verdict::Rejected);
    let change = judged.counterfactual.unwrap();
    assert_eq!(change, "--latency 37.1ms --max-params 25.6M");
    let limits = Limits {
        latency: Some("37.1ms".parse().unwrap()),
        max_params: Some("25.6M".parse().unwrap()),
        ..Limits::default()
    };
    assert_eq!(judge_one(&rules, &request(limits), &resnet50()).verdict, Verdict::Proven);
}

#[test]
fn a_rejection_names_rule_place_values_and_margin() {
    let judged = judge_one(&shipped(), &budget(20.0), &resnet50());
    let explained = shipped().explain(&budget(20.0), &resnet50().candidate());
    let finding = explained.findings.iter().find(|f| f.rule == judged.findings[0].rule).unwrap();
    assert_eq!(finding.rule.as_str(), "latency-over-budget");
    assert_eq!(finding.reason, judged.findings[0].reason);
    assert_eq!(finding.file, "rules/deployment.rhai");
    assert_eq!(finding.reason, "36.8 ms [36.5 ms, 37.1 ms] measured on server, budget 20.0 ms");
    assert!((finding.margin.unwrap() + 17.1).abs() < 1e-9);
    let read: Vec<_> =
        finding.observed.iter().map(|o| (o.field.as_str(), o.value.as_str(), o.grade)).collect();
    assert!(read.contains(&("net.latency.high_ms", "37.1", Some(Grade::Measured))), "{read:?}");
    assert!(read.contains(&("need.latency_ms", "20", None)), "{read:?}");
}

#[test]
fn explaining_shows_passes_and_preferences_and_agrees_with_judging() {
    let rules = shipped();
    let (inquiry, candidate) = (budget(60.0), mobilenet().candidate());
    let judged = rules.judge(&inquiry, std::slice::from_ref(&candidate)).remove(0);
    let explained = rules.explain(&inquiry, &candidate);
    assert_eq!((judged.verdict, judged.preference), (explained.verdict, explained.preference));
    assert!(judged.findings.is_empty());
    let kinds: Vec<_> = explained.findings.iter().map(|f| (f.rule.as_str(), &f.kind)).collect();
    assert!(kinds.contains(&("latency-over-budget", &FindingKind::Passed)), "{kinds:?}");
    let small = &FindingKind::Preferred { score: 1.0, weight: 2.0 };
    assert!(kinds.contains(&("small-network-for-cpu-server", small)), "{kinds:?}");
}

#[test]
fn an_unknown_preference_counts_neither_way() {
    let made = Made { maturity: None, ..mobilenet() };
    let judged = judge_one(&shipped(), &budget(60.0), &made);
    // small-network-for-cpu-server and pretrained-weights-published (weight 2 each) score 1, accurate-for-its-cost (1)
    // scores 0, well-understood is unknown.
    assert!((judged.preference - 4.0 / 5.0).abs() < 1e-9, "{}", judged.preference);
    assert_eq!(judged.preference_weight, [5.0, 5.5]);
}

fn pool() -> Vec<Candidate> {
    let slow = Made {
        id: "vgg16".into(),
        family: "VGG".into(),
        latency: Some((150.0, 149.0, 151.0, Grade::Measured)),
        ..resnet50()
    };
    let guessed = Made {
        id: "convnext_tiny".into(),
        family: "ConvNeXt".into(),
        top1: Some(82.5),
        latency: Some((20.0, 10.0, 40.0, Grade::Estimated)),
        ..resnet50()
    };
    [resnet50(), mobilenet(), slow, guessed].iter().map(Made::candidate).collect()
}

fn ranking(
    rules: &RuleSet,
    inquiry: &convwise_judge::Inquiry,
    candidates: &[Candidate],
) -> Vec<(String, f64, String)> {
    let judged = rules.judge(inquiry, candidates);
    let feasible = judged.iter().enumerate().filter(|(_, j)| j.verdict != Verdict::Rejected);
    let entrants = feasible.map(|(index, j)| Entrant {
        index,
        candidate: &candidates[index],
        proven: j.verdict == Verdict::Proven,
        preference: j.preference,
    });
    let contest = rules.contest(inquiry, entrants.collect());
    let name = |index: usize| candidates[index].key.architecture.to_string();
    contest.order().into_iter().map(|r| (name(r.index), r.score, contest.reason(r.index))).collect()
}

#[test]
fn proven_ranks_before_unproven_and_rejected_is_left_out() {
    let ranked = ranking(&shipped(), &budget(60.0), &pool());
    let names: Vec<_> = ranked.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["mobilenet_v3_large", "resnet50", "convnext_tiny"]);
    assert!(ranked[2].1 > 0.0, "the unproven one has a score too");
    assert!(ranked[0].2.contains("by priority balanced"), "{}", ranked[0].2);
}

#[test]
fn the_priority_changes_the_order() {
    let mut inquiry = budget(60.0);
    inquiry.request.priority = Priority::Accuracy;
    assert_eq!(ranking(&shipped(), &inquiry, &pool())[0].0, "resnet50");
}

fn checks_hostile(name: &str, body: &str, says: &str) {
    let text = format!("require(#{{ id: \"hostile\", doc: \"d\", source: \"s\", holds: |net| {body} }});");
    let (rules, problems) = with_file("hostile.rhai", &text);
    let candidates = pool();
    let judged = rules.judge(&budget(60.0), &candidates);
    let failed = judged[0].findings.iter().find(|f| f.rule.as_str() == "hostile");
    let error = match (failed.map(|f| &f.kind), problems.first()) {
        (Some(FindingKind::Failed { error }), _) => error.clone(),
        (_, Some(problem)) => problem.to_string(),
        other => panic!("{name}: {other:?}"),
    };
    assert!(error.contains(says), "{name}: {error}");
    assert!(judged.iter().all(|j| j.verdict != Verdict::Proven), "{name}: something is proven");
    assert_eq!(judged[2].verdict, Verdict::Rejected, "{name}: the other rules still run");
}

#[test]
fn a_hostile_requirement_is_stopped_and_leaves_everything_unproven() {
    checks_hostile("loop", "{ loop {} }", "operations");
    checks_hostile("text", "{ let s = \"x\"; loop { s += s; } }", "text");
    checks_hostile("list", "{ let a = [0]; loop { a += a; } }", "list");
    checks_hostile("recursion", "{ let f = |g| g.call(g); f.call(f) }", "call");
    checks_hostile("eval", "{ eval(\"1\") }", "eval");
    checks_hostile("import", "{ import \"/etc/passwd\" as x; true }", "import");
    checks_hostile("number", "net.params", "must give true or false");
    checks_hostile("field", "net.lateny_ms > 3", "has no field `lateny_ms`");
    checks_hostile("syntax", "{ ", "syntax");
}

#[test]
fn a_preference_out_of_range_fails_alone() {
    let (rules, _) = with_file("p.rhai", "prefer(#{ id: \"wild\", score: |net| 7.0 });");
    let judged = judge_one(&rules, &budget(60.0), &resnet50());
    assert_eq!(judged.verdict, Verdict::Proven);
    assert_eq!(judged.findings[0].reason, "the rule failed: the score 7 is not between 0 and 1");
}

#[test]
fn a_missing_fact_cannot_be_caught() {
    let body = "require(#{ id: \"sly\", holds: |net| { try { net.latency.ms > 0.0 } catch { true } } });";
    let (rules, _) = with_file("sly.rhai", body);
    let judged = judge_one(&rules, &request(Limits::default()), &Made { latency: None, ..resnet50() });
    assert_eq!(judged.verdict, Verdict::Unproven);
}

#[test]
fn a_plan_is_merged_and_in_order() {
    let rules = shipped();
    let mut inquiry = budget(60.0);
    inquiry.request.situation.train_images = Some(5_000);
    inquiry.request.situation.classes = Some(10);
    inquiry.request.situation.domain = Some(Domain::Satellite);
    inquiry.request.situation.effort = Some(Effort::Medium);
    inquiry.target.isa = Some(["avx512_vnni".to_owned()].into());
    let plan = rules.steps(&inquiry, &resnet50().candidate()).unwrap();
    let lines = plan.training_lines();
    assert_eq!(lines[0].step, "replace the last layer by one with 10 outputs, started at zero");
    let text = lines.iter().map(|l| l.step.as_str()).collect::<Vec<_>>().join("\n");
    assert!(text.contains("init = torchvision/IMAGENET1K_V2"), "{text}");
    assert!(text.contains("augmentation = random crops, both flips, quarter turns"), "{text}");
    assert!(text.contains("learning_rate = 0.003"), "{text}");
    let steps = plan.optimisation_lines();
    let order: Vec<_> = steps.iter().map(|l| l.rule.as_str()).collect();
    assert_eq!(order, ["channels-to-spare", "graph-exports-to-onnx", "int8-instructions-present"]);
    assert_eq!(
        steps[1].command.as_deref(),
        Some(
            "convwise export resnet50 -o resnet50.onnx --weights FINE-TUNED.safetensors --input-size 224 --classes 10"
        )
    );
    assert_eq!(
        steps[2].expect.as_deref(),
        Some("latency x 0.19 to 0.91, size x 0.25 to 0.27, top1 -1.6 to -0.3 points")
    );
}

#[test]
fn far_domains_with_very_many_images_override_the_weights() {
    let mut inquiry = budget(60.0);
    inquiry.request.situation.train_images = Some(3_000_000);
    inquiry.request.situation.domain = Some(Domain::Medical);
    let plan = shipped().steps(&inquiry, &resnet50().candidate()).unwrap();
    let text = plan.training_lines().iter().map(|l| l.step.clone()).collect::<Vec<_>>().join("\n");
    assert!(text.contains("init = random") && !text.contains("init = torchvision"), "{text}");
}

#[test]
fn contradictory_advice_is_an_error_of_the_rules() {
    let text = "train(#{ id: \"a\", advise: #{ init: \"random\" }, priority: 99 });\n\
                train(#{ id: \"b\", advise: #{ init: \"copied\" }, priority: 99 });";
    let (rules, _) = with_file("clash.rhai", text);
    let error = rules.steps(&budget(60.0), &resnet50().candidate()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "rules `a` and `b` set `init` to random and to copied at priority 99; give one of them another priority"
    );
    assert!(checked(&rules).iter().any(|d| d.code == "conflicting-advice"));
}

#[test]
fn many_candidates_are_judged_like_each_alone() {
    let (rules, inquiry) = (shipped(), budget(60.0));
    let many: Vec<Candidate> = (0..600_u32)
        .map(|i| {
            let ms = 30.0 + f64::from(i) / 10.0;
            Made {
                id: format!("net{i}"),
                latency: Some((ms, ms - 1.0, ms + 1.0, Grade::Measured)),
                ..resnet50()
            }
            .candidate()
        })
        .collect();
    let judged = rules.judge(&inquiry, &many);
    for at in [0, 127, 128, 299, 300, 301, 599] {
        assert_eq!(judged[at], rules.judge(&inquiry, &many[at..=at])[0], "candidate {at}");
    }
}

#[test]
fn a_rule_that_exhausts_its_budget_once_has_failed_for_all() {
    let text =
        "require(#{ id: \"greedy\", holds: |net| { if net.id == \"vgg16\" { loop {} } net.params > 0 } });";
    let (rules, _) = with_file("greedy.rhai", text);
    for judged in rules.judge(&request(Limits::default()), &pool()) {
        assert_eq!(judged.verdict, Verdict::Unproven);
        assert!(
            judged.findings.iter().any(|f| f.rule.as_str() == "greedy" && f.reason.contains("operations"))
        );
    }
}
