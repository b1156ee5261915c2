//! Where rule files come from: the shipped ones inside the program, and folders of the user.

mod disk;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use convwise_types::{Diagnostic, Origin};
use include_dir::{Dir, File, include_dir};

use crate::ejected::{EJECTED_FILE, Ejected};
use crate::layer::Layer;
use crate::manifest::{Manifest, PACK_FILE, digest};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../rules");

/// Name of the pack inside the program.
pub const SHIPPED_PACK: &str = "convwise";

/// Subfolder of the scenarios: whole answers that the rules must give.
const SCENARIOS: &str = "scenarios";

/// Text by file name.
type Files = BTreeMap<String, Arc<str>>;

/// A folder of rule files with their cases; a pack, if it has a `pack.toml`.
#[derive(Clone, Debug)]
pub struct RuleFolder {
    /// Whose it is.
    pub origin: Origin,
    /// The layer it belongs to.
    pub layer: Layer,
    /// Text by file name: `deployment.rhai`, `deployment.cases.toml`.
    pub files: Files,
    /// Text of the scenarios by their path in the folder: `scenarios/phone.toml`.
    pub scenarios: Files,
    /// What its `pack.toml` says, if it has one that can be read.
    pub manifest: Option<Manifest>,
    /// What the shipped rules were that were ejected into it.
    pub(crate) ejected: Option<Ejected>,
    /// Packs in subfolders: a subfolder with a `pack.toml` is one. Weaker than the folder's own files.
    pub packs: Vec<Self>,
    /// What could not be read.
    pub problems: Vec<Diagnostic>,
    /// Files that may hold rules and were not read, each with the reason.
    pub(crate) unread: BTreeMap<String, String>,
    /// Why none of its rules may be used, if so.
    pub(crate) refusal: Option<Diagnostic>,
}

impl RuleFolder {
    /// The rules inside the program.
    #[must_use]
    pub fn shipped() -> Self {
        let mut folder = Self::of(Origin::Shipped, Layer::Shipped, embedded(&SHIPPED));
        folder.scenarios = embedded_scenarios(&SHIPPED);
        folder.manifest = env!("CARGO_PKG_VERSION").parse().ok().map(|version| Manifest {
            name: SHIPPED_PACK.to_owned(),
            version,
            description: String::new(),
            digest: None,
            extends: BTreeMap::new(),
            disable: BTreeSet::new(),
            lints: BTreeMap::new(),
            text: Arc::from(""),
        });
        folder
    }

    /// The example packs inside the program; none is in force until it is named or ejected.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let folders = SHIPPED.get_dir("packs").into_iter().flat_map(Dir::dirs);
        let pack = |folder: &'static Dir<'_>| {
            let name = folder.path().to_string_lossy().replace('\\', "/");
            let files = embedded(folder);
            let scenarios = embedded_scenarios(folder);
            Self { scenarios, ..Self::of(Origin::File(format!("rules/{name}")), Layer::Named, files) }
        };
        folders.map(pack).collect()
    }

    /// The example pack of a name.
    #[must_use]
    pub fn example(name: &str) -> Option<Self> {
        Self::examples().into_iter().find(|pack| pack.is_called(name))
    }

    fn is_called(&self, name: &str) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| manifest.name == name)
    }

    /// The files of an example pack by their path below it.
    pub(crate) fn example_files(name: &str) -> Option<BTreeMap<PathBuf, &'static str>> {
        let at = Self::examples().iter().position(|pack| pack.is_called(name))?;
        let folder = SHIPPED.get_dir("packs")?.dirs().nth(at)?;
        let mut files = BTreeMap::new();
        let mut open = vec![folder];
        while let Some(inner) = open.pop() {
            open.extend(inner.dirs());
            let below = |file: &'static File<'_>| {
                Some((file.path().strip_prefix(folder.path()).ok()?.to_owned(), file.contents_utf8()?))
            };
            files.extend(inner.files().filter_map(below));
        }
        Some(files)
    }

    /// A folder of given texts, for tests and tools. A text called `pack.toml` makes it a pack, one below `scenarios/`
    /// is a scenario.
    pub fn of_texts<'a>(origin: &str, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files = files.into_iter().map(|(name, text)| (name.to_owned(), Arc::from(text)));
        let (scenarios, files) = files.partition(|(name, _)| name.starts_with(SCENARIOS));
        Self { scenarios, ..Self::of(Origin::File(origin.to_owned()), Layer::Named, files) }
    }

    fn of(origin: Origin, layer: Layer, mut files: Files) -> Self {
        let (pack, ejected) = (files.remove(PACK_FILE), files.remove(EJECTED_FILE));
        let mut folder = Self {
            origin,
            layer,
            files,
            scenarios: Files::new(),
            manifest: None,
            ejected: None,
            packs: Vec::new(),
            problems: Vec::new(),
            unread: BTreeMap::new(),
            refusal: None,
        };
        if let Some(text) = ejected {
            match Ejected::read(&folder.shown(EJECTED_FILE), &text) {
                Ok(ejected) => folder.ejected = Some(ejected),
                Err(problem) => folder.problems.push(*problem),
            }
        }
        if let Some(text) = pack {
            match Manifest::read(&folder.shown(PACK_FILE), &text).and_then(|m| folder.intact(m)) {
                Ok(manifest) => folder.manifest = Some(manifest),
                Err(problem) => folder.refusal = Some(*problem),
            }
        }
        folder
    }

    /// The manifest, if the files have the digest that it says.
    fn intact(&self, manifest: Manifest) -> Result<Manifest, Box<Diagnostic>> {
        let found = self.digest();
        let Some(stated) = manifest.digest.as_ref().filter(|stated| **stated != found) else {
            return Ok(manifest);
        };
        let message = format!(
            "the rule files of `{}` have the digest {found}, its pack.toml says {stated}",
            manifest.name
        );
        let folder = self.origin.to_string();
        let problem =
            manifest.at(&self.shown(PACK_FILE), "pack-changed", stated, message).with_help(format!(
                "get the pack again, or if the change is meant, `convwise rules digest {folder} --write`"
            ));
        Err(Box::new(problem))
    }

    /// Digest of its rule files, which its `pack.toml` may state.
    #[must_use]
    pub fn digest(&self) -> String {
        let rules = self.files.iter().filter(|(name, _)| is_rules(name));
        digest(rules.map(|(name, text)| (name.as_str(), text.as_ref())))
    }

    /// A file's name as findings show it: `rules/deployment.rhai` for a shipped one.
    pub(crate) fn shown(&self, name: &str) -> String {
        match &self.origin {
            Origin::Shipped => format!("rules/{name}"),
            Origin::File(folder) | Origin::Published(folder) => {
                format!("{}/{name}", folder.trim_end_matches('/'))
            }
        }
    }
}

fn embedded(folder: &'static Dir<'_>) -> Files {
    let text = |file: &'static File<'_>| {
        let name = file.path().file_name()?.to_str()?;
        wanted(name).then(|| Some((name.to_owned(), Arc::from(file.contents_utf8()?))))?
    };
    folder.files().filter_map(text).collect()
}

fn embedded_scenarios(folder: &'static Dir<'_>) -> Files {
    let files = folder.get_dir(folder.path().join(SCENARIOS)).into_iter().flat_map(Dir::files);
    let text = |file: &'static File<'_>| {
        let name = file.path().file_name()?.to_str().filter(|name| is_scenarios(name))?;
        Some((format!("{SCENARIOS}/{name}"), Arc::from(file.contents_utf8()?)))
    };
    files.filter_map(text).collect()
}

fn is_scenarios(name: &str) -> bool {
    name.ends_with(".toml")
}

/// Whether a file holds rules. Definitions for editors end in `.d.rhai` and hold none.
pub(crate) fn is_rules(name: &str) -> bool {
    name.ends_with(".rhai") && !name.ends_with(".d.rhai")
}

fn wanted(name: &str) -> bool {
    is_rules(name) || name.ends_with(".cases.toml") || name == PACK_FILE || name == EJECTED_FILE
}
