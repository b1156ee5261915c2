//! From a request to picks, without a clock.

use serde_json::Value;

use crate::harness::Home;

const REQUEST: &str = "advise --task classify --deploy cpu-server --latency 60ms --threads 1 --json";

fn names(picks: &Value) -> Vec<String> {
    picks.as_array().unwrap().iter().map(|p| p["architecture"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn without_measurements_the_answer_is_estimated_and_says_so() {
    let home = Home::new();
    let advice = home.json(REQUEST);
    assert_eq!(advice["schema"], "convwise.advice/1");
    let picks = advice["picks"].as_array().unwrap();
    assert!(!picks.is_empty());
    for pick in picks {
        assert_eq!(pick["latency"]["grade"], "estimated");
        assert_eq!(pick["proven"], false, "an estimate proves nothing");
        let (low, ms, high) =
            (&pick["latency"]["low_ms"], &pick["latency"]["ms"], &pick["latency"]["high_ms"]);
        assert!(low.as_f64() < ms.as_f64() && ms.as_f64() < high.as_f64());
        assert_eq!(pick["accuracy"]["grade"], "published");
        assert!(pick["accuracy"]["source"].as_str().unwrap().starts_with("https://"));
    }
    assert!(!advice["needs"].as_array().unwrap().is_empty());
    assert!(!advice["training"].as_array().unwrap().is_empty());
    assert!(!advice["optimisation"].as_array().unwrap().is_empty());
}

#[test]
fn every_label_is_held_once() {
    let home = Home::new();
    let advice = home.json("advise --task classify --deploy cpu-server --threads 1 --json");
    for label in ["highest-accuracy", "best-trade-off", "fastest", "smallest", "most-established"] {
        let holders = advice["picks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|p| p["labels"].as_array().unwrap().contains(&Value::from(label)))
            .count();
        assert_eq!(holders, 1, "{label}");
    }
}

#[test]
fn the_same_question_gets_the_same_answer() {
    let home = Home::new();
    let first = home.run(REQUEST);
    assert_eq!(first.stdout, home.run(REQUEST).stdout);
    assert_eq!(first.stdout, Home::new().run(REQUEST).stdout);
}

#[test]
fn a_size_limit_rejects_with_the_figures_and_what_would_change_it() {
    let home = Home::new();
    let advice = home.json("advise --task classify --deploy cpu-server --threads 1 --max-size 15MB --json");
    let rejected = advice["rejected"].as_array().unwrap();
    let resnet = rejected.iter().find(|r| r["architecture"] == "resnet50").unwrap();
    assert_eq!(resnet["rule"], "weights-over-size");
    assert!(resnet["reason"].as_str().unwrap().contains("15.0 MB"), "{resnet}");
    assert!(resnet["counterfactual"].as_str().unwrap().contains("--max-size"), "{resnet}");
    for pick in advice["picks"].as_array().unwrap() {
        assert!(pick["weight_bytes"].as_u64().unwrap() <= 15_000_000);
    }
}

#[test]
fn nothing_fits_is_exit_code_2_with_the_nearest_misses() {
    let home = Home::new();
    let answer = home.run("advise --task classify --deploy cpu-server --threads 1 --max-size 1kB --json");
    assert_eq!(answer.code, 2, "{}", answer.stderr);
    let advice = answer.json();
    assert!(advice["picks"].as_array().unwrap().is_empty());
    let nearest = advice["nothing_fits"]["nearest"].as_array().unwrap();
    assert!(!nearest.is_empty());
    assert!(nearest[0]["counterfactual"].is_string());
}

#[test]
fn a_request_file_is_merged_and_flags_win() {
    let home = Home::new();
    home.write(
        "deploy.toml",
        "task = \"classify\"\ndeploy = \"cpu-server\"\nmax-size = \"15MB\"\nthreads = 1\n",
    );
    let advice = home.json("advise --request deploy.toml --max-size 50MB --json");
    assert_eq!(advice["request"]["limits"]["max_size"], 50_000_000);
    assert_eq!(advice["request"]["threads"], 1);
    assert_eq!(advice["request"]["origins"]["max-size"], "flag");
    assert_eq!(advice["request"]["origins"]["threads"], "deploy.toml");
    assert_eq!(advice["request"]["origins"]["batch"], "default");
}

#[test]
fn top_limits_the_picks_but_not_the_labels() {
    let home = Home::new();
    let all = home.json("advise --task classify --deploy cpu-server --threads 1 --top 50 --json");
    let one = home.json("advise --task classify --deploy cpu-server --threads 1 --top 1 --json");
    assert_eq!(names(&all["picks"])[0], names(&one["picks"])[0]);
    assert!(names(&one["picks"]).len() <= 6);
    for pick in one["picks"].as_array().unwrap().iter().skip(1) {
        assert!(!pick["labels"].as_array().unwrap().is_empty());
    }
}

#[test]
fn classes_change_the_size_of_the_network() {
    let home = Home::new();
    let show = |line: &str| home.json(line)["params"].as_u64().unwrap();
    let thousand = show("arch show resnet50 --json");
    let ten = show("arch show resnet50 --classes 10 --json");
    assert_eq!(thousand - ten, 990 * (2048 + 1));
}

#[test]
fn edge_devices_reject_by_ram_and_flash_with_the_numbers() {
    let home = Home::new();
    let answer =
        home.run("advise --task classify --deploy edge --device stm32f746 --ram 320kB --flash 1MB --json");
    let advice = answer.json();
    let rejected = advice["rejected"].as_array().unwrap();
    let large = rejected.iter().find(|r| r["architecture"] == "resnet50").unwrap();
    let rules: Vec<_> = large["rules"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
    assert!(rules.contains(&"weights-over-flash") && rules.contains(&"activations-over-ram"), "{rules:?}");
}

#[test]
fn explain_names_every_rule_with_the_values_it_read() {
    let home = Home::new();
    let why =
        home.json("explain resnet50 --task classify --deploy cpu-server --threads 1 --max-size 15MB --json");
    let candidates = why["candidates"].as_array().unwrap();
    assert!(!candidates.is_empty());
    let findings = candidates[0]["pick"]["findings"].as_array().unwrap();
    let size = findings.iter().find(|f| f["rule"] == "weights-over-size").unwrap();
    assert_eq!(size["kind"], "rejected");
    assert!(size["line"].as_u64().unwrap() > 0);
    assert!(!size["values"].as_object().unwrap().is_empty());
}

#[test]
fn compare_puts_networks_side_by_side() {
    let home = Home::new();
    let comparison = home.json("compare resnet50 mobilenet_v3_large --threads 1 --json");
    let networks = comparison["networks"].as_array().unwrap();
    assert_eq!(networks.len(), 2);
    assert_eq!(networks[0]["pick"]["architecture"], "resnet50");
}

#[test]
fn markdown_and_text_name_the_first_pick() {
    let home = Home::new();
    let advice = home.json(REQUEST);
    let title = advice["picks"][0]["title"].as_str().unwrap();
    let markdown = home.run(&REQUEST.replace("--json", "--markdown"));
    assert!(markdown.stdout.starts_with("# Which network") && markdown.stdout.contains(title));
    let text = home.run(&REQUEST.replace("--json", ""));
    assert!(text.stdout.contains(title));
    assert!(!text.stdout.contains('\u{1b}'), "no colour outside a terminal");
}

#[test]
fn an_unnamed_phone_cannot_be_measured_here() {
    let home = Home::new();
    let answer = home.run("advise --task classify --deploy mobile --threads 1 --measure");
    answer.fails(3, &["convwise bench", "convwise kb merge", "--here"]);
}

#[test]
fn a_microcontroller_takes_what_fits_its_memory() {
    let home = Home::new();
    let line = "advise --task classify --deploy edge --device stm32f746 --ram 320kB --flash 1MB --json";
    let advice = home.json(line);
    let id = |entry: &Value| entry["architecture"].as_str().unwrap().to_owned();
    let picks: Vec<_> = advice["picks"].as_array().unwrap().iter().map(id).collect();
    assert!(picks[0].starts_with("mcunet") || picks[0].starts_with("mobilenet"), "{picks:?}");
    assert_eq!(advice["picks"][0]["precision"], "int8");
    assert_eq!(advice["request"]["threads"], 1, "a board is not this machine");
    let rejected = advice["rejected"].as_array().unwrap();
    let of = |name: &str| rejected.iter().find(|r| id(r) == name).unwrap();
    assert!(of("resnet50")["reason"].as_str().unwrap().contains("320 kB of RAM"), "{}", of("resnet50"));
    assert!(of("alexnet")["reason"].as_str().unwrap().contains("1.00 MB of flash"));
    // MCUNet was made for an engine that computes depthwise convolutions in place, and fits with such a one.
    let searched = of("mcunet_in3");
    assert_eq!(searched["rule"], "activations-over-ram");
    assert!(searched["counterfactual"].as_str().unwrap().contains("--memory-model depthwise-channel"));
    let advice = home.json(&format!("{line} --memory-model depthwise-channel"));
    assert_eq!(id(&advice["picks"][0]), "mcunet_in3");
}

#[test]
fn weights_for_research_only_are_rejected_where_permissive_ones_are_asked_for() {
    let home = Home::new();
    let line = "advise --task classify --deploy gpu-server --priority accuracy --json";
    let tags = |advice: &Value, list: &str| -> Vec<String> {
        let entries = advice[list].as_array().unwrap().iter();
        entries.map(|e| format!("{} {}", e["architecture"], e["weights"])).collect()
    };
    let any = home.json(line);
    assert!(tags(&any, "picks").iter().any(|t| t.contains("SWAG")), "{:?}", tags(&any, "picks"));
    let permissive = home.json(&format!("{line} --licence permissive"));
    assert!(!tags(&permissive, "picks").iter().any(|t| t.contains("SWAG")));
    let rejected = permissive["rejected"].as_array().unwrap();
    let swag = rejected.iter().find(|r| r["weights"] == "torchvision/IMAGENET1K_SWAG_E2E_V1").unwrap();
    assert_eq!(swag["rule"], "licence-not-permissive");
    assert!(swag["reason"].as_str().unwrap().contains("CC-BY-NC-4.0"), "{swag}");
}

#[test]
fn the_answer_as_a_person_reads_it() {
    let home = Home::new();
    // A phone that nobody named: nothing of this machine is in the answer.
    let line = "advise --task classify --deploy mobile --threads 1 --max-params 3M --train-images 500 --classes 20 --top 2";
    insta::with_settings!({filters => vec![
        (r"knowledge base `?[0-9a-f]+`?", "knowledge base [version]"),
        (r"Knowledge base `[0-9a-f]+`, rules `[0-9a-f]+`", "Knowledge base [version], rules [fingerprint]"),
        (r"\d+ rules \([0-9a-f]+\)", "[n] rules ([fingerprint])"),
    ]}, {
        insta::assert_snapshot!("text", home.run(line).stdout);
        insta::assert_snapshot!("markdown", home.run(&format!("{line} --markdown")).stdout);
    });
}

#[test]
fn networks_are_compared_on_one_dataset_which_the_answer_names() {
    let home = Home::new();
    let ask = "advise --task segment --deploy cpu-server --threads 1 --json";
    let advice = home.json(ask);
    let compared = &advice["compared"];
    assert_eq!(compared["asked"], false);
    let covered = names_of(&compared["networks"]);
    assert!(covered.len() >= 4 && !names_of(&compared["left_out"]).is_empty(), "{compared}");
    for elsewhere in compared["elsewhere"].as_array().unwrap() {
        assert!(
            names_of(&elsewhere["networks"]).len() <= covered.len(),
            "the widest set is taken: {compared}"
        );
    }
    for pick in advice["picks"].as_array().unwrap().iter().filter(|p| !p["accuracy"].is_null()) {
        assert_eq!(
            pick["accuracy"]["dataset"], compared["dataset"],
            "figures of two datasets are never mixed"
        );
    }

    let other = home.json(&format!("{ask} --dataset ade20k/val"));
    assert_eq!(other["compared"]["dataset"], "ade20k/val");
    assert_eq!(other["compared"]["asked"], true);
    assert!(names_of(&other["compared"]["networks"]).contains(&"upernet_convnext_tiny".to_owned()));
    assert_ne!(other["picks"], advice["picks"]);
}

fn names_of(ids: &Value) -> Vec<String> {
    ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_dataset_that_is_not_known_or_tests_something_else_is_refused() {
    let home = Home::new();
    let ask = |task: &str, dataset: &str| {
        home.run(&format!("advise --task {task} --deploy cpu-server --dataset {dataset}"))
    };
    ask("segment", "cityscape/val").fails(3, &["did you mean `cityscapes/val`", "ade20k/val"]);
    ask("segment", "coco/val2017").fails(3, &["coco/val2017 tests detect, not segment"]);
    home.run("advise --task classify --deploy cpu-server --postprocess")
        .fails(3, &["--postprocess", "leave it out"]);
}
