//! Why and why not: every rule's account, the distance to the first, and changes that hold when they are tried.

use serde_json::Value;

use crate::harness::Home;

const REQUEST: &str = "--task classify --deploy cpu-server --threads 1";

fn explained(home: &Home, network: &str, more: &str) -> Value {
    home.json(&format!("explain {network} {REQUEST} {more} --json"))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().unwrap_or_else(|| panic!("no list `{name}` in {value}"))
}

fn best(document: &Value) -> &Value {
    &list(document, "candidates")[0]
}

#[test]
fn every_rule_is_in_the_trace_with_what_it_read_on_which_evidence() {
    let home = Home::new();
    let why = explained(&home, "resnet50", "--latency 60ms");
    let rules: Vec<String> = list(&home.json("rules list --json"), "rules")
        .iter()
        .filter(|r| r["kind"] != "rank")
        .map(|r| r["id"].as_str().unwrap().to_owned())
        .collect();
    let trace = list(best(&why), "trace");
    let mut traced: Vec<String> = trace.iter().map(|t| t["rule"].as_str().unwrap().to_owned()).collect();
    traced.sort();
    assert_eq!(traced, rules);
    let latency = trace.iter().find(|t| t["rule"] == "latency-over-budget").unwrap();
    assert_eq!(latency["verdict"], "unknown");
    let high = list(latency, "fields").iter().find(|f| f["field"] == "net.latency.high_ms").unwrap();
    assert_eq!((&high["grade"], &high["unit"]), (&Value::from("estimated"), &Value::from("milliseconds")));
    assert!(high["source"].as_str().unwrap().contains("layer graph"), "{high}");
    let asked = list(latency, "fields").iter().find(|f| f["field"] == "need.latency_ms").unwrap();
    assert_eq!(asked["source"], "flag");
    for line in trace {
        assert!(line["line"].as_u64().unwrap() > 0 && line["file"].as_str().unwrap().ends_with(".rhai"));
    }
}

#[test]
fn contributions_and_parts_add_up_to_the_score() {
    let home = Home::new();
    let why = explained(&home, "resnet18", "--latency 60ms");
    let (best, rank) = (best(&why), &best(&why)["rank"]);
    let parts = rank["parts"].as_object().unwrap();
    let sum: f64 = parts.values().map(|v| v.as_f64().unwrap()).sum();
    let score = rank["score"].as_f64().unwrap();
    assert!((sum - score).abs() < 1e-6 && best["pick"]["score"] == rank["score"]);
    let added = |what: &str| -> f64 {
        list(best, "trace").iter().filter_map(|t| t["contribution"][what].as_f64()).sum()
    };
    assert!((added("share") - rank["preference"].as_f64().unwrap()).abs() < 1e-9);
    assert!((added("moves") - parts["preference"].as_f64().unwrap()).abs() < 1e-6);
}

#[test]
fn the_distance_to_the_first_is_split_without_a_rest() {
    let home = Home::new();
    let why = explained(&home, "resnet18", "--latency 60ms");
    let gap = &best(&why)["why_not"]["gap"];
    let parts: f64 = list(gap, "parts").iter().map(|p| p["behind"].as_f64().unwrap()).sum();
    assert!((parts - gap["behind"].as_f64().unwrap()).abs() < 1e-5, "{gap}");
    assert_eq!(gap["to"], why["winner"]["architecture"]);
    assert!(list(gap, "parts").iter().any(|p| p["preference"] == true));
    let first = why["winner"]["architecture"].as_str().unwrap();
    assert_eq!(best(&explained(&home, first, "--latency 60ms"))["why_not"], Value::Null, "{first} is first");
}

/// Whether no requirement of the network fails or is unknown under these flags.
fn fits(home: &Home, network: &str, weights: &Value, flags: &str) -> bool {
    let why = explained(home, network, flags);
    let candidate = list(&why, "candidates").iter().find(|c| c["pick"]["weights"] == *weights).unwrap();
    list(candidate, "trace")
        .iter()
        .filter(|t| t["kind"] == "require")
        .all(|t| ["holds", "holds-weakly", "skips"].contains(&t["verdict"].as_str().unwrap()))
}

#[test]
fn the_smallest_change_holds_and_a_smaller_one_does_not() {
    let home = Home::new();
    let why = explained(&home, "resnet50", "--max-size 30MB");
    let (candidate, weights) = (best(&why), &best(&why)["pick"]["weights"]);
    assert_eq!(candidate["verdict"], "rejected");
    let why_not = &candidate["why_not"];
    assert_eq!(list(why_not, "misses")[0]["rule"], "weights-over-size");
    let changes = list(why_not, "changes");
    let size = changes.iter().find(|c| c["what"] == "max-size").unwrap();
    let flag = size["flag"].as_str().unwrap();
    assert!(fits(&home, "resnet50", weights, flag), "{flag}");
    let megabytes: f64 = flag.trim_start_matches("--max-size ").trim_end_matches("MB").parse().unwrap();
    assert!(!fits(&home, "resnet50", weights, &format!("--max-size {}MB", megabytes - 1.0)));
    // Another number format makes it smaller; its accuracy there does not matter to this request.
    let int8 = changes.iter().find(|c| c["what"] == "precision" && c["to"] == "int8").unwrap();
    assert_eq!(int8["of"], "network");
    assert!(!changes.iter().any(|c| c["what"] == "input-size"), "the input does not change the weights");
}

#[test]
fn a_smaller_input_is_named_where_memory_decides() {
    let home = Home::new();
    let line = "explain mobilenet_v2 --task classify --deploy edge --ram 2MB --precision fp32 --json";
    let why = home.json(line);
    let changes = list(&best(&why)["why_not"], "changes");
    let input = changes.iter().find(|c| c["what"] == "input-size").unwrap();
    let side = input["to"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(side < 224 && side % 32 == 0, "{input}");
    assert_eq!((&input["of"], &input["flag"]), (&Value::from("network"), &Value::Null));
}

#[test]
fn where_no_single_change_suffices_the_fewest_that_do_are_named() {
    let home = Home::new();
    let limits = "--max-size 15MB --max-params 5M --min-accuracy 90";
    let why = explained(&home, "resnet50", limits);
    let (why_not, weights) = (&best(&why)["why_not"], &best(&why)["pick"]["weights"]);
    assert_eq!(list(why_not, "misses").len(), 3);
    assert_eq!(list(why_not, "changes").len(), 0);
    assert_eq!(why_not["remarks"][0], "no single change makes it fit");
    let off: Vec<f64> =
        list(why_not, "misses").iter().map(|m| m["margin"]["of_limit"].as_f64().unwrap().abs()).collect();
    assert!(off.is_sorted(), "the nearest miss comes first: {off:?}");
    let flags: Vec<&str> = list(why_not, "together").iter().map(|c| c["flag"].as_str().unwrap()).collect();
    assert_eq!(flags.len(), 3, "{flags:?}");
    assert!(fits(&home, "resnet50", weights, &flags.join(" ")));
    for left_out in 0..3 {
        let asked = ["--min-accuracy 90", "--max-size 15MB", "--max-params 5M"];
        let mixed: Vec<&str> = (0..3).map(|i| if i == left_out { asked[i] } else { flags[i] }).collect();
        assert!(!fits(&home, "resnet50", weights, &mixed.join(" ")), "{mixed:?}");
    }
}

#[test]
fn the_same_question_gets_the_same_bytes() {
    let home = Home::new();
    for line in [
        format!("explain resnet50 {REQUEST} --latency 60ms --json"),
        format!("advise {REQUEST} --what-if latency=10ms..100ms --json"),
        format!("advise {REQUEST} --latency 60ms --sensitivity --json"),
    ] {
        let first = home.run(&line);
        assert_eq!(first.code, 0, "{}", first.stderr);
        assert_eq!(first.stdout, home.run(&line).stdout);
        assert_eq!(first.stdout, Home::new().run(&line).stdout);
    }
}

/// The text without what grows with every rule: steps, lists of what does not apply, line numbers.
fn without_steps(text: &str) -> String {
    let mut kept = String::new();
    let mut skipping = false;
    for line in text.lines() {
        if !line.starts_with(' ') && !line.is_empty() {
            skipping = ["Training", "Optimisation", "Remarks"].contains(&line);
        }
        if !skipping {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[test]
fn what_a_person_reads() {
    let home = Home::new();
    // A phone that nobody named: nothing of this machine is in the answer.
    let request = "--task classify --deploy mobile --threads 1";
    let read = |line: &str| without_steps(&home.run(&format!("explain {line}")).stdout);
    insta::with_settings!({filters => vec![
        (r"\.rhai:\d+", ".rhai:[line]"),
        (r"do not apply: .*", "do not apply: [rules]"),
    ]}, {
        insta::assert_snapshot!("rejected", read(&format!("resnet50 {request} --max-size 15MB")));
        insta::assert_snapshot!("fitting", read(&format!("resnet18 {request} --max-size 15MB")));
    });
}
