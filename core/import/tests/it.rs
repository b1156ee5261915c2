//! Whole files: what is read of each, and that nothing breaks the reader.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::io::Cursor;

use convwise_import::{
    Entry, Format, Input, Mapping, Place, Report, TimmOptions, TorchvisionOptions, import,
};

const ACCURACIES: &str = "\
model,img_size,top1,top1_err,top5,top5_err,param_count,crop_pct,interpolation
eva_giant_patch14_560.m30m_ft_in22k_in1k,560,89.790,10.210,98.990,1.010,\"1,014.45\",1.000,bicubic
resnet50.a1_in1k,288,81.222,18.778,95.112,4.888,25.56,1.000,bicubic
";

const TIMINGS: &str = "\
model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size,param_count,infer_gmacs,infer_macts
resnet50,224,2607.54,392.703,1024,25.56,4.11,11.11
test_vit,160,109337.21,9.356,1024,0.37,0.04,0.48
too_large,224,,,,4350.56,1132.46,497.58
no_work,224,5094.2,201.003,1024,14.62,,
";

/// What a file gives: its entries as JSON with their places, and the report.
fn read(format: &Format, name: &str, bytes: &[u8]) -> (Vec<String>, Report) {
    let mut taken = Vec::new();
    let mut sink = |entry: Entry, place: Place<'_>| {
        let body = match &entry {
            Entry::Result(r) => serde_json::to_string(r),
            Entry::Timing(t) => serde_json::to_string(t),
            Entry::Cost(c) => serde_json::to_string(c),
            Entry::Fact(f) => serde_json::to_string(f),
        };
        taken.push(format!("{:?} {}", place.line, body.unwrap()));
        Ok(())
    };
    let report = match Input::of(name, Cursor::new(bytes.to_vec())) {
        Ok(input) => import(format, input, None, &mut sink),
        Err(problem) => Report { problems: vec![problem], ..Report::default() },
    };
    (taken, report)
}

fn timm() -> Format {
    let devices = ["nvidia-rtx-3090", "apple-m2"].map(str::to_owned).to_vec();
    Format::Timm(TimmOptions { devices, ..TimmOptions::default() })
}

fn problems(format: &Format, name: &str, text: &str) -> Vec<String> {
    let (_, report) = read(format, name, text.as_bytes());
    report.problems.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn one_problem(format: &Format, name: &str, text: &str, words: &[&str]) {
    let found = problems(format, name, text);
    assert_eq!(found.len(), 1, "{found:?}");
    for word in words {
        assert!(found[0].contains(word), "no {word:?} in {}", found[0]);
    }
}

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
fn a_mapping_reads_anybodys_table() {
    let text = "separator = \";\"\ndecimal = \",\"\n[[record]]\nkind = \"timing\"\narchitecture = { column = \"Netz\" }\n\
                workload = \"inference\"\ndevice = \"mine\"\nruntime = \"ort\"\nprecision = \"fp32\"\nbatch = 4\n\
                input_size = 224\nlatency = { column = \"Zeit\", unit = \"s\" }\nthreads = { column = \"Fäden\" }\n";
    let format = |text: &str| Format::Table(Mapping::parse("m.toml", text).unwrap());
    let table = "Netz;Zeit;Fäden;Rest\nresnet50;0,0125;2;x\nleer;;2;x\n";
    let (taken, report) = read(&format(text), "t.csv", table.as_bytes());
    assert_eq!(
        (report.rows, report.entries, report.blank, report.count_of_problems()),
        (2, 1, 1, 0),
        "{report:?}"
    );
    assert!(
        taken[0].contains("\"threads\":2,\"batch\":4,\"input\":[3,224,224],\"latency\":12.5,"),
        "{}",
        taken[0]
    );
    one_problem(
        &format(text),
        "t.csv",
        &table.replace("0,0125", "0.0125"),
        &["line 2, column Zeit", "`.` is not expected"],
    );
    one_problem(
        &format(text),
        "t.csv",
        &table.replace("0,0125", "-1"),
        &["line 2, column Zeit", "not above 0"],
    );
    one_problem(&format(text), "t.csv", &table.replace("0,0125;2", "0,0125;zwei"), &["line 2, column Fäden"]);
    one_problem(
        &format(text),
        "t.csv",
        &table.replace("Zeit", "Zeiten"),
        &["`Zeit`", "did you mean `Zeiten`"],
    );
    one_problem(&format(text), "t.csv", &table.replace(';', ","), &["separated by `,`"]);
}

#[test]
fn units_and_percentages() {
    let text = "[[record]]\nkind = \"result\"\narchitecture = { column = \"n\" }\ndataset = \"d\"\nmetric = \"top1\"\n\
                precision = \"fp32\"\ninput_size = 224\nvalue = { column = \"v\", unit = \"fraction\" }\n\
                [[record]]\nkind = \"cost\"\narchitecture = { column = \"n\" }\ntask = \"classify\"\n\
                params = { column = \"p\", unit = \"M\" }\n\
                [[record]]\nkind = \"timing\"\narchitecture = { column = \"n\" }\nworkload = \"training\"\ndevice = \"d\"\n\
                runtime = \"r\"\nprecision = \"amp\"\nbatch = 1\ninput_size = 224\n\
                latency = { column = \"t\", unit = \"us\" }\nthroughput = { column = \"f\", unit = \"/min\" }\n";
    let format = Format::Table(Mapping::parse("m.toml", text).unwrap());
    let (taken, report) = read(&format, "t.csv", b"n,v,p,t,f\nx,0.5,25.6,1500,120\n");
    assert_eq!((report.entries, report.count_of_problems()), (3, 0), "{report:?}");
    assert!(taken[0].contains("\"value\":50.0"), "{}", taken[0]);
    assert!(taken[1].contains("\"params\":25600000"), "{}", taken[1]);
    assert!(taken[2].contains("\"latency\":1.5,\"throughput\":2.0"), "{}", taken[2]);
    one_problem(
        &format,
        "t.csv",
        "n,v,p,t,f\nx,50,25.6,1500,120\n",
        &["line 2, column v", "outside 0 to 100"],
    );
}

#[test]
fn mistakes_of_a_mapping_are_shown_at_their_place() {
    let check = |text: &str, words: &[&str]| {
        let shown = Mapping::parse("m.toml", text).unwrap_err().to_string();
        for word in words {
            assert!(shown.contains(word), "no {word:?} in\n{shown}");
        }
    };
    let record = |line: &str| {
        format!(
            "[[record]]\nkind = \"cost\"\narchitecture = {{ column = \"n\" }}\ntask = \"classify\"\n{line}\n"
        )
    };
    check("[[record]\n", &["m.toml:1", "not valid TOML"]);
    check("", &["makes no records"]);
    check("separatr = 1\n", &["m.toml:1:1", "did you mean `separator`"]);
    check("separator = \"x\"\n", &["m.toml:1:13", "known are tab , ; |"]);
    check("[[record]]\n", &["has no `kind`"]);
    check("[[record]]\nkind = \"timings\"\n", &["m.toml:2:8", "did you mean `timing`"]);
    check(&record("parms = { column = \"p\" }"), &["m.toml:5:1", "did you mean `params`"]);
    check(&record("params = { column = \"p\" }"), &["m.toml:5:10", "does not say its unit", "M"]);
    check(&record("params = { column = \"p\", unit = \"m\" }"), &["m.toml:5:33", "there is no `m`"]);
    check(&record("params = 5"), &["m.toml:5:10", "a figure comes from a column"]);
    check(&record(""), &["no figure: params or macs"]);
    check(&record("macs = { column = \"p\", unit = \"G\" }"), &["`macs` hold for an `input_size`"]);
    check(&record("package = { colum = \"p\" }"), &["did you mean `column`"]);
    check("[[record]]\nkind = \"cost\"\ntask = \"clasify\"\n", &["m.toml:3:8", "did you mean `classify`"]);
    check(
        "decimal = \",\"\nthousands = \",\"\n[[record]]\nkind = \"cost\"\narchitecture = \"x\"\ntask = \"classify\"\nparams = { column = \"p\", unit = \"M\" }\n",
        &["same mark"],
    );
    check("[[record]]\nkind = \"result\"\n", &["does not say its `architecture`"]);
}

#[test]
fn the_example_is_a_mapping_that_works() {
    let format = Format::Table(Mapping::parse("example", convwise_import::EXAMPLE).unwrap());
    let table = "Model,Top-1,Size,Time,Params,GMACs\nresnet50,80.1,224,1.5,25.56,4.11\n";
    let (_, report) = read(&format, "t.csv", table.as_bytes());
    assert_eq!((report.entries, report.count_of_problems()), (3, 0), "{report:?}");
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

/// Every file that is cut off or has a byte changed is read to its end, and what is taken of it is not more than the
/// report says.
#[test]
fn damaged_files_never_break_the_reader() {
    let meta = r#"{"ResNet50_Weights.IMAGENET1K_V2": {"num_params": 25557032, "_ops": 4.089,
        "_metrics": {"ImageNet-1K": {"acc@1": 80.858}}, "transforms": {"crop_size": 224}}}"#;
    let line = r#"{"kind":"fact","about":"device:x","name":"ram","value":320000,"source":"s"}"#;
    let mapping = Mapping::parse("example", convwise_import::EXAMPLE).unwrap();
    let table = "Model,Top-1,Size,Time,Params,GMACs\nresnet50,80.1,224,\"1.5\",25.56,4.11\n";
    let timings = "benchmark-infer-amp-nchw-pt240-cu124-rtx3090.csv";
    let files: [(Format, &str, &str); 5] = [
        (timm(), "results-imagenet.csv", ACCURACIES),
        (timm(), timings, TIMINGS),
        (Format::Torchvision(TorchvisionOptions::default()), "x.json", meta),
        (Format::Table(mapping), "t.csv", table),
        (Format::Lines, "x.jsonl", line),
    ];
    for (format, name, text) in &files {
        let whole = read(format, name, text.as_bytes()).0.len();
        for cut in 0..text.len() {
            let (taken, report) = read(format, name, &text.as_bytes()[..cut]);
            assert_eq!(taken.len() as u64, report.entries);
            let quiet = report.problems.is_empty() && report.remarks.is_empty();
            let at_line_end = text.as_bytes()[..cut].ends_with(b"\n");
            let sound = taken.len() <= whole && (!quiet || at_line_end || matches!(format, Format::Lines));
            assert!(sound, "{name} cut at {cut}: {report:?}");
        }
        for at in 0..text.len() {
            for byte in [0, b',', b'"', b'\n', b'\r', 0x80, 0xff, b'9', b'-', b'{', b'e'] {
                let mut damaged = text.as_bytes().to_vec();
                damaged[at] = byte;
                let (taken, report) = read(format, name, &damaged);
                assert_eq!(taken.len() as u64, report.entries);
            }
        }
    }
}
