//! Layers with settings: convolution, normalisation, activation, pooling, linear.

use convwise_graph::{Activation, Conv2d, Op, Pool, Rows};
use convwise_script::Complaint;
use convwise_types::did_you_mean;
use rhai::{Array, Engine, Map};

use super::net::{Raised, Tensor};
use super::options::{Options, Sliding, reals, size, sizes};

const CONV: [&str; 8] = ["out", "kernel", "stride", "padding", "dilation", "groups", "bias", "reuse"];
const DEPTHWISE: [&str; 6] = ["kernel", "stride", "padding", "dilation", "bias", "reuse"];
const POOL: [&str; 4] = ["kernel", "stride", "padding", "ceil"];
const AVG_POOL: [&str; 5] = ["kernel", "stride", "padding", "ceil", "count_include_pad"];

pub(super) fn register(engine: &mut Engine) {
    register_products(engine);
    register_norms(engine);
    register_activations(engine);
    register_pools(engine);
}

fn register_products(engine: &mut Engine) {
    engine.register_fn("conv", conv);
    engine.register_fn("depthwise", depthwise);
    engine.register_fn("linear", linear);
    engine.register_fn("linear_rows", linear_rows);
    engine.register_fn("matmul", |x: &mut Tensor, y: Tensor| x.apply_with(Op::MatMul, &[y], ""));
}

fn register_norms(engine: &mut Engine) {
    engine.register_fn("bn", |x: &mut Tensor, name: &str| {
        x.apply(Op::BatchNorm { eps: 1e-5, frozen: false }, name)
    });
    engine.register_fn("bn", |x: &mut Tensor, name: &str, options: Map| {
        let options = Options::of("bn", &options, &["eps", "reuse"])?;
        x.layer(Op::BatchNorm { eps: options.real("eps", 1e-5)?, frozen: false }, name, &options)
    });
    engine.register_fn("layer_norm", |x: &mut Tensor, name: &str| x.apply(Op::LayerNorm { eps: 1e-5 }, name));
    engine.register_fn("layer_norm", |x: &mut Tensor, name: &str, options: Map| {
        let options = Options::of("layer_norm", &options, &["eps", "reuse"])?;
        x.layer(Op::LayerNorm { eps: options.real("eps", 1e-5)? }, name, &options)
    });
    engine.register_fn("scale", scale);
    engine.register_fn("scale", |x: &mut Tensor, name: &str, dims: Array| {
        x.apply(Op::Scale { dims: sizes("scale", "the extents", &dims)? }, name)
    });
    engine.register_fn("channel_affine", |x: &mut Tensor, scale: Array, shift: Array| {
        let read = |what: &str, values: &Array| reals("channel_affine", what, values);
        x.apply(
            Op::ChannelAffine { scale: read("the scale", &scale)?, shift: read("the shift", &shift)? },
            "",
        )
    });
    engine.register_fn("softmax", |x: &mut Tensor, axis: i64| x.apply(Op::Softmax { axis }, ""));
}

/// Activations under the names scripts use.
const ACTIVATIONS: [(&str, Activation); 8] = [
    ("relu", Activation::Relu),
    ("relu6", Activation::Relu6),
    ("hard_swish", Activation::HardSwish),
    ("hard_sigmoid", Activation::HardSigmoid),
    ("sigmoid", Activation::Sigmoid),
    ("silu", Activation::Silu),
    ("gelu", Activation::Gelu),
    ("tanh", Activation::Tanh),
];

fn register_activations(engine: &mut Engine) {
    for (name, activation) in ACTIVATIONS {
        engine.register_fn(name, move |x: &mut Tensor| x.apply(Op::Activation(activation), ""));
    }
    engine.register_fn("act", act);
    engine.register_fn("leaky_relu", |x: &mut Tensor, slope: f64| x.apply(Op::LeakyRelu { slope }, ""));
}

/// The activation of a name; `none` leaves the tensor as it is.
fn act(x: &mut Tensor, name: &str) -> Raised<Tensor> {
    if name == "none" {
        return Ok(x.clone());
    }
    let known = || ACTIVATIONS.iter().map(|(word, _)| *word).chain(["none"]);
    match ACTIVATIONS.iter().find(|(word, _)| *word == name) {
        Some((_, activation)) => x.apply(Op::Activation(*activation), ""),
        None => {
            let near = did_you_mean(name, known());
            let help = near.strip_prefix("; ").map(str::to_owned);
            let help = help.unwrap_or_else(|| format!("one of {}", known().collect::<Vec<_>>().join(", ")));
            let text = format!("there is no activation `{name}`");
            Err(Complaint::new("unknown-activation", text).with_help(help).into())
        }
    }
}

fn register_pools(engine: &mut Engine) {
    engine.register_fn("max_pool", |x: &mut Tensor, options: Map| {
        let pool = pool(x, &Options::of("max_pool", &options, &POOL)?)?;
        x.apply(Op::MaxPool(pool), "")
    });
    engine.register_fn("avg_pool", |x: &mut Tensor, options: Map| {
        let options = Options::of("avg_pool", &options, &AVG_POOL)?;
        let count_include_pad = options.flag("count_include_pad", true)?;
        x.apply(Op::AvgPool { pool: pool(x, &options)?, count_include_pad }, "")
    });
    engine.register_fn("adaptive_avg_pool", adaptive_avg_pool);
    engine.register_fn("global_avg_pool", |x: &mut Tensor| x.apply(Op::GlobalAvgPool, ""));
}

fn conv(x: &mut Tensor, name: &str, options: Map) -> Raised<Tensor> {
    let options = Options::of("conv", &options, &CONV)?;
    let (out_channels, groups) = (options.size("out")?, options.size_or("groups", 1)?);
    x.layer(Op::Conv2d(window(x, &options, out_channels, groups)?), name, &options)
}

fn depthwise(x: &mut Tensor, name: &str, options: Map) -> Raised<Tensor> {
    let options = Options::of("depthwise", &options, &DEPTHWISE)?;
    let channels = x.side(1, "channels")?;
    x.layer(Op::Conv2d(window(x, &options, channels, channels)?), name, &options)
}

fn window(x: &Tensor, options: &Options<'_>, out_channels: usize, groups: usize) -> Raised<Conv2d> {
    let kernel = options.pair("kernel")?;
    let stride = options.pair_or("stride", [1, 1])?;
    let dilation = options.pair_or("dilation", [1, 1])?;
    Ok(Conv2d {
        out_channels,
        kernel,
        stride,
        padding: options.padding(x, Sliding { kernel, stride, dilation })?,
        dilation,
        groups,
        bias: options.flag("bias", true)?,
    })
}

fn pool(x: &Tensor, options: &Options<'_>) -> Raised<Pool> {
    let kernel = options.pair("kernel")?;
    let stride = options.pair_or("stride", kernel)?;
    let padding = options.padding(x, Sliding { kernel, stride, dilation: [1, 1] })?;
    Ok(Pool { kernel, stride, padding, ceil: options.flag("ceil", false)? })
}

/// Bins of the same size as the pixels leave the image as it is.
fn adaptive_avg_pool(x: &mut Tensor, height: i64, width: i64) -> Raised<Tensor> {
    let read = |what: &str, n: i64| size("adaptive_avg_pool", what, &n.into());
    let (height, width) = (read("the height", height)?, read("the width", width)?);
    match x.shape().nchw() {
        Some([_, _, h, w]) if [h, w] == [height, width] => Ok(x.clone()),
        Some(_) if [height, width] == [1, 1] => x.apply(Op::GlobalAvgPool, ""),
        _ => x.apply(Op::AdaptiveAvgPool { height, width }, ""),
    }
}

fn linear(x: &mut Tensor, name: &str, options: Map) -> Raised<Tensor> {
    let options = Options::of("linear", &options, &["out", "bias", "reuse"])?;
    let op = Op::Linear { out_features: options.size("out")?, bias: options.flag("bias", true)?, rows: None };
    x.layer(op, name, &options)
}

/// Part of a packed matrix; several layers share one.
fn linear_rows(x: &mut Tensor, name: &str, options: Map) -> Raised<Tensor> {
    let options = Options::of("linear_rows", &options, &["start", "out", "of", "bias"])?;
    let rows = Rows { start: options.size_or("start", 0)?, of: options.size("of")? };
    let (out_features, bias) = (options.size("out")?, options.flag("bias", true)?);
    x.apply_shared(Op::Linear { out_features, bias, rows: Some(rows) }, name)
}

/// One factor a channel of an image, or one for each element of the last axis.
fn scale(x: &mut Tensor, name: &str) -> Raised<Tensor> {
    let shape = x.shape();
    let dims = match shape.nchw() {
        Some([_, channels, ..]) => vec![channels, 1, 1],
        None => shape.0.last().map(|last| vec![*last]).unwrap_or_default(),
    };
    x.apply(Op::Scale { dims }, name)
}
