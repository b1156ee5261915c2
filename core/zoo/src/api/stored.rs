//! Tensors that no image changes: constants, listed or by a formula, and trained tensors that are values themselves.

use convwise_graph::Op;
use convwise_script::Complaint;
use rhai::{Array, Engine, Map};

use super::net::{Net, Raised, Tensor};
use super::options::{Options, reals, size, sizes};

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("constant", |net: &mut Net, dims: Array, values: Array| {
        let values = reals("constant", "the numbers", &values)?;
        constant(net, sizes("constant", "the extents", &dims)?, values)
    });
    engine.register_fn("fill", |net: &mut Net, dims: Array, value: f64| {
        let dims = sizes("fill", "the extents", &dims)?;
        let count = count(&dims)?;
        constant(net, dims, vec![value; count])
    });
    engine.register_fn("grid", grid);
    engine.register_fn("sine", sine);
    engine.register_fn("trained", |net: &mut Net, name: &str, dims: Array| {
        net.stored(Op::Trained { dims: sizes("trained", "the extents", &dims)?, frozen: false }, name)
    });
    engine.register_fn("frozen", |net: &mut Net, name: &str, dims: Array| {
        net.stored(Op::Trained { dims: sizes("frozen", "the extents", &dims)?, frozen: true }, name)
    });
}

/// Most numbers of one constant: more would be a part of the network that should be computed.
const MOST: usize = 1 << 22;

fn count(dims: &[usize]) -> Raised<usize> {
    let count = dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d)).filter(|n| *n <= MOST);
    count.ok_or_else(|| Complaint::new("limit", format!("a constant of more than {MOST} numbers")).into())
}

fn constant(net: &Net, dims: Vec<usize>, values: Vec<f64>) -> Raised<Tensor> {
    count(&dims)?;
    #[expect(clippy::cast_possible_truncation, reason = "networks compute in single precision")]
    let values = values.into_iter().map(|v| v as f32).collect();
    net.stored(Op::Constant { dims, values }, "")
}

/// Where the cells of a grid lie, row by row: `[1, 2, height * width]`, x then y, each `(index + offset) * step`.
fn grid(net: &mut Net, height: i64, width: i64, offset: f64, step: f64) -> Raised<Tensor> {
    let read = |what: &str, n: i64| size("grid", what, &n.into());
    let (height, width) = (read("the height", height)?, read("the width", width)?);
    let cells = count(&[2, height, width])? / 2;
    let place = |index: usize| (real(index) + offset) * step;
    let columns = (0..cells).map(|cell| place(cell % width));
    let rows = (0..cells).map(|cell| place(cell / width));
    constant(net, vec![2, cells], columns.chain(rows).collect())
}

/// Sine and cosine of positions at falling frequencies (arXiv:1706.03762, section 3.5), in turn: `[1, positions, features]`
/// with `sin(p / temperature^(2 i / features))` at `2 i` and the cosine of the same beside it.
fn sine(net: &mut Net, positions: Array, options: Map) -> Raised<Tensor> {
    let options = Options::of("sine", &options, &["features", "temperature"])?;
    let (features, temperature) = (options.size("features")?, options.real("temperature", 10000.0)?);
    let positions = reals("sine", "the positions", &positions)?;
    let dims = vec![positions.len(), features];
    count(&dims)?;
    let value = |position: f64, feature: usize| {
        let angle = position / temperature.powf(real(feature / 2 * 2) / real(features));
        if feature.is_multiple_of(2) { angle.sin() } else { angle.cos() }
    };
    let rows = positions.iter().flat_map(|&p| (0..features).map(move |feature| value(p, feature)));
    constant(net, dims, rows.collect())
}

#[expect(clippy::cast_precision_loss, reason = "an index of a constant is below 2^22")]
fn real(index: usize) -> f64 {
    index as f64
}
