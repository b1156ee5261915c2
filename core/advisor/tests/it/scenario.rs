//! Scenarios: whole answers that a rule set must give, and what its author reads when it gives others.

use convwise_advisor::scenario::{ScenarioReport, run};
use convwise_judge::{RuleFolder, RuleSet};

/// One limit and a formula that knows accuracy alone.
const RULES: &str = r#"
require(#{ id: "too-slow", doc: "d", source: "s", proof: ["measured"], when: |need| need.has("latency_ms"),
           holds: |net, need| within(net.latency, need.latency_ms), because: |net, need| `${net.id} against ${need.latency_ms} ms` });
rank(#{ id: "by-accuracy", doc: "d", source: "s", parts: |net| #{ accuracy: net.accuracy.value / 100.0 } });
"#;

const REQUEST: &str = r#"
[[scenario]]
name = "a budget"
[scenario.request]
task = "classify"
deploy = "cpu-server"
latency = "20ms"
[[scenario.measured]]
architecture = "resnet50"
ms = 24.0
low_ms = 23.0
high_ms = 25.0
[[scenario.measured]]
architecture = "resnet18"
ms = 12.0
[scenario.expect]
"#;

fn report(text: &str) -> ScenarioReport {
    let folder = RuleFolder::of_texts("mine", [("r.rhai", RULES), ("scenarios/a.toml", text)]);
    let (rules, problems) = RuleSet::load_layers(&[folder]);
    assert_eq!(problems, []);
    run(&rules, None)
}

/// What is said of a scenario with these expectations.
fn difference(expect: &str) -> Option<String> {
    let report = report(&format!("{REQUEST}{expect}"));
    assert_eq!(report.problems, []);
    report.results[0].difference.clone()
}

#[test]
fn what_is_measured_decides() {
    let expect = r#"
        picks = ["resnet18"]
        rejected = { resnet50 = ["too-slow"] }
        because = ["too-slow"]
        nothing_fits = false
    "#;
    assert_eq!(difference(expect), None);
}

#[test]
fn an_author_reads_what_was_expected_what_came_out_and_which_rule_decided_it() {
    let expect = r#"
        picks = ["resnet50"]
        unproven = { resnet50 = ["too-slow"] }
        steps = ["too-slow"]
        settings = { epochs = "7" }
    "#;
    let found = difference(expect).unwrap();
    let (picks, rest) = found.split_once('\n').unwrap();
    assert!(picks.starts_with("picks: expected `resnet50`, found `resnet18, "), "{picks}");
    let wanted = "  resnet50 is rejected:
    too-slow rejected: resnet50 against 20.0 ms (mine/r.rhai:2)
      read: need.latency_ms = 20
      read: net.latency.low_ms = 23 (measured)
      read: net.latency.high_ms = 25 (measured)
unproven.resnet50: expected `unproven by too-slow`, found `rejected by too-slow`
steps: expected `too-slow`, found `none`
settings.epochs: expected `7`, found `not set`";
    assert_eq!(rest, wanted);
}

#[test]
fn every_expectation_can_fail() {
    for expect in [
        r#"picks = ["vgg16"]"#,
        r#"among = ["resnet50"]"#,
        r#"not_among = ["resnet18"]"#,
        r#"labels = { most-established = "vgg16" }"#,
        r#"rejected = { resnet18 = [] }"#,
        r#"rejected = { resnet50 = ["by-accuracy"] }"#,
        r#"unproven = { resnet18 = [] }"#,
        r#"because = ["by-accuracy"]"#,
        r#"notes = ["too-slow"]"#,
        r#"overruled = ["too-slow"]"#,
        r#"settings = { epochs = "7" }"#,
        r#"steps = ["too-slow"]"#,
        "nothing_fits = true",
    ] {
        assert!(difference(expect).is_some(), "{expect}");
    }
}

#[test]
fn a_mistake_is_shown_at_its_place() {
    let check = |text: &str, message: &str, line: usize| {
        let problems = report(text).problems;
        let [problem] = problems.as_slice() else { panic!("{text}: {problems:?}") };
        assert!(problem.message.contains(message), "{}", problem.message);
        assert_eq!(
            (problem.file.as_str(), problem.line()),
            ("mine/scenarios/a.toml", Some(line)),
            "{message}"
        );
    };
    let scenario = |request: &str, expect: &str| {
        format!("[[scenario]]\nname = \"n\"\n[scenario.request]\n{request}\n[scenario.expect]\n{expect}")
    };
    let request = "task = \"classify\"\ndeploy = \"mobile\"";
    check("[[scenario]\n", "", 1);
    check("[[scenarios]]\n", "there is no `scenarios` here; did you mean `scenario`?", 1);
    check("scenario = 1", "`[[scenario]]`", 1);
    check("[[scenario]]\nname = \"n\"\nneed = 1\n", "there is no `need` here", 3);
    check("[[scenario]]\n[scenario.expect]\nnothing_fits = true", "needs a `name`", 1);
    check("[[scenario]]\nname = \"n\"\nexpect = { nothing_fits = true }", "needs a `[scenario.request]`", 2);
    check(&scenario(request, ""), "expects nothing", 2);
    check(&scenario(request, "picks = []"), "expects nothing", 2);
    check(&scenario(request, "pick = [\"vgg16\"]"), "did you mean `picks`?", 7);
    check(&scenario(request, "picks = \"vgg16\""), "`expect` cannot be read", 7);
    check(&scenario(request, "picks = [\"vgg61\"]"), "no architecture `vgg61`; did you mean", 7);
    check(&scenario(request, "steps = [\"too-slo\"]"), "no rule `too-slo`; did you mean `too-slow`?", 7);
    check(&scenario(request, "labels = { fast = \"vgg16\" }"), "fast", 7);
    check(&scenario("task = \"classify\"\ndeply = \"mobile\"", "nothing_fits = true"), "`deply`", 5);
    check(&scenario("task = \"classify\"", "nothing_fits = true"), "no deployment is stated", 2);
    let device = format!("{request}\ndevice = \"nowhere\"");
    check(&scenario(&device, "nothing_fits = true"), "there is no device `nowhere`", 2);
    let measured = |stated: &str| {
        format!("{}\n[[scenario.measured]]\n{stated}", scenario(request, "nothing_fits = true"))
    };
    check(&measured("architecture = \"vgg61\"\nms = 1.0"), "no architecture `vgg61`", 9);
    check(&measured("architecture = \"vgg16\"\nms = 1.0\ninput_size = 100"), "has no layer graph", 9);
    check(&measured("architecture = \"vgg16\"\nms = 1.0\nlow_ms = 2.0"), "0 < low_ms <= ms", 9);
    check(&measured("architecture = \"vgg16\"\nms = nan"), "0 < low_ms <= ms", 9);
}

const SCENARIO: &str = "[[scenario]]\nname = \"mine\"\nrequest = { task = \"classify\", deploy = \"mobile\" }\n\
                        expect = { nothing_fits = false }";

fn names(rules: &RuleSet, filter: Option<&str>) -> Vec<String> {
    run(rules, filter).results.into_iter().map(|result| result.name).collect()
}

#[test]
fn the_shipped_rules_give_the_answers_of_the_shipped_scenarios() {
    let (rules, _) = RuleSet::load(&[]);
    let report = run(&rules, None);
    assert!(report.is_success(), "{report:#?}");
    assert!(report.results.len() >= 12);
}

#[test]
fn shipped_scenarios_speak_of_the_shipped_rules_alone() {
    let scenarios_alone = RuleFolder::of_texts("mine", [("scenarios/a.toml", SCENARIO)]);
    let (rules, _) = RuleSet::load(&[scenarios_alone]);
    assert!(names(&rules, None).len() > 1, "no rule is changed");
    assert_eq!(names(&rules, Some("mine")), ["mine"]);
    assert_eq!(names(&rules, Some("no such name")), Vec::<String>::new());
    let with_a_rule = RuleFolder::of_texts("mine", [("r.rhai", RULES), ("scenarios/a.toml", SCENARIO)]);
    assert_eq!(names(&RuleSet::load(&[with_a_rule]).0, None), ["mine"]);
    let manifest = "name = \"off\"\nversion = \"1.0.0\"\nschema = 1\ndisable = [\"fast-family\"]";
    let disabling = RuleFolder::of_texts("mine", [("pack.toml", manifest), ("scenarios/a.toml", SCENARIO)]);
    assert_eq!(names(&RuleSet::load(&[disabling]).0, None), ["mine"]);
}
