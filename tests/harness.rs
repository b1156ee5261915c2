//! Runs the program in a home of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

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
        let mut command = program();
        command.env("CONVWISE_HOME", self.path().join("home")).current_dir(self.path());
        command
    }

    /// Starts the program and leaves it running.
    pub fn start(&self, line: &str) -> Running {
        let mut command = self.command();
        command.args(line.split_whitespace());
        Running::of(command)
    }

    /// A folder for `--plugins` with the mock runner, which plays the part that `options` describe (lines of TOML).
    pub fn mock(&self, options: &str) -> &'static str {
        let library = mock_library().display();
        let manifest = format!(
            "schema = 1\nname = \"mock\"\nversion = \"0.1.0\"\nlibrary = \"{library}\"\n[options]\n{options}\n"
        );
        self.write("plugins/runners/mock.toml", manifest);
        "plugins"
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
        assert!(!self.stderr.contains("panicked at"), "{}", self.stderr);
    }
}

/// The program while it works; ended when dropped.
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Running {
    fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        // Read from the start: an answer longer than a pipe would otherwise block it.
        let stdout = std::thread::spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            text
        });
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stdout: Some(stdout), stderr, said: String::new() }
    }

    /// Waits until it says a line with `word` on standard error; fails if it ends without.
    pub fn wait_for_line(&mut self, word: &str) {
        loop {
            let mut line = String::new();
            let read = self.stderr.read_line(&mut line).unwrap();
            assert!(read > 0, "it ended without saying {word:?}:\n{}", self.said);
            self.said.push_str(&line);
            if line.contains(word) {
                return;
            }
        }
    }

    /// Waits until it has a worker process; returns its id.
    pub fn wait_for_worker(&self) -> u32 {
        wait_until("it starts a worker", || children_of(self.child.id()).first().copied())
    }

    /// Sends a signal such as `INT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it ends.
    pub fn finish(mut self) -> Answer {
        self.stderr.read_to_string(&mut self.said).unwrap();
        let stdout = self.stdout.take().unwrap().join().unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Answer { code, stdout, stderr: std::mem::take(&mut self.said) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After `finish` there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks `seen` again and again until it has an answer; fails after a minute, which is far beyond what anything takes.
pub fn wait_until<T>(what: &str, seen: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = seen() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "waited for a minute until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Processes whose parent is `pid`.
fn children_of(pid: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // After the name in parentheses: state, then the parent.
    let parent = |id: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    numbers.filter(|id| parent(*id) == Some(pid)).collect()
}

/// Whether a process is there and not merely waiting to be reaped.
pub fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    state.is_some_and(|state| state != "Z")
}

/// The program without anything from the surroundings that would change what it does or prints.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convwise"));
    command.env("COLUMNS", "160");
    for variable in [
        "CONVWISE_HOME",
        "CONVWISE_MOCK",
        "ORT_DYLIB_PATH",
        "ORT_GPU_DYLIB_PATH",
        "LIBTORCH",
        "CLICOLOR_FORCE",
        "NO_COLOR",
    ] {
        command.env_remove(variable);
    }
    // What is installed for Python here is no affair of the tests'.
    command.env("CONVWISE_PYTHON", "");
    command
}

/// The folder of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The mock runner as a shared library, built once.
pub fn mock_library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        build(&["-p", "convwise-mock", "--example", "mock_runner"])
            .join("examples")
            .join(library_name("mock_runner"))
    })
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
        build(&["-p", "convwise-onnxruntime"]);
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnxruntime-home");
        let installed = Self { home };
        let output = installed.command().args(["runner", "install", "onnxruntime"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        installed
    }

    /// The program with the installed home.
    pub fn command(&self) -> Command {
        let mut command = program();
        command.env("CONVWISE_HOME", &self.home);
        command
    }
}

/// Runs Python with the library that trained weights are written with, installed once under the build folder.
pub fn python(args: &[&str]) {
    static PACKAGES: OnceLock<PathBuf> = OnceLock::new();
    let packages = PACKAGES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-packages");
        if !folder.join("safetensors").is_dir() {
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "install", "--quiet", "--target"]).arg(&folder);
            succeed(pip.args(["safetensors==0.8.0", "numpy<3"]));
        }
        folder
    });
    succeed(Command::new("python3").args(args).env("PYTHONPATH", packages).current_dir(repository()));
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Builds a package into the folder of the program under test, which is returned.
fn build(what: &[&str]) -> &'static Path {
    let folder = Path::new(env!("CARGO_BIN_EXE_convwise")).parent().unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--locked"]).args(what).current_dir(repository());
    command.arg("--target-dir").arg(folder.parent().unwrap());
    if folder.file_name().is_some_and(|n| n == "release") {
        command.arg("--release");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

fn library_name(name: &str) -> String {
    format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}
