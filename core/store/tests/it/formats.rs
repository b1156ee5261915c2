#[test]
fn write_fixture() {
    let home = tempfile::tempdir().unwrap();
    let store = crate::support::open(home.path());
    store.append(&crate::support::one_of_each()).unwrap();
    store.append(&crate::support::records([1])).unwrap();
    store.append(&crate::support::records([2, 3])).unwrap();
    let to = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/format-1");
    std::fs::create_dir_all(to).unwrap();
    for name in ["journal.jsonl", "format.json"] {
        std::fs::copy(home.path().join("kb").join(name), format!("{to}/{name}")).unwrap();
    }
}
