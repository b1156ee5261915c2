//! Where plugins lie: the shipped ones inside the program, others in folders. The only part of the
//! crate that reads a disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use convwise_script::MAX_SOURCE_BYTES;
use convwise_types::{Diagnostic, Origin};
use include_dir::{Dir, include_dir};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../plugins/architectures");

/// How shipped files are called in messages.
const SHIPPED_NAME: &str = "plugins/architectures";

/// A folder of plugins: it may hold `architectures/<family>/` and `architectures/blocks/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFolder {
    path: PathBuf,
    required: bool,
}

impl PluginFolder {
    /// A folder that the user named; its absence is reported.
    pub fn required(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), required: true }
    }

    /// A folder that may or may not be there.
    pub fn optional(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), required: false }
    }
}

/// A text file of a plugin.
#[derive(Clone, Debug)]
pub(crate) struct TextFile {
    /// As the user knows it.
    pub name: String,
    pub text: Arc<str>,
}

/// The files of one family, not yet read for meaning.
#[derive(Clone, Debug)]
pub(crate) struct FamilyFiles {
    /// Name of the folder, by which families override each other.
    pub folder: String,
    pub manifest: TextFile,
    /// Absent for a family of which only published figures are known.
    pub script: Option<TextFile>,
    pub origin: Origin,
}

/// What one folder holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    pub families: Vec<FamilyFiles>,
    /// (`conv`, file) of `blocks/conv.rhai`.
    pub blocks: Vec<(String, TextFile)>,
    pub problems: Vec<Diagnostic>,
}

/// Path below the folder of shipped architectures, and text, of every shipped file.
pub(crate) fn shipped_files() -> impl Iterator<Item = (&'static Path, &'static str)> {
    let folders = SHIPPED.dirs();
    folders.flat_map(Dir::files).filter_map(|file| Some((file.path(), file.contents_utf8()?)))
}

/// The shipped plugins.
pub(crate) fn shipped() -> Contents {
    let mut contents = Contents::default();
    for folder in SHIPPED.dirs() {
        let name = folder.path().to_string_lossy().into_owned();
        if name == "blocks" {
            contents.blocks.extend(folder.files().filter_map(shipped_block));
        } else if let Some(manifest) = shipped_text(folder, "family.toml") {
            let script = shipped_text(folder, "graph.rhai");
            contents.families.push(FamilyFiles { folder: name, manifest, script, origin: Origin::Shipped });
        }
    }
    contents
}

fn shipped_text(folder: &'static Dir<'_>, name: &str) -> Option<TextFile> {
    let file = folder.get_file(folder.path().join(name))?;
    let path = file.path().to_string_lossy().replace('\\', "/");
    Some(TextFile { name: format!("{SHIPPED_NAME}/{path}"), text: file.contents_utf8()?.into() })
}

fn shipped_block(file: &'static include_dir::File<'_>) -> Option<(String, TextFile)> {
    let name = block_name(file.path())?;
    let path = file.path().to_string_lossy().replace('\\', "/");
    Some((name, TextFile { name: format!("{SHIPPED_NAME}/{path}"), text: file.contents_utf8()?.into() }))
}

fn block_name(path: &Path) -> Option<String> {
    let script = path.extension().is_some_and(|e| e == "rhai");
    script.then(|| path.file_stem().map(|stem| stem.to_string_lossy().into_owned())).flatten()
}

/// The plugins of a folder. What cannot be read is a problem of its own; the rest is kept.
pub(crate) fn read(folder: &PluginFolder) -> Contents {
    let mut contents = Contents::default();
    let root = folder.path.join("architectures");
    if folder.required && !folder.path.is_dir() {
        let name = folder.path.display().to_string();
        contents.problems.push(
            Diagnostic::error("no-folder", &name, "there is no such folder of plugins")
                .with_help("create it, or name another one"),
        );
    }
    for path in subfolders(&root, &mut contents.problems) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == "blocks" {
            read_blocks(&path, &mut contents);
        } else {
            read_family(name, &path, &mut contents);
        }
    }
    contents
}

fn read_family(folder: String, path: &Path, contents: &mut Contents) {
    let script = path.join("graph.rhai");
    let files = read_text(&path.join("family.toml")).and_then(|manifest| {
        let script = script.exists().then(|| read_text(&script)).transpose()?;
        Ok((manifest, script))
    });
    match files {
        Ok((manifest, script)) => {
            let origin = Origin::File(manifest.name.clone());
            contents.families.push(FamilyFiles { folder, manifest, script, origin });
        }
        Err(problem) => contents.problems.push(*problem),
    }
}

fn read_blocks(path: &Path, contents: &mut Contents) {
    for file in sorted(path, &mut contents.problems).into_iter().filter(|p| p.is_file()) {
        let Some(name) = block_name(&file) else { continue };
        match read_text(&file) {
            Ok(text) => contents.blocks.push((name, text)),
            Err(problem) => contents.problems.push(*problem),
        }
    }
}

fn subfolders(root: &Path, problems: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    sorted(root, problems).into_iter().filter(|path| path.is_dir()).collect()
}

/// Entries of a folder in order of their names; none if it is absent. Hidden ones are left out.
fn sorted(folder: &Path, problems: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            problems.push(unreadable(folder, &error));
            return Vec::new();
        }
    };
    let hidden = |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| !hidden(p)).collect();
    paths.sort();
    paths
}

fn read_text(path: &Path) -> Result<TextFile, Box<Diagnostic>> {
    let name = path.display().to_string();
    let size = fs::metadata(path).map_err(|error| Box::new(unreadable(path, &error)))?.len();
    if size > MAX_SOURCE_BYTES as u64 {
        let text = format!("the file has {size} bytes; at most {MAX_SOURCE_BYTES} are read");
        return Err(Box::new(Diagnostic::error("limit", &name, text)));
    }
    let text = fs::read_to_string(path).map_err(|error| Box::new(unreadable(path, &error)))?;
    Ok(TextFile { name, text: text.into() })
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let name = path.display().to_string();
    let (message, help) = match error.kind() {
        io::ErrorKind::NotFound => {
            ("there is no such file", "a family is a folder with family.toml and graph.rhai")
        }
        io::ErrorKind::InvalidData => ("the file is not UTF-8 text", "save it as UTF-8"),
        io::ErrorKind::PermissionDenied => ("it may not be read", "check its permissions"),
        _ => ("it cannot be read", "check the disk"),
    };
    Diagnostic::error("unreadable", &name, message).with_help(help)
}
