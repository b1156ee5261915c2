//! The decision framework, statement by statement: each is carried by rules that are tested.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use convwise_judge::RuleSet;
use convwise_zoo::Zoo;
use serde::Deserialize;

use crate::harness::repository;

/// Between these lines of `rules/README.md` stands what is drawn from `rules/guide.toml`.
const BEGIN: &str = "<!-- begin: drawn from guide.toml by CONVWISE_REGEN=1 cargo test --test main guide -->";
const END: &str = "<!-- end -->";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Guide {
    statement: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    id: String,
    section: String,
    says: String,
    rules: Vec<String>,
    #[serde(default)]
    networks: Vec<String>,
}

fn statements() -> Vec<Statement> {
    let text = fs::read_to_string(repository().join("rules/guide.toml")).unwrap();
    toml::from_str::<Guide>(&text).unwrap().statement
}

/// How many cases try each shipped rule.
fn cases() -> BTreeMap<String, usize> {
    let (rules, _) = RuleSet::load(&[]);
    let mut counts: BTreeMap<String, usize> = rules.list().into_iter().map(|rule| (rule.id, 0)).collect();
    for result in rules.test(None).results {
        *counts.get_mut(result.rule.as_str()).unwrap() += 1;
    }
    counts
}

/// What keeps a statement from being carried.
fn gaps(statement: &Statement, cases: &BTreeMap<String, usize>, known: &dyn Fn(&str) -> bool) -> Vec<String> {
    let id = &statement.id;
    let mut found = Vec::new();
    if statement.rules.is_empty() {
        found.push(format!("{id}: no rule carries it"));
    }
    for rule in &statement.rules {
        match cases.get(rule) {
            None => found.push(format!("{id}: there is no rule {rule}")),
            Some(0) => found.push(format!("{id}: no case tries {rule}")),
            Some(_) => {}
        }
    }
    found.extend(statement.networks.iter().filter(|n| !known(n)).map(|n| format!("{id}: there is no {n}")));
    found
}

fn table(statements: &[Statement], cases: &BTreeMap<String, usize>) -> String {
    let mut out = String::from("| statement | rules (cases) |\n|---|---|\n");
    for s in statements {
        let rules: Vec<_> =
            s.rules.iter().map(|id| format!("`{id}` ({})", cases.get(id).copied().unwrap_or(0))).collect();
        let _ = writeln!(out, "| {}: {} | {} |", s.section, s.says, rules.join(", "));
    }
    out
}

/// The page with the part between the markers replaced.
fn replaced(page: &str, table: &str) -> String {
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    format!("{before}{BEGIN}\n\n{table}\n{END}{after}")
}

#[test]
fn every_statement_is_carried_by_rules_with_cases() {
    let (zoo, _) = Zoo::load(&[]);
    let (statements, cases) = (statements(), cases());
    assert!(statements.len() >= 30);
    let known = |id: &str| zoo.find(id).is_ok();
    let found: Vec<_> = statements.iter().flat_map(|s| gaps(s, &cases, &known)).collect();
    assert!(found.is_empty(), "{found:#?}");
    let mut ids: Vec<_> = statements.iter().map(|s| &s.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), statements.len(), "two statements have one id");
}

#[test]
fn a_gap_is_found() {
    let statement = |rules: &[&str], networks: &[&str]| Statement {
        id: "x".to_owned(),
        section: String::new(),
        says: String::new(),
        rules: rules.iter().map(|r| (*r).to_owned()).collect(),
        networks: networks.iter().map(|n| (*n).to_owned()).collect(),
    };
    let cases = BTreeMap::from([("tried".to_owned(), 2), ("bare".to_owned(), 0)]);
    let check = |rules: &[&str], networks: &[&str], expect: &[&str]| {
        assert_eq!(gaps(&statement(rules, networks), &cases, &|id| id == "resnet50"), expect);
    };
    check(&["tried"], &["resnet50"], &[]);
    check(&[], &[], &["x: no rule carries it"]);
    check(
        &["bare", "gone"],
        &["vgg"],
        &["x: no case tries bare", "x: there is no rule gone", "x: there is no vgg"],
    );
}

#[test]
fn the_table_of_statements_is_in_step() {
    let path = repository().join("rules/README.md");
    let page = fs::read_to_string(&path).unwrap();
    let drawn = replaced(&page, &table(&statements(), &cases()));
    if std::env::var_os("CONVWISE_REGEN").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(committed == drawn, "rules/README.md is behind: CONVWISE_REGEN=1 cargo test --test main guide");
}

#[test]
fn only_what_stands_between_the_markers_is_drawn() {
    let page = format!("hand\n{BEGIN}\nold\n{END}\nhand\n");
    assert_eq!(replaced(&page, "new\n"), format!("hand\n{BEGIN}\n\nnew\n\n{END}\nhand\n"));
}
