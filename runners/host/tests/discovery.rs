//! Which runners are found, in what order, and why some cannot be used.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use convwise_host::{
    Builtin, Discovery, NativeOrigin, Origin, RunnerEntry, RunnerList, RunnerSource, Shelf, Skipped,
    discover, file_digest,
};
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
    discover(&Discovery {
        shelves,
        builtins: &BUILTINS,
        home: Some(home.to_owned()),
        program_folder,
        ..Discovery::default()
    })
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
fn manifests_of_a_closed_folder_are_named_and_not_read() {
    let home = home();
    let shelf = home.path().join("shelf");
    let path = write(&shelf.join("a.toml"), "not even TOML");
    let list = look(vec![Shelf::Closed { folder: shelf, why: "because".into() }], home.path());
    assert_eq!(list.skipped, [Skipped { path, why: "because".into() }]);
    assert_eq!((list.runners.len(), list.problems), (1, vec![]));
}

/// A runner that needs one native library, which is a folder with a version, and where it is looked for.
struct Native {
    home: TempDir,
    variables: BTreeMap<OsString, OsString>,
}

const REQUIRES: &str = r#"library = "x"
[[requires]]
what = "libthing"
env = "CONVWISE_TEST_THING"
folder = true
install = "thing"
version = ">=2"
file = "lib/libthing.so"
library_path = ["lib", "none"]
python = [{ package = "the-thing", folder = "thing", library_path = ["lib", "../nvidia/lib"] }]
"#;

impl Native {
    fn new() -> Self {
        let home = home();
        write(&home.path().join("bin").join(library_name("x")), "");
        Self { home, variables: BTreeMap::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.insert(name.into(), value.into());
    }

    fn in_home(&self, version: &str) {
        write(&self.path(&format!("native/thing/{version}/lib/libthing.so")), "");
        let link = self.path("native/thing/lib");
        let _ = fs::remove_file(&link);
        symlink(format!("{version}/lib"), link).unwrap();
    }

    /// A virtual environment with the package, which is made the active one.
    fn in_python(&mut self, version: &str) -> PathBuf {
        let site = self.path("venv/lib/python3.11/site-packages");
        let _ = fs::remove_dir_all(&site);
        write(&site.join(format!("the_thing-{version}.dist-info/METADATA")), "");
        write(&site.join("thing/lib/libthing.so"), "");
        write(&site.join("nvidia/lib/libcuda.so"), "");
        self.set("VIRTUAL_ENV", self.path("venv"));
        site
    }

    fn entry(&self) -> RunnerEntry {
        let shelves = vec![Shelf::Embedded(vec![("x.toml".into(), manifest("x", "1", REQUIRES))])];
        let places = Discovery {
            shelves,
            home: Some(self.home.path().to_owned()),
            program_folder: Some(self.path("bin")),
            variables: self.variables.clone(),
            ..Discovery::default()
        };
        discover(&places).get("x").unwrap().clone()
    }

    /// What the worker is told: the root, and the loader's folders.
    fn told(&self) -> (Option<PathBuf>, Vec<PathBuf>) {
        let env = self.entry().worker("program").unwrap().env;
        let folders = env.get("LD_LIBRARY_PATH").map(|list| std::env::split_paths(list).collect());
        (env.get("CONVWISE_TEST_THING").map(PathBuf::from), folders.unwrap_or_default())
    }
}

#[test]
fn a_native_library_that_is_nowhere_is_named_with_its_remedy() {
    let scene = Native::new();
    let entry = scene.entry();
    assert!(entry.usable(), "what the runner does without it is its own affair");
    assert_eq!((entry.native[0].path.as_ref(), entry.native[0].what.as_str()), (None, "libthing"));
    assert_eq!(entry.needs().unwrap(), "libthing, which `convwise runner install thing` brings");
    assert!(entry.env.is_empty());
    assert_eq!(
        entry.worker("program").unwrap().env["CONVWISE_NEEDS"].to_str(),
        entry.needs().as_deref(),
        "for the message if it cannot be loaded"
    );
    let optional = REQUIRES.replace("folder = true", "folder = true\nonly_for = \"device=gpu\"");
    let shelf = Shelf::Embedded(vec![("x.toml".into(), manifest("x", "1", &optional))]);
    assert_eq!(look(vec![shelf], scene.home.path()).get("x").unwrap().needs(), None);
}

#[test]
fn an_installed_native_library_is_passed_in_the_environment() {
    let mut scene = Native::new();
    scene.in_home("2.1");
    let entry = scene.entry();
    assert_eq!(
        (entry.native[0].from.clone(), entry.native[0].version.as_deref()),
        (Some(NativeOrigin::Home), Some("2.1"))
    );
    let root = scene.path("native/thing");
    assert_eq!(scene.told(), (Some(root.clone()), vec![root.join("lib")]));
    // The user's own folders for the loader come after it; an empty one would be the working directory.
    scene.set("LD_LIBRARY_PATH", "/theirs::");
    assert_eq!(scene.told().1, [root.join("lib"), "/theirs".into()]);
}

#[test]
fn a_python_package_that_fits_comes_before_the_home() {
    let mut scene = Native::new();
    scene.in_home("2.1");
    let site = scene.in_python("2.3.0+cu13");
    let entry = scene.entry();
    assert_eq!(entry.native[0].from, Some(NativeOrigin::Python(scene.path("venv"))));
    assert_eq!(entry.native[0].version.as_deref(), Some("2.3.0+cu13"));
    let folders = vec![site.join("thing/lib"), site.join("thing/../nvidia/lib")];
    assert_eq!(scene.told(), (Some(site.join("thing")), folders));
}

#[test]
fn a_version_that_does_not_fit_is_passed_over_with_the_reason() {
    let mut scene = Native::new();
    scene.in_home("2.1");
    scene.in_python("1.9");
    let native = scene.entry().native[0].clone();
    assert_eq!(native.from, Some(NativeOrigin::Home));
    let why = format!("Python in {}: libthing there is 1.9, and >=2 is needed", scene.path("venv").display());
    assert_eq!(native.passed_over, [why]);
    scene.in_home("1.0");
    let native = scene.entry().native[0].clone();
    assert_eq!((native.path, native.passed_over.len()), (None, 2));
}

#[test]
fn what_the_users_variable_names_always_wins() {
    let mut scene = Native::new();
    scene.in_home("2.1");
    scene.in_python("2.3");
    let own = scene.path("own");
    write(&own.join("lib/libthing.so"), "");
    scene.set("CONVWISE_TEST_THING", &own);
    let native = scene.entry().native[0].clone();
    let from = NativeOrigin::Environment("CONVWISE_TEST_THING".into());
    assert_eq!((native.from, native.problem, native.version), (Some(from), None, None));
    assert_eq!(scene.told(), (None, vec![own.join("lib")]), "the variable itself is inherited");
    // A version that does not fit is said and used, for the user has a reason.
    write(&own.join("build-version"), "1.2+cpu\n");
    let entry = scene.entry();
    assert_eq!(
        entry.native[0].problem.as_deref(),
        Some("CONVWISE_TEST_THING is set, but libthing there is 1.2+cpu, and >=2 is needed")
    );
    assert!(entry.usable() && entry.native[0].path.is_some());
    // So is the folder of a Python package, with that package's version.
    let site = scene.in_python("1.9");
    scene.set("CONVWISE_TEST_THING", site.join("thing"));
    assert_eq!(scene.entry().native[0].version.as_deref(), Some("1.9"));
    scene.set("CONVWISE_TEST_THING", "/nowhere");
    assert_eq!(
        scene.entry().native[0].problem.as_deref(),
        Some("CONVWISE_TEST_THING is set, but /nowhere/lib/libthing.so is not there")
    );
}

#[test]
fn a_native_library_that_everybody_may_change_is_not_used() {
    let mut scene = Native::new();
    let site = scene.in_python("2.3");
    let open = site.join("thing/lib/libthing.so");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o666)).unwrap();
    let entry = scene.entry();
    assert_eq!(entry.native[0].path, None);
    assert!(entry.native[0].passed_over[0].contains("every user may change the file"), "{entry:?}");
    // Chosen by the user, it is refused rather than replaced by another.
    scene.set("CONVWISE_TEST_THING", site.join("thing"));
    let why = scene.entry().why_not.unwrap();
    assert!(why.starts_with("CONVWISE_TEST_THING is set, but every user may change the file"), "{why}");
    // So is one whose neighbours come from such a folder.
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    scene.variables.remove(&OsString::from("CONVWISE_TEST_THING"));
    assert!(scene.entry().native[0].path.is_some());
    fs::set_permissions(site.join("nvidia/lib"), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(scene.entry().native[0].passed_over[0].contains("every user may change the folder"));
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
