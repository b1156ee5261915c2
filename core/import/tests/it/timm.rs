//! timm's tables.

use std::io::Cursor;

use convwise_import::{Entry, Format, Input, Place, TimmOptions, TorchvisionOptions, import};

use crate::support::{ACCURACIES, TIMINGS, one_problem, read, timm};

#[test]
fn timms_accuracies() {
    let (taken, report) = read(&timm(), "results-imagenet-real.csv", ACCURACIES.as_bytes());
    assert_eq!((report.rows, report.entries, report.count_of_problems()), (2, 6, 0), "{report:?}");
    assert_eq!(
        taken[3],
        "Some(3) {\"package\":\"timm\",\"architecture\":\"resnet50\",\"weights\":\"a1_in1k\",\"result\":\
         {\"dataset\":\"imagenet-real/val\",\"metric\":\"top1\",\"value\":81.222,\"input_size\":288,\"precision\":\"fp32\",\
         \"source\":\"results-imagenet-real.csv, line 3\"},\"note\":\"crop 1.000, bicubic, number format not stated\"}"
    );
    assert!(taken[2].contains("\"params\":1014450000,"), "{}", taken[2]);
}

#[test]
fn timms_timings() {
    let name = "benchmark-infer-amp-nchw-pt240-cu124-rtx3090.csv";
    let (taken, report) = read(&timm(), name, TIMINGS.as_bytes());
    assert_eq!((report.rows, report.entries, report.blank), (4, 7, 1), "{report:?}");
    assert_eq!(
        taken[0],
        "Some(2) {\"package\":\"timm\",\"architecture\":\"resnet50\",\"workload\":\"inference\",\
         \"device\":\"nvidia-rtx-3090\",\"runtime\":\"pytorch 2.4.0\",\"options\":\"cuda 12.4\",\"precision\":\"amp\",\
         \"layout\":\"nchw\",\"batch\":1024,\"input\":[3,224,224],\"latency\":392.703,\"throughput\":2607.54,\
         \"source\":\"benchmark-infer-amp-nchw-pt240-cu124-rtx3090.csv, line 2\"}"
    );
    assert!(taken[1].contains("\"params\":25560000,\"macs\":{\"count\":4110000000,\"input\":[3,224,224]}"));
    assert!(taken[4].contains("too_large") && taken[4].contains("\"count\":1132460000000"), "{}", taken[4]);
    assert!(!taken[6].contains("macs"), "{}", taken[6]);
}

#[test]
fn what_the_name_does_not_say_is_asked_for() {
    one_problem(&timm(), "mine.csv", TIMINGS, &["the device", "--device"]);
    one_problem(&timm(), "benchmark-infer-amp-rtx3090.csv", TIMINGS, &["the engine", "--runtime"]);
    one_problem(&timm(), "benchmark-infer-pt240-rtx3090.csv", TIMINGS, &["number format", "--precision"]);
    one_problem(&timm(), "mine.csv", ACCURACIES, &["--dataset"]);
    let said = Format::Timm(TimmOptions {
        device: Some("mine".into()),
        runtime: Some("pytorch 2".into()),
        precision: Some("fp32".into()),
        ..TimmOptions::default()
    });
    let (taken, report) = read(&said, "benchmark-infer-amp-nchw-pt240-cu124-rtx3090.csv", TIMINGS.as_bytes());
    assert!(report.problems.is_empty(), "{report:?}");
    assert!(taken[0].contains("\"device\":\"mine\",\"runtime\":\"pytorch 2\""), "{}", taken[0]);
}

#[test]
fn impossible_figures_are_named_with_line_and_column() {
    let name = "results-imagenet.csv";
    let with = |from: &str, to: &str| ACCURACIES.replace(from, to);
    one_problem(&timm(), name, &with("81.222", "NaN"), &["line 3, column top1", "`NaN` is no figure"]);
    one_problem(&timm(), name, &with("81.222", "101.2"), &["line 3, column top1", "outside 0 to 100"]);
    one_problem(&timm(), name, &with("95.112", "-1"), &["line 3, column top5", "outside 0 to 100"]);
    one_problem(
        &timm(),
        name,
        &with("25.56", "many"),
        &["line 3, column param_count", "`many` is not a number"],
    );
    one_problem(&timm(), name, &with("resnet50.a1_in1k", ""), &["line 3, column model", "is empty"]);
    one_problem(&timm(), name, &with("288", "0"), &["line 3, column img_size", "not the size of an image"]);
    let name = "benchmark-infer-amp-nchw-pt240-cu124-rtx3090.csv";
    let with = |from: &str, to: &str| TIMINGS.replace(from, to);
    one_problem(
        &timm(),
        name,
        &with("392.703", "-3"),
        &["line 2, column infer_step_time", "`-3` is not above 0"],
    );
    one_problem(
        &timm(),
        name,
        &with("392.703", "39.27"),
        &["line 2, column infer_step_time", "contradicts its row"],
    );
    one_problem(
        &timm(),
        name,
        &with("2607.54", "inf"),
        &["line 2, column infer_samples_per_sec", "no figure"],
    );
    one_problem(&timm(), name, &with("9.356,1024", "9.356,0"), &["line 3, column infer_batch_size"]);
}

#[test]
fn other_files_are_recognised() {
    one_problem(&timm(), "model_metadata-in1k.csv", "model,pretrain\nx,in1k\n", &["has no figures"]);
    one_problem(&timm(), "x.csv", "model,latency\nx,1\n", &["one or more of", "`top1`"]);
    one_problem(&timm(), "x.csv", "Weight,Acc@1\nx,1\n", &["`model`", "convwise kb import torchvision"]);
    one_problem(&timm(), "x.csv", "model;img_size;top1\nx;1;2\n", &["separated by `;`"]);
    let known = TorchvisionOptions { input_size: Some(224) };
    one_problem(&Format::Torchvision(known), "x.csv", ACCURACIES, &["convwise kb import timm"]);
    one_problem(
        &Format::Lines,
        "x.jsonl",
        "{\"schema\":1,\"kind\":\"fact\",\"id\":\"x\",\"body\":{}}\n",
        &["kb merge"],
    );
}

#[test]
fn the_first_problems_are_kept_and_the_others_counted() {
    let mut text = ACCURACIES.to_owned();
    for _ in 0..30 {
        text.push_str("x,1\n");
    }
    let (_, report) = read(&timm(), "results-imagenet.csv", text.as_bytes());
    assert_eq!((report.problems.len(), report.more_problems), (10, 20));
}

#[test]
fn a_refusal_of_the_sink_is_a_problem_at_its_place() {
    let input = Input::of("results-imagenet.csv", Cursor::new(ACCURACIES)).unwrap();
    let mut sink = |entry: Entry, _: Place<'_>| match entry {
        Entry::Result(r) if r.result.metric == "top5" => Err("no top5 here".to_owned()),
        _ => Ok(()),
    };
    let report = import(&timm(), input, Some("https://example.org/x"), &mut sink);
    assert_eq!(report.problems[0].to_string(), "line 2, column top5: no top5 here");
    assert_eq!((report.entries, report.count_of_problems()), (4, 2));
}
