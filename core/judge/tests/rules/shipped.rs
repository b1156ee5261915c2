//! The shipped rules: they load, check clean, and every case passes.

use std::path::Path;

use convwise_judge::{Layer, RuleFolder, RuleSet};

use crate::support;

#[test]
fn shipped_rules_check_clean() {
    let (rules, problems) = RuleSet::load(&[]);
    let shown: Vec<String> =
        problems.iter().chain(&support::checked(&rules)).map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n\n"));
    assert!(rules.len() >= 40, "{} rules", rules.len());
}

#[test]
fn shipped_cases_pass() {
    let (rules, _) = RuleSet::load(&[]);
    let report = rules.test(None);
    let problems = report.problems.iter().map(ToString::to_string);
    let failures =
        report.failures().map(|f| format!("{}:{} {} ({}): {:?}", f.file, f.line, f.rule, f.name, f.outcome));
    let shown: Vec<String> = problems.chain(failures).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n\n"));
    assert!(report.passed() > 100, "{} cases ran", report.passed());
}

/// The example of house policy is off until it is asked for; it loads, checks clean, and its cases pass.
#[test]
fn the_example_of_house_policy_works() {
    let (plain, _) = RuleSet::load(&[]);
    assert!(plain.show("code-under-copyleft").is_err(), "off by default");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/packs/house-policy");
    let (rules, problems) = RuleSet::load(&[RuleFolder::read(&folder, Layer::Named)]);
    let shown: Vec<String> =
        problems.iter().chain(&support::checked(&rules)).map(ToString::to_string).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n\n"));
    let report = rules.test(Some("house-policy"));
    assert!(report.is_success(), "{:?}", report.failures().collect::<Vec<_>>());
    assert!(report.passed() >= 20, "{} cases ran", report.passed());
    assert!(plain.len() + 6 == rules.len());
}
