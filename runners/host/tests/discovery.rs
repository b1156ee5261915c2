//! Which runners are found, in what order, and why some cannot be used.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use convwise_host::{Builtin, Discovery, Origin, RunnerList, RunnerSource, Shelf, discover, file_digest};
use tempfile::TempDir;

const BUILTINS: [Builtin; 1] = [Builtin { name: "rten", table: convwise_rten::table }];

fn manifest(name: &str, version: &str, more: &str) -> String {
    format!("schema = 1\nname = \"{name}\"\nversion = \"{version}\"\n{more}\n")
}

fn write(path: &Path, text: &str) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    path.to_owned()
}

fn library_name(bare: &str) -> String {
    format!("{}{bare}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

fn look(shelves: Vec<Shelf>, home: &Path) -> RunnerList {
    let program_folder = Some(home.join("bin"));
    discover(&Discovery { shelves, builtins: &BUILTINS, home: Some(home.to_owned()), program_folder })
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn the_first_of_a_name_wins_and_says_what_it_hides() {
    let home = home();
    let (first, second) = (home.path().join("first"), home.path().join("second"));
    let path = write(&first.join("a.toml"), &manifest("mine", "2", "library = \"mine\""));
    let hidden = write(&second.join("b.toml"), &manifest("mine", "1", "library = \"mine\""));
    let shadow = write(&second.join("c.toml"), &manifest("rten", "9", "library = \"mine\""));
    write(&first.join(library_name("mine")), "");
    let embedded = Shelf::Embedded(vec![("mine.toml".into(), manifest("mine", "0", "library = \"mine\""))]);
    let list = look(vec![Shelf::Folder(first), Shelf::Folder(second), embedded], home.path());
    let mine = list.get("mine").unwrap();
    assert_eq!((mine.version.as_deref(), &mine.origin), (Some("2"), &Origin::File(path)));
    assert_eq!(mine.overrides, [Origin::File(hidden), Origin::Embedded("mine.toml".into())]);
    assert_eq!(list.get("rten").unwrap().origin, Origin::File(shadow));
    assert_eq!(list.get("rten").unwrap().overrides, [Origin::Builtin]);
    assert_eq!(list.problems, []);
}

#[test]
fn built_in_runners_are_listed_and_can_be_started() {
    let home = home();
    let list = look(vec![Shelf::Folder(home.path().join("none"))], home.path());
    let rten = list.get("rten").unwrap();
    assert!(rten.usable());
    assert_eq!(rten.source(), Some(RunnerSource::Builtin { name: "rten".into() }));
}

#[test]
fn a_bare_library_is_looked_for_beside_the_manifest_the_program_and_in_the_home() {
    let home = home();
    let shelf = home.path().join("shelf");
    write(&shelf.join("x.toml"), &manifest("x", "1", "library = \"x\""));
    let find = || look(vec![Shelf::Folder(shelf.clone())], home.path()).get("x").unwrap().clone();
    let missing = find();
    assert!(!missing.usable() && missing.source().is_none());
    let file = library_name("x");
    let places =
        [shelf.join(&file), home.path().join("bin").join(&file), home.path().join("runners").join(&file)];
    let reason = missing.why_not.unwrap();
    for place in &places {
        assert!(reason.contains(place.to_str().unwrap()), "{reason}");
    }
    for place in places.iter().rev() {
        write(place, "");
        assert_eq!(find().path.as_ref(), Some(place));
    }
}

#[test]
fn a_library_with_a_path_is_where_the_manifest_says_and_nowhere_else() {
    let home = home();
    let shelf = home.path().join("shelf");
    write(&shelf.join("x.toml"), &manifest("x", "1", "library = \"../built/x\""));
    write(
        &shelf.join("y.toml"),
        &manifest("y", "1", &format!("library = \"../built/{}.2\"", library_name("x"))),
    );
    let find = |name: &str| look(vec![Shelf::Folder(shelf.clone())], home.path()).get(name).unwrap().clone();
    write(&home.path().join("built/x"), "not a library's name");
    let reason = find("x").why_not.unwrap();
    let file = shelf.join("../built").join(library_name("x"));
    assert!(reason.ends_with(&format!("looked at {}", file.display())), "{reason}");
    write(&file, "");
    assert_eq!(find("x").path, Some(file));
    // A whole file name stays as it is.
    let versioned = write(&shelf.join(format!("../built/{}.2", library_name("x"))), "");
    assert_eq!(find("y").path, Some(versioned));
}

#[test]
fn what_everybody_may_change_is_refused_with_the_reason() {
    let home = home();
    let shelf = home.path().join("shelf");
    write(&shelf.join("x.toml"), &manifest("x", "1", "library = \"x\""));
    let open = write(&shelf.join("y.toml"), &manifest("y", "1", "library = \"x\""));
    let library = write(&shelf.join(library_name("x")), "");
    for path in [&open, &library] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
    }
    let list = look(vec![Shelf::Folder(shelf)], home.path());
    let why = list.get("x").unwrap().why_not.clone().unwrap();
    assert!(why.contains("every user may change the file") && why.contains("chmod o-w"), "{why}");
    assert!(list.get("y").is_none());
    let problem = list.problems.first().unwrap().to_string();
    assert!(
        problem.starts_with(&open.display().to_string()) && problem.contains("every user may change"),
        "{problem}"
    );
}

#[test]
fn a_stale_digest_is_seen_before_anything_is_started() {
    let home = home();
    let shelf = home.path().join("shelf");
    let library = write(&shelf.join(library_name("x")), "one");
    let pinned = format!("library = \"x\"\nsha256 = \"{}\"", file_digest(&library).unwrap());
    write(&shelf.join("x.toml"), &manifest("x", "1", &pinned));
    let find = || look(vec![Shelf::Folder(shelf.clone())], home.path()).get("x").unwrap().clone();
    assert!(find().usable());
    write(&library, "two");
    let why = find().why_not.unwrap();
    assert!(why.contains("has changed: the manifest pins"), "{why}");
}

#[test]
fn installed_native_libraries_are_passed_in_the_environment() {
    let home = home();
    let requires = "library = \"x\"\n[[requires]]\nwhat = \"w\"\nenv = \"CONVWISE_TEST_LIB\"\ninstall = \"w\"\nfile = \"w.so\"";
    let shelf = vec![Shelf::Embedded(vec![("x.toml".into(), manifest("x", "1", requires))])];
    write(&home.path().join("bin").join(library_name("x")), "");
    assert!(look(shelf.clone(), home.path()).get("x").unwrap().env.is_empty());
    let native = write(&home.path().join("native/w/w.so"), "");
    let entry = look(shelf, home.path()).get("x").unwrap().clone();
    assert_eq!(entry.env["CONVWISE_TEST_LIB"], native.as_os_str());
    assert_eq!(entry.worker("program").unwrap().env, entry.env);
}

#[test]
fn a_broken_manifest_is_a_problem_and_hides_nothing() {
    let home = home();
    let shelf = home.path().join("shelf");
    let path = write(&shelf.join("a.toml"), "schema = 1\nname = rten\n");
    let list = look(vec![Shelf::Folder(shelf)], home.path());
    assert!(list.get("rten").unwrap().usable());
    let problem = list.problems.first().unwrap();
    assert_eq!((problem.path.as_str(), problem.line, problem.column), (path.to_str().unwrap(), 2, 8));
}

#[test]
fn manifests_in_this_repository_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/runners");
    let list = look(vec![Shelf::Folder(folder)], home().path());
    assert_eq!(list.problems, []);
    assert!(list.get("onnxruntime").unwrap().manifest.is_some());
}
