//! Keeps `src/proto/generated.rs` in step with `proto/onnx.proto`.
//! `CONVWISE_REGEN=1` writes the file instead of comparing it.

#![cfg(test)]

use std::path::Path;

const HEADER: &str = "// Generated from proto/onnx.proto, see proto/README.md. Do not edit.\n\n";

fn generate(root: &Path) -> String {
    let files = protox::compile([root.join("proto/onnx.proto")], [root.join("proto")]).expect("valid proto");
    let out = tempfile::tempdir().expect("a temporary folder");
    // Comments would become doc tests of text that is not Rust.
    prost_build::Config::new()
        .disable_comments(["."])
        .out_dir(out.path())
        .compile_fds(files)
        .expect("generated types");
    HEADER.to_owned() + &std::fs::read_to_string(out.path().join("onnx.rs")).expect("one package, one file")
}

#[test]
fn the_generated_types_are_what_the_published_definition_gives() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (made, file) = (generate(root), root.join("src/proto/generated.rs"));
    if std::env::var_os("CONVWISE_REGEN").is_some() {
        std::fs::write(&file, &made).expect("a writable checkout");
    }
    let committed = std::fs::read_to_string(&file).expect("the committed file");
    assert!(
        committed == made,
        "src/proto/generated.rs is out of step: CONVWISE_REGEN=1 cargo test -p convwise-onnx --test proto"
    );
}
