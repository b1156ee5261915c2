//! Runs the program in a home of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// A fresh home for one test.
pub struct Home {
    dir: TempDir,
}

/// What a run of the program answered.
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Home {
    /// An empty home.
    pub fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    /// The home folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A file of this home, with its folders made.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The program with this home, nothing from the surroundings.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_convwise"));
        command
            .env("CONVWISE_HOME", self.path().join("home"))
            .env("COLUMNS", "160")
            .env_remove("CONVWISE_RULES")
            .current_dir(self.path());
        command
    }

    /// Runs the program with arguments separated by spaces.
    pub fn run(&self, line: &str) -> Answer {
        self.run_args(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs the program.
    pub fn run_args(&self, args: &[&str]) -> Answer {
        Answer::of(&self.command().args(args).output().unwrap())
    }

    /// Runs the program, which must succeed, and reads its JSON.
    pub fn json(&self, line: &str) -> Value {
        let answer = self.run(line);
        assert_eq!(answer.code, 0, "{line}\n{}", answer.stderr);
        answer.json()
    }
}

impl Answer {
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The one JSON document on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}\n{}\n{}", self.stdout, self.stderr))
    }

    /// Fails unless the exit code is as expected and standard error says every one of `words`.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in\n{}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

/// The folder of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A fixture of a reference implementation, by name.
pub fn fixture(name: &str) -> PathBuf {
    repository().join("core/zoo/tests/fixtures").join(format!("{name}.json"))
}

/// A home into which the ONNX Runtime library was installed by the program itself, and the folder
/// with its runner plugin. Made once for all tests; the download is kept under the build folder.
pub fn with_onnxruntime() -> &'static Installed {
    static INSTALLED: OnceLock<Installed> = OnceLock::new();
    INSTALLED.get_or_init(Installed::make)
}

/// See [`with_onnxruntime`].
pub struct Installed {
    pub home: PathBuf,
}

impl Installed {
    fn make() -> Self {
        build_plugin("convwise-onnxruntime", &[]);
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnxruntime-home");
        let output = Command::new(env!("CARGO_BIN_EXE_convwise"))
            .env("CONVWISE_HOME", &home)
            .args(["runner", "install", "onnxruntime"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { home }
    }

    /// The program in a temporary folder, with the installed home.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_convwise"));
        command.env("CONVWISE_HOME", &self.home).env("COLUMNS", "160");
        command
    }
}

/// Builds a runner plugin beside the program under test.
pub fn build_plugin(package: &str, extra: &[&str]) -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_convwise"));
    let folder = program.parent().unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--locked", "-p", package]).args(extra).current_dir(repository());
    command.arg("--target-dir").arg(folder.parent().unwrap());
    if folder.file_name().is_some_and(|n| n == "release") {
        command.arg("--release");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join(format!("lib{}.so", package.replace('-', "_")))
}
