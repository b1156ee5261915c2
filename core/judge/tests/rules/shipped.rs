//! The shipped rules: they load, check clean, and every case passes.

use convwise_judge::RuleSet;

#[test]
fn shipped_rules_check_clean() {
    let (rules, problems) = RuleSet::load(&[]);
    let shown: Vec<String> = problems.iter().chain(&rules.check()).map(ToString::to_string).collect();
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
