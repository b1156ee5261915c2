//! Questions to the knowledge base: rows in every form, fields, fronts, pages, differences.

use std::path::PathBuf;

use convwise_store::Record;
use convwise_types::{AddedFact, AddedResult, Measurement, canonical};
use serde_json::{Value, json};

use crate::harness::{Answer, Home};
use crate::measured::measured as measured_here;

/// A line as `kb export` writes it.
fn line(record: impl Into<Record>, body: &str) -> String {
    let record = record.into();
    format!("{{\"schema\":1,\"kind\":\"{}\",\"id\":\"{}\",\"body\":{body}}}\n", record.kind(), record.id())
}

/// One measurement: of what, where, how long, how much memory, when.
struct Run {
    network: &'static str,
    device: &'static str,
    median: f64,
    rss: Option<u64>,
    taken: &'static str,
}

const RUN: Run = Run {
    network: "resnet18",
    device: "device-a",
    median: 40.0,
    rss: Some(90_000_000),
    taken: "2026-11-01T00:00:00Z",
};

impl Run {
    fn record(&self) -> Measurement {
        let nanoseconds = self.median * 1e6;
        // Two percent up and down, in an order without a trend.
        let samples: Vec<_> =
            (0..60).map(|i| (nanoseconds * (0.98 + 0.001 * f64::from(i * 17 % 41))) as u64).collect();
        let body = json!({
            "schema": 1, "id": "",
            "subject": {"architecture": self.network, "artifact": format!("file-{}", self.network),
                "graph": format!("graph-{}", self.network), "weights": "seed:0", "input": [3, 224, 224], "batch": 1,
                "precision": "fp32"},
            "runner": {"name": "rten", "version": "0.27.0", "options": {}},
            "threads": 1, "scenario": "latency",
            "device": {"id": self.device, "kind": "cpu", "cpu": format!("the processor of {}", self.device), "cores": 2,
                "isa": ["avx2"], "ram": 8_000_000_000_u64, "platform": "linux/x86_64", "virtual_machine": false},
            "launches": [{"load": 20.0, "first": self.median * 1.5, "warmup_runs": 5, "samples_ns": samples,
                "peak_rss": self.rss}],
            "statistics": {"samples": 60, "median": self.median, "ci_low": self.median * 0.99, "ci_high": self.median * 1.01,
                "min": self.median * 0.98, "mean": self.median, "p90": null, "p99": null, "mad": 0.1, "outliers": 0},
            "verdict": "trusted", "remarks": [], "conditions": {"governor": "performance"}, "taken": self.taken,
            "tool": {"version": "0.1.0", "command": format!("convwise bench {} --threads 1", self.network)},
        });
        serde_json::from_value::<Measurement>(body).unwrap().sealed()
    }

    fn line(&self) -> String {
        let record = self.record();
        line(record.clone(), &canonical(&record))
    }
}

fn result(network: &str, weights: &str, value: f64, source: &str) -> String {
    let body = json!({"architecture": network, "weights": weights, "result": {
        "dataset": "imagenet-1k/val", "metric": "top1", "value": value, "input_size": 224, "precision": "fp32", "source": source}});
    let record: AddedResult = serde_json::from_value(body).unwrap();
    line(record.clone(), &canonical(&record))
}

fn fact(name: &str, value: Value, unit: Option<&str>) -> String {
    let unit = unit.map(str::to_owned);
    let (about, source) = ("device:board, \"new\"".to_owned(), "a|b".to_owned());
    let record = AddedFact { about, name: name.to_owned(), value, unit, source };
    line(record.clone(), &canonical(&record))
}

fn merge(home: &Home, name: &str, lines: &[String]) -> PathBuf {
    let file = home.write(name, lines.concat());
    let answer = home.run(&format!("kb merge {name}"));
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    file
}

/// Networks on one device: three of a front, one that ties with it, one that is beaten, one without memory; and one elsewhere.
fn measured() -> Home {
    let home = Home::new();
    let run = |network, median, rss| Run { network, median, rss, ..RUN }.line();
    let elsewhere = Run { device: "device-b", ..RUN }.line();
    let runs = [
        run("resnet18", 40.0, Some(90_000_000)),
        run("mobilenet_v3_small", 8.0, Some(200_000_000)),
        run("shufflenet_v2_x0_5", 8.1, Some(200_000_000)),
        run("mcunet_in0", 300.0, Some(20_000_000)),
        run("resnet50", 90.0, Some(150_000_000)),
        run("vgg16", 700.0, None),
        elsewhere,
    ];
    merge(&home, "runs.jsonl", &runs);
    home
}

fn ask(home: &Home, args: &[&str]) -> Answer {
    let answer = home.run_args(&[&["kb"], args].concat());
    assert_eq!(answer.code, 0, "{args:?}\n{}", answer.stderr);
    answer
}

fn rows(answer: &Answer) -> Vec<Value> {
    answer.json()["rows"].as_array().unwrap().clone()
}

#[test]
fn rows_are_written_in_every_format() {
    let home = Home::new();
    merge(&home, "facts.jsonl", &[fact("cores", json!(4), None), fact("ram", json!(1000), Some("bytes"))]);
    let written = |format: &str| {
        let line = [
            "query",
            "--from",
            "facts",
            "--sort",
            "name",
            "--columns",
            "about,value,unit,source",
            "--format",
            format,
        ];
        ask(&home, &line).stdout
    };
    assert_eq!(
        written("csv"),
        "about,value,unit,source\n\"device:board, \"\"new\"\"\",4,,a|b\n\"device:board, \"\"new\"\"\",1000,bytes,a|b\n"
    );
    let lines = written("jsonl");
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((lines.lines().count(), &first["unit"], &first["value"]), (2, &Value::Null, &json!("4")));
    assert_eq!(serde_json::from_str::<Value>(&written("json")).unwrap()["rows"][0], first);
    let markdown = written("markdown");
    assert!(markdown.contains("| device:board, \"new\" | 4 | unknown | a\\|b |"), "{markdown}");
    assert!(written("table").contains("unknown"));
    let all = ask(&home, &["query", "--from", "facts", "--format", "csv"]).stdout;
    assert!(all.starts_with("id,about,name,value,unit,source\n"), "{all}");
}

#[test]
fn fields_are_checked_where_there_is_no_row() {
    let home = Home::new();
    let fails = |args: &[&str], words: &[&str]| home.run_args(&[&["kb"], args].concat()).fails(3, words);
    fails(&["query", "--from", "failures", "--columns", "reson"], &["did you mean `reason`?"]);
    fails(&["query", "--from", "timings", "--sort", "-latency"], &["timings have no field `latency`"]);
    fails(&["query", "--from", "costs", "parms > 3"], &["did you mean `params`?"]);
    fails(&["query", "--columns", "latncy_ms"], &["did you mean `latency_ms`?"]);
    fails(&["query", "--from", "measurments"], &["measurements"]);
    fails(&["query", "--from", "facts", "--runner", "rten"], &["--runner says nothing about facts"]);
    fails(&["query", "--device", "stm32f746x"], &["did you mean `stm32f746`?"]);
}

#[test]
fn latencies_hold_for_the_setting_and_bring_their_evidence() {
    let home = Home::new();
    let wanted = [
        "query",
        "task == \"classify\" && latency_ms < 1e6 && top1 > 70",
        "--sort",
        "latency_ms",
        "--columns",
        "id,latency_ms",
    ];
    let on = |device: &str| rows(&ask(&home, &[&wanted[..], &["--device", device, "--json"]].concat()));
    let (slow, fast) = (on("raspberry-pi-4b"), on("nvidia-a100-40gb"));
    assert!(slow.len() > 20);
    let ms = |row: &Value| row["latency_ms"].as_f64().unwrap();
    assert!(slow.windows(2).all(|pair| ms(&pair[0]) <= ms(&pair[1])));
    assert!(ms(&fast[0]) < ms(&slow[0]));
    for row in &slow {
        let interval = [&row["latency_low_ms"], &row["latency_high_ms"]].map(|v| v.as_f64().unwrap());
        assert!(interval[0] <= ms(row) && ms(row) <= interval[1], "{row}");
        assert!(["estimated", "published"].contains(&row["latency_grade"].as_str().unwrap()), "{row}");
    }
    let dotted = wanted.map(|word| match word {
        "id,latency_ms" => "id,latency.ms",
        "latency_ms" => "-latency.ms",
        other => other,
    });
    let mut dotted = rows(&ask(&home, &[&dotted[..], &["--device", "raspberry-pi-4b", "--json"]].concat()));
    assert_eq!(ms(&dotted[0]), ms(&slow[slow.len() - 1]), "a leading - reverses");
    dotted.reverse();
    assert_eq!(dotted.iter().map(ms).collect::<Vec<_>>(), slow.iter().map(ms).collect::<Vec<_>>());
    let said = ask(&home, &[&wanted[..], &["--device", "raspberry-pi-4b", "--threads", "2"]].concat()).stderr;
    assert!(said.contains("batch 1, 2 threads, fp32"), "{said}");
}

#[test]
fn what_was_measured_here_is_preferred() {
    let home = Home::new();
    measured_here(&home, &[("shufflenet_v2_x0_5", 24.0)]);
    let asked = ask(
        &home,
        &["query", "id == \"shufflenet_v2_x0_5\"", "--threads", "1", "--columns", "latency", "--json"],
    );
    let found = rows(&asked);
    assert_eq!((&found[0]["latency_grade"], &found[0]["latency_ms"]), (&json!("measured"), &json!(24.0)));
    let other = ask(
        &home,
        &["query", "id == \"resnet18\"", "--threads", "1", "--columns", "latency.grade", "--json"],
    );
    assert_eq!(rows(&other)[0]["latency_grade"], "calibrated");
    let record = &rows(&ask(&home, &["query", "--from", "measurements", "--json"]))[0]["id"];
    let page = ask(&home, &["show", record.as_str().unwrap()]).stdout;
    for word in
        ["shufflenet_v2_x0_5 at 3x224x224, fp32, batch 1", "95 % interval", "reproduce", "convwise bench"]
    {
        assert!(page.contains(word), "no {word} in\n{page}");
    }
}

#[test]
fn shipped_and_added_results_are_asked_together() {
    let home = Home::new();
    let question = "architecture == \"resnet50\" && metric == \"top1\" && dataset == \"imagenet-1k/val\"";
    let found = || rows(&ask(&home, &["query", question, "--from", "results", "--json"]));
    let shipped = found();
    assert!(!shipped.is_empty() && shipped.iter().all(|r| r["origin"] == "shipped" && r["id"].is_null()));
    merge(&home, "result.jsonl", &[result("resnet50", "mine", 81.5, "https://example.org/a")]);
    let all = found();
    assert_eq!(all.len(), shipped.len() + 1);
    let added = all.iter().find(|r| r["origin"] == "added").unwrap();
    assert_eq!(
        (added["value"].as_f64(), added["source"].as_str()),
        (Some(81.5), Some("https://example.org/a"))
    );
    let page = ask(&home, &["show", added["id"].as_str().unwrap()]).stdout;
    assert!(
        page.contains("81.5 % top1 on imagenet-1k/val") && page.contains("https://example.org/a"),
        "{page}"
    );
}

#[test]
fn every_field_of_a_row_is_listed() {
    let home = measured();
    for table in ["architectures", "measurements", "results"] {
        let fields = home.json(&format!("kb fields --from {table} --json"));
        assert_eq!(fields["schema"], "convwise.kb-fields/1");
        let listed = fields["tables"][0]["fields"].as_array().unwrap();
        let row = &rows(&ask(&home, &["query", "--from", table, "--limit", "1", "--json"]))[0];
        for name in row.as_object().unwrap().keys() {
            let group = format!("{name}.");
            let is_listed =
                |f: &Value| f["path"] == **name || f["path"].as_str().unwrap().starts_with(&group);
            assert!(listed.iter().any(is_listed), "{table}: {name}");
        }
        assert!(listed.iter().all(|f| !f["meaning"].as_str().unwrap().is_empty()));
    }
    let text = ask(&home, &["fields", "--from", "timings", "latency"]).stdout;
    assert!(
        text.contains("milliseconds") && text.contains("lower") && text.contains("does not say"),
        "{text}"
    );
    home.run("kb fields nonsense-word").fails(3, &["no field is about"]);
    home.run("kb fields --from timngs").fails(3, &["timings"]);
}

#[test]
fn figures_of_several_devices_share_no_front() {
    let home = measured();
    let front = ["kb", "pareto", "--from", "measurements", "--x", "median_ms", "--y", "peak_rss_bytes"];
    home.run_args(&front)
        .fails(3, &["device_id device-a (5) or device-b (1)", "--where 'device_id == \"device-a\""]);
    let one = home.run_args(&[&front[..], &["--device", "device-a", "--json"]].concat()).json();
    assert_eq!(one["schema"], "convwise.pareto/1");
    let names = |of: &str| -> Vec<_> {
        one[of].as_array().unwrap().iter().map(|p| p["row"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("front"), ["mobilenet_v3_small @224", "resnet18 @224", "mcunet_in0 @224"]);
    assert_eq!(names("tied"), ["shufflenet_v2_x0_5 @224"]);
    assert_eq!(names("beaten"), ["resnet50 @224"]);
    assert_eq!(one["front"][0]["ties_with"], json!(["shufflenet_v2_x0_5 @224"]));
    assert_eq!((&one["unknown"]["y"], &one["shared"]["device_id"]), (&json!(1), &json!("device-a")));
}

#[test]
fn fronts_are_drawn() {
    let home = measured();
    let front =
        "kb pareto --from measurements --x median_ms --y peak_rss_bytes --device device-a --svg front.svg";
    let drawn = |locale: &str| {
        let mut command = home.command();
        command.args(front.split_whitespace()).env("LC_ALL", locale).env("COLUMNS", "100");
        let answer = Answer::of(&command.output().unwrap());
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        answer.stdout
    };
    insta::assert_snapshot!("front", drawn("C.UTF-8"));
    let svg = || std::fs::read_to_string(home.path().join("front.svg")).unwrap();
    let first = svg();
    let plain = drawn("C");
    let chart: String = plain.lines().skip(4).take(24).collect();
    assert!(chart.is_ascii() && chart.contains('|') && chart.contains('~'), "{plain}");
    assert_eq!(svg(), first, "the same bytes each time");
    insta::assert_snapshot!("front_svg", first);
}

#[test]
fn fronts_say_what_they_leave_out() {
    let home = Home::new();
    let front = |args: &[&str]| home.run_args(&[&["kb", "pareto"], args].concat());
    let figures = ["--from", "results", "--x", "input_size", "--y", "value"];
    front(&figures).fails(3, &["which way `input_size` improves", "--x-better"]);
    let found = front(&[&figures[..], &["--x-better", "lower"]].concat()).stdout;
    assert!(found.contains("dataset imagenet-1k/val, metric top1"), "{found}");
    assert!(found.contains("left out: ") && found.contains("choose them with --where"), "{found}");
    assert!(found.contains("rows of dataset imagenet-1k/val, metric top5; "), "{found}");
    front(&["--x", "id", "--y", "top1"]).fails(3, &["`id` is text; an axis needs numbers"]);
    let found = front(&["--x", "latency_ms", "--y", "top1", "--device", "raspberry-pi-4b"]).stdout;
    for word in [
        "latency on",
        "accuracy_dataset imagenet-1k/val",
        "top1 is unknown",
        "estimated",
        "published",
        "higher is better",
    ] {
        assert!(found.contains(word), "no {word} in\n{found}");
    }
}

#[test]
fn pages_show_what_else_is_known() {
    let home = measured();
    let again = Run { median: 30.0, taken: "2026-11-05T00:00:00Z", ..RUN };
    let results = [result("resnet50", "w", 80.0, "here"), result("resnet50", "w", 80.5, "there")];
    merge(&home, "more.jsonl", &[vec![again.line()], results.to_vec()].concat());
    let page = ask(&home, &["show", RUN.record().id.as_str()]).stdout;
    for word in [
        "device-a: the processor of device-a",
        "1 other measurement",
        "faster 0.75",
        "convwise bench resnet18",
        "1 more measurement",
    ] {
        assert!(page.contains(word), "no {word} in\n{page}");
    }
    let added = rows(&ask(&home, &["query", "source == \"here\"", "--from", "results", "--json"]));
    let page = ask(&home, &["show", added[0]["id"].as_str().unwrap()]).stdout;
    assert!(page.contains("contradicts it by +0.500 points") && page.contains("there"), "{page}");
    let page = ask(&home, &["show", "resnet50"]).stdout;
    for word in [
        "ResNet-50",
        "25.6 M",
        "estimated",
        "80.5 % (there) against 80 % (here)",
        "1 measurement, the fastest",
    ] {
        assert!(page.contains(word), "no {word} in\n{page}");
    }
    assert_eq!(home.json("kb show resnet50 --json")["id"], "resnet50");
}

/// What a knowledge base holds at a moment is what had arrived by then, whenever it was measured.
#[test]
fn moments_are_those_of_arrival() {
    let home = measured();
    // Arrivals are written down by the second.
    let pause = || std::thread::sleep(std::time::Duration::from_millis(1100));
    pause();
    let between = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    pause();
    let later = Run { median: 30.0, taken: "2025-11-05T00:00:00Z", ..RUN };
    let later_still = Run { median: 30.0, taken: "2026-11-05T00:00:00Z", ..RUN };
    merge(&home, "after.jsonl", &[later.line(), later_still.line(), result("resnext", "w", 80.0, "there")]);
    let found = ask(&home, &["diff", &between, "--json"]).json();
    let counts: Vec<_> =
        found["changes"]["kinds"].as_array().unwrap().iter().map(|k| &k["only_second"]).collect();
    assert_eq!(counts, [2, 1, 0, 0, 0, 0]);
    assert_eq!(found["changes"]["new_networks"], json!(["resnext"]));
    let page = ask(&home, &["diff", &between]).stdout;
    assert!(page.contains("faster 0.75") && page.contains(&format!("{between} against now")), "{page}");
    let before = ask(&home, &["diff", "2020-01-01", &between, "--json"]).json();
    assert_eq!(before["changes"]["kinds"][0]["only_second"], 7);
}

#[test]
fn two_sides_are_compared() {
    let (home, other) = (measured(), Home::new());
    let before = [RUN.line(), result("resnet50", "w", 80.0, "here")];
    merge(&other, "before.jsonl", &before);
    let later = Run { median: 30.0, taken: "2026-11-05T00:00:00Z", ..RUN };
    merge(
        &home,
        "after.jsonl",
        &[before.to_vec(), vec![later.line(), result("resnet50", "w", 80.5, "there")]].concat(),
    );
    let file = home.write("before.jsonl", before.concat());
    let (file, folder) = (file.to_str().unwrap(), other.path().join("home"));
    let of_file = ask(&home, &["diff", file, "--json"]).json();
    assert_eq!(of_file["schema"], "convwise.kb-diff/1");
    let of_home = ask(&home, &["diff", folder.to_str().unwrap(), "now", "--json"]).json();
    assert_eq!(of_file["changes"], of_home["changes"]);
    let changes = &of_file["changes"];
    let kind =
        |name: &str| changes["kinds"].as_array().unwrap().iter().find(|k| k["kind"] == name).unwrap().clone();
    let counts =
        |kind: &Value| ["first", "second", "only_first", "only_second"].map(|n| kind[n].as_u64().unwrap());
    assert_eq!(counts(&kind("measurement")), [1, 8, 0, 7]);
    assert_eq!(counts(&kind("result")), [1, 2, 0, 1]);
    let again = &changes["measured_again"];
    assert_eq!((again.as_array().unwrap().len(), &again[0]["outcome"]), (1, &json!("faster")));
    assert_eq!((&again[0]["network"], &again[0]["second"]["median_ms"]), (&json!("resnet18"), &json!(30.0)));
    assert!(changes["new_networks"].as_array().unwrap().contains(&json!("vgg16")));
    assert_eq!(changes["new_conflicts"].as_array().unwrap().len(), 1);
    let moments = ask(&home, &["diff", "2026-11-03", "2026-11-06"]).stdout;
    assert!(moments.contains("2026-11-03T00:00:00Z against 2026-11-06T00:00:00Z"), "{moments}");
    assert!(ask(&home, &["diff", "now"]).stdout.contains("the same records on both sides"));
    home.run("kb diff yesterday")
        .fails(3, &["`yesterday` is neither a home folder, nor an exported file, nor a moment"]);
    home.run("kb diff .").fails(3, &["holds no knowledge base"]);
    let broken = home.write("broken.jsonl", "{\n");
    home.run_args(&["kb", "diff", broken.to_str().unwrap()]).fails(3, &["broken.jsonl", "line 1"]);
}

#[test]
fn every_question_has_examples() {
    let home = Home::new();
    for command in ["query", "fields", "pareto", "show", "diff"] {
        let help = home.run(&format!("kb {command} --help")).stdout;
        assert!(help.contains("Examples:") && help.contains(&format!("  convwise kb {command} ")), "{help}");
    }
}
