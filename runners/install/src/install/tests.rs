//! Installations with a pip that is a shell script: what it is asked, what it delivers, how it fails.
#![cfg(unix)]

use std::io::Write;
use std::time::Instant;

use super::*;
use crate::pins::Member;

const LIBRARY: &[u8] = b"\x7fELF, or so it says";
const NEIGHBOUR: &[u8] = b"\x7fELF, and needed by the first";
const RUNTIME: &[u8] = b"\x7fELF, from another package";

struct Scene {
    folder: tempfile::TempDir,
    library: Library,
    stop: AtomicBool,
}

impl Scene {
    /// Two packages with three libraries in them, and a pip that copies them where it is told to.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wheels = [
            make_wheel(
                folder.path(),
                "thing-1.0-cp312-cp312-any.whl",
                &[
                    ("thing/libthing.so.1.0", "lib/libthing.so", LIBRARY),
                    ("thing/libb.so", "lib/libb.so", NEIGHBOUR),
                ],
            ),
            make_wheel(
                folder.path(),
                "runtime-7-py3-none-any.whl",
                &[("rt/libr.so", "lib/libr.so", RUNTIME)],
            ),
        ];
        let library = Library {
            name: "thing".into(),
            title: "The Thing".into(),
            version: "1.0".into(),
            link: "lib".into(),
            variable: "THING".into(),
            platform: vec![Platform { name: "any/any".into(), wheel: wheels.into() }],
        };
        let scene = Self { folder, library, stop: AtomicBool::new(false) };
        scene.pip(COPIES);
        scene
    }

    fn wheel(&mut self, index: usize) -> &mut Wheel {
        &mut self.library.platform[0].wheel[index]
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sets what pip does when it is asked to download.
    fn pip(&self, body: &str) {
        let script =
            format!("here=$(dirname \"$0\")\n[ \"$1\" = --version ] && echo pip 23.2.1 && exit 0\n{body}\n");
        fs::write(self.path("pip"), script).unwrap();
    }

    fn run(&self) -> Result<(Installed, Vec<Step>), InstallError> {
        // Through the shell: a file that was just written cannot be executed while another thread forks.
        let clients = [Client::of(&format!("sh {}", self.path("pip").display()))];
        let (mut steps, home) = (Vec::new(), self.path("home"));
        let platform = &self.library.platform[0];
        let job = Job { library: &self.library, platform, home: &home, clients: &clients, stop: &self.stop };
        let installed = job.run(&mut |step| steps.push(step))?;
        // What another thread forks holds the lock too, until it becomes another program.
        steps.retain(|step| *step != Step::Waiting);
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

/// What a pip does that copies the file whose name starts like the requirement.
const COPIES: &str = r#"echo "$@" >> "$here/calls"
while [ "$1" != --dest ]; do shift; done
cp "$here/${3%==*}"-*.whl "$2""#;

fn make_wheel(folder: &Path, name: &str, members: &[(&str, &str, &[u8])]) -> Wheel {
    let path = folder.join(name);
    let mut archive = zip::ZipWriter::new(File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file("thing/other.txt", options).unwrap();
    archive.write_all(b"not wanted").unwrap();
    for (member, _, content) in members {
        archive.start_file(*member, options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap();
    let (package, rest) = name.split_once('-').unwrap();
    let pinned = |(path, to, content): &(&str, &str, &[u8])| {
        let mut digesting = digest::Digesting::default();
        digesting.take(content);
        Member {
            path: (*path).into(),
            to: (*to).into(),
            bytes: content.len() as u64,
            sha256: digesting.done(),
        }
    };
    Wheel {
        package: package.into(),
        version: rest.split_once('-').unwrap().0.into(),
        name: name.into(),
        bytes: fs::metadata(&path).unwrap().len(),
        sha256: digest::of_file(&path).unwrap(),
        member: members.iter().map(pinned).collect(),
    }
}

#[test]
fn the_libraries_come_to_their_place_and_nothing_else_does() {
    let scene = Scene::new();
    let (installed, steps) = scene.run().unwrap();
    assert_eq!(installed.path, scene.path("home/native/thing/lib"));
    assert!(!installed.was_there);
    for (file, content) in [("libthing.so", LIBRARY), ("libb.so", NEIGHBOUR), ("libr.so", RUNTIME)] {
        assert_eq!(fs::read(installed.path.join(file)).unwrap(), content);
    }
    assert_eq!(fs::read_dir(&installed.path).unwrap().count(), 3);
    assert_eq!(scene.left(), ["1.0", "lib"]);
    let all = [LIBRARY, NEIGHBOUR, RUNTIME].iter().map(|file| file.len() as u64).sum();
    assert_eq!(steps.last(), Some(&Step::Unpacking { done: Bytes(all), of: Bytes(all) }));
}

#[test]
fn pip_is_asked_for_exactly_these_files() {
    let scene = Scene::new();
    scene.run().unwrap();
    let asked = fs::read_to_string(scene.path("calls")).unwrap();
    let asked: Vec<_> = asked.lines().map(|line| line.split_once(" --dest ").unwrap()).collect();
    let same = "download --no-deps --only-binary=:all: --no-input --disable-pip-version-check --platform any \
                --python-version 3.12 --implementation cp --abi";
    assert_eq!([asked[0].0, asked[1].0], [format!("{same} cp312"), format!("{same} none")]);
    assert!(asked[0].1.ends_with(" thing==1.0") && asked[1].1.ends_with(" runtime==7"), "{asked:?}");
}

#[test]
fn a_pip_that_can_is_asked_to_go_on_after_a_broken_connection() {
    let scene = Scene::new();
    let pip = fs::read_to_string(scene.path("pip")).unwrap();
    fs::write(scene.path("pip"), pip.replace("pip 23.2.1", "pip 25.1 from somewhere")).unwrap();
    scene.run().unwrap();
    assert!(fs::read_to_string(scene.path("calls")).unwrap().contains(" --resume-retries 5 "));
}

#[test]
fn packages_that_came_whole_are_not_fetched_again() {
    let scene = Scene::new();
    scene.pip(&COPIES.replace("cp ", "[ $3 = runtime==7 ] && exit 1; cp "));
    scene.run().unwrap_err();
    assert_eq!(scene.left(), [".unfinished"]);
    scene.pip(COPIES);
    let (_, steps) = scene.run().unwrap();
    let calls = fs::read_to_string(scene.path("calls")).unwrap();
    assert_eq!(calls.lines().filter(|line| line.ends_with("thing==1.0")).count(), 1, "{calls}");
    let size = |index: usize| scene.library.platform[0].wheel[index].bytes;
    let first =
        Step::Downloading { package: "runtime 7".into(), done: Bytes(size(0)), of: Bytes(size(0) + size(1)) };
    assert_eq!(steps.first(), Some(&first));
    assert_eq!(scene.left(), ["1.0", "lib"]);
}

#[test]
fn half_a_package_is_not_kept() {
    let scene = Scene::new();
    let file = scene.path("home/native/thing/.unfinished/thing-1.0-cp312-cp312-any.whl");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "PK and no more").unwrap();
    assert!(!scene.run().unwrap().0.was_there);
    assert_eq!(fs::read_to_string(scene.path("calls")).unwrap().lines().count(), 2);
}

#[test]
fn progress_is_what_lies_in_pips_temporary_folder() {
    let scene = Scene::new();
    scene.pip(&COPIES.replace("cp ", "head -c 100 /dev/zero > $TMPDIR/part; sleep 0.3; cp "));
    let (_, steps) = scene.run().unwrap();
    let hundred = steps.iter().any(|step| matches!(step, Step::Downloading { done: Bytes(100), .. }));
    assert!(hundred, "{steps:?}");
    assert_eq!(scene.left(), ["1.0", "lib"]);
}

#[test]
fn stopping_ends_pip_and_all_it_started_at_once() {
    let scene = Scene::new();
    scene.pip("sleep 100 & echo $! > \"$here/pid\"; wait");
    let began = Instant::now();
    thread::scope(|scope| {
        let installing = scope.spawn(|| scene.run().unwrap_err().to_string());
        while fs::read_to_string(scene.path("pid")).unwrap_or_default().is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        scene.stop.store(true, Ordering::Relaxed);
        let said = installing.join().unwrap();
        assert!(said.starts_with("stopped, nothing was installed"), "{said}");
    });
    assert!(began.elapsed() < Duration::from_secs(50));
    let pid = fs::read_to_string(scene.path("pid")).unwrap();
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
    assert!(scene.left().is_empty(), "{:?}", scene.left());
}

#[test]
fn a_disk_that_is_too_small_is_noticed_before_anything_is_fetched() {
    let mut scene = Scene::new();
    scene.wheel(0).bytes = 1 << 60;
    let error = scene.run().unwrap_err().to_string();
    assert!(error.starts_with("installing The Thing takes 2305843 TB of room in "), "{error}");
    assert!(error.contains(" are free; free some, or set CONVWISE_HOME"), "{error}");
    assert!(!scene.path("calls").exists());
}

#[test]
fn a_second_call_does_nothing_and_a_damaged_library_is_replaced() {
    let scene = Scene::new();
    let path = scene.run().unwrap().0.path.join("libb.so");
    let (again, steps) = scene.run().unwrap();
    assert!(again.was_there && steps.is_empty(), "{steps:?}");
    fs::write(&path, "half of i").unwrap();
    assert!(!scene.run().unwrap().0.was_there);
    assert_eq!(fs::read(&path).unwrap(), NEIGHBOUR);
}

#[test]
fn what_an_earlier_call_left_is_cleared_up() {
    let scene = Scene::new();
    fs::create_dir_all(scene.path("home/native/thing/.unfinished-old/made")).unwrap();
    scene.run().unwrap();
    assert_eq!(scene.left(), ["1.0", "lib"]);
}

#[test]
fn a_new_version_takes_over_the_name_and_leaves_the_old_one_to_its_users() {
    let mut scene = Scene::new();
    let old = scene.run().unwrap().0.path;
    let opened_before = fs::canonicalize(&old).unwrap();
    scene.library.version = "2.0".into();
    let new = scene.run().unwrap().0.path;
    assert_eq!(old, new);
    assert_eq!(fs::read_link(&new).unwrap(), Path::new("2.0/lib"));
    assert!(opened_before.join("libthing.so").is_file());
}

fn check(scene: &Scene, expect: &str) {
    let error = scene.run().unwrap_err().to_string();
    let home = scene.folder.path().display().to_string();
    assert_eq!(error.replace(&home, "~"), expect);
    // At most packages that are good are left, for the next call.
    let kept = fs::read_dir(scene.path("home/native/thing/.unfinished")).into_iter().flatten().flatten();
    let kept: Vec<_> = kept.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(kept.iter().all(|name| name == "runtime-7-py3-none-any.whl"), "{kept:?}");
    assert!(scene.left().iter().all(|name| name == ".unfinished"), "{:?}", scene.left());
}

#[test]
fn another_file_under_the_same_name_is_refused() {
    let mut scene = Scene::new();
    scene.wheel(0).sha256 = "0".repeat(64);
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
fn a_file_larger_than_it_may_be_is_not_unpacked() {
    let mut scene = Scene::new();
    scene.wheel(0).member[0].bytes = 5;
    check(
        &scene,
        "thing-1.0-cp312-cp312-any.whl cannot be unpacked: thing/libthing.so.1.0 has not the 5 bytes it should have; \
         it was thrown away, so try again",
    );
}

#[test]
fn a_package_without_the_library_is_an_error() {
    let mut scene = Scene::new();
    scene.wheel(0).member[0].path = "thing/absent.so".into();
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
    let results: Vec<bool> = thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| scene.run().unwrap().0.was_there)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|was_there| !**was_there).count(), 1);
    assert_eq!(fs::read_to_string(scene.path("calls")).unwrap().lines().count(), 2);
}

#[test]
fn waiting_for_another_installation_can_be_stopped() {
    let scene = Scene::new();
    let folder = scene.path("home/native/thing");
    fs::create_dir_all(&folder).unwrap();
    let held = File::create(folder.join(".lock")).unwrap();
    held.lock().unwrap();
    scene.stop.store(true, Ordering::Relaxed);
    assert!(scene.run().unwrap_err().to_string().starts_with("stopped"));
}
