//! The execution providers that can be asked for: one row each of names and needs, and how it is registered.
//!
//! DirectML and NNAPI are left out: convwise runs on neither of their systems. ROCm is left out because ONNX Runtime
//! dropped it for MIGraphX.

use convwise_sdk::RunnerError;
use ort::ep::{self, ArbitrarilyConfigurableExecutionProvider as Configurable, ExecutionProviderDispatch};
use ort::memory::AllocationDevice;

use crate::cache::Caches;
use crate::settings::Settings;

/// An execution provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    Cpu,
    Cuda,
    TensorRt,
    CoreMl,
    OpenVino,
    Dnnl,
    Xnnpack,
    MiGraphX,
    Qnn,
}

/// What is known of a provider without starting it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) provider: Provider,
    /// The option's word for it.
    pub(crate) word: &'static str,
    /// ONNX Runtime's name for it.
    pub(crate) name: &'static str,
    /// `cpu`, `gpu` or `npu`.
    pub(crate) kind: &'static str,
    /// The library of its own that lies beside ONNX Runtime's, if it is not part of that.
    pub(crate) library: Option<&'static str>,
}

const fn row(
    provider: Provider,
    word: &'static str,
    name: &'static str,
    kind: &'static str,
    library: Option<&'static str>,
) -> Row {
    Row { provider, word, name, kind, library }
}

const ROWS: [Row; 9] = [
    row(Provider::Cpu, "cpu", "CPUExecutionProvider", "cpu", None),
    row(Provider::Cuda, "cuda", "CUDAExecutionProvider", "gpu", Some("libonnxruntime_providers_cuda.so")),
    row(
        Provider::TensorRt,
        "tensorrt",
        "TensorrtExecutionProvider",
        "gpu",
        Some("libonnxruntime_providers_tensorrt.so"),
    ),
    row(Provider::CoreMl, "coreml", "CoreMLExecutionProvider", "npu", None),
    row(
        Provider::OpenVino,
        "openvino",
        "OpenVINOExecutionProvider",
        "cpu",
        Some("libonnxruntime_providers_openvino.so"),
    ),
    row(Provider::Dnnl, "dnnl", "DnnlExecutionProvider", "cpu", Some("libonnxruntime_providers_dnnl.so")),
    row(Provider::Xnnpack, "xnnpack", "XnnpackExecutionProvider", "cpu", None),
    row(
        Provider::MiGraphX,
        "migraphx",
        "MIGraphXExecutionProvider",
        "gpu",
        Some("libonnxruntime_providers_migraphx.so"),
    ),
    row(Provider::Qnn, "qnn", "QNNExecutionProvider", "npu", None),
];

impl Provider {
    /// Its row.
    pub(crate) fn row(self) -> Row {
        let [cpu, ..] = ROWS;
        ROWS.into_iter().find(|row| row.provider == self).unwrap_or(cpu)
    }

    /// ONNX Runtime's name for it.
    pub(crate) fn name(self) -> &'static str {
        self.row().name
    }

    /// The provider that the runner for ONNX Runtime calls `word`; TensorRT has a runner of its own.
    pub(crate) fn parse(word: &str) -> Result<Self, RunnerError> {
        let offered = || ROWS.iter().filter(|row| row.provider != Self::TensorRt);
        if word.eq_ignore_ascii_case("tensorrt") {
            return Err(RunnerError::invalid(
                "option provider: TensorRT is a runner of its own, with options of its own; use runner tensorrt",
            ));
        }
        let found = offered().find(|row| row.word.eq_ignore_ascii_case(word));
        found.map(|row| row.provider).ok_or_else(|| {
            let words: Vec<_> = offered().map(|row| row.word).collect();
            RunnerError::invalid(format!(
                "option provider: \"{word}\" does not fit; use one of {}",
                words.join(", ")
            ))
        })
    }

    /// Itself, and the one that comes before the CPU for what it does not take.
    pub(crate) fn own_and_fallback(self) -> impl Iterator<Item = Self> {
        [self].into_iter().chain((self == Self::TensorRt).then_some(Self::Cuda))
    }

    /// Whether it is NVIDIA's.
    pub(crate) fn is_nvidia(self) -> bool {
        matches!(self, Self::Cuda | Self::TensorRt)
    }

    /// The memory that its kernels read and write, where that is not the CPU's.
    pub(crate) fn memory(self) -> Option<AllocationDevice<'static>> {
        match self {
            Self::Cuda | Self::TensorRt => Some(AllocationDevice::CUDA),
            Self::MiGraphX => Some(AllocationDevice::HIP),
            _ => None,
        }
    }

    /// How to get it.
    pub(crate) fn remedy(self) -> String {
        match self {
            Self::Cpu => "convwise runner install onnxruntime".into(),
            Self::Cuda | Self::TensorRt => "convwise runner install onnxruntime-gpu".into(),
            _ => format!("point option library to an ONNX Runtime that was built with {}", self.name()),
        }
    }
}

/// The providers of a session, in the order in which they are offered each node. Each must register or loading fails:
/// left to itself, ONNX Runtime goes on without a provider that it cannot start.
pub(crate) fn chain(settings: &Settings, caches: Option<&Caches>) -> Vec<ExecutionProviderDispatch> {
    let cpu = ep::CPU::default().with_arena_allocator(settings.arena).build();
    let own = match settings.provider {
        Provider::Cpu => vec![],
        // What TensorRT does not take goes to CUDA before it goes to the CPU, as it would in production.
        Provider::TensorRt => vec![tensorrt(settings, caches).build(), cuda(settings, &[]).build()],
        _ => vec![single(settings)],
    };
    own.into_iter().chain([cpu]).map(ExecutionProviderDispatch::error_on_failure).collect()
}

fn single(settings: &Settings) -> ExecutionProviderDispatch {
    let device = settings.device;
    match settings.provider {
        Provider::CoreMl => configured(ep::CoreML::default(), settings).build(),
        Provider::OpenVino => {
            configured(ep::OpenVINO::default().with_num_threads(settings.threads), settings).build()
        }
        Provider::Dnnl => {
            configured(ep::OneDNN::default().with_arena_allocator(settings.arena), settings).build()
        }
        Provider::Xnnpack => {
            let threads =
                std::num::NonZeroUsize::new(settings.threads).unwrap_or(std::num::NonZeroUsize::MIN);
            configured(ep::XNNPACK::default().with_intra_op_num_threads(threads), settings).build()
        }
        Provider::MiGraphX => ep::MIGraphX::default().with_device_id(device).build(),
        Provider::Qnn => configured(ep::QNN::default().with_device_id(device), settings).build(),
        Provider::Cpu | Provider::Cuda | Provider::TensorRt => cuda(settings, &settings.more).build(),
    }
}

fn configured<P: Configurable>(provider: P, settings: &Settings) -> P {
    with(provider, &settings.more)
}

fn with<P: Configurable>(provider: P, options: &[(String, String)]) -> P {
    options.iter().fold(provider, |provider, (key, value)| provider.with_arbitrary_config(key, value))
}

fn cuda(settings: &Settings, more: &[(String, String)]) -> ep::CUDA {
    with(ep::CUDA::default().with_device_id(settings.device), more)
}

fn tensorrt(settings: &Settings, caches: Option<&Caches>) -> ep::TensorRT {
    let wanted = &settings.tensorrt;
    let mut provider = ep::TensorRT::default()
        .with_device_id(settings.device)
        .with_fp16(wanted.fp16)
        .with_int8(wanted.int8)
        .with_builder_optimization_level(wanted.level)
        .with_engine_cache(caches.is_some())
        .with_timing_cache(caches.is_some());
    if let Some(caches) = caches {
        // Without a path, either cache may end up in the working directory.
        provider = provider
            .with_engine_cache_path(caches.engine.display())
            .with_timing_cache_path(caches.timing.display());
    }
    if let Some(table) = &wanted.calibration {
        provider = provider.with_int8_calibration_table_name(table.display());
    }
    with(provider, &settings.more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_has_its_row() {
        for row in ROWS {
            assert_eq!(row.provider.row().word, row.word);
        }
    }

    #[test]
    fn words_are_understood_or_answered() {
        assert_eq!(Provider::parse("CUDA").unwrap(), Provider::Cuda);
        let check = |word: &str, expect: &str| {
            assert_eq!(Provider::parse(word).unwrap_err().to_string(), expect);
        };
        check(
            "tensorrt",
            "invalid argument: option provider: TensorRT is a runner of its own, with options of its own; use runner \
             tensorrt",
        );
        check(
            "gpu",
            "invalid argument: option provider: \"gpu\" does not fit; use one of cpu, cuda, coreml, openvino, dnnl, \
             xnnpack, migraphx, qnn",
        );
    }
}
