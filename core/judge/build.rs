//! The rules are embedded in the crate: a change in their folder must rebuild it.

fn main() {
    println!("cargo::rerun-if-changed=../../rules");
}
