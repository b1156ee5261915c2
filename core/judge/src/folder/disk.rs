//! Reading a folder of rules from disk. What cannot be read is said, and the rest is kept.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use convwise_types::{Diagnostic, Origin};

use super::{RuleFolder, SCENARIOS, is_rules, is_scenarios, wanted};
use crate::layer::Layer;
use crate::manifest::PACK_FILE;

/// Longest file that is read, 1 MB.
const MAX_FILE_BYTES: u64 = 1_000_000;

/// Most files of one folder that are read.
const MAX_FILES: usize = 500;

/// Most packs of one folder that are read.
const MAX_PACKS: usize = 50;

impl RuleFolder {
    /// The rule files, cases, scenarios and packs of a folder. A subfolder with a `pack.toml` is a pack, one called
    /// `scenarios` holds scenarios; others are not read.
    ///
    /// A link is followed while it stays in the folder; a file that cannot be read, is not UTF-8 or is longer than
    /// 1 MB is a problem of its own. Rules that were not read may have held requirements: nothing is proven without them.
    #[must_use]
    pub fn read(folder: &Path, layer: Layer) -> Self {
        let (mut read, subfolders) = Self::one(folder, layer);
        let packs = subfolders.iter().filter(|path| path.join(PACK_FILE).exists());
        for (at, path) in packs.enumerate() {
            let inside = real_path(folder, path).map(drop);
            match if at < MAX_PACKS { inside } else { Err(too_many(MAX_PACKS, "packs")) } {
                Ok(()) => read.packs.push(Self::one(path, layer).0),
                Err(why) => read.lose(path, &why),
            }
        }
        read
    }

    /// A folder without the packs in it, and its subfolders, in order of name.
    fn one(folder: &Path, layer: Layer) -> (Self, Vec<PathBuf>) {
        let (paths, unlisted) = match paths_in(folder) {
            Ok(paths) => (paths, None),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let (files, rest): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| wanted(&name_of(path)));
        let (read, lost) = texts(folder, &files);
        let mut found = Self::of(Origin::File(folder.display().to_string()), layer, read.collect());
        for (path, why) in lost {
            found.lose(&path, &why);
        }
        if let Some(why) = unlisted {
            found.lose(folder, &why);
        }
        let (scenarios, rest) = rest
            .into_iter()
            .filter(|path| path.is_dir())
            .partition::<Vec<_>, _>(|path| name_of(path) == SCENARIOS);
        scenarios.iter().for_each(|inner| found.read_scenarios(folder, inner));
        (found, rest)
    }

    /// Without one of its scenarios nothing about the rules is less certain.
    fn read_scenarios(&mut self, folder: &Path, inner: &Path) {
        let (paths, unlisted) = match paths_in(inner) {
            Ok(paths) => (paths, None),
            Err(error) => (Vec::new(), Some((inner.to_owned(), error.to_string()))),
        };
        let files: Vec<_> = paths.into_iter().filter(|path| is_scenarios(&name_of(path))).collect();
        let (read, lost) = texts(folder, &files);
        self.scenarios = read.map(|(name, text)| (format!("{SCENARIOS}/{name}"), text)).collect();
        self.problems.extend(lost.into_iter().chain(unlisted).map(|(path, why)| unreadable(&path, &why)));
    }

    /// What was not read may have held requirements, unless it is a file of cases.
    fn lose(&mut self, path: &Path, why: &str) {
        let problem = unreadable(path, why);
        self.problems.push(problem.clone());
        let name = name_of(path);
        if name == PACK_FILE {
            self.refusal = Some(problem);
        } else if is_rules(&name) || !wanted(&name) {
            self.unread.insert(path.display().to_string(), why.to_owned());
        }
    }
}

/// A file and why it was not read.
type Lost = (PathBuf, String);

/// The texts of some files by name, as many as are read, and what is not read.
fn texts(folder: &Path, files: &[PathBuf]) -> (impl Iterator<Item = (String, Arc<str>)> + use<>, Vec<Lost>) {
    let text = |(at, path): (usize, &PathBuf)| {
        let text = if at < MAX_FILES { read_text(folder, path) } else { Err(too_many(MAX_FILES, "files")) };
        text.map(|text| (name_of(path), Arc::from(text))).map_err(|why| (path.clone(), why))
    };
    let (read, lost): (Vec<_>, Vec<_>) = files.iter().enumerate().map(text).partition(Result::is_ok);
    (read.into_iter().flatten(), lost.into_iter().filter_map(Result::err).collect())
}

fn unreadable(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::error("unreadable", &path.display().to_string(), format!("it is not read: {why}"))
}

fn too_many(most: usize, what: &str) -> String {
    format!("only {most} {what} of a folder are read")
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What is in a folder, in order of name: a disk has an order of its own.
fn paths_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// The text of a file, or why it is not read.
fn read_text(folder: &Path, path: &Path) -> Result<String, String> {
    let real = real_path(folder, path)?;
    let plain = |error: io::Error| error.to_string();
    // Opening a pipe would wait for somebody to write to it.
    if !real.metadata().map_err(plain)?.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    File::open(real).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)).map_err(plain)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("it is longer than {MAX_FILE_BYTES} bytes"));
    }
    String::from_utf8(bytes)
        .map_err(|error| format!("it is not UTF-8 text (byte {})", error.utf8_error().valid_up_to() + 1))
}

/// Where a path leads, which must be inside the folder.
fn real_path(folder: &Path, path: &Path) -> Result<PathBuf, String> {
    let real = |path: &Path| path.canonicalize().map_err(|error| error.to_string());
    let (folder, path) = (real(folder)?, real(path)?);
    if path.starts_with(folder) {
        return Ok(path);
    }
    Err(format!("it is a link that leads out of the folder, to {}", path.display()))
}
