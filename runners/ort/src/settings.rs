//! The options of the two runners. Why the defaults are what they are:
//!
//! - `threads` = 1 and operators one after the other: the host says how many threads a record is for.
//! - `spinning` = off: ONNX Runtime's own default, on, keeps idle workers at full load between operators and for a while
//!   after a run. That helps several threads on an otherwise idle machine and disturbs everything else on it, a measurement
//!   that follows included.
//! - `arena` = on: ONNX Runtime's own default. Without it every run asks the system for the memory of its activations.
//! - `optimisation` = all: ONNX Runtime's own default, and what a deployment runs.
//! - `binding` = auto: on a device, a run would otherwise copy its inputs there and its outputs back. On the CPU nothing is
//!   copied either way, and the two ways take the same time (ResNet-18 33.3 ms to 33.8 ms in three runs of each).
//! - `fallback` = refuse: a number measured elsewhere than it says is worse than none.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use convwise_sdk::{OptionDoc, Options, RunnerError};
use ort::session::builder::GraphOptimizationLevel;

use crate::provider::Provider;

/// An option: name, default, documentation.
type Row = (&'static str, &'static str, &'static str);

/// Options of both runners.
const COMMON: [Row; 9] = [
    ("threads", "1", "threads inside one operator on the CPU; operators run one after the other"),
    ("optimisation", "all", "graph optimisation: none, basic, extended or all"),
    (
        "spinning",
        "off",
        "on: idle threads wait busily, which is faster at several threads and disturbs everything else",
    ),
    ("arena", "on", "off: memory is asked from the system for every run"),
    ("device", "0", "index of the device, for a provider that has several"),
    ("fallback", "refuse", "allow: nodes that the provider does not take run elsewhere, and are counted"),
    ("binding", "auto", "on: inputs and outputs stay in the memory of the device; auto: where there is one"),
    ("provider_options", "", "further options of the execution provider, as key=value;key=value"),
    ("library", "", "path of ONNX Runtime's library; what the environment names unless given"),
];

/// Options of the runner for ONNX Runtime alone.
const ONNX_RUNTIME: [Row; 1] =
    [("provider", "cpu", "execution provider: cpu, cuda, coreml, openvino, dnnl, xnnpack, migraphx or qnn")];

/// Options of the runner for TensorRT alone.
const TENSORRT: [Row; 5] = [
    ("fp16", "off", "on: layers may compute with half precision"),
    (
        "int8",
        "off",
        "on: layers may compute with 8-bit integers; the model is quantised, or calibration is given",
    ),
    ("calibration", "", "path of a calibration table for int8"),
    ("builder_level", "3", "how long the builder searches, 0 to 5"),
    ("cache", "", "folder for engines, or off; CONVWISE_CACHE or the user's cache folder unless given"),
];

/// Which of the two runners is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    OnnxRuntime,
    TensorRt,
}

impl Flavour {
    fn options(self) -> impl Iterator<Item = &'static Row> {
        let own: &[Row] = match self {
            Self::OnnxRuntime => &ONNX_RUNTIME,
            Self::TensorRt => &TENSORRT,
        };
        own.iter().chain(&COMMON)
    }

    /// What the runner says of its options.
    pub(crate) fn documentation(self) -> Vec<OptionDoc> {
        self.options().map(|(name, default, doc)| OptionDoc::new(name, default, doc)).collect()
    }
}

/// The options of one call.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) threads: usize,
    pub(crate) optimisation: GraphOptimizationLevel,
    pub(crate) spinning: bool,
    pub(crate) arena: bool,
    pub(crate) provider: Provider,
    pub(crate) device: i32,
    /// Whether nodes may run elsewhere than was asked for.
    pub(crate) fallback: bool,
    /// Whether inputs and outputs are bound to the memory of the device.
    pub(crate) binding: bool,
    /// Further options of the provider.
    pub(crate) more: Vec<(String, String)>,
    pub(crate) library: Option<String>,
    pub(crate) tensorrt: TensorRtSettings,
}

/// What only TensorRT has.
#[derive(Clone, Debug)]
pub(crate) struct TensorRtSettings {
    pub(crate) fp16: bool,
    pub(crate) int8: bool,
    pub(crate) calibration: Option<PathBuf>,
    pub(crate) level: u8,
    /// The folder that was named, `off`, or nothing.
    pub(crate) cache: Option<String>,
}

impl Settings {
    /// Reads the options of a call.
    pub(crate) fn read(flavour: Flavour, options: &Options) -> Result<Self, RunnerError> {
        options.expect_known(&flavour.options().map(|(name, ..)| *name).collect::<Vec<_>>())?;
        let provider = match flavour {
            Flavour::OnnxRuntime => Provider::parse(options.get("provider").unwrap_or("cpu"))?,
            Flavour::TensorRt => Provider::TensorRt,
        };
        Ok(Self {
            threads: options.parse("threads", NonZeroUsize::MIN)?.get(),
            optimisation: level(options.get("optimisation").unwrap_or("all"))?,
            spinning: switch(options, "spinning", false)?,
            arena: switch(options, "arena", true)?,
            provider,
            device: device(options, provider)?,
            fallback: fallback(options)?,
            binding: binding(options, provider)?,
            more: pairs(options.get("provider_options").unwrap_or_default(), provider)?,
            library: given(options, "library").map(str::to_owned),
            tensorrt: TensorRtSettings::read(options)?,
        })
    }
}

impl TensorRtSettings {
    fn read(options: &Options) -> Result<Self, RunnerError> {
        let level = options.parse("builder_level", 3u8)?;
        if level > 5 {
            return Err(wrong("builder_level", &level.to_string(), "a number from 0 to 5"));
        }
        Ok(Self {
            fp16: switch(options, "fp16", false)?,
            int8: switch(options, "int8", false)?,
            calibration: given(options, "calibration").map(table).transpose()?,
            level,
            cache: given(options, "cache").map(str::to_owned),
        })
    }
}

/// The absolute path of a calibration table: TensorRT's provider takes any other as a name in its cache.
fn table(path: &str) -> Result<PathBuf, RunnerError> {
    let absolute = std::path::absolute(path).ok().filter(|path| path.is_file());
    absolute.ok_or_else(|| wrong("calibration", path, "the path of a calibration table"))
}

fn given<'a>(options: &'a Options, name: &str) -> Option<&'a str> {
    options.get(name).filter(|value| !value.is_empty())
}

/// `1`, or `cuda:1` as `probe` calls it.
fn device(options: &Options, provider: Provider) -> Result<i32, RunnerError> {
    let Some(text) = given(options, "device") else { return Ok(0) };
    let (word, index) = text.rsplit_once(':').unwrap_or((provider.row().word, text));
    let index = index.parse::<u16>().ok().filter(|_| word == provider.row().word);
    let fits = format!("an index, such as 0 or {}:0", provider.row().word);
    index.map(i32::from).ok_or_else(|| wrong("device", text, &fits))
}

fn fallback(options: &Options) -> Result<bool, RunnerError> {
    match options.get("fallback") {
        None | Some("refuse") => Ok(false),
        Some("allow") => Ok(true),
        Some(other) => Err(wrong("fallback", other, "refuse or allow")),
    }
}

fn binding(options: &Options, provider: Provider) -> Result<bool, RunnerError> {
    match options.get("binding") {
        None | Some("auto") => Ok(provider.memory().is_some()),
        Some(_) => switch(options, "binding", false),
    }
}

/// `key=value;key=value`.
fn pairs(text: &str, provider: Provider) -> Result<Vec<(String, String)>, RunnerError> {
    let parts: Vec<_> = text.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
    if !parts.is_empty() && matches!(provider, Provider::Cpu | Provider::MiGraphX) {
        let word = provider.row().word;
        return Err(RunnerError::invalid(format!("option provider_options: provider {word} has none here")));
    }
    let pair = |part: &str| match part.split_once('=') {
        Some((key, value)) if !key.contains('\0') && !value.contains('\0') => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(wrong("provider_options", part, "key=value;key=value")),
    };
    parts.into_iter().map(pair).collect()
}

fn level(name: &str) -> Result<GraphOptimizationLevel, RunnerError> {
    Ok(match name {
        "none" => GraphOptimizationLevel::Disable,
        "basic" => GraphOptimizationLevel::Level1,
        "extended" => GraphOptimizationLevel::Level2,
        "all" => GraphOptimizationLevel::All,
        _ => return Err(wrong("optimisation", name, "none, basic, extended or all")),
    })
}

fn switch(options: &Options, name: &str, default: bool) -> Result<bool, RunnerError> {
    Ok(match options.get(name) {
        None => default,
        Some("on" | "1" | "true") => true,
        Some("off" | "0" | "false") => false,
        Some(other) => return Err(wrong(name, other, "on or off")),
    })
}

fn wrong(option: &str, value: &str, known: &str) -> RunnerError {
    RunnerError::invalid(format!("option {option}: \"{value}\" does not fit; use {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flavour: Flavour, pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let options: Options = pairs.iter().copied().collect();
        Settings::read(flavour, &options).map_err(|error| error.to_string())
    }

    #[test]
    fn what_holds_without_options() {
        let settings = read(Flavour::OnnxRuntime, &[]).unwrap();
        assert_eq!((settings.threads, settings.spinning, settings.arena), (1, false, true));
        assert_eq!((settings.fallback, settings.binding, settings.device), (false, false, 0));
        assert_eq!((settings.library, settings.provider), (None, Provider::Cpu));
        let trt = read(Flavour::TensorRt, &[]).unwrap();
        assert_eq!((trt.provider, trt.binding), (Provider::TensorRt, true));
        assert_eq!((trt.tensorrt.fp16, trt.tensorrt.int8, trt.tensorrt.level), (false, false, 3));
    }

    #[test]
    fn each_documented_default_is_the_default() {
        for flavour in [Flavour::OnnxRuntime, Flavour::TensorRt] {
            let written: Vec<_> = flavour.options().map(|(name, default, _)| (*name, *default)).collect();
            let (written, left_out) = (read(flavour, &written).unwrap(), read(flavour, &[]).unwrap());
            assert_eq!(format!("{written:?}"), format!("{left_out:?}"));
        }
    }

    #[test]
    fn wrong_values_are_named() {
        let check = |pair: (&str, &str), expect: &str| {
            let error = read(Flavour::OnnxRuntime, &[pair]).unwrap_err();
            assert_eq!(error, format!("invalid argument: {expect}"));
        };
        check(("spinning", "maybe"), "option spinning: \"maybe\" does not fit; use on or off");
        check(
            ("device", "cuda:1"),
            "option device: \"cuda:1\" does not fit; use an index, such as 0 or cpu:0",
        );
        check(("fallback", "yes"), "option fallback: \"yes\" does not fit; use refuse or allow");
        check(("provider_options", "a=b"), "option provider_options: provider cpu has none here");
        check(
            ("fp16", "on"),
            "there is no option fp16; this runner has provider, threads, optimisation, spinning, arena, device, fallback, \
             binding, provider_options, library",
        );
        let error = read(Flavour::OnnxRuntime, &[("threads", "0")]).unwrap_err();
        assert!(error.starts_with("invalid argument: option threads"));
    }

    #[test]
    fn a_device_has_an_index_or_the_name_that_probe_gives_it() {
        let device = |text| read(Flavour::TensorRt, &[("device", text)]).map(|settings| settings.device);
        assert_eq!((device("2"), device("tensorrt:1")), (Ok(2), Ok(1)));
        assert!(device("cuda:1").is_err() && device("-1").is_err() && device("99999").is_err());
    }

    #[test]
    fn options_of_the_provider_are_passed_on() {
        let cuda = [("provider", "cuda"), ("provider_options", "use_tf32=0; prefer_nhwc = 1;")];
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            read(Flavour::OnnxRuntime, &cuda).unwrap().more,
            [pair("use_tf32", "0"), pair("prefer_nhwc", "1")]
        );
        let wrong = [("provider", "cuda"), ("provider_options", "use_tf32")];
        assert!(read(Flavour::OnnxRuntime, &wrong).unwrap_err().contains("key=value"));
        let refused = |option| read(Flavour::TensorRt, &[option]).unwrap_err();
        assert!(refused(("builder_level", "9")).contains("from 0 to 5"));
        assert!(refused(("calibration", "/nowhere/table")).contains("the path of a calibration table"));
    }
}
