//! What rules may call, beyond the standard library of the script language.

/// A function, or several of one name.
#[derive(Debug)]
pub struct FunctionSpec {
    /// As a definition for editors; `get ...` is read like a field.
    pub signature: &'static str,
    /// As it is written in a rule.
    pub example: &'static str,
    /// What it gives.
    pub doc: &'static str,
}

impl FunctionSpec {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let called = self.signature.strip_prefix("get ").unwrap_or(self.signature);
        called.split('(').next().unwrap_or(called)
    }
}

const fn function(signature: &'static str, example: &'static str, doc: &'static str) -> FunctionSpec {
    FunctionSpec { signature, example, doc }
}

/// Every function. A test compares it with what the engine knows.
pub static FUNCTIONS: [FunctionSpec; 32] = [
    function(
        "has(fields: ?, path: String) -> bool",
        "net.has(\"latency\")",
        "Whether a fact is known; reading an unknown one ends the rule as undecided.",
    ),
    function(
        "within(quantity: NetLatency, limit: int | float) -> bool",
        "within(net.latency, need.latency_ms)",
        "True if the whole interval is within the limit, false if it is beyond, undecided if it straddles it.",
    ),
    function(
        "at_least(quantity: NetThroughput, demand: int | float) -> bool",
        "at_least(net.throughput, need.throughput)",
        "The same for a quantity that must reach a demand.",
    ),
    function(
        "contains(words: [String], word: String) -> bool",
        "\"se\" in net.tags",
        "Whether a word is in a set; `in` calls it.",
    ),
    function("to_string(words: [String]) -> String", "`${net.tags}`", "The words of a set as text."),
    function(
        "best(pool: Pool, path: String) -> float",
        "pool.best(\"latency.ms\")",
        "Best known value among the feasible, in the field's own direction; rank formula only.",
    ),
    function(
        "worst(pool: Pool, path: String) -> float",
        "pool.worst(\"latency.ms\")",
        "Worst known value among the feasible; rank formula only.",
    ),
    function(
        "has(pool: Pool, path: String) -> bool",
        "pool.has(\"latency.ms\")",
        "Whether a value is known of any of the feasible; rank formula only.",
    ),
    function(
        "get size(pool: Pool) -> int",
        "pool.size",
        "How many candidates are feasible; rank formula only.",
    ),
    function("ms(x: int | float) -> String", "ms(20)", "Milliseconds as text: `20.0 ms`."),
    function("bytes(x: int | float) -> String", "bytes(net.size_bytes)", "Bytes as text: `98.2 MB`."),
    function(
        "count(x: int | float) -> String",
        "count(net.params)",
        "A number of parameters or operations as text: `25.6 M`.",
    ),
    function("rate(x: int | float) -> String", "rate(30)", "Events a second as text: `30.0/s`."),
    function("percent(x: int | float) -> String", "percent(80.86)", "A percentage as text: `80.9 %`."),
    function(
        "flag_ms(x: int | float) -> String",
        "flag_ms(84.11)",
        "Milliseconds as a flag's value, rounded up: `84.2ms`.",
    ),
    function(
        "flag_bytes(x: int | float) -> String",
        "flag_bytes(98223344)",
        "Bytes as a flag's value, rounded up: `98.3MB`.",
    ),
    function(
        "flag_count(x: int | float) -> String",
        "flag_count(25557032)",
        "A number as a flag's value, rounded up: `25.6M`.",
    ),
    function(
        "flag_rate(x: int | float) -> String",
        "flag_rate(29.96)",
        "A rate as a flag's value, rounded down: `29.9/s`.",
    ),
    function(
        "flag_percent(x: int | float) -> String",
        "flag_percent(80.86)",
        "A percentage as a flag's value, rounded down: `80.8`.",
    ),
    function(
        "min(a: int | float, b: int | float) -> int | float",
        "min(a, b)",
        "The smaller; real if one of them is.",
    ),
    function(
        "max(a: int | float, b: int | float) -> int | float",
        "max(a, b)",
        "The larger; real if one of them is.",
    ),
    function(
        "clamp(x: int | float, low: int | float, high: int | float) -> int | float",
        "clamp(x, 0.0, 1.0)",
        "The nearest value in a range; all three whole or all three real.",
    ),
    function(
        "sum(list: [int | float]) -> int | float",
        "sum([0.5, 1])",
        "Sum of a list of numbers; whole if all are.",
    ),
    function("sqrt(x: int | float) -> float", "sqrt(2)", "Square root, of whole numbers too."),
    function("exp(x: int | float) -> float", "exp(1)", "Power of e, of whole numbers too."),
    function("ln(x: int | float) -> float", "ln(2)", "Natural logarithm, of whole numbers too."),
    function("log(x: int | float) -> float", "log(1000)", "Logarithm to base 10, of whole numbers too."),
    function("ceil(x: int | float) -> int | float", "ceil(x)", "Rounded up; the same as `ceiling`."),
    function(
        "ceiling(x: int | float) -> int | float",
        "ceiling(x)",
        "Rounded up; a whole number stays as it is.",
    ),
    function(
        "floor(x: int | float) -> int | float",
        "floor(x)",
        "Rounded down; a whole number stays as it is.",
    ),
    function(
        "round(x: int | float) -> int | float",
        "round(x)",
        "Rounded, halves away from zero; a whole number stays as it is.",
    ),
    function(
        "round_half_even(x: int | float) -> int | float",
        "round_half_even(2.5)",
        "Rounded, halves to the even neighbour.",
    ),
];
