//! Layers, what is wrong with rule files, the catalogue and the cases.

use crate::support::{self, budget, checked, request, resnet50, shown, with_file};
use convwise_judge::{CaseOutcome, Layer, RuleFolder, RuleKind, RuleSet, eject, scaffold};
use convwise_types::Verdict;

#[test]
fn what_is_wrong_with_a_rule_is_shown_at_its_place() {
    let text = r#"require(#{
  id: "fits",
  doc: "d",
  source: "s",
  hold: |net, need| net.params < 1e6,
});
require(#{ id: "Bad Id", holds: |net| true });
require(#{ id: "alien", holds: |model| true });
prefer(#{ id: "scored", score: |net| 1.0, weigth: 3 });
require(#{ id: "graded", holds: |net| true, proof: ["measurd"] });
train(#{ id: "twice", advise: #{} });
train(#{ id: "twice", advise: #{} });
"#;
    insta::assert_snapshot!(shown(&with_file("broken.rhai", text).1));
}

#[test]
fn what_check_finds_is_shown_at_its_place() {
    let text = r#"prefer(#{
  id: "doubtful",
  score: |net, need| if net.latncy.ms > 3 || net.latency.hig_ms > 2 { 1/3 } else { need.train_images / need.classes },
});
note(#{ id: "never", doc: "d", source: "s", when: |net, need| need.deploy == "cpu_server" || net.params == "many", because: "b" });
note(#{ id: "list", doc: "d", source: "s", when: |net| net.maturity in ["ubiquitous", "famous"], because: |net| net.ms });
optimise(#{ id: "step-a", doc: "d", source: "s", steps: ["a"], after: ["step-b", "step-c"] });
optimise(#{ id: "step-b", doc: "d", source: "s", steps: ["b"], after: ["step-a"], status: "deprecated" });
"#;
    let (rules, problems) = with_file("doubtful.rhai", text);
    assert_eq!(problems, []);
    insta::assert_snapshot!(shown(&checked(&rules)));
}

#[test]
fn a_broken_file_is_reported_and_the_rest_still_judges() {
    let (rules, problems) = with_file("broken.rhai", "require(#{ id: \"x\", holds: |net| net.params <\n});");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].file, "mine/broken.rhai");
    let judged = rules.judge(&budget(60.0), &[resnet50().candidate()]).remove(0);
    assert_eq!(judged.verdict, Verdict::Unproven);
    assert!(judged.findings[0].reason.starts_with("a requirement could not be loaded, so nothing is proven"));
    let rejected = rules.judge(&budget(20.0), &[resnet50().candidate()]).remove(0);
    assert_eq!(rejected.verdict, Verdict::Rejected, "the shipped rules still run");
}

#[test]
fn a_broken_file_without_requirements_leaves_proofs_alone() {
    let (rules, problems) = with_file("broken.rhai", "prefer(#{ id: \"x\", score: });");
    assert_eq!(problems.len(), 1);
    assert_eq!(rules.judge(&budget(60.0), &[resnet50().candidate()])[0].verdict, Verdict::Proven);
}

#[test]
fn a_rule_replaces_the_rule_of_its_id_wherever_they_stand() {
    let mine = RuleFolder::of_texts(
        "mine",
        [("classification.rhai", "note(#{ id: \"only\", because: \"b\" });"), ("x.rhai", LENIENT)],
    );
    let (rules, problems) = RuleSet::load(&[mine]);
    assert_eq!(problems, []);
    assert_eq!(rules.overrides().len(), 1, "{:?}", rules.overrides());
    assert!(rules.overrides()[0].starts_with("rule `latency-over-budget` of mine/x.rhai:1 replaces"));
    assert!(rules.show("quick-baseline").is_ok(), "a file of the same name takes nothing away");
    assert!(rules.show("only").is_ok());
    assert_eq!(rules.judge(&budget(1.0), &[resnet50().candidate()])[0].verdict, Verdict::Proven);
    assert_ne!(rules.stamp().fingerprint, support::shipped().stamp().fingerprint);
}

const LENIENT: &str = "require(#{ id: \"latency-over-budget\", holds: |net| true });";

#[test]
fn the_users_formula_replaces_the_shipped_one() {
    let (rules, problems) = with_file("order.rhai", "rank(#{ id: \"mine\", score: |net| net.preference });");
    assert_eq!(problems, []);
    let formulas: Vec<_> = rules.list().into_iter().filter(|r| r.kind == "rank").map(|r| r.id).collect();
    assert_eq!(formulas, ["mine"]);
    let text = "rank(#{ id: \"one\", score: 1.0 });\nrank(#{ id: \"two\", score: 1.0 });";
    assert_eq!(with_file("order.rhai", text).1[0].code, "two-rank-formulas");
}

#[test]
fn a_rule_cannot_declare_rules_while_it_judges() {
    let text = "require(#{ id: \"nest\", holds: |net| { note(#{ id: \"x\", because: \"b\" }); true } });";
    let (rules, _) = with_file("nest.rhai", text);
    let judged = rules.judge(&request(Default::default()), &[resnet50().candidate()]).remove(0);
    assert!(judged.findings[0].reason.contains("cannot be declared inside a rule"), "{:?}", judged.findings);
}

#[test]
fn a_rule_is_shown_with_its_text_or_the_nearest_name() {
    let rules = support::shipped();
    let rule = rules.show("latency-over-budget").unwrap();
    assert!(rule.text.starts_with("require(#{\n  id: \"latency-over-budget\"") && rule.text.ends_with("});"));
    let error = rules.show("latency-over-bugdet").unwrap_err().to_string();
    assert!(error.ends_with("did you mean `latency-over-budget`?"), "{error}");
}

#[test]
fn ejected_rules_judge_like_the_shipped_ones_and_are_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let written = eject(folder.path(), None).unwrap().written;
    assert!(written.len() >= 10);
    assert!(eject(folder.path(), None).unwrap_err().to_string().contains("nothing was written"));
    let (rules, problems) = RuleSet::load(&[RuleFolder::read(folder.path(), Layer::User)]);
    assert_eq!(problems, []);
    assert_eq!(rules.stamp().fingerprint, support::shipped().stamp().fingerprint);
    assert_eq!(rules.len(), support::shipped().len());
}

#[test]
fn what_is_scaffolded_loads_checks_and_passes() {
    for kind in RuleKind::ALL {
        let new = scaffold(kind, "my-condition");
        let folder = [("my.rhai", new.rule.as_str()), ("my.cases.toml", new.cases.as_str())];
        let mut files = vec![RuleFolder::of_texts("mine", folder)];
        if kind != RuleKind::Rank {
            files.push(RuleFolder::of_texts("base", [("base.rhai", "rank(#{ id: \"r\", score: 1.0 });")]));
        }
        let (rules, problems) = RuleSet::load_layers(&files);
        assert_eq!(shown(&problems), "", "{kind}");
        let found: Vec<_> = checked(&rules).into_iter().filter(|d| d.file.starts_with("mine")).collect();
        assert_eq!(shown(&found), "", "{kind}");
        let report = rules.test(Some("my-condition"));
        assert!(report.is_success() && report.passed() == 1, "{kind}: {report:#?}");
    }
}

#[test]
fn a_case_that_fails_shows_expected_against_actual() {
    let cases = r#"[[case]]
name = "wrong on purpose"
rule = "too-many-parameters"
need = { max_params = 10_000_000 }
net = { params = 25_557_032 }
expect = "holds"
because = "nothing like it"
relax = "--max-params 1M"

[[case]]
name = "later"
rule = "too-many-parameters"
expect = "holds"
todo = true
"#;
    let (rules, _) = with_file("mine.cases.toml", cases);
    let report = rules.test(Some("mine.cases"));
    let CaseOutcome::Failed(diff) = &report.results[0].outcome else { panic!("{report:#?}") };
    assert_eq!(report.results[1].outcome, CaseOutcome::Todo);
    assert_eq!((report.results[0].line, report.is_success()), (2, false));
    insta::assert_snapshot!(diff);
}

#[test]
fn what_is_wrong_with_cases_is_shown_at_its_place() {
    let bad = [
        ("[[case]]\nname = \"a\"\nrule = \"latency-over-budgt\"\nexpect = \"holds\"\n", "a.cases.toml"),
        (
            "[[case]]\nname = \"b\"\nrule = \"latency-over-budget\"\nnet = { lateny = 3 }\nexpect = \"holds\"\n",
            "b.cases.toml",
        ),
        (
            "[[case]]\nname = \"c\"\nrule = \"latency-over-budget\"\nneed = { deploy = \"phone\" }\nexpect = \"holds\"\n",
            "c.cases.toml",
        ),
        ("[[case]]\nname = \"d\"\nrule = \"latency-over-budget\"\nexpect = \"pass\"\n", "d.cases.toml"),
        ("[[case]]\nname = \"e\"\nrule = \"latency-over-budget\"\nexpects = \"holds\"\n", "e.cases.toml"),
    ];
    let (rules, _) =
        RuleSet::load(&[RuleFolder::of_texts("mine", bad.iter().map(|(text, name)| (*name, *text)))]);
    insta::assert_snapshot!(shown(&checked(&rules)));
}

#[test]
fn coverage_says_what_each_rule_was_made_to_say() {
    let report = support::shipped().test(None);
    let said = &report.coverage[&convwise_types::RuleId::from("latency-over-budget")];
    let said: Vec<_> = said.iter().map(String::as_str).collect();
    assert_eq!(said, ["fails", "holds", "holds-weakly", "skips", "unknown"]);
}

#[test]
fn every_shipped_requirement_is_tried_both_ways_and_without_its_fact() {
    let rules = support::shipped();
    let report = rules.test(None);
    for rule in rules.list().into_iter().filter(|r| r.kind == "require") {
        let said = &report.coverage[&convwise_types::RuleId::from(rule.id.as_str())];
        for word in ["holds", "fails", "unknown"] {
            // That no failure is known is what the one rule about failures hopes for.
            let never = word == "unknown" && rule.id == "fails-on-its-runner";
            assert!(said.contains(word) != never, "`{}` and {word}", rule.id);
        }
    }
    for rule in rules.list().into_iter().filter(|r| !matches!(r.kind.as_str(), "require" | "rank")) {
        let said = &report.coverage[&convwise_types::RuleId::from(rule.id.as_str())];
        assert!(
            said.len() > 1 || said.contains("prefers") || rule.id == "graph-exports-to-onnx",
            "`{}`: {said:?}",
            rule.id
        );
    }
}
