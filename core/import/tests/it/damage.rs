//! Damaged files.

use convwise_import::{Format, Mapping, TorchvisionOptions};

use crate::support::{ACCURACIES, TIMINGS, read, timm};

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
