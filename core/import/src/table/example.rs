//! A mapping to begin with.

/// A commented mapping, as `--example` prints it.
pub const EXAMPLE: &str = r#"# How a table is read: every row gives one record for each [[record]].
# Write `field = "text"` for what is the same in all rows, and `field = { column = "Name" }` for what a column says.

separator = ","       # or ";", "|", "tab"
decimal = "."         # or "," in 81,5
# thousands = ","     # in 1,013.01; without it such a number is refused

# An accuracy. Needed: architecture, dataset, metric, value, input_size, precision.
# May be said: package (whose names the table uses), weights, note, source.
[[record]]
kind = "result"
architecture = { column = "Model" }
weights = "made-by-us"
dataset = "imagenet-1k/val"
metric = "top1"
value = { column = "Top-1", unit = "percent" }    # or "fraction"
input_size = { column = "Size" }                  # 224, 480x640 or 3x224x224
precision = "fp32"                                # or "fp16", "int8"

# A timing. Needed: architecture, workload, device, runtime, precision, batch, input_size, and latency or throughput.
# May be said: package, weights, options, layout, threads, source.
[[record]]
kind = "timing"
architecture = { column = "Model" }
workload = "inference"                            # or "training"
device = "nvidia-rtx-3090"                        # an id of `convwise device list`, or any name
runtime = "onnxruntime 1.20"
precision = "fp16"
batch = 1
input_size = { column = "Size" }
latency = { column = "Time", unit = "ms" }        # of one batch: "s", "ms", "us", "ns"
# throughput = { column = "Rate", unit = "fps" }  # images: "fps", "/s", "/min"

# What a network costs. Needed: architecture, task, and params or macs; macs hold for an input_size.
# May be said: package, note, source.
[[record]]
kind = "cost"
architecture = { column = "Model" }
task = "classify"                                 # or "detect", "segment"
params = { column = "Params", unit = "M" }        # "1", "k", "M", "G", "T"
macs = { column = "GMACs", unit = "G" }           # multiply-accumulates, half of what many call FLOPs
input_size = { column = "Size" }
"#;
