//! The pages that are drawn from what the program registers.

use std::fs;
use std::path::Path;

use convwise_judge::{DEFINITIONS_FILE, definitions, reference};

/// Compares a committed page with what the program writes, or rewrites it.
fn in_step(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules").join(name);
    if std::env::var_os("CONVWISE_REGEN").is_some() {
        fs::write(&path, page).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "rules/{name} is behind: CONVWISE_REGEN=1 cargo test -p convwise-judge reference"
    );
}

#[test]
fn the_reference_in_the_repository_is_in_step() {
    in_step("REFERENCE.md", &reference().markdown());
}

#[test]
fn the_definitions_in_the_repository_are_in_step() {
    in_step(DEFINITIONS_FILE, &definitions());
}
