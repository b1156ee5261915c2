//! All families in play: which one wins where several have a name, and what could not be read.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use convwise_script::Library;
use convwise_types::{Architecture, ArchitectureId, Diagnostic, Origin, Severity, did_you_mean};
use rhai::Engine;

use crate::api;
use crate::digest::{self, Modules};
use crate::error::ZooError;
use crate::family::{Family, Variant};
use crate::folder::{self, Contents, FamilyFiles, PluginFolder, TextFile};
use crate::manifest::Manifest;

/// Every architecture that can be built.
#[derive(Debug)]
pub struct Zoo {
    families: Vec<Arc<Family>>,
    variants: BTreeMap<ArchitectureId, Variant>,
    pub(crate) library: Library,
    engine: OnceLock<Engine>,
}

impl Zoo {
    /// Reads the shipped families and those of the folders. Of several with one folder name the first
    /// folder's wins, and any folder's wins over the shipped one. Scripts are not compiled yet.
    ///
    /// What cannot be used is reported and left out; it never takes another family down.
    #[must_use]
    pub fn load(folders: &[PluginFolder]) -> (Self, Vec<Diagnostic>) {
        let layers = folders.iter().map(folder::read).chain([folder::shipped()]);
        let overlay = Overlay::of(layers);
        let modules = overlay.modules();
        let mut problems = overlay.problems;
        let families = parse_all(overlay.families, &modules, &mut problems);
        let variants = collect(&families, &mut problems);
        let library = Library::new(modules.into_iter().map(|(import, file)| (import, file.name, file.text)));
        (Self { families, variants, library, engine: OnceLock::new() }, problems)
    }

    /// Families in order of their folder names.
    pub fn families(&self) -> impl Iterator<Item = &Family> {
        self.families.iter().map(AsRef::as_ref)
    }

    /// Variants in order of their ids.
    pub fn variants(&self) -> impl Iterator<Item = &Variant> {
        self.variants.values()
    }

    /// The variant of an id.
    ///
    /// # Errors
    /// There is none; says which one may have been meant.
    pub fn find(&self, id: &str) -> Result<&Variant, ZooError> {
        self.variants.get(id).ok_or_else(|| unknown(id, self.variants.keys().map(ArchitectureId::as_str)))
    }

    /// Everything the manifest says about a variant; builds nothing.
    #[must_use]
    pub fn architecture(&self, variant: &Variant) -> Architecture {
        variant.architecture()
    }

    /// The engine, made on first use: most commands never build a graph.
    pub(crate) fn engine(&self) -> &Engine {
        self.engine.get_or_init(|| {
            let mut engine = api::engine();
            engine.set_module_resolver(self.library.clone());
            engine
        })
    }
}

/// Nothing is called `asked`; one of the names may have been meant.
pub fn unknown<'a>(asked: &str, names: impl Iterator<Item = &'a str>) -> ZooError {
    let near = did_you_mean(asked, names);
    let near = if near.is_empty() { "; `convwise arch list` shows all".to_owned() } else { near };
    ZooError::Unknown { asked: asked.to_owned(), near }
}

/// Families and blocks by name, the first layer that has a name winning.
#[derive(Default)]
struct Overlay {
    families: BTreeMap<String, FamilyFiles>,
    blocks: BTreeMap<String, TextFile>,
    problems: Vec<Diagnostic>,
}

impl Overlay {
    fn of(layers: impl Iterator<Item = Contents>) -> Self {
        let mut overlay = Self::default();
        for layer in layers {
            overlay.problems.extend(layer.problems);
            for files in layer.families {
                overlay.families.entry(files.folder.clone()).or_insert(files);
            }
            for (name, file) in layer.blocks {
                overlay.blocks.entry(name).or_insert(file);
            }
        }
        overlay
    }

    /// What scripts can import: `blocks/NAME`, and every family's script by its folder's name, so that
    /// a detector takes its backbone in one line.
    fn modules(&self) -> Modules {
        let script = |(folder, files): (&String, &FamilyFiles)| Some((folder.clone(), files.script.clone()?));
        let scripts = self.families.iter().filter_map(script);
        let blocks = self.blocks.iter().map(|(name, file)| (format!("blocks/{name}"), file.clone()));
        scripts.chain(blocks).collect()
    }
}

fn parse_all(
    files: BTreeMap<String, FamilyFiles>,
    modules: &Modules,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Arc<Family>> {
    let manifests = files.iter().map(|(folder, files)| (folder.clone(), files.manifest.clone())).collect();
    let mut families = Vec::new();
    for files in files.into_values() {
        match Manifest::parse(&files.manifest.name, &files.manifest.text, files.script.is_some()) {
            Ok(manifest) => families.push(Arc::new(family(files, manifest, modules, &manifests))),
            Err(problem) => problems.push(problem),
        }
    }
    families
}

fn family(files: FamilyFiles, manifest: Manifest, modules: &Modules, manifests: &Modules) -> Family {
    let reach = files.script.as_ref().map(|s| digest::reachable(&s.text, modules)).unwrap_or_default();
    let digest = digest::of_family(&files, &reach, modules, manifests);
    Family { files, manifest, reach, digest }
}

/// Variants by id. A user's family wins over a shipped one that has the same id.
fn collect(families: &[Arc<Family>], problems: &mut Vec<Diagnostic>) -> BTreeMap<ArchitectureId, Variant> {
    let mut variants: BTreeMap<ArchitectureId, Variant> = BTreeMap::new();
    let mut order: Vec<&Arc<Family>> = families.iter().collect();
    order.sort_by_key(|family| *family.origin() == Origin::Shipped);
    for family in order {
        for (id, entry) in &family.manifest.variants {
            let id = ArchitectureId::from(id.as_str());
            if let Some(winner) = variants.get(&id) {
                problems.push(shadow(family, &id, winner));
                continue;
            }
            variants.insert(id.clone(), Variant { id, family: Arc::clone(family), entry: entry.clone() });
        }
    }
    variants
}

fn shadow(family: &Family, id: &ArchitectureId, winner: &Variant) -> Diagnostic {
    let text = format!("`{id}` is already defined in {}", winner.family.files.manifest.name);
    Diagnostic::error("duplicate-variant", &family.files.manifest.name, text)
        .with_severity(Severity::Warning)
        .with_help("rename one of them; the other one is used")
}
