//! What a mapping can say of each kind of record.

use convwise_types::{Precision, Task, Workload};

/// What a record of a mapping is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Result,
    Timing,
    Cost,
}

/// How a value is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    /// Text.
    Text,
    /// A whole number from 1.
    Whole,
    /// The size of an image.
    Image,
    /// One word of a closed list.
    Word(fn(&str) -> Result<(), String>),
    /// A figure in one of these units, each with its factor to ours; the others stand behind it.
    Figure(&'static [(&'static str, f64)]),
}

/// One thing that can be said.
#[derive(Debug)]
pub(super) struct Field {
    pub name: &'static str,
    pub value: Value,
    pub required: bool,
}

const fn required(name: &'static str, value: Value) -> Field {
    Field { name, value, required: true }
}

const fn optional(name: &'static str, value: Value) -> Field {
    Field { name, value, required: false }
}

const PERCENT: Value = Value::Figure(&[("percent", 1.0), ("fraction", 100.0)]);
const TIME: Value = Value::Figure(&[("ms", 1.0), ("s", 1e3), ("us", 1e-3), ("ns", 1e-6)]);
const RATE: Value = Value::Figure(&[("fps", 1.0), ("/s", 1.0), ("/min", 1.0 / 60.0)]);
const COUNT: Value = Value::Figure(&[("1", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)]);

static RESULT: &[Field] = &[
    required("architecture", Value::Text),
    optional("package", Value::Text),
    optional("weights", Value::Text),
    required("dataset", Value::Text),
    required("metric", Value::Text),
    required("value", PERCENT),
    required("input_size", Value::Image),
    required("precision", Value::Word(word::<Precision>)),
    optional("note", Value::Text),
    optional("source", Value::Text),
];

static TIMING: &[Field] = &[
    required("architecture", Value::Text),
    optional("package", Value::Text),
    optional("weights", Value::Text),
    required("workload", Value::Word(word::<Workload>)),
    required("device", Value::Text),
    required("runtime", Value::Text),
    optional("options", Value::Text),
    required("precision", Value::Text),
    optional("layout", Value::Text),
    optional("threads", Value::Whole),
    required("batch", Value::Whole),
    required("input_size", Value::Image),
    optional("latency", TIME),
    optional("throughput", RATE),
    optional("source", Value::Text),
];

static COST: &[Field] = &[
    required("architecture", Value::Text),
    optional("package", Value::Text),
    required("task", Value::Word(word::<Task>)),
    optional("params", COUNT),
    optional("macs", COUNT),
    optional("input_size", Value::Image),
    optional("note", Value::Text),
    optional("source", Value::Text),
];

fn word<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<(), String> {
    text.parse::<T>().map(|_| ()).map_err(|e| e.to_string())
}

impl Kind {
    /// Every kind by its name.
    pub const ALL: [(&'static str, Self); 3] =
        [("result", Self::Result), ("timing", Self::Timing), ("cost", Self::Cost)];

    /// What can be said of it.
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Result => RESULT,
            Self::Timing => TIMING,
            Self::Cost => COST,
        }
    }

    /// Fields of which at least one must have a column.
    pub fn figures(self) -> &'static [&'static str] {
        match self {
            Self::Result => &["value"],
            Self::Timing => &["latency", "throughput"],
            Self::Cost => &["params", "macs"],
        }
    }
}
