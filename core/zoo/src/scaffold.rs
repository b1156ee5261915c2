//! A new family to start from: a small residual network that builds, exports and measures at once.

use std::path::{Path, PathBuf};

use crate::eject::{FIXTURE_WRITER, fixture_writer, write_new};
use crate::error::ZooError;
use crate::manifest::check_id;

const MANIFEST: &str = include_str!("scaffold/family.toml");
const SCRIPT: &str = include_str!("scaffold/graph.rhai");
const REFERENCE: &str = include_str!("scaffold/reference.py");

/// Writes `folder/architectures/NAME/{family.toml,graph.rhai,reference.py}` and returns the family's folder.
/// `reference.py` is the same network in PyTorch, for a fixture to verify the script with; what writes fixtures
/// is put beside it, unless it is there already.
///
/// # Errors
/// A name that cannot be used, or files that exist or cannot be written.
pub fn scaffold(name: &str, folder: &Path) -> Result<PathBuf, ZooError> {
    let refuse = |reason: &str| ZooError::Name { name: name.to_owned(), reason: reason.to_owned() };
    check_id(name).map_err(refuse)?;
    if name.contains('.') {
        return Err(refuse("a dot would need quotation marks in TOML; use `_`"));
    }
    if name == "blocks" {
        return Err(refuse("it is the folder of shared blocks"));
    }
    let family = folder.join("architectures").join(name);
    write_new(&family.join("family.toml"), &MANIFEST.replace("NAME", name))?;
    write_new(&family.join("graph.rhai"), &SCRIPT.replace("NAME", name))?;
    write_new(&family.join("reference.py"), &REFERENCE.replace("NAME", name))?;
    let writer = folder.join(FIXTURE_WRITER);
    if !writer.exists() {
        write_new(&writer, fixture_writer())?;
    }
    Ok(family)
}
