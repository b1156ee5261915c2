//! Editing the decision logic without recompiling.

use crate::harness::Home;

#[test]
fn the_shipped_rules_pass_their_own_checks_and_cases() {
    let home = Home::new();
    let check = home.run("rules check --json");
    assert_eq!(check.code, 0, "{}", check.stdout);
    assert_eq!(check.json()["findings"].as_array().unwrap().len(), 0, "{}", check.stdout);
    let test = home.run("rules test");
    assert_eq!(test.code, 0, "{}", test.stdout);
}

#[test]
fn every_rule_says_what_it_is_for_and_where_it_comes_from() {
    let home = Home::new();
    let rules = home.json("rules list --json");
    let rules = rules["rules"].as_array().unwrap();
    assert!(rules.len() >= 20);
    for rule in rules {
        for field in ["id", "doc", "source", "file"] {
            assert!(!rule[field].as_str().unwrap().is_empty(), "{rule}");
        }
        assert!(rule["line"].as_u64().unwrap() > 0);
    }
}

#[test]
fn an_ejected_rule_that_is_edited_changes_the_answer() {
    let home = Home::new();
    let advise = "advise --task classify --deploy cpu-server --threads 1 --json";
    let before = home.json(advise);
    assert_eq!(home.run("rules eject").code, 0);
    let same = home.json(advise);
    assert_eq!(
        before["picks"],
        same["picks"].clone(),
        "an unedited copy changes nothing but where rules stand"
    );
    let folder = home.path().join("convwise/rules");
    let veto = "require(#{ id: \"made-by-resnet\", doc: \"House policy: no ResNet.\", source: \"house\", \
                holds: |net| net.family != \"ResNet\", because: |net| `${net.family} is not allowed here` });\n";
    std::fs::write(folder.join("house.rhai"), veto).unwrap();
    let after = home.json(advise);
    assert!(after["picks"].as_array().unwrap().iter().all(|p| p["family"] != "ResNet"));
    let rejected = after["rejected"].as_array().unwrap();
    assert!(rejected.iter().any(|r| r["rule"] == "made-by-resnet"));
    assert_ne!(before["rules"]["fingerprint"], after["rules"]["fingerprint"]);
    assert!(!after["rules"]["overrides"].as_array().unwrap().is_empty());
}

#[test]
fn a_new_rule_file_passes_the_check() {
    let home = Home::new();
    assert_eq!(home.run("rules new house").code, 0);
    let check = home.run("rules check");
    assert_eq!(check.code, 0, "{}", check.stdout);
    assert_eq!(home.run("rules test").code, 0);
    home.run("rules new house").fails(3, &["already"]);
}
