//! Whole processes: how long one takes, and how much memory it needs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Outcome;

/// A filled store.
pub struct Filled {
    pub seconds: f64,
    pub memory_mb: u64,
    pub disk: u64,
}

/// Runs a process that fills a store in a folder and says how much memory it took.
pub fn fill(program: &Path, args: &[&str], folder: &Path) -> Outcome<Filled> {
    let start = Instant::now();
    let output = Command::new(program).args(args).stderr(Stdio::inherit()).output()?;
    let seconds = start.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(format!("{args:?} failed").into());
    }
    let memory_mb = String::from_utf8(output.stdout)?.trim().parse::<u64>()? / 1024;
    Ok(Filled { seconds, memory_mb, disk: size_of(folder) })
}

/// Prints the most memory that this process had, in kB.
pub fn report_memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("{}", line.and_then(|line| line.split_whitespace().nth(1)).unwrap_or("0"));
}

/// Bytes of everything in a folder.
pub fn size_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(info) if info.is_dir() => size_of(&entry.path()),
        Ok(info) => info.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

/// A command and what its runs took.
pub struct Ran {
    program: PathBuf,
    args: Vec<String>,
    home: Option<PathBuf>,
    took: Vec<f64>,
}

impl Ran {
    pub fn new(program: &Path, args: &[&str], home: Option<&Path>) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { program: program.to_owned(), args, home: home.map(Path::to_owned), took: Vec::new() }
    }

    fn once(&mut self) -> Outcome<()> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(home) = &self.home {
            command.env("CONVWISE_HOME", home);
        }
        let start = Instant::now();
        let output = command.output()?;
        self.took.push(start.elapsed().as_secs_f64() * 1e3);
        if output.status.success() && output.stdout.len() > 20 {
            return Ok(());
        }
        Err(format!("{:?} failed: {}", self.args, String::from_utf8_lossy(&output.stderr)).into())
    }

    fn median(&mut self) -> f64 {
        self.took.sort_by(f64::total_cmp);
        self.took[self.took.len() / 2]
    }
}

/// Runs two commands in turns and prints the median of each.
pub fn median_of(what: &str, sides: &mut [Ran; 2], rounds: usize) -> Outcome<()> {
    for _ in 0..rounds {
        sides.iter_mut().try_for_each(Ran::once)?;
    }
    let [ours, theirs] = sides;
    println!("{what:40} {:>9.1} {:>9.1} ms", ours.median(), theirs.median());
    Ok(())
}
