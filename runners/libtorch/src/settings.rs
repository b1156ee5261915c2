//! The options of this runner.

use std::num::NonZeroUsize;

use convwise_sdk::{Options, RunnerError};
use tch::Device;

/// Every option: name, default, documentation.
pub(crate) const OPTIONS: [(&str, &str, &str); 4] = [
    ("threads", "1", "threads inside one operator; operators run one after the other"),
    ("device", "cpu", "cpu, or cuda:0 and so on for a graphics card"),
    (
        "layout",
        "auto",
        "how images and weights lie in memory: channels-last or contiguous; auto is what was measured fastest: \
         channels-last for a network with depthwise convolutions and on a graphics card, else contiguous",
    ),
    (
        "input_shape",
        "",
        "TorchScript files: extents of each input, such as 1x3x224x224, several separated by commas",
    ),
];

/// How images and the weights of convolutions lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Decided by the network.
    Auto,
    /// The channels of a pixel side by side.
    ChannelsLast,
    /// One plane a channel, as ONNX has it.
    Contiguous,
}

/// The options of one call.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) threads: usize,
    pub(crate) device: Device,
    pub(crate) layout: Layout,
    /// Shapes of the inputs of a TorchScript file, if told.
    pub(crate) input_shapes: Vec<Vec<usize>>,
}

impl Settings {
    /// Reads the options of a call.
    pub(crate) fn read(options: &Options) -> Result<Self, RunnerError> {
        options.expect_known(&OPTIONS.map(|(name, ..)| name))?;
        Ok(Self {
            threads: options.parse("threads", NonZeroUsize::MIN)?.get(),
            device: device(options.get("device").unwrap_or("cpu"))?,
            layout: layout(options.get("layout").unwrap_or("auto"))?,
            input_shapes: shapes(options.get("input_shape").unwrap_or_default())?,
        })
    }
}

fn device(name: &str) -> Result<Device, RunnerError> {
    let number = match name.split_once(':') {
        None => Some(0),
        Some((_, number)) => number.parse().ok(),
    };
    match (name.split(':').next(), number) {
        (Some("cpu"), _) if name == "cpu" => Ok(Device::Cpu),
        (Some("cuda"), Some(number)) => Ok(Device::Cuda(number)),
        _ => Err(wrong("device", name, "cpu or cuda:0")),
    }
}

fn layout(name: &str) -> Result<Layout, RunnerError> {
    Ok(match name {
        "auto" => Layout::Auto,
        "channels-last" => Layout::ChannelsLast,
        "contiguous" => Layout::Contiguous,
        _ => return Err(wrong("layout", name, "auto, channels-last or contiguous")),
    })
}

fn shapes(text: &str) -> Result<Vec<Vec<usize>>, RunnerError> {
    let extents = |shape: &str| shape.split('x').map(|extent| extent.trim().parse().ok()).collect();
    let shapes: Option<Vec<Vec<usize>>> =
        text.split(',').filter(|shape| !shape.is_empty()).map(extents).collect();
    shapes.ok_or_else(|| wrong("input_shape", text, "extents such as 1x3x224x224"))
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
        assert_eq!((settings.threads, settings.device, settings.layout), (1, Device::Cpu, Layout::Auto));
        assert!(settings.input_shapes.is_empty());
    }

    #[test]
    fn values_are_understood() {
        assert_eq!(read(&[("device", "cuda")]).unwrap().device, Device::Cuda(0));
        assert_eq!(read(&[("device", "cuda:3")]).unwrap().device, Device::Cuda(3));
        let shapes = read(&[("input_shape", "1x3x8x8,2")]).unwrap().input_shapes;
        assert_eq!(shapes, [vec![1, 3, 8, 8], vec![2]]);
    }

    #[test]
    fn wrong_values_are_named() {
        let check = |pair: (&str, &str), expect: &str| {
            let error = read(&[pair]).unwrap_err();
            assert!(error.contains(expect), "{error}");
        };
        check(("threads", "0"), "option threads");
        check(("thread", "1"), "there is no option thread");
        check(("device", "cpu:1"), "\"cpu:1\" does not fit; use cpu or cuda:0");
        check(("device", "cuda:x"), "does not fit");
        check(("layout", "nhwc"), "use auto, channels-last or contiguous");
        check(("input_shape", "1x3xaxb"), "use extents such as");
    }
}
