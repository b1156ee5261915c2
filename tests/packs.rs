//! Packs and layers of rules, and the files that authors start from.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Home, repository};

const ADVISE: &str = "advise --task classify --deploy cpu-server --threads 1 --latency 60ms --json";

const PACK: &str = "name = \"house\"\nversion = \"1.2.0\"\nschema = 1\n";

const VETO: &str = "require(#{ id: \"made-by-resnet\", doc: \"House policy: no ResNet.\", source: \"house\", \
                    holds: |net| net.family != \"ResNet\", because: |net| `${net.family} is not allowed here` });\n";

fn rule<'a>(list: &'a Value, id: &str) -> &'a Value {
    let all = list["rules"].as_array().unwrap().iter().chain(list["disabled"].as_array().unwrap());
    all.into_iter().find(|rule| rule["id"] == id).unwrap_or(&Value::Null)
}

#[test]
fn the_user_comes_before_the_project_and_the_project_before_what_is_shipped() {
    let home = Home::new();
    let says =
        |doc: &str| format!("note(#{{ id: \"same\", doc: \"{doc}\", source: \"s\", because: \"b\" }});\n");
    home.write("convwise/rules/a.rhai", says("project"));
    assert_eq!(rule(&home.json("rules list --json"), "same")["layer"], "project");
    home.write("home/rules/a.rhai", says("user"));
    assert_eq!(rule(&home.json("rules list --json"), "same")["layer"], "user");
    home.write("named/other.rhai", says("named"));
    let list = home.json("rules list --json --rules named");
    let same = rule(&list, "same");
    assert_eq!((&same["doc"], &same["layer"]), (&json!("named"), &json!("named")));
    let user = home.path().join("home/rules/a.rhai:1");
    assert_eq!(same["replaces"], json!([user.to_str().unwrap()]), "the strongest of the weaker");
    assert_eq!(rule(&list, "latency-over-budget")["layer"], "shipped");
    assert_eq!(rule(&list, "latency-over-budget")["pack"], "convwise");
}

#[test]
fn what_a_pack_switches_off_is_said_wherever_an_answer_rests_on_it() {
    let home = Home::new();
    let tight = ADVISE.replace("60ms", "1ms");
    let before = home.json(&tight);
    assert!(
        before["picks"].as_array().unwrap().iter().all(|pick| pick["proven"] == false),
        "nothing is known to fit"
    );
    home.write("convwise/rules/house/pack.toml", format!("{PACK}disable = [\"latency-over-budget\"]\n"));
    let after = home.json(&tight);
    assert!(
        after["picks"].as_array().unwrap().iter().all(|pick| pick["proven"] == true),
        "nothing asks any more"
    );
    assert_eq!(after["rules"]["disabled"], json!(["latency-over-budget"]));
    assert_eq!(after["rules"]["packs"], json!([{"name": "house", "version": "1.2.0", "layer": "project"}]));
    let said = "convwise/rules/house/pack.toml disables the requirement `latency-over-budget`";
    for line in ["rules list".to_owned(), tight.replace("--json", ""), tight.replace("--json", "--markdown")]
    {
        let answer = home.run(&line);
        assert!(answer.stdout.contains(said), "{line}: {}", answer.stdout);
    }
    let list = home.json("rules list --json");
    assert_eq!(rule(&list, "latency-over-budget")["disabled_by"], "convwise/rules/house/pack.toml");
    assert_eq!(home.run("rules test").code, 0, "the cases of what is switched off do not count");
}

#[test]
fn a_pack_for_a_later_program_is_refused_by_name_and_nothing_is_proven() {
    let home = Home::new();
    home.write("convwise/rules/house/pack.toml", PACK.replace("schema = 1", "schema = 9"));
    home.write("convwise/rules/house/veto.rhai", VETO);
    let answer = home.run(ADVISE);
    assert!(answer.stderr.contains("the pack `house` is written for schema 9"), "{}", answer.stderr);
    let picks = answer.json()["picks"].as_array().unwrap().clone();
    assert!(!picks.is_empty() && picks.iter().all(|pick| pick["proven"] == false));
    home.run("rules check").fails(3, &[]);
}

#[test]
fn a_digest_guards_the_files_of_a_pack() {
    let home = Home::new();
    home.write("convwise/rules/pack.toml", PACK);
    home.write("convwise/rules/veto.rhai", VETO);
    let digest = home.run("rules digest --write").stdout;
    let manifest = fs::read_to_string(home.path().join("convwise/rules/pack.toml")).unwrap();
    assert_eq!(manifest, format!("{PACK}digest = \"{}\"\n", digest.trim()));
    assert_eq!(home.run(ADVISE).stderr, "");
    home.write("convwise/rules/veto.rhai", VETO.replace("ResNet", "VGG"));
    let answer = home.run(ADVISE);
    let mend = "convwise rules digest convwise/rules --write";
    assert!(answer.stderr.contains("the rule files of `house` have the digest"), "{}", answer.stderr);
    assert!(answer.stderr.contains(mend), "{}", answer.stderr);
    assert_eq!(home.run("rules digest convwise/rules --write").code, 0);
    assert_eq!(home.run(ADVISE).stderr, "");
}

#[test]
fn the_list_is_filtered_by_kind_layer_and_words() {
    let home = Home::new();
    home.write("convwise/rules/house/pack.toml", PACK);
    home.write("convwise/rules/house/veto.rhai", VETO);
    let ids = |line: &str| {
        let list = home.json(line);
        let ids = list["rules"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let rank = ids("rules list --kind rank --json");
    assert_eq!(rank, ["weighted-facts"]);
    assert_eq!(ids("rules list --layer project --json"), ["made-by-resnet"]);
    assert_eq!(ids("rules list --layer house --json"), ["made-by-resnet"]);
    assert_eq!(ids("rules list POLICY no resnet --json"), ["made-by-resnet"]);
    home.run("rules list --layer hause").fails(3, &["did you mean `house`?"]);
    let text = home.run("rules list --layer house").stdout;
    assert!(text.contains("house 1.2.0") && text.contains("stable"), "{text}");
    let packs = home.json("rules list --packs --json");
    let names: Vec<_> = packs["packs"].as_array().unwrap().iter().map(|p| p["name"].clone()).collect();
    assert_eq!(names, [json!("convwise"), json!("house"), Value::Null]);
}

#[test]
fn the_reference_is_printed_and_searched() {
    let home = Home::new();
    let all = home.json("rules fields --json");
    assert_eq!(all["schema"], "convwise.rules-fields/1");
    let latency = home.json("rules fields net.latency high --json");
    let fields = latency["tables"].as_array().unwrap();
    assert_eq!(fields.len(), 1, "{latency}");
    let field = &fields[0]["fields"][0];
    assert_eq!((&field["path"], &field["unit"]), (&json!("net.latency.high_ms"), &json!("milliseconds")));
    assert_eq!(field["may_be_unknown"], true);
    assert!(home.run("rules fields weight").stdout.contains("| `weight` |"));
    home.run("rules fields xyzzy").fails(3, &["is about `xyzzy`"]);
    let definitions = home.run("rules fields --definitions").stdout;
    let committed = fs::read_to_string(repository().join("rules/convwise.d.rhai")).unwrap();
    assert_eq!(definitions, committed);
}

#[test]
fn what_is_new_of_every_kind_passes_the_checks_and_its_case() {
    for kind in ["require", "prefer", "train", "optimise", "note"] {
        let home = Home::new();
        let written = home.run(&format!("rules new {kind} my-condition")).stdout;
        assert_eq!(written, "convwise/rules/my-condition.rhai\nconvwise/rules/my-condition.cases.toml\n");
        assert_eq!(rule(&home.json("rules list --json"), "my-condition")["kind"], kind);
        for line in ["rules check", "rules test"] {
            let answer = home.run(line);
            assert_eq!(answer.code, 0, "{kind}: {}", answer.stdout);
        }
    }
    let home = Home::new();
    assert_eq!(home.run("rules new rank my-order").code, 0);
    assert_eq!(rule(&home.json("rules list --json"), "my-order")["replaces"].as_array().unwrap().len(), 1);
    assert_eq!((home.run("rules check").code, home.run("rules test").code), (0, 0));
}

#[test]
fn a_name_alone_is_a_preference_and_a_kind_alone_a_mistake() {
    let home = Home::new();
    assert_eq!(home.run("rules new my_condition").code, 0);
    assert_eq!(rule(&home.json("rules list --json"), "my-condition")["kind"], "prefer");
    home.run("rules new require").fails(3, &["convwise rules new require NAME"]);
    home.run("rules new requires x").fails(3, &["did you mean `require`?"]);
    home.run("rules new require ../x").fails(3, &["is not a name"]);
    home.run("rules new").fails(3, &["required"]);
    home.run("rules new require x --pack y").fails(3, &["cannot be used with"]);
}

#[test]
fn a_new_pack_is_a_pack_that_passes_the_checks() {
    let home = Home::new();
    assert_eq!(home.run("rules new --pack house").code, 0);
    let list = home.json("rules list --json");
    let new = rule(&list, "house-condition");
    assert_eq!((&new["pack"], &new["pack_version"]), (&json!("house"), &json!("0.1.0")));
    assert_eq!((home.run("rules check").code, home.run("rules test").code), (0, 0));
    assert!(home.path().join("convwise/rules/convwise.d.rhai").exists());
    home.run("rules new --pack house").fails(3, &["already"]);
    assert_eq!(home.run("rules digest convwise/rules/house --write").code, 0);
    assert_eq!(home.run("rules check").code, 0);
}

#[test]
fn one_rule_is_ejected_changed_and_compared() {
    let home = Home::new();
    let written = home.run("rules eject slower-than-video").stdout;
    assert_eq!(
        written,
        "convwise/rules/slower-than-video.cases.toml\nconvwise/rules/slower-than-video.rhai\n"
    );
    assert!(home.run("rules diff").stdout.contains("1 rule compared, 1 the same"));
    let file = home.path().join("convwise/rules/slower-than-video.rhai");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("VIDEO_FRAMES = 30.0", "VIDEO_FRAMES = 25.0")).unwrap();
    let diff = home.json("rules diff --json");
    let one = &diff["rules"][0];
    assert_eq!((&diff["schema"], &one["state"]), (&json!("convwise.rules-diff/1"), &json!("user-changed")));
    assert_eq!(one["by_user"][0]["part"], "VIDEO_FRAMES");
    let text = home.run("rules diff").stdout;
    for line in [
        "you changed it, the program did not since 0.1.0",
        "- const VIDEO_FRAMES = 30.0;",
        "+ const VIDEO_FRAMES = 25.0;",
    ] {
        assert!(text.contains(line), "no {line:?} in {text}");
    }
    home.run("rules diff slower-than-vido").fails(3, &["did you mean `slower-than-video`?"]);
    home.run("rules eject slower-than-vido").fails(3, &["did you mean `slower-than-video`?"]);
    home.run("rules eject deployment").fails(1, &["`slower-than-video` is already declared"]);
}

#[test]
fn a_rule_deleted_from_an_ejected_file_is_missed_aloud() {
    let home = Home::new();
    assert_eq!(home.run("rules eject ranking").code, 0);
    assert_eq!(home.run("rules eject too-many-parameters").code, 0);
    home.write("convwise/rules/too-many-parameters.rhai", "");
    let check = home.run("rules check").stdout;
    assert!(
        check.contains("the shipped rule is in force")
            && check.contains("disable = [\"too-many-parameters\"]"),
        "{check}"
    );
    assert!(home.run(&ADVISE.replace(" --json", "")).stdout.contains("`too-many-parameters` was ejected to"));
}

#[test]
fn the_example_pack_is_off_until_it_is_named_or_ejected() {
    let home = Home::new();
    let in_force = |line: &str| {
        let packs = home.json(line);
        assert_eq!(packs["examples"][0]["name"], "house-policy");
        let found = packs["packs"].as_array().unwrap().iter().find(|pack| pack["name"] == "house-policy");
        found.map(|pack| pack["layer"].as_str().unwrap().to_owned())
    };
    assert_eq!(in_force("rules list --packs --json"), None);
    assert_eq!(in_force("rules list --packs --json --rules house-policy").as_deref(), Some("named"));
    let with = home.json(&format!("{ADVISE} --rules house-policy"));
    assert_eq!(with["rules"]["packs"][0]["name"], "house-policy");
    assert_eq!(home.run("rules eject house-policy").code, 0);
    assert_eq!(in_force("rules list --packs --json").as_deref(), Some("project"));
    assert_eq!((home.run("rules check").code, home.run("rules test").code), (0, 0));
    home.run("rules eject house-policy").fails(1, &["already there"]);
    home.run("rules list --rules hause-policy").fails(3, &["there is no folder hause-policy"]);
}
