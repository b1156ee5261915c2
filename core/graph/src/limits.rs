//! Sizes past which a graph is a mistake or an attack, so that later arithmetic cannot overflow.

use crate::shape::Shape;

/// Most axes of a tensor.
pub(crate) const MAX_AXES: usize = 8;
/// Most elements of one tensor, 2^40 (4 TiB in fp32).
pub(crate) const MAX_ELEMENTS: u64 = 1 << 40;
/// Most multiply-accumulate operations of one node, 2^48; a hundred thousand such nodes still fit in 64 bits.
pub(crate) const MAX_NODE_MACS: u64 = 1 << 48;
/// Most shares of an adaptive pooling along one axis (extent times bins), 2^24: a runtime without the layer
/// holds them as a matrix.
pub(crate) const MAX_SHARES: usize = 1 << 24;
/// Most nodes of a graph unless the builder is told otherwise; ResNet-152 has about 520.
pub(crate) const MAX_NODES: usize = 20_000;

/// Refuses empty and absurd tensors.
pub(crate) fn check_shape(shape: &Shape) -> Result<(), String> {
    if shape.rank() > MAX_AXES {
        return Err(format!("a tensor of {} axes; expected at most {MAX_AXES}", shape.rank()));
    }
    if let Some(axis) = shape.0.iter().position(|&d| d == 0) {
        return Err(format!("the tensor {shape} is empty; expected at least 1 along axis {axis}"));
    }
    if shape.elements() > MAX_ELEMENTS {
        return Err(format!("the tensor {shape} is too large; expected at most 2^40 elements"));
    }
    Ok(())
}
