//! `kb import` and `kb add`: figures of others, each with its source, all of a file or nothing.

use serde_json::Value;

use crate::harness::Home;

const ACCURACIES: &str = "\
model,img_size,top1,top1_err,top5,top5_err,param_count,crop_pct,interpolation
resnet50.a1_in1k,288,81.222,18.778,95.112,4.888,25.56,1.000,bicubic
eva_giant_patch14_560.m30m_ft_in22k_in1k,560,89.790,10.210,98.990,1.010,\"1,014.45\",1.000,bicubic
";

const TIMINGS: &str = "\
model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size,param_count,infer_gmacs,infer_macts
resnet50,224,2607.54,392.703,1024,25.56,4.11,11.11
too_large,224,,,,4350.56,1132.46,497.58
";

const TIMINGS_NAME: &str = "benchmark-infer-amp-nchw-pt240-cu124-rtx3090.csv";

/// Records in a home: `[results, the whole export]`.
fn exported(home: &Home) -> Vec<Value> {
    let answer = home.run("kb export");
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    answer.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn nothing_is_stored(home: &Home) {
    assert!(exported(home).is_empty());
}

#[test]
fn tables_of_timm_become_records_once() {
    let home = Home::new();
    home.write("results-imagenet.csv", ACCURACIES);
    home.write(TIMINGS_NAME, TIMINGS);
    let line = format!("kb import timm results-imagenet.csv {TIMINGS_NAME}");
    let dry = home.json(&format!("{line} --dry-run --json"));
    assert_eq!((&dry["taken"]["new"], &dry["dry_run"]), (&9.into(), &true.into()));
    nothing_is_stored(&home);

    let answer = home.json(&format!("{line} --json"));
    assert_eq!(answer["schema"], "convwise.kb-import/1");
    assert_eq!(
        (&answer["rows"], &answer["records"], &answer["taken"]["new"]),
        (&4.into(), &9.into(), &9.into())
    );
    assert_eq!(answer["files"][1]["blank"], 1);
    let records = exported(&home);
    assert_eq!(records.len(), 9);
    let first = |kind: &str| records.iter().find(|r| r["kind"] == kind).unwrap()["body"].clone();
    assert_eq!(first("result")["result"]["source"], "results-imagenet.csv, line 2");
    assert_eq!(first("timing")["device"], "nvidia-rtx-3090");
    assert_eq!(first("timing")["runtime"], "pytorch 2.4.0");

    let again = home.run(&line);
    assert!(
        again.stdout.starts_with("4 rows in 2 files: 0 new records, 9 known already"),
        "{}",
        again.stdout
    );
    let cited = home.json("kb import timm results-imagenet.csv --source https://example.org/r.csv --json");
    assert_eq!((&cited["taken"]["new"], &cited["taken"]["repeated"]), (&0.into(), &6.into()));
}

#[test]
fn figures_that_differ_are_both_kept_and_shown_with_their_sources() {
    let home = Home::new();
    home.write("results-imagenet.csv", ACCURACIES);
    home.run("kb import timm results-imagenet.csv");
    home.write("results-imagenet.csv", ACCURACIES.replace("81.222", "81.5"));
    let answer = home.run("kb import timm results-imagenet.csv --source https://example.org");
    assert!(
        answer.stdout.contains("1 new record, 0 known already, 5 known from another source"),
        "{}",
        answer.stdout
    );
    let told = "top1 of resnet50 a1_in1k @288 on imagenet-1k/val: 81.222 % (results-imagenet.csv, line 2), \
                81.5 % (https://example.org, line 2)";
    assert!(answer.stderr.contains("1 figure differs") && answer.stderr.contains(told), "{}", answer.stderr);
    assert_eq!(exported(&home).len(), 7);
    let add = "kb add result resnet50 --package timm --weights a1_in1k --metric top1 --dataset imagenet-1k/val --input-size 288";
    let added = home.run(&format!("{add} --value 81.5 --source mine"));
    assert!(added.stdout.contains("known already, from another source"), "{}", added.stdout);
    let added = home.run(&format!("{add} --value 80 --source mine"));
    assert!(added.stdout.contains(" added") && added.stderr.contains("1 figure differs"), "{}", added.stderr);
}

#[test]
fn one_wrong_cell_and_nothing_of_any_file_is_imported() {
    let home = Home::new();
    home.write("results-imagenet.csv", ACCURACIES);
    home.write("results-imagenet-a.csv", ACCURACIES.replace("81.222", "NaN").replace("98.990", "198.990"));
    let line = "kb import timm results-imagenet.csv results-imagenet-a.csv";
    home.run(line).fails(
        3,
        &[
            "nothing was imported: 2 problems",
            "results-imagenet-a.csv, line 2, column top1: `NaN` is no figure",
            "results-imagenet-a.csv, line 3, column top5: `198.990` is outside 0 to 100 percent",
        ],
    );
    nothing_is_stored(&home);
    let answer = home.run(&format!("{line} --json"));
    assert_eq!(answer.code, 3);
    let document = answer.json();
    assert_eq!((&document["problems"], &document["taken"]), (&2.into(), &Value::Null));
    assert_eq!(document["files"][1]["problems"][0]["line"], 2);
    assert_eq!(document["files"][1]["problems"][0]["column"], "top1");
}

#[test]
fn files_that_are_something_else_are_named() {
    let home = Home::new();
    let check = |name: &str, bytes: &[u8], words: &[&str]| {
        home.write(name, bytes);
        home.run(&format!("kb import timm {name}")).fails(3, words);
    };
    let utf16: Vec<u8> = "model,top1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check("a.csv", b"", &["a.csv is empty"]);
    check("b.csv.gz", b"\x1f\x8b\x08\x00", &["b.csv.gz is compressed with gzip", "gunzip -k b.csv.gz"]);
    check("c.csv", &[b"\xff\xfe".as_slice(), &utf16].concat(), &["UTF-16", "iconv"]);
    check("d.csv", &utf16, &["UTF-16"]);
    check(
        "results-imagenet.csv",
        b"model,img_size,top1\ncaf\xe9,224,80\n",
        &["line 2, column model: is not UTF-8"],
    );
    check("e.csv", b"<!DOCTYPE html><html>", &["web page"]);
    check("f.csv", b"model,pretrain\nx,in1k\n", &["has no figures"]);
    check("g.csv", ACCURACIES.replace(',', ";").as_bytes(), &["separated by `;`"]);
    check(
        "h.csv",
        b"model,img_size,top1,top1\n",
        &["line 1, column top1: the header names this column twice"],
    );
    check("results-sketch.csv", &ACCURACIES.as_bytes()[..150], &["line 3", "cut off"]);
    home.run("kb import timm none.csv").fails(3, &["none.csv cannot be read"]);
    home.run("kb import timm home").fails(3, &["is a folder"]);
    nothing_is_stored(&home);
}

#[test]
fn huge_cells_are_refused() {
    let home = Home::new();
    home.write(
        "results-imagenet.csv",
        format!("{ACCURACIES}{},224,80,20,90,10,1,1,x\n", "x".repeat(3 << 20)),
    );
    home.run("kb import timm results-imagenet.csv").fails(3, &["line 4, column model", "more than the"]);
    nothing_is_stored(&home);
}

#[test]
fn what_a_name_does_not_say_is_said_by_flags() {
    let home = Home::new();
    home.write("mine.csv", TIMINGS);
    home.run("kb import timm mine.csv").fails(3, &["--device"]);
    let line = "kb import timm mine.csv --device mine --runtime torch --precision fp32 --layout nhwc --json";
    assert_eq!(home.json(line)["taken"]["new"], 3);
    let records = exported(&home);
    let timing = records.iter().find(|r| r["kind"] == "timing").unwrap();
    assert_eq!((&timing["body"]["device"], &timing["body"]["layout"]), (&"mine".into(), &"nhwc".into()));
}

#[test]
fn a_table_is_read_by_its_mapping() {
    let home = Home::new();
    let example = home.run("kb import csv --example");
    home.write("mapping.toml", &example.stdout);
    home.write("ours.csv", "Model,Top-1,Size,Time,Params,GMACs\nresnet50,80.1,224,1.5,25.56,4.11\n");
    assert_eq!(home.json("kb import csv ours.csv --mapping mapping.toml --json")["taken"]["new"], 3);
    home.write("wrong.toml", example.stdout.replace("latency =", "latenzy ="));
    home.run("kb import csv ours.csv --mapping wrong.toml")
        .fails(3, &["wrong.toml:31:1", "did you mean `latency`"]);
    home.run("kb import csv ours.csv").fails(3, &["--mapping"]);
    home.run("kb import csv ours.csv --mapping none.toml").fails(3, &["cannot read none.toml"]);
}

#[test]
fn lines_of_json_and_a_dataset_that_nobody_described() {
    let home = Home::new();
    let line = r#"{"kind":"result","architecture":"n","result":{"dataset":"imagenet-1k/vall","metric":"top1","value":80.1,"input_size":224,"precision":"fp32"}}"#;
    home.write("x.jsonl", format!("{line}\n{}\n", line.replace("80.1", "81")));
    let answer = home.run("kb import jsonl x.jsonl");
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(answer.stdout.contains("2 new records"), "{}", answer.stdout);
    assert_eq!(answer.stderr.matches("did you mean `imagenet-1k/val`").count(), 1, "{}", answer.stderr);
    home.write("y.jsonl", line.replace("80.1", "180.1"));
    home.run("kb import jsonl y.jsonl").fails(3, &["y.jsonl, line 1", "180.1"]);
    home.run("kb export -o all.jsonl");
    home.run("kb import jsonl all.jsonl").fails(3, &["kb merge"]);
    home.run("kb import torchvision all.jsonl").fails(3, &["kb merge"]);
}

#[test]
fn torchvisions_table() {
    let home = Home::new();
    home.write(
        "w.csv",
        "Weight,Acc@1,Acc@5,Params,GFLOPS\nResNet50_Weights.IMAGENET1K_V2,80.858,95.434,25.6M,4.09\n",
    );
    home.run("kb import torchvision w.csv").fails(3, &["--input-size"]);
    assert_eq!(home.json("kb import torchvision w.csv --input-size 224 --json")["taken"]["new"], 3);
    assert!(home.run("kb import torchvision --help").stdout.contains("json.dump("));
}

#[test]
fn one_figure_is_added_with_its_source() {
    let home = Home::new();
    let result =
        "kb add result resnet50 --metric top1 --dataset imagenet-1k/val --value 80.1 --input-size 224";
    home.run(result).fails(3, &["--source"]);
    let added = home.json(&format!("{result} --source https://example.org --json"));
    assert_eq!((&added["kind"], &added["taken"]["new"]), (&"result".into(), &1.into()));
    let id = added["id"].as_str().unwrap();
    assert_eq!(home.json(&format!("kb show {id} --json"))["body"]["result"]["value"], 80.1);
    assert_eq!(home.json(&format!("{result} --source https://example.org --json"))["taken"]["known"], 1);

    let with = |from: &str, to: &str| home.run(&format!("{} --source x", result.replace(from, to)));
    with("imagenet-1k/val", "imagenet1k/val").fails(3, &["did you mean `imagenet-1k/val`", "datasets.toml"]);
    with("top1", "top2").fails(3, &["no metric `top2`", "top1, top5", "did you mean"]);
    with("80.1", "180").fails(3, &["180"]);
    let unknown = with("resnet50", "resnet5O");
    assert_eq!(unknown.code, 0, "{}", unknown.stderr);
    assert!(unknown.stderr.contains("did you mean `resnet50`"), "{}", unknown.stderr);
}

#[test]
fn timings_costs_and_facts_are_added() {
    let home = Home::new();
    let timing = [
        "kb",
        "add",
        "timing",
        "resnet50",
        "--device",
        "nvidia-rtx-3090",
        "--runtime",
        "tensorrt 10.3",
        "--precision",
        "fp16",
        "--input-size",
        "224",
        "--source",
        "x",
    ];
    home.run_args(&timing).fails(3, &["--latency"]);
    let timed = home.run_args(&[&timing[..], &["--latency", "0.9ms"]].concat());
    assert!(timed.stdout.starts_with("timing "), "{}", timed.stderr);
    let cost = "kb add cost resnet50 --task classify --params 25.6M --source x";
    home.run(&format!("{cost} --macs 4.09G")).fails(3, &["--input-size"]);
    assert_eq!(home.run(&format!("{cost} --macs 4.09G --input-size 224")).code, 0);
    home.run("kb add fact stm32f746 ram 320kB --source x").fails(3, &["device:stm32f746"]);
    let fact = home.json("kb add fact device:stm32f746 ram 320kB --source x --json");
    let shown = home.json(&format!("kb show {} --json", fact["id"].as_str().unwrap()));
    assert_eq!((&shown["body"]["value"], &shown["body"]["unit"]), (&320_000.into(), &"bytes".into()));
    let bodies = exported(&home);
    let macs = bodies.iter().find(|r| r["kind"] == "cost").unwrap();
    assert_eq!(macs["body"]["cost"]["macs"]["count"], 4_090_000_000_u64);
}
