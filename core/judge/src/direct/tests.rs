//! What is evaluated directly is what the engine makes of it: value, missing fact, fields read, evidence relied on.

use crate::cases;
use crate::evaluate::{Scene, Stop};
use crate::folder::RuleFolder;
use crate::rule::{Body, Call, Clause, Rule};
use crate::ruleset::RuleSet;
use crate::trace;

fn clauses(rule: &Rule) -> Vec<&Clause> {
    let mut all: Vec<&Clause> = rule.when.iter().chain(&rule.because).collect();
    match &rule.body {
        Body::Require { holds, margin, relax, .. } => {
            all.push(holds);
            all.extend(margin.iter().chain(relax));
        }
        Body::Prefer { score, weight } => {
            all.push(score);
            all.extend(weight);
        }
        Body::Advise(advice) => {
            all.extend(
                [&advice.advise, &advice.steps, &advice.expect, &advice.command].into_iter().flatten(),
            );
        }
        Body::Rank { score, parts } => all.extend(score.iter().chain(parts)),
        Body::Note => {}
    }
    all
}

/// Everything that a run of a clause shows.
fn shown(run: impl FnOnce() -> Result<rhai::Dynamic, Stop>) -> String {
    let ((result, weakest), reads) = trace::reads(|| trace::record(run));
    let said = match result {
        Ok(value) => format!("{} {value:?}", value.type_name()),
        Err(Stop::Missing(missing)) => format!("missing {missing:?}"),
        Err(Stop::Error(_) | Stop::Exhausted(_)) => "an error".to_owned(),
    };
    format!("{said}; {weakest:?}; {reads:?}")
}

fn compare(rules: &RuleSet, call: &Call, clause: &Clause, scene: &Scene, about: &str) {
    let file = &rules.files[call.file];
    let (direct, engine) = (shown(|| rules.call(clause, scene)), shown(|| rules.run(call, file, scene)));
    assert_eq!(direct, engine, "{about}");
}

/// Compares all clauses that are evaluated directly in all situations; how many there are, of how many.
fn compare_all(rules: &RuleSet, situations: &[Scene]) -> (usize, usize) {
    let (mut plain, mut all) = (0, 0);
    for rule in &rules.rules {
        for clause in clauses(rule) {
            let Clause::Call(call) = clause else { continue };
            all += 1;
            if call.plain.is_none() {
                continue;
            }
            plain += 1;
            for scene in situations {
                compare(rules, call, clause, scene, rule.id.as_str());
            }
        }
    }
    (plain, all)
}

fn shipped() -> RuleSet {
    RuleSet::load(&[]).0
}

/// The situations of all cases.
fn scenes(rules: &RuleSet) -> Vec<Scene> {
    cases::tried(rules).into_iter().map(|case| case.scene).collect()
}

#[test]
fn the_shipped_rules_mean_the_same_either_way() {
    let rules = shipped();
    let situations = scenes(&rules);
    assert!(situations.len() > 100);
    let (plain, all) = compare_all(&rules, &situations);
    // Most of the others write sentences.
    assert!(plain * 3 > all, "{plain} of {all} clauses are evaluated directly");
}

/// A rule file with one remark an expression.
fn remarks(expressions: &[&str]) -> RuleSet {
    let one = |(i, e): (usize, &&str)| {
        format!("note(#{{ id: \"n{i:03}\", when: |net, need| {e}, because: \"b\" }});\n")
    };
    let constants = "const LIMIT = 30; const SHARE = 0.5; const NAMES = [\"ResNet\", \"VGG\"]; const MIXED = [\"ResNet\", 1];\n";
    let text: String = expressions.iter().enumerate().map(one).collect();
    let mine = RuleFolder::of_texts("mine", [("mine.rhai", format!("{constants}{text}").as_str())]);
    let (rules, problems) = RuleSet::load_layers(&[mine]);
    assert!(problems.iter().all(|p| p.code == "no-rank-formula"), "{problems:?}");
    assert_eq!(rules.len(), expressions.len());
    rules
}

#[test]
fn plain_expressions_are_evaluated_directly() {
    let expressions = [
        "net.params > 10e6",
        "net.params > LIMIT && net.top1 >= 75",
        "net.params * 2 - 1 < need.max_params + 3",
        "net.params / 3 == 7 || net.params / 3.0 > SHARE",
        "need.latency_ms == 60 || need.latency_ms != 60.0",
        "need.latency_ms <= 59.99999999999999999 || -need.latency_ms < -SHARE",
        "net.family in NAMES || net.family in [\"MobileNetV3\"]",
        "!(net.family in NAMES) && net.id != \"resnet50\"",
        "net.family !in NAMES",
        "\"se\" in net.tags || \"conv\" in net.ops",
        "net.has(\"latency.ms\") && within(net.latency, need.latency_ms)",
        "need.has(\"throughput\") && at_least(net.throughput, 30)",
        "net.pretrained == true && net.permissive",
        "if net.params < 5 { true } else if net.has(\"year\") { net.year > 2018 } else { false }",
        "clamp(net.accuracy.value / 100.0, 0.0, 1.0) > SHARE",
        "clamp(net.params, 1, 10) == 10",
        "need.device.kind == \"server\" || need.device.cores > 4",
        "net.latency.low_ms * 1.0 < net.latency.high_ms",
        "0.1 + 0.2 == 0.3 && need.batch >= 1",
    ];
    let rules = remarks(&expressions);
    let situations = scenes(&shipped());
    assert_eq!(compare_all(&rules, &situations), (expressions.len(), expressions.len()));
}

#[test]
fn what_is_out_of_the_ordinary_goes_to_the_engine_and_comes_out_the_same() {
    let expressions = [
        "net.params * 9223372036854775807 > 0",
        "net.params / 0 > 1",
        "net.params > \"many\"",
        "net.family > \"A\" && net.params",
        "net.family == 3",
        "!net.params",
        "clamp(net.params, 0.0, 1.0) > 0.5",
        "within(net.latency, \"soon\")",
        "net.has(\"no-such-field\")",
        "net.params in net.tags",
        "-net.family == 1",
        "net.params + net.family == 2",
    ];
    let rules = remarks(&expressions);
    let (plain, all) = compare_all(&rules, &scenes(&shipped()));
    assert_eq!((plain, all), (expressions.len(), expressions.len()));
}

#[test]
fn what_is_not_plain_is_left_to_the_engine() {
    let expressions = [
        "net.family.contains(\"Mobile\")",
        "{ let x = net.params; x > 3 }",
        "net.params.max(3) > 2",
        "net.family in MIXED",
        "net?.params > 3",
        "net.no_such_field > 3",
        "[1, 2].some(|x| x > net.params)",
        "round(net.top1) > 3",
        "`${net.id}` == \"resnet50\"",
        "net.tags == net.tags && (net.params ?? 3) > 2",
    ];
    let rules = remarks(&expressions);
    assert_eq!(compare_all(&rules, &[]), (0, expressions.len()));
}

#[test]
fn what_a_file_defines_itself_comes_first() {
    let text = "fn clamped(x) { x > 3 }\nfn at_most(a, b) { a <= b }\n\
                note(#{ id: \"own\", when: |net| at_most(net.params, 3), because: \"b\" });";
    let (rules, _) = RuleSet::load_layers(&[RuleFolder::of_texts("mine", [("mine.rhai", text)])]);
    assert_eq!(compare_all(&rules, &[]), (0, 1));
}

#[test]
fn a_call_changes_nothing_for_later_calls() {
    let text =
        "let seen = 0;\nnote(#{ id: \"counts\", when: |net| { seen += 1; seen > 1 }, because: \"b\" });";
    let (rules, _) = RuleSet::load_layers(&[RuleFolder::of_texts("mine", [("mine.rhai", text)])]);
    let clause = rules.rules[0].when.as_ref().unwrap();
    for scene in scenes(&shipped()).iter().take(3) {
        assert!(!rules.flag(clause, scene).unwrap(), "each call begins anew");
    }
}
