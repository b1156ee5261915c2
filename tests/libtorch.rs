//! The libtorch runner, which is a package of its own because it links libtorch: built with a libtorch that is there or
//! fetched, tested by its own tests, and used by the real program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::harness::{Answer, Home, fixture, repository};

/// The folder of libtorch.
fn libtorch() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let output =
            Command::new("bash").arg("runners/libtorch/fetch.sh").current_dir(repository()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().into()
    })
}

/// A cargo command for the package, with a build folder that all of them share: libtorch's binding takes minutes.
fn cargo(what: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args([
        what,
        "--release",
        "--locked",
        "--quiet",
        "--manifest-path",
        "runners/libtorch/Cargo.toml",
    ]);
    command.args(["--target-dir", "target/libtorch-build"]).current_dir(repository());
    command.env("LIBTORCH", libtorch()).env_remove("LD_LIBRARY_PATH");
    command
}

fn succeed(mut command: Command) -> Answer {
    let answer = Answer::of(&command.output().unwrap());
    assert_eq!(answer.code, 0, "{command:?}\n{}\n{}", answer.stdout, answer.stderr);
    answer
}

/// The library, built once.
fn plugin() -> &'static Path {
    static PLUGIN: OnceLock<PathBuf> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        succeed(cargo("build"));
        repository().join("target/libtorch-build/release/convwise_libtorch")
    })
}

/// The shipped manifest, with the library that was just built.
fn home() -> Home {
    let shipped = std::fs::read_to_string(repository().join("plugins/runners/libtorch.toml")).unwrap();
    let built = format!("library = \"{}\"", plugin().display());
    let home = Home::new();
    home.write("plugins/runners/libtorch.toml", shipped.replace("library = \"convwise_libtorch\"", &built));
    home
}

/// The program, told where libtorch is.
fn convwise(home: &Home, line: &str) -> Answer {
    let mut command = home.command();
    command.env("LIBTORCH", libtorch()).args(line.split_whitespace()).args(["--plugins", "plugins"]);
    succeed(command)
}

#[test]
fn its_own_tests_pass() {
    succeed(cargo("test"));
}

#[test]
fn it_meets_the_requirements_of_every_runner() {
    let home = home();
    let report = convwise(&home, "runner check libtorch --json").json();
    assert_eq!(report["ok"], true, "{report:#}");
    let shown = convwise(&home, "runner show libtorch --json").json();
    assert_eq!(shown["description"]["backend"], "libtorch 2.13.0");
    assert_eq!(shown["probe"]["devices"][0]["id"], "cpu");
}

#[test]
fn the_program_verifies_and_measures_with_it() {
    let home = home();
    for name in ["resnet18", "mobilenet_v3_small", "convnext_tiny"] {
        let fixture = fixture(name);
        let line = format!("arch verify {name} --runner libtorch --json --fixture {}", fixture.display());
        assert_eq!(convwise(&home, &line).json()["ok"], true, "{name}");
    }
    let line = "bench squeezenet1_1 --runner libtorch --threads 2 --quick --max-time 5s --json";
    let text = convwise(&home, line).stdout;
    assert!(text.contains("libtorch 2.13.0"), "{text}");
}
