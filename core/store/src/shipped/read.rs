//! Finding and reading the files of a `kb` folder, embedded or on disk.

use std::path::{Path, PathBuf};

use convwise_types::{Diagnostic, Origin, Span, did_you_mean};
use include_dir::Dir;
use serde::de::DeserializeOwned;

use super::Sourced;

/// What a file describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// One device.
    Device,
    /// A list of datasets.
    Datasets,
}

/// A file of a `kb` folder.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub what: What,
    pub origin: Origin,
    /// Name for messages.
    name: String,
    text: String,
}

impl Text {
    /// Reads the document; an error comes with its line underlined.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Box<Diagnostic>> {
        toml::from_str(&self.text).map_err(|error| Box::new(self.diagnose(&error)))
    }

    pub fn sourced<T>(&self, value: T) -> Sourced<T> {
        Sourced { value, origin: self.origin.clone() }
    }

    fn diagnose(&self, error: &toml::de::Error) -> Diagnostic {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        let found = Diagnostic::error("bad-facts", &self.name, message.clone());
        let found = match error.span() {
            Some(bytes) => found.at(&self.text, Span::of_bytes(&self.text, bytes), "here"),
            None => found,
        };
        match suggestion(&message) {
            Some(help) => found.with_help(help),
            None => found,
        }
    }
}

/// "did you mean" for `unknown field `x`, expected one of `a`, `b``.
fn suggestion(message: &str) -> Option<String> {
    let (unknown, known) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let hint = did_you_mean(unknown, known);
    hint.strip_prefix("; ").map(str::to_owned)
}

/// The files embedded in the program.
pub(super) fn embedded(folder: &Dir<'_>) -> Vec<Text> {
    let devices = folder.get_dir("devices").into_iter().flat_map(Dir::files);
    let devices = devices.filter(|file| is_toml(file.path())).map(|file| (What::Device, file));
    let datasets = folder.get_file("datasets.toml").map(|file| (What::Datasets, file));
    let text = |(what, file): (What, &include_dir::File<'_>)| Text {
        what,
        origin: Origin::Shipped,
        name: format!("kb/{}", file.path().display()),
        text: file.contents_utf8().unwrap_or_default().to_owned(),
    };
    devices.chain(datasets).map(text).collect()
}

/// The files of a user's folder; what cannot be read comes back as problems.
pub(super) fn texts_below(folder: &Path) -> (Vec<Text>, Vec<Diagnostic>) {
    let mut devices: Vec<PathBuf> =
        std::fs::read_dir(folder.join("devices")).into_iter().flatten().flatten().map(|e| e.path()).collect();
    devices.retain(|path| is_toml(path));
    devices.sort();
    let datasets = Some(folder.join("datasets.toml")).filter(|path| path.exists());
    let files = devices.into_iter().map(|p| (What::Device, p)).chain(datasets.map(|p| (What::Datasets, p)));
    let (mut texts, mut problems) = (Vec::new(), Vec::new());
    for (what, path) in files {
        let name = path.display().to_string();
        match std::fs::read_to_string(&path) {
            Ok(text) => texts.push(Text { what, origin: Origin::File(name.clone()), name, text }),
            Err(error) => {
                problems.push(Diagnostic::error("unreadable", &name, format!("cannot be read: {error}")))
            }
        }
    }
    (texts, problems)
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}
