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
        Err(error) => vec![not_started(&error.message, provider)],
    }
}

/// Everything is there, and the provider does not start: with NVIDIA's, it is the GPU or the driver.
fn not_started(said: &str, provider: Provider) -> Missing {
    match cuda_failure(said) {
        Some(failure) => Missing {
            what: format!("a GPU that {} can use ({failure})", provider.name()),
            how: "run nvidia-smi: it must list the GPU, and the driver must be as new as this CUDA wants"
                .into(),
        },
        None => missing(said.to_owned(), provider),
    }
}

/// `CUDA failure 35: CUDA driver version is insufficient` of a longer text, which names places in ONNX Runtime's source
/// and the host, too.
fn cuda_failure(said: &str) -> Option<&str> {
    let failure = said.get(said.find("CUDA failure")?..)?;
    failure.split(" ;").next().map(str::trim)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What ONNX Runtime 1.31.1 with CUDA 13 says on a machine without a GPU.
    const NO_GPU: &str = "ONNX Runtime could not start CUDAExecutionProvider: cuda_execution_provider_info.cc:63 [ONNXRuntimeError] : \
        1 : FAIL : provider_options_utils.h:187 Parse Failed to parse provider option \"device_id\": CUDA failure 35: CUDA driver \
        version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=x ; file=x.cc ; line=70 ; \
        expr=cudaGetDeviceCount(&num_devices); (ORT_FAIL)";

    #[test]
    fn a_gpu_that_does_not_answer_is_told_from_a_missing_library() {
        let found = not_started(NO_GPU, Provider::Cuda);
        assert_eq!(
            found.what,
            "a GPU that CUDAExecutionProvider can use (CUDA failure 35: CUDA driver version is insufficient for CUDA runtime \
             version)"
        );
        assert!(found.how.contains("nvidia-smi"));
        assert_eq!(not_started("no reason", Provider::Qnn).what, "no reason");
    }
}
