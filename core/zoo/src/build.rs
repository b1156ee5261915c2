//! Runs a family's script and takes the graph it builds.

use convwise_graph::{Graph, GraphError};
use convwise_script::{Sources, compile, diagnose, find_function};
use convwise_types::{Diagnostic, InputShape};
use rhai::{AST, Array, Dynamic, Engine, EvalAltResult, FuncArgs, Map, Scope};

use crate::api::{self, Net};
use crate::arguments;
use crate::error::ZooError;
use crate::family::Variant;
use crate::folder::TextFile;
use crate::naming::Naming;
use crate::zoo::Zoo;

/// The function of a script that turns predictions into answers, where it has one.
pub(crate) const POSTPROCESS: &str = "postprocess";
/// Most networks that stand on each other.
const MAX_STOREYS: usize = 4;

/// How a network departs from its variant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BuildOptions {
    /// Number of classes.
    pub classes: Option<u64>,
    /// Input.
    pub input: Option<InputShape>,
    /// Boxes (left, top, right, bottom, in pixels) for the head of a two-stage detector, instead of those that it proposes
    /// itself; to compare it with a reference.
    pub proposals: Option<Vec<[f64; 4]>>,
    /// With what turns its predictions into answers: decoded boxes, doubles suppressed, the best class of each pixel.
    pub postprocess: bool,
    /// As this package's implementation of it, whose arguments may differ.
    pub like: Option<Naming>,
}

impl Zoo {
    /// Builds the layer graph of a variant.
    ///
    /// # Errors
    /// A script that is wrong, shown with its line, or options that the network cannot take.
    pub fn build(&self, variant: &Variant, options: &BuildOptions) -> Result<Graph, ZooError> {
        let script = script_of(variant)?;
        let args = self.args(variant, options)?;
        let ast = compile(self.engine(), &script.name, &script.text)?;
        let net = Net::new(variant.id.as_str());
        let ran = self.run(&ast, "build", (net.clone(), args.clone()));
        ran.map_err(|error| self.explain(variant, script, &error))?;
        if options.postprocess {
            if !variant.has_postprocess() {
                return Err(ZooError::NoPostprocess { architecture: variant.id.to_string() });
            }
            let ran = self.run(&ast, POSTPROCESS, (net.clone(), net.take_named(), args));
            ran.map_err(|error| self.explain(variant, script, &error))?;
        }
        net.finish().map_err(|error| no_output(script, &error).into())
    }

    fn args(&self, variant: &Variant, options: &BuildOptions) -> Result<Map, ZooError> {
        let mut table = variant.family.manifest.args(&variant.entry);
        if let Some(naming) = &options.like {
            table.extend(naming.args.clone());
        }
        let mut args = arguments::map(&table);
        if let Some(classes) = options.classes {
            let slot = args.get_mut("classes").ok_or_else(|| {
                refuse(variant, "another number of classes", "it has no argument `classes`")
            })?;
            *slot = whole(variant, "that many classes", classes)?.into();
        }
        self.resolve_backbone(variant, &mut args, MAX_STOREYS)?;
        let input = options.input.unwrap_or(variant.input());
        let sides: Result<Vec<Dynamic>, ZooError> = <[u64; 3]>::from(input)
            .into_iter()
            .map(|n| Ok(whole(variant, "that input", n)?.into()))
            .collect();
        args.insert("input".into(), sides?.into());
        if let Some(boxes) = &options.proposals {
            let rows =
                boxes.iter().map(|corners| corners.iter().copied().map(Dynamic::from).collect::<Array>());
            args.insert("proposals".into(), rows.map(Dynamic::from).collect::<Array>().into());
        }
        Ok(args)
    }

    /// Puts in place of `backbone = "resnet50"` what a script needs to build on it: the name under which the family's script is imported and
    /// the arguments of the variant.
    fn resolve_backbone(&self, variant: &Variant, args: &mut Map, storeys: usize) -> Result<(), ZooError> {
        let Some(slot) = args.get_mut("backbone") else { return Ok(()) };
        let Ok(name) = slot.clone().into_string() else { return Ok(()) };
        if storeys == 0 {
            return Err(refuse(variant, "its backbone", "backbones stand on backbones without end"));
        }
        let backbone = self.find(&name).map_err(|e| refuse(variant, "its backbone", &e.to_string()))?;
        let mut inner = arguments::map(&backbone.family.manifest.args(&backbone.entry));
        self.resolve_backbone(backbone, &mut inner, storeys - 1)?;
        let module = backbone.family.files.folder.as_str();
        let resolved = [("id", name.into()), ("family", module.into()), ("args", inner.into())];
        *slot = resolved.into_iter().map(|(key, value)| (key.into(), value)).collect::<Map>().into();
        Ok(())
    }

    fn run(&self, ast: &AST, function: &str, with: impl FuncArgs) -> Result<(), Box<EvalAltResult>> {
        self.engine().call_fn::<Dynamic>(&mut Scope::new(), ast, function, with).map(drop)
    }

    fn explain(&self, variant: &Variant, script: &TextFile, error: &EvalAltResult) -> ZooError {
        let mut sources = self.sources();
        sources.add(&script.name, script.text.clone());
        sources.add_fields(variant.family.manifest.args(&variant.entry).keys().map(String::as_str));
        if matches!(error, EvalAltResult::ErrorFunctionNotFound(name, _) if name == "build") {
            return no_build(script).into();
        }
        diagnosed(error, script, &sources, self.engine()).into()
    }

    /// Texts of all modules, and how the API is used.
    fn sources(&self) -> Sources {
        let mut sources = Sources::new();
        for (file, text) in self.library.files() {
            sources.add(file, text.clone());
        }
        sources.add_modules(self.library.names());
        api::document(&mut sources);
        sources
    }
}

fn script_of(variant: &Variant) -> Result<&TextFile, ZooError> {
    let none = || ZooError::NoGraph { architecture: variant.id.to_string() };
    variant.family.files.script.as_ref().ok_or_else(none)
}

fn whole(variant: &Variant, what: &'static str, n: u64) -> Result<i64, ZooError> {
    let number = i64::try_from(n).ok().filter(|n| *n > 0);
    number.ok_or_else(|| refuse(variant, what, &format!("{n} is out of range; write 1 or more")))
}

fn refuse(variant: &Variant, what: &'static str, reason: &str) -> ZooError {
    ZooError::Options { architecture: variant.id.to_string(), what, reason: reason.to_owned() }
}

/// An error inside `build` that has no place of its own is shown at its head.
fn diagnosed(error: &EvalAltResult, script: &TextFile, sources: &Sources, engine: &Engine) -> Diagnostic {
    let diagnostic = diagnose(error, &script.name, sources, engine);
    match (&diagnostic.label, find_function(&script.text, "build")) {
        (None, Some(span)) => diagnostic.at(&script.text, span, "in this function"),
        _ => diagnostic,
    }
}

fn no_build(script: &TextFile) -> Diagnostic {
    Diagnostic::error("no-build", &script.name, "the script has no function `build` of two parameters")
        .with_help("add `fn build(net, args) { ... }`")
}

fn no_output(script: &TextFile, error: &GraphError) -> Diagnostic {
    let bare = Diagnostic::error("no-output", &script.name, error.to_string())
        .with_help("end `build` with `net.output(\"logits\", x);`");
    match find_function(&script.text, "build") {
        Some(span) => bare.at(&script.text, span, "names no output"),
        None => bare,
    }
}
