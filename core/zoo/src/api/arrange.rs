//! Layers that only rearrange: concatenate, cut, reshape, transpose, pad, resize.

use convwise_graph::{Op, ResizeMode};
use convwise_script::{Complaint, a_type_in_words};
use rhai::{Array, Dynamic, Engine, EvalAltResult, Map};

use super::net::{Raised, Tensor};
use super::options::{Options, padding, size, sizes};

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("concat", concat);
    engine.register_fn("flatten", |x: &mut Tensor| x.apply(Op::Flatten { from: 1 }, ""));
    engine.register_fn("flatten", |x: &mut Tensor, from: i64| {
        x.apply(Op::Flatten { from: size("flatten", "the axis", &from.into())? }, "")
    });
    engine.register_fn("reshape", |x: &mut Tensor, dims: Array| {
        x.apply(Op::Reshape { dims: whole_numbers("reshape", &dims)? }, "")
    });
    engine.register_fn("transpose", |x: &mut Tensor, perm: Array| {
        x.apply(Op::Transpose { perm: sizes("transpose", "the axes", &perm)? }, "")
    });
    engine.register_fn("channel_shuffle", |x: &mut Tensor, groups: i64| {
        x.apply(Op::ChannelShuffle { groups: size("channel_shuffle", "the groups", &groups.into())? }, "")
    });
    register_cuts(engine);
    register_images(engine);
}

fn register_cuts(engine: &mut Engine) {
    engine.register_fn("slice", |x: &mut Tensor, axis: i64, start: i64, end: i64| {
        let read = |what: &str, n: i64| size("slice", what, &n.into());
        cut(x, read("the axis", axis)?, read("the start", start)?, read("the end", end)?)
    });
    engine.register_fn("chunk", |x: &mut Tensor, parts: i64| chunk(x, parts, 1));
    engine.register_fn("chunk", chunk);
}

fn register_images(engine: &mut Engine) {
    engine.register_fn("pad", |x: &mut Tensor, amounts: Dynamic| pad(x, &amounts, 0.0));
    engine.register_fn("pad", |x: &mut Tensor, amounts: Dynamic, value: f64| pad(x, &amounts, value));
    engine.register_fn("resize", |x: &mut Tensor, height: i64, width: i64| {
        resize(x, height, width, &Map::new())
    });
    engine.register_fn("resize", |x: &mut Tensor, height: i64, width: i64, options: Map| {
        resize(x, height, width, &options)
    });
}

fn concat(tensors: Array, axis: i64) -> Raised<Tensor> {
    let axis = size("concat", "the axis", &axis.into())?;
    let tensors: Vec<Tensor> = tensors.into_iter().map(tensor).collect::<Result<_, _>>()?;
    match tensors.split_first() {
        Some((first, others)) => first.apply_with(Op::Concat { axis }, others, ""),
        None => Err(Complaint::new("wrong-arguments", "`concat` of no tensors").into()),
    }
}

fn tensor(value: Dynamic) -> Result<Tensor, Box<EvalAltResult>> {
    let found = value.type_name();
    value.try_cast::<Tensor>().ok_or_else(|| {
        let text = format!("`concat` needs a list of tensors; one of them is {}", a_type_in_words(found));
        Complaint::new("wrong-arguments", text).into()
    })
}

fn whole_numbers(layer: &str, values: &Array) -> Raised<Vec<i64>> {
    let number = |value: &Dynamic| {
        value.as_int().map_err(|found| {
            let text = format!("`{layer}` needs whole numbers; one of them is {}", a_type_in_words(found));
            Complaint::new("wrong-arguments", text).into()
        })
    };
    values.iter().map(number).collect()
}

fn cut(x: &Tensor, axis: usize, start: usize, end: usize) -> Raised<Tensor> {
    x.apply(Op::Slice { axis, start, end }, "")
}

/// Equal parts along one axis.
fn chunk(x: &mut Tensor, parts: i64, axis: i64) -> Raised<Array> {
    let (parts, axis) =
        (size("chunk", "the parts", &parts.into())?, size("chunk", "the axis", &axis.into())?);
    let extent = x.side(axis, &format!("axis {axis}"))?;
    if extent.checked_rem(parts) != Some(0) {
        let text = format!("{extent} elements do not fall into {parts} equal parts");
        return Err(Complaint::new("misfit", text).into());
    }
    let length = extent / parts;
    (0..parts).map(|i| cut(x, axis, i * length, (i + 1) * length).map(Dynamic::from)).collect()
}

fn pad(x: &mut Tensor, amounts: &Dynamic, value: f64) -> Raised<Tensor> {
    x.apply(Op::Pad { padding: padding("pad", amounts)?, value }, "")
}

fn resize(x: &mut Tensor, height: i64, width: i64, options: &Map) -> Raised<Tensor> {
    let options = Options::of("resize", options, &["mode", "align_corners"])?;
    let mode = match options.word("mode", "nearest")?.as_str() {
        "nearest" => ResizeMode::Nearest,
        "bilinear" => ResizeMode::Bilinear,
        other => {
            let text = format!("`resize` has no mode `{other}`");
            return Err(Complaint::new("wrong-option", text).with_help("use nearest or bilinear").into());
        }
    };
    let align_corners = options.flag("align_corners", false)?;
    let (height, width) =
        (size("resize", "the height", &height.into())?, size("resize", "the width", &width.into())?);
    x.apply(Op::Resize { height, width, mode, align_corners }, "")
}
