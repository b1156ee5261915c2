//! Can a provider be used here, on which devices, and if not, what exactly is missing.

use convwise_sdk::{Device, Missing, Probe, RunnerError, SCHEMA};

use crate::engine::Engine;
use crate::library::{Located, locate};
use crate::provider::{Provider, Row};
use crate::settings::Settings;
use crate::{needs, nvidia, session};

/// Looks for everything that a session with these settings needs.
pub(crate) fn probe(settings: &Settings) -> Result<Probe, RunnerError> {
    let provider = settings.provider;
    let path = match locate(settings.library.as_deref(), provider) {
        Located::At(path) => path,
        Located::Missing(what) => return Ok(unusable(None, without_library(provider, what))),
    };
    let engine = match Engine::get(&path, provider) {
        Ok(engine) => engine,
        Err(error) => return Ok(unusable(None, vec![missing(error.message, provider)])),
    };
    let absent = absent(engine, settings);
    if absent.is_empty() {
        return Ok(usable(engine, provider));
    }
    Ok(unusable(Some(engine.title()), absent))
}

/// The library, without which little else can be looked for, and that little.
fn without_library(provider: Provider, what: String) -> Vec<Missing> {
    std::iter::once(missing(what, provider)).chain(needs::beside_onnxruntime(provider)).collect()
}

fn missing(what: String, provider: Provider) -> Missing {
    Missing { what, how: provider.remedy() }
}

/// What keeps the provider from being used; afterwards its libraries are loaded.
pub(crate) fn absent(engine: &Engine, settings: &Settings) -> Vec<Missing> {
    let provider = settings.provider;
    if let Err(what) = offers(engine, provider) {
        return vec![missing(what, provider)];
    }
    let needs = needs::missing(provider, engine.path());
    if !needs.is_empty() {
        return needs;
    }
    // Only starting it shows that a device answers.
    match session::builder(engine, settings, None) {
        Ok(_) => Vec::new(),
        Err(error) => vec![missing(error.message, provider)],
    }
}

/// Whether the library was built with the provider.
fn offers(engine: &Engine, provider: Provider) -> Result<(), String> {
    let built_with = engine.providers().map_err(|error| error.message)?;
    if built_with.iter().any(|name| name == provider.name()) {
        return Ok(());
    }
    let (name, path) = (provider.name(), engine.path().display());
    Err(format!("{name}, which {path} is built without (it has {})", built_with.join(", ")))
}

fn unusable(backend: Option<String>, missing: Vec<Missing>) -> Probe {
    Probe { schema: SCHEMA, usable: false, backend, devices: Vec::new(), missing }
}

fn usable(engine: &Engine, provider: Provider) -> Probe {
    let row = provider.row();
    let devices = if provider.is_nvidia() { gpus(row) } else { Vec::new() };
    let devices =
        if devices.is_empty() { vec![device(row, row.word.into(), String::new())] } else { devices };
    Probe { schema: SCHEMA, usable: true, backend: Some(engine.title()), devices, missing: Vec::new() }
}

fn gpus(row: Row) -> Vec<Device> {
    let found = nvidia::look().unwrap_or_default().gpus;
    let gpu = |(index, gpu): (usize, nvidia::Gpu)| device(row, format!("{}:{index}", row.word), gpu.name);
    found.into_iter().enumerate().map(gpu).collect()
}

fn device(row: Row, id: String, name: String) -> Device {
    Device { id, kind: row.kind.into(), name }
}
