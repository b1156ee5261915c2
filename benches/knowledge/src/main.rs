//! A million measurements in convwise's knowledge base and in SQLite, which holds the same records and the same columns with
//! indexes on id, network, device and median.
//!
//!     cargo build --release
//!     cargo run --release --manifest-path benches/knowledge/Cargo.toml -- target/release/convwise [SIZES...]
//!
//! Every figure is of a whole process, started anew: filling it, its memory, a record by its id, and questions that filter
//! and sort. The two take turns.

mod data;
mod ours;
mod process;
mod sqlite;

use std::error::Error;
use std::path::{Path, PathBuf};

use process::{Ran, fill, median_of};

/// Anything that can go wrong ends the benchmark.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// Runs of each question, of which the median is shown.
const ROUNDS: usize = 9;

/// A question in both languages.
struct Question {
    what: &'static str,
    ours: [&'static str; 2],
    sql: &'static str,
}

const QUESTIONS: [Question; 4] = [
    Question {
        what: "one network, fastest 20",
        ours: ["architecture == \"network_042\" && median_ms < 20", "median_ms"],
        sql: "architecture = 'network_042' AND median_ms < 20 ORDER BY median_ms",
    },
    Question {
        what: "one device and setting, slowest 20",
        ours: [
            "device == \"processor 2\" && runner == \"rten\" && threads == 1 && input_size == 224",
            "-median_ms",
        ],
        sql: "device = 'processor 2' AND runner = 'rten' AND threads = 1 AND input_size = 224 \
              ORDER BY median_ms DESC",
    },
    Question {
        what: "half of all, by an end of the interval",
        ours: ["median_ms < 40 && verdict == \"trusted\"", "ci_high_ms"],
        sql: "median_ms < 40 AND verdict = 'trusted' ORDER BY ci_high_ms",
    },
    Question {
        what: "arithmetic over two columns",
        ours: ["ci_high_ms - ci_low_ms > 0.5 && architecture == \"network_150\"", "median_ms"],
        sql: "ci_high_ms - ci_low_ms > 0.5 AND architecture = 'network_150' ORDER BY median_ms",
    },
];

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["fill-ours", home, count] => ours::fill(Path::new(home), count.parse()?),
        ["fill-ours-timings", home, count] => ours::fill_timings(Path::new(home), count.parse()?),
        ["fill-sqlite", file, count] => sqlite::fill(Path::new(file), count.parse()?),
        ["point-sqlite", file, id] => sqlite::point(Path::new(file), id),
        ["ask-sqlite", file, condition] => sqlite::ask(Path::new(file), condition),
        [program, sizes @ ..] => {
            let sizes = match sizes {
                [] => vec![1_000, 10_000, 100_000, 1_000_000],
                sizes => sizes.iter().map(|size| size.parse()).collect::<Result<_, _>>()?,
            };
            sizes.into_iter().try_for_each(|size| compare(Path::new(program), size))
        }
        [] => Err("name the program: target/release/convwise".into()),
    }
}

fn compare(program: &Path, count: u64) -> Outcome<()> {
    let folder = tempfile()?;
    let (home, file) = (folder.join("home"), folder.join("measurements.sqlite"));
    println!("\n{count} measurements");
    let here = std::env::current_exe()?;
    let path = |path: &Path| path.display().to_string();
    let size = count.to_string();
    let ours = fill(&here, &["fill-ours", &path(&home), &size], &home)?;
    let theirs = fill(&here, &["fill-sqlite", &path(&file), &size], &folder)?;
    let journal = std::fs::metadata(home.join("kb/journal.jsonl"))?.len();
    shown("filled", &ours, &theirs, count);
    let times = |bytes: u64| bytes as f64 / journal as f64;
    let others = theirs.disk - ours.disk;
    println!("{:40} {:>9.2} {:>9.2} x the journal of convwise", "  disk", times(ours.disk), times(others));
    let id = data::measurement(count / 2).sealed().id.to_string();
    let mut sides = [
        Ran::new(program, &["kb", "show", &id, "--json"], Some(&home)),
        Ran::new(&here, &["point-sqlite", &path(&file), &id], None),
    ];
    median_of("a record by its id", &mut sides, ROUNDS)?;
    for question in QUESTIONS {
        let [expression, sort] = question.ours;
        let mut sides = [
            Ran::new(
                program,
                &[
                    "kb",
                    "query",
                    "--from",
                    "measurements",
                    expression,
                    "--sort",
                    sort,
                    "--limit",
                    "20",
                    "--json",
                ],
                Some(&home),
            ),
            Ran::new(&here, &["ask-sqlite", &path(&file), question.sql], None),
        ];
        median_of(question.what, &mut sides, ROUNDS)?;
    }
    let timings = folder.join("timings");
    let filled = fill(&here, &["fill-ours-timings", &path(&timings), &size], &timings)?;
    println!(
        "{:40} {:>9.0} rows a second, {} MB",
        "published timings filled",
        count as f64 / filled.seconds,
        filled.memory_mb
    );
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

fn shown(what: &str, ours: &process::Filled, theirs: &process::Filled, count: u64) {
    let rate = |filled: &process::Filled| count as f64 / filled.seconds;
    println!("{what:40} {:>9.0} {:>9.0} rows a second", rate(ours), rate(theirs));
    println!("{:40} {:>9} {:>9} MB at most", "  memory", ours.memory_mb, theirs.memory_mb);
}

fn tempfile() -> Outcome<PathBuf> {
    let folder = std::env::temp_dir().join(format!("convwise-knowledge-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
