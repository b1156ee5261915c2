//! Installations with a pip that is a shell script: what it is asked, what it delivers, how it fails.
#![cfg(unix)]

use std::io::Write;

use super::*;
use crate::pins::Python;

const LIBRARY: &[u8] = b"\x7fELF, or so it says";

struct Scene {
    folder: tempfile::TempDir,
    library: Library,
}

impl Scene {
    /// A package with one library in it, and a pip that copies it where it is told to.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("thing-1.0-cp312-cp312-any.whl");
        write_wheel(&wheel, "thing/libthing.so.1.0", LIBRARY);
        let plain = folder.path().join("plain");
        fs::write(&plain, LIBRARY).unwrap();
        let library_sha256 = digest::of_file(&plain).unwrap();
        let library = Library {
            name: "thing".into(),
            title: "The Thing".into(),
            package: "thing".into(),
            version: "1.0".into(),
            file: "libthing.so".into(),
            python: Python { version: "3.12".into(), implementation: "cp".into(), abi: "cp312".into() },
            wheel: vec![Wheel {
                platform: "any/any".into(),
                tags: vec!["any".into()],
                name: "thing-1.0-cp312-cp312-any.whl".into(),
                sha256: digest::of_file(&wheel).unwrap(),
                member: "thing/libthing.so.1.0".into(),
                library_sha256,
                library_bytes: LIBRARY.len() as u64,
            }],
        };
        let scene = Self { folder, library };
        scene.pip(
            r#"echo "$@" >> "$here/calls"; while [ "$1" != --dest ]; do shift; done; cp "$here"/*.whl "$2""#,
        );
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sets what pip does when it is asked to download.
    fn pip(&self, body: &str) {
        let script = format!("here=$(dirname \"$0\")\n[ \"$1\" = --version ] && exit 0\n{body}\n");
        fs::write(self.path("pip"), script).unwrap();
    }

    fn run(&self) -> Result<(Installed, Vec<Step>), InstallError> {
        // Through the shell: a file that was just written cannot be executed while another thread forks.
        let clients = [Client::of(&format!("sh {}", self.path("pip").display()))];
        let (mut steps, home) = (Vec::new(), self.path("home"));
        let job =
            Job { library: &self.library, wheel: &self.library.wheel[0], home: &home, clients: &clients };
        let installed = job.run(&mut |step| steps.push(step))?;
        Ok((installed, steps))
    }

    /// What lies in the library's folder, apart from the lock.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("home/native/thing")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| name != ".lock");
        names.sort();
        names
    }
}

fn write_wheel(path: &Path, member: &str, content: &[u8]) {
    let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file("thing/other.txt", options).unwrap();
    archive.write_all(b"not wanted").unwrap();
    archive.start_file(member, options).unwrap();
    archive.write_all(content).unwrap();
    archive.finish().unwrap();
}

#[test]
fn the_library_comes_to_its_place_and_nothing_else_does() {
    let scene = Scene::new();
    let (installed, steps) = scene.run().unwrap();
    assert_eq!(installed.path, scene.path("home/native/thing/libthing.so"));
    assert_eq!(fs::read(&installed.path).unwrap(), LIBRARY);
    assert!(!installed.was_there);
    assert_eq!(steps, [Step::Downloading { package: "thing 1.0".into() }, Step::Unpacking]);
    assert_eq!(scene.left(), ["1.0", "libthing.so"]);
    assert_eq!(fs::read_dir(scene.path("home/native/thing/1.0")).unwrap().count(), 1);
}

#[test]
fn pip_is_asked_for_exactly_one_file() {
    let scene = Scene::new();
    scene.run().unwrap();
    let asked = fs::read_to_string(scene.path("calls")).unwrap();
    let (before, after) = asked.trim().split_once(" --dest ").unwrap();
    assert_eq!(
        before,
        "download --no-deps --only-binary=:all: --no-input --disable-pip-version-check --platform any \
         --python-version 3.12 --implementation cp --abi cp312"
    );
    assert!(after.ends_with(" thing==1.0"), "{after}");
}

#[test]
fn a_second_call_does_nothing_and_a_damaged_library_is_replaced() {
    let scene = Scene::new();
    let path = scene.run().unwrap().0.path;
    let (again, steps) = scene.run().unwrap();
    assert!(again.was_there && steps.is_empty(), "{steps:?}");
    fs::write(&path, "half of i").unwrap();
    assert!(!scene.run().unwrap().0.was_there);
    assert_eq!(fs::read(&path).unwrap(), LIBRARY);
}

#[test]
fn what_an_earlier_call_left_is_cleared_up() {
    let scene = Scene::new();
    fs::create_dir_all(scene.path("home/native/thing/.unfinished-old/made")).unwrap();
    scene.run().unwrap();
    assert_eq!(scene.left(), ["1.0", "libthing.so"]);
}

#[test]
fn a_new_version_takes_over_the_name_and_leaves_the_old_one_to_its_users() {
    let mut scene = Scene::new();
    let old = scene.run().unwrap().0.path;
    let opened_before = fs::canonicalize(&old).unwrap();
    scene.library.version = "2.0".into();
    let new = scene.run().unwrap().0.path;
    assert_eq!(old, new);
    assert_eq!(fs::read_link(&new).unwrap(), Path::new("2.0/libthing.so"));
    assert!(opened_before.is_file());
}

fn check(scene: &Scene, expect: &str) {
    let error = scene.run().unwrap_err().to_string();
    let home = scene.folder.path().display().to_string();
    assert_eq!(error.replace(&home, "~"), expect);
    assert!(scene.left().is_empty(), "nothing half-done is left: {:?}", scene.left());
}

#[test]
fn another_file_under_the_same_name_is_refused() {
    let mut scene = Scene::new();
    scene.library.wheel[0].sha256 = "0".repeat(64);
    let found = digest::of_file(&scene.path("thing-1.0-cp312-cp312-any.whl")).unwrap();
    check(
        &scene,
        &format!(
            "thing-1.0-cp312-cp312-any.whl is not the one that was published: its SHA-256 is {found}, not {}; it was \
             thrown away, so try again, and if it happens again do not trust the package index",
            "0".repeat(64)
        ),
    );
}

#[test]
fn a_library_larger_than_it_may_be_is_not_unpacked() {
    let mut scene = Scene::new();
    scene.library.wheel[0].library_bytes = 5;
    check(
        &scene,
        "thing-1.0-cp312-cp312-any.whl cannot be unpacked: thing/libthing.so.1.0 has not the 5 bytes it should have; \
         it was thrown away, so try again",
    );
}

#[test]
fn a_package_without_the_library_is_an_error() {
    let mut scene = Scene::new();
    scene.library.wheel[0].member = "thing/absent.so".into();
    check(
        &scene,
        "thing-1.0-cp312-cp312-any.whl cannot be unpacked: thing/absent.so: specified file not found in archive; it \
         was thrown away, so try again",
    );
}

#[test]
fn pip_without_network_and_pip_with_another_file() {
    let scene = Scene::new();
    scene.pip("echo 'Temporary failure in name resolution' >&2; exit 1");
    check(
        &scene,
        "pip could not reach a package index; check the network and pip's own configuration (`pip config list`), then \
         run the same command again\n  pip: Temporary failure in name resolution",
    );
    scene.pip("exit 0");
    check(
        &scene,
        "the package index that pip uses has no thing-1.0-cp312-cp312-any.whl; `pip config list` shows which index \
         that is\n  pip: the download went well, but gave another file",
    );
}

#[test]
fn a_home_that_cannot_be_written_is_named() {
    let scene = Scene::new();
    fs::write(scene.path("home"), "a file where the folder should be").unwrap();
    let error = scene.run().unwrap_err().to_string();
    assert!(error.contains("home/native/thing: "), "{error}");
    assert!(error.ends_with("check who may write there, or set CONVWISE_HOME to another folder"), "{error}");
}

#[test]
fn two_at_once_download_once() {
    let scene = Scene::new();
    let results: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| scene.run().unwrap().0.was_there)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|was_there| !**was_there).count(), 1);
    assert_eq!(fs::read_to_string(scene.path("calls")).unwrap().lines().count(), 1);
}
