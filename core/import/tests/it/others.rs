//! torchvision's weights, and lines of JSON.

use convwise_import::{Format, TorchvisionOptions};

use crate::support::{one_problem, read};

#[test]
fn the_torchvision_table_and_its_meta() {
    let format = |input_size| Format::Torchvision(TorchvisionOptions { input_size });
    let table = "Weight,Acc@1,Acc@5,Params,GFLOPS,crop_size\n\
                 ResNet50_Weights.IMAGENET1K_V2,80.858,95.434,25.6M,4.09,224\n\
                 ResNet50_QuantizedWeights.IMAGENET1K_FBGEMM_V2,80.282,94.976,25.6M,4.09,224\n";
    let (taken, report) = read(&format(None), "weights.csv", table.as_bytes());
    assert_eq!((report.entries, report.count_of_problems()), (6, 0), "{report:?}");
    assert!(
        taken[0].contains(
            "\"package\":\"torchvision\",\"architecture\":\"resnet50\",\"weights\":\"IMAGENET1K_V2\""
        )
    );
    assert!(
        taken[2].contains("\"params\":25600000,\"macs\":{\"count\":4090000000,\"input\":[3,224,224]}"),
        "{}",
        taken[2]
    );
    assert!(taken[3].contains("\"precision\":\"int8\""), "{}", taken[3]);
    one_problem(&format(None), "x.csv", &table.replace(",crop_size", ",x"), &["--input-size"]);
    one_problem(
        &format(None),
        "x.csv",
        &table.replace("ResNet50_W", "resnet50w"),
        &["line 2, column Weight"],
    );

    let meta = r#"{"ResNet50_Weights.IMAGENET1K_V2": {"num_params": 25557032, "_ops": 4.089, "categories": null,
        "_metrics": {"ImageNet-1K": {"acc@1": 80.858, "acc@5": 95.434}}, "transforms": {"crop_size": 224, "resize_size": 232}},
      "FCN_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1": {"num_params": 35322218, "_ops": 152.717,
        "_metrics": {"COCO-val2017-VOC-labels": {"miou": 60.5, "pixel_acc": 91.4}}, "transforms": {"resize_size": 520}},
      "Raft_Large_Weights.C_T_V1": {"num_params": 5257536, "_metrics": {"Kitti-Train": {"fl_all": 17.4}}, "transforms": {}}}"#;
    let (taken, report) = read(&format(None), "torchvision.json", meta.as_bytes());
    assert_eq!(
        (report.rows, report.entries, report.blank, report.count_of_problems()),
        (3, 6, 1, 0),
        "{report:?}"
    );
    assert!(
        taken[0].contains("\"source\":\"torchvision.json, ResNet50_Weights.IMAGENET1K_V2\""),
        "{}",
        taken[0]
    );
    assert!(taken[2].contains("\"params\":25557032,\"macs\":{\"count\":4089000000"), "{}", taken[2]);
    assert!(taken[3].contains("\"metric\":\"miou\",\"value\":60.5,\"input_size\":520"), "{}", taken[3]);
    assert!(taken[5].contains("\"params\":35322218") && !taken[5].contains("macs"), "{}", taken[5]);
    one_problem(&format(None), "x.json", &meta[..200], &["is not JSON", "cut off"]);
    one_problem(
        &format(None),
        "x.json",
        "{\"resnet50\": {}}",
        &["column resnet50", "is not the name of weights"],
    );
    one_problem(
        &format(None),
        "x.json",
        "{\"A_Weights.X\": {\"a\": 1}}",
        &["column A_Weights.X", "_metrics"],
    );
}

#[test]
fn lines_of_json() {
    let good = r#"{"kind":"fact","about":"device:x","name":"ram","value":320000,"unit":"bytes"}
{"kind":"timing","architecture":"n","workload":"inference","device":"d","runtime":"r","precision":"fp32","batch":1,"input":[3,224,224],"latency":12.123456789012346,"source":"https://example.org"}

{"kind":"result","architecture":"n","result":{"dataset":"d","metric":"top1","value":80.1,"input_size":224,"precision":"fp32"}}
{"kind":"cost","architecture":"n","task":"classify","cost":{"params":5}}
"#;
    let (taken, report) = read(&Format::Lines, "x.jsonl", good.as_bytes());
    assert_eq!((report.rows, report.entries, report.count_of_problems()), (4, 4, 0), "{report:?}");
    assert!(taken[0].contains("\"source\":\"x.jsonl, line 1\""), "{}", taken[0]);
    assert!(
        taken[1].contains("12.123456789012346") && taken[1].contains("https://example.org"),
        "{}",
        taken[1]
    );
    assert!(
        taken[2].starts_with("Some(4)") && taken[2].contains("\"source\":\"x.jsonl, line 4\""),
        "{}",
        taken[2]
    );
    let check = |line: &str, words: &[&str]| one_problem(&Format::Lines, "x.jsonl", line, words);
    check("{\"kind\":\"fact\"", &["line 1: is not JSON", "cut off"]);
    check("[1]", &["not a JSON object"]);
    check("{\"a\":1}", &["says no `kind`", "result, timing, cost, fact"]);
    check("{\"kind\":\"timming\"}", &["did you mean `timing`"]);
    check("{\"kind\":\"fact\",\"abuot\":\"x\"}", &["no member `abuot`", "did you mean `about`"]);
    check("{\"kind\":\"fact\",\"about\":\"x\",\"name\":\"n\"}", &["missing field `value`"]);
    check(
        "{\"kind\":\"cost\",\"architecture\":\"n\",\"task\":\"classify\",\"cost\":{\"parms\":5}}",
        &["did you mean `params`"],
    );
    check("\n\n \n", &["no lines with anything in them"]);
    check(
        &format!("{{\"kind\":\"fact\",\"value\":\"{}\"}}", "x".repeat(2 << 20)),
        &["line 1: the line has more than"],
    );
    let deep = "[".repeat(100_000);
    check(&deep, &["line 1: is not JSON"]);
    let (_, report) = read(&Format::Lines, "x.jsonl", b"{\"kind\":\"fact\"}\n{\"kind\":\"caf\xe9\"}\n");
    assert!(report.problems[1].to_string().contains("line 2: is not UTF-8"), "{report:?}");
}
