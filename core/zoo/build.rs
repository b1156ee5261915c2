//! The shipped architectures are embedded: adding one must rebuild the crate.

fn main() {
    println!("cargo::rerun-if-changed=../../plugins/architectures");
}
