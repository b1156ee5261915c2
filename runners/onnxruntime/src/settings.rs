//! The options of this runner.

use std::num::NonZeroUsize;

use convwise_sdk::{Options, RunnerError};
use ort::session::builder::GraphOptimizationLevel;

/// Every option: name, default, documentation.
pub(crate) const OPTIONS: [(&str, &str, &str); 6] = [
    ("threads", "1", "threads inside one operator; operators run one after the other"),
    ("optimisation", "all", "graph optimisation: none, basic, extended or all"),
    (
        "spinning",
        "off",
        "on: idle threads wait busily, which is faster at several threads and disturbs everything else",
    ),
    ("arena", "on", "off: memory is asked from the system for every run"),
    ("provider", "cpu", "execution provider; only cpu"),
    ("library", "", "path of ONNX Runtime's library; ORT_DYLIB_PATH unless given"),
];

/// The options of one call.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) threads: usize,
    pub(crate) optimisation: GraphOptimizationLevel,
    pub(crate) spinning: bool,
    pub(crate) arena: bool,
    pub(crate) library: Option<String>,
}

impl Settings {
    /// Reads the options of a call.
    pub(crate) fn read(options: &Options) -> Result<Self, RunnerError> {
        options.expect_known(&OPTIONS.map(|(name, ..)| name))?;
        only_cpu(options.get("provider").unwrap_or("cpu"))?;
        Ok(Self {
            threads: options.parse("threads", NonZeroUsize::MIN)?.get(),
            optimisation: level(options.get("optimisation").unwrap_or("all"))?,
            spinning: switch(options, "spinning", false)?,
            arena: switch(options, "arena", true)?,
            library: options.get("library").filter(|path| !path.is_empty()).map(str::to_owned),
        })
    }
}

fn only_cpu(provider: &str) -> Result<(), RunnerError> {
    if provider.eq_ignore_ascii_case("cpu") {
        return Ok(());
    }
    Err(RunnerError::unsupported(format!(
        "execution provider {provider} is not available in this runner; only cpu, because ONNX Runtime falls back to \
         it without saying so"
    )))
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

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let options: Options = pairs.iter().copied().collect();
        Settings::read(&options).map_err(|error| error.to_string())
    }

    #[test]
    fn what_holds_without_options() {
        let settings = read(&[]).unwrap();
        assert_eq!((settings.threads, settings.spinning, settings.arena), (1, false, true));
        assert_eq!(settings.library, None);
    }

    #[test]
    fn wrong_values_are_named() {
        let check = |pair: (&str, &str), expect: &str| assert_eq!(read(&[pair]).unwrap_err(), expect);
        check(
            ("spinning", "maybe"),
            "invalid argument: option spinning: \"maybe\" does not fit; use on or off",
        );
        check(
            ("provider", "cuda"),
            "not supported: execution provider cuda is not available in this runner; only cpu, because ONNX Runtime \
             falls back to it without saying so",
        );
        assert!(read(&[("threads", "0")]).unwrap_err().starts_with("invalid argument: option threads"));
        assert!(read(&[("thread", "1")]).unwrap_err().contains("there is no option thread"));
    }
}
