//! Small files in the form of the real ones, and what is read of them.

use std::io::Cursor;

use convwise_import::{Entry, Format, Input, Place, Report, TimmOptions, import};

pub const ACCURACIES: &str = "\
model,img_size,top1,top1_err,top5,top5_err,param_count,crop_pct,interpolation
eva_giant_patch14_560.m30m_ft_in22k_in1k,560,89.790,10.210,98.990,1.010,\"1,014.45\",1.000,bicubic
resnet50.a1_in1k,288,81.222,18.778,95.112,4.888,25.56,1.000,bicubic
";

pub const TIMINGS: &str = "\
model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size,param_count,infer_gmacs,infer_macts
resnet50,224,2607.54,392.703,1024,25.56,4.11,11.11
test_vit,160,109337.21,9.356,1024,0.37,0.04,0.48
too_large,224,,,,4350.56,1132.46,497.58
no_work,224,5094.2,201.003,1024,14.62,,
";

/// What a file gives: its entries as JSON with their places, and the report.
pub fn read(format: &Format, name: &str, bytes: &[u8]) -> (Vec<String>, Report) {
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

pub fn timm() -> Format {
    let devices = ["nvidia-rtx-3090", "apple-m2"].map(str::to_owned).to_vec();
    Format::Timm(TimmOptions { devices, ..TimmOptions::default() })
}

pub fn problems(format: &Format, name: &str, text: &str) -> Vec<String> {
    let (_, report) = read(format, name, text.as_bytes());
    report.problems.iter().map(ToString::to_string).collect()
}

#[track_caller]
pub fn one_problem(format: &Format, name: &str, text: &str, words: &[&str]) {
    let found = problems(format, name, text);
    assert_eq!(found.len(), 1, "{found:?}");
    for word in words {
        assert!(found[0].contains(word), "no {word:?} in {}", found[0]);
    }
}
