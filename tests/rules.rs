//! Editing the decision logic without recompiling.

use std::fs;

use serde_json::Value;

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
fn every_rule_has_a_case() {
    let home = Home::new();
    let report = home.json("rules test --json");
    assert_eq!(report["ok"], true, "{report}");
    for rule in home.json("rules list --json")["rules"].as_array().unwrap() {
        let seen = report["coverage"][rule["id"].as_str().unwrap()].as_array().map_or(0, Vec::len);
        assert!(seen > 0, "{} has no case", rule["id"]);
    }
}

const ADVISE: &str = "advise --task classify --deploy cpu-server --threads 1 --json";

#[test]
fn ejected_rules_change_nothing_until_they_are_edited() {
    let home = Home::new();
    let before = home.json(ADVISE);
    assert_eq!(home.run("rules eject").code, 0);
    let same = home.json(ADVISE);
    let moved = |picks: &Value| picks.to_string().replace("convwise/rules/", "rules/");
    assert_eq!(moved(&before["picks"]), moved(&same["picks"]), "nothing but where rules stand");
    assert!(!same["rules"]["overrides"].as_array().unwrap().is_empty(), "it says that it uses them");
    home.run("rules eject").fails(1, &["already there"]);
    let file = home.path().join("convwise/rules/deployment.rhai");
    let text = fs::read_to_string(&file).unwrap();
    let edited =
        text.replace("net.family == \"MobileNetV3\" || net.id in", "net.family == \"ResNet\" || net.id in");
    assert_ne!(text, edited);
    fs::write(&file, edited).unwrap();
    let after = home.json(ADVISE);
    let score = |advice: &Value| {
        let picks = advice["picks"].as_array().unwrap();
        picks.iter().find(|p| p["architecture"] == "resnet50").unwrap()["score"].as_f64().unwrap()
    };
    assert!(score(&after) > score(&before), "{} and {}", score(&after), score(&before));
    assert_ne!(same["rules"]["fingerprint"], after["rules"]["fingerprint"]);
}

#[test]
fn a_rule_of_the_project_joins_the_shipped_ones() {
    let home = Home::new();
    let before = home.json(ADVISE);
    let veto = "require(#{ id: \"made-by-resnet\", doc: \"House policy: no ResNet.\", source: \"house\", \
                holds: |net| net.family != \"ResNet\", because: |net| `${net.family} is not allowed here` });\n";
    home.write("convwise/rules/house.rhai", veto);
    let after = home.json(ADVISE);
    assert!(before["picks"].as_array().unwrap().iter().any(|p| p["family"] == "ResNet"));
    assert!(after["picks"].as_array().unwrap().iter().all(|p| p["family"] != "ResNet"));
    let rejected = after["rejected"].as_array().unwrap();
    let veto = rejected.iter().find(|r| r["architecture"] == "resnet50").unwrap();
    assert_eq!(
        (&veto["rule"], &veto["reason"]),
        (&"made-by-resnet".into(), &"ResNet is not allowed here".into())
    );
    assert_eq!(after["rules"]["rules"].as_u64(), before["rules"]["rules"].as_u64().map(|n| n + 1));
    // A folder that is named comes before the project's.
    home.write(
        "mine/house.rhai",
        "require(#{ id: \"made-by-resnet\", doc: \"All may.\", source: \"me\", \
                holds: |net| true, because: |net| \"fine\" });\n",
    );
    let named = home.json(&format!("{ADVISE} --rules mine"));
    assert!(named["picks"].as_array().unwrap().iter().any(|p| p["family"] == "ResNet"));
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

const LARGE: &str = "// Mine.\nnote(#{ id: \"large\", doc: \"d\", source: \"me\", when: |net| net.params > 5e6,\n  because: |net| `${net.title} is large` });\n";
const LARGE_CASES: &str = "# What I think of it.\n[[case]]\nname = \"twenty million\"\nrule = \"large\"\n\
                           net = { title = \"X\", params = 20_000_000 }\nexpect = \"skips\"  # not yet\nbecause = \"tiny\"\n";

#[test]
fn a_failing_case_shows_what_was_read_and_can_be_blessed() {
    let home = Home::new();
    home.write("convwise/rules/mine.rhai", LARGE);
    let cases = home.write("convwise/rules/mine.cases.toml", LARGE_CASES);
    let test = home.run("rules test mine");
    assert_eq!(test.code, 1, "{}", test.stdout);
    for word in ["says: expected `skips`, found `notes`", "read: net.params = 20000000", "X is large"] {
        assert!(test.stdout.contains(word), "no {word:?} in {}", test.stdout);
    }
    let blessed = home.run("rules test --bless");
    assert_eq!((blessed.code, blessed.stdout.trim()), (0, "convwise/rules/mine.cases.toml: twenty million"));
    let text = fs::read_to_string(&cases).unwrap();
    let expected = LARGE_CASES.replace("\"skips\"", "\"notes\"").replace("\"tiny\"", "\"X is large\"");
    assert_eq!(text, expected, "comments and form stay");
    assert_eq!(home.run("rules test").code, 0);
    assert_eq!(home.run("rules test --bless").stdout.trim(), "nothing to rewrite");
}

#[test]
fn coverage_says_what_no_case_tried_and_can_be_demanded() {
    let home = Home::new();
    let shipped = home.json("rules test --json");
    let percent = shipped["covered"]["percent"].as_f64().unwrap();
    assert!(percent > 99.9, "{percent}: {}", home.run("rules test --coverage").stdout);
    home.write("convwise/rules/mine.rhai", LARGE);
    let report = home.json("rules test --json");
    let of = |id: &str| {
        let rules = report["covered"]["rules"].as_array().unwrap();
        rules.iter().find(|r| r["rule"] == id).unwrap().clone()
    };
    assert_eq!(of("large")["missing"], serde_json::json!(["notes", "skips"]));
    assert_eq!(of("latency-over-budget")["tried"], serde_json::json!(["holds", "fails", "unknown"]));
    assert_eq!(of("fails-on-its-runner")["missing"], serde_json::json!([]), "it is never unknown");
    let table = home.run("rules test --coverage").stdout;
    assert!(table.lines().nth(1).is_some_and(|l| l.contains("large")) || table.contains("large"), "{table}");
    home.run("rules test --min-coverage 100").fails(1, &["100 % is asked for", "--coverage"]);
    assert_eq!(home.run("rules test --min-coverage 90").code, 0);
}

#[test]
fn watching_runs_the_cases_again_when_a_file_changes() {
    let home = Home::new();
    home.run("rules test --watch").fails(3, &["no rule folder to watch", "--rules DIR"]);
    home.write("convwise/rules/mine.rhai", LARGE);
    let mut watching = home.start("rules test --watch");
    watching.wait_for_line("waiting for a change");
    home.write("convwise/rules/mine.rhai", "note(#{ id: \"large\", becuase: \"b\" });");
    watching.wait_for_line("did you mean `because`?");
    watching.wait_for_line("waiting for a change");
    home.write("convwise/rules/mine.cases.toml", LARGE_CASES);
    watching.wait_for_line("waiting for a change");
}

#[test]
fn a_scenario_of_ones_own_is_run_with_the_cases() {
    let home = Home::new();
    let shipped = home.json("rules test scenarios --json");
    let results = shipped["results"].as_array().unwrap();
    assert!(
        results.len() > 12 && results.iter().all(|r| r["kind"] == "scenario" && r["outcome"] == "passed")
    );
    let scenario = |picks: &str| {
        format!(
            "[[scenario]]\nname = \"ours\"\nrequest = {{ task = \"classify\", deploy = \"cpu-server\" }}\n\
             measured = [{{ architecture = \"resnet18\", ms = 12.0 }}]\nexpect = {{ {picks} }}\n"
        )
    };
    home.write("convwise/rules/scenarios/ours.toml", scenario("among = [\"vgg19\"]"));
    let test = home.run("rules test ours");
    assert_eq!(test.code, 1, "{}", test.stdout);
    for word in ["ours convwise/rules/scenarios/ours.toml:2", "among: expected `vgg19`, found `"] {
        assert!(test.stdout.contains(word), "no {word:?} in {}", test.stdout);
    }
    home.write("convwise/rules/scenarios/ours.toml", scenario("nothing_fits = false"));
    assert_eq!(home.run("rules test ours").code, 0);
    home.write("convwise/rules/scenarios/ours.toml", scenario("pikcs = [\"vgg19\"]"));
    let broken = home.run("rules test ours");
    assert!(broken.code == 1 && broken.stdout.contains("did you mean `picks`?"), "{}", broken.stdout);
}

const DREAM: &str = "# What I dream of.
[[scenario]]
name = \"dream\"

[scenario.request]
task = \"classify\"
deploy = \"cpu-server\"
latency = \"20ms\"

[[scenario.measured]]
architecture = \"resnet18\"
ms = 12.0

[scenario.expect]
picks = [\"vgg19\"]  # the largest
among = [\"resnet18\", \"vgg19\"]
because = [\"well-understood\"]
labels = { fastest = \"vgg19\", smallest = \"resnet18\" }
rejected = { vgg16 = [\"latency-over-budget\"], resnet18 = [\"latency-over-budget\"] }
settings = { learning_rate = \"12\" }
nothing_fits = true
";

#[test]
fn a_scenario_that_fails_is_blessed_in_place() {
    let home = Home::new();
    let file = home.write("convwise/rules/scenarios/dream.toml", DREAM);
    assert_eq!(home.run("rules test dream").code, 1);
    let blessed = home.run("rules test dream --bless");
    assert_eq!((blessed.code, blessed.stdout.trim()), (0, "convwise/rules/scenarios/dream.toml: dream"));
    let text = fs::read_to_string(&file).unwrap();
    for kept in [
        "# What I dream of.",
        "picks = [\"resnet18\"]  # the largest",
        "among = [\"resnet18\"]",
        "nothing_fits = false",
    ] {
        assert!(text.contains(kept), "no {kept:?} in {text}");
    }
    assert!(text.contains("rejected = { vgg16 = [\"latency-over-budget\"] }"), "{text}");
    assert_eq!(home.run("rules test dream").code, 0, "{text}");
    assert_eq!(home.run("rules test dream --bless").stdout.trim(), "nothing to rewrite");
}

#[test]
fn lints_have_pages_and_levels() {
    let home = Home::new();
    home.write("convwise/rules/mine.rhai", LARGE);
    let check = |flags: &str| home.run(&format!("rules check {flags}"));
    let found = check("");
    assert!(found.code == 0 && found.stdout.contains("no-case"), "{}", found.stdout);
    assert_eq!(check("--deny no-case").code, 3);
    assert_eq!(check("--deny warnings").code, 3);
    assert!(!check("--allow no-case").stdout.contains("no-case"));
    check("--deny no-cas").fails(3, &["did you mean `no-case`?"]);
    // What the shipped rules allow is not the user's to mend, even where it allows nothing any more.
    let pack =
        "name = \"mine\"\nversion = \"1.0\"\nschema = 1\ndisable = [\"detector-for-phones\"]\n[lints]\n";
    home.write("convwise/rules/pack.toml", format!("{pack}no-case = \"deny\"\n"));
    let denied = check("");
    assert!(denied.code == 3 && !denied.stdout.contains("unused-allow"), "{}", denied.stdout);
    assert_eq!(check("--warn no-case").code, 0);
    home.write("convwise/rules/pack.toml", format!("{pack}no-case = \"loud\"\n"));
    assert!(check("").stdout.contains("use allow, warn or deny"));
    let page = home.run("rules show no-case");
    assert!(page.code == 0 && page.stdout.contains("## Bad"), "{}", page.stdout);
    let lints = home.run("rules list --lints");
    assert!(lints.code == 0 && lints.stdout.lines().count() > 50, "{}", lints.stdout);
}
