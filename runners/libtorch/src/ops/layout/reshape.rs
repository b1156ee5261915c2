//! The same elements in another shape.

use tch::{Device, Tensor};

use crate::fault::Fault;
use crate::ops::{Kernel, Node, Prepare, axis, bounded, extent};

/// The operators of this file.
pub(crate) fn find(operator: &str) -> Option<Prepare> {
    Some(match operator {
        "Reshape" => reshape,
        "Flatten" => flatten,
        "Squeeze" => squeeze,
        "Unsqueeze" => unsqueeze,
        "Transpose" => transpose,
        "Expand" => expand,
        "Tile" => tile,
        "Shape" => shape,
        "Size" => size,
        "DepthToSpace" => depth_to_space,
        "SpaceToDepth" => space_to_depth,
        _ => return None,
    })
}

/// 0 stands for the operand's own extent, unless the node says that it stands for 0.
fn reshape(node: &Node<'_>) -> Result<Kernel, Fault> {
    let target = node.list_or(1, "shape")?.ok_or_else(|| Fault::model("it has no shape"))?;
    let zero_is_zero = node.flag("allowzero", false);
    Ok(Kernel::view(move |o| {
        let x = o.get(0)?;
        let wanted = target.read(o)?;
        if zero_is_zero || !wanted.contains(&0) {
            return Ok(x.f_reshape(&*wanted)?);
        }
        let own = x.size();
        let filled = wanted.iter().enumerate().map(|(at, &extent)| match (extent, own.get(at)) {
            (0, Some(&own)) => Ok(own),
            (0, None) => Err(Fault::model(format!(
                "axis {at} of the operand is to be kept, which has {} axes",
                own.len()
            ))),
            (extent, _) => Ok(extent),
        });
        Ok(x.f_reshape(filled.collect::<Result<Vec<_>, _>>()?)?)
    }))
}

/// Always a matrix.
fn flatten(node: &Node<'_>) -> Result<Kernel, Fault> {
    let at = node.int("axis", 1);
    Ok(Kernel::view(move |o| {
        let x = o.get(0)?;
        let rank = x.dim() as i64;
        let from = if at < 0 { at + rank } else { at };
        let rows = usize::try_from(from).ok().filter(|_| from <= rank);
        let rows =
            rows.ok_or_else(|| Fault::model(format!("there is no axis {at} in a tensor of rank {rank}")))?;
        let sizes = x.size();
        let count = |sizes: &[i64]| sizes.iter().product::<i64>();
        let (before, after) = sizes.split_at(rows);
        Ok(x.f_reshape([count(before), count(after)])?)
    }))
}

fn squeeze(node: &Node<'_>) -> Result<Kernel, Fault> {
    let axes = node.list_or(1, "axes")?;
    Ok(Kernel::view(move |o| {
        let x = o.get(0)?;
        let Some(axes) = &axes else { return Ok(x.f_squeeze()?) };
        let mut over = axes.read(o)?.iter().map(|&a| axis(a, x.dim())).collect::<Result<Vec<_>, _>>()?;
        over.sort_unstable_by(|a, b| b.cmp(a));
        if let Some(at) = over.iter().find(|&&at| extent(x, at) != 1) {
            return Err(Fault::model(format!(
                "axis {at} has {} elements and cannot be left out",
                extent(x, *at)
            )));
        }
        Ok(over.iter().try_fold(x.shallow_clone(), |x, &at| x.f_squeeze_dim(at))?)
    }))
}

fn unsqueeze(node: &Node<'_>) -> Result<Kernel, Fault> {
    let axes = node.list_or(1, "axes")?.ok_or_else(|| Fault::model("it has no axes"))?;
    Ok(Kernel::view(move |o| {
        let (x, axes) = (o.get(0)?, axes.read(o)?);
        let rank = x.dim() + axes.len();
        let mut over = axes.iter().map(|&a| axis(a, rank)).collect::<Result<Vec<_>, _>>()?;
        over.sort_unstable();
        Ok(over.iter().try_fold(x.shallow_clone(), |x, &at| x.f_unsqueeze(at))?)
    }))
}

fn transpose(node: &Node<'_>) -> Result<Kernel, Fault> {
    let order = node.ints("perm");
    Ok(Kernel::view(move |o| {
        let x = o.get(0)?;
        match &order {
            Some(order) => Ok(x.f_permute(&order[..])?),
            None => Ok(x.f_permute((0..x.dim() as i64).rev().collect::<Vec<_>>())?),
        }
    }))
}

/// To the shape that both, the operand's and the one asked for, can be broadcast to.
fn expand(node: &Node<'_>) -> Result<Kernel, Fault> {
    let target = node.list(1)?.ok_or_else(|| Fault::model("it has no shape"))?;
    Ok(Kernel::spread(move |o| {
        let (x, wanted) = (o.get(0)?, target.read(o)?);
        let own = x.size();
        let rank = own.len().max(wanted.len());
        let from_end = |list: &[i64], at: usize| list.iter().rev().nth(at).copied().unwrap_or(1);
        let joined = (0..rank).rev().map(|at| match (from_end(&own, at), from_end(&wanted, at)) {
            (1, wanted) => wanted,
            (own, _) => own,
        });
        let joined: Vec<i64> = joined.collect();
        Ok(x.f_expand(bounded(&joined)?, false)?)
    }))
}

fn tile(node: &Node<'_>) -> Result<Kernel, Fault> {
    let times = node.list(1)?.ok_or_else(|| Fault::model("it does not say how often"))?;
    Ok(Kernel::one(move |o| {
        let (x, times) = (o.get(0)?, times.read(o)?);
        let grown: Vec<i64> =
            x.size().iter().zip(times.iter()).map(|(size, &n)| size.saturating_mul(n)).collect();
        if grown.len() != times.len() || x.dim() != times.len() {
            return Err(Fault::model(format!("{} axes are repeated by {} numbers", x.dim(), times.len())));
        }
        bounded(&grown)?;
        Ok(x.f_repeat(&*times)?)
    }))
}

/// The extents themselves, or a part of them. They stay on the processor, where they are read.
fn shape(node: &Node<'_>) -> Result<Kernel, Fault> {
    let (start, end) = (node.int("start", 0), node.attribute("end").and_then(|end| end.i));
    Ok(Kernel::one(move |o| {
        let sizes = o.get(0)?.size();
        let rank = sizes.len() as i64;
        let clamp = |at: i64| (if at < 0 { at + rank } else { at }).clamp(0, rank);
        let (start, end) = (clamp(start), clamp(end.unwrap_or(rank)));
        let part: Vec<i64> =
            (start..end).filter_map(|at| sizes.get(usize::try_from(at).ok()?).copied()).collect();
        Ok(Tensor::f_from_slice(&part)?)
    }))
}

fn size(_: &Node<'_>) -> Result<Kernel, Fault> {
    Ok(Kernel::one(|o| {
        let x = o.get(0)?;
        let count = i64::try_from(x.numel()).unwrap_or(i64::MAX);
        Ok(Tensor::f_from_slice(&[count])?.f_reshape([] as [i64; 0])?.f_to(Device::Cpu)?)
    }))
}

fn block(node: &Node<'_>) -> Result<i64, Fault> {
    match node.int("blocksize", 0) {
        block if block > 0 => Ok(block),
        block => Err(Fault::model(format!("there are no blocks of {block}"))),
    }
}

/// Channels are counted block by block, or channel by channel.
fn depth_to_space(node: &Node<'_>) -> Result<Kernel, Fault> {
    let b = block(node)?;
    let by_channel = node.string("mode", "DCR") == "CRD";
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        if by_channel {
            return Ok(x.f_pixel_shuffle(b)?);
        }
        let [n, c, h, w] = [0, 1, 2, 3].map(|at| extent(x, at));
        let apart = x.f_reshape([n, b, b, c / (b * b), h, w])?.f_permute([0, 3, 4, 1, 5, 2])?;
        Ok(apart.f_reshape([n, c / (b * b), h * b, w * b])?)
    }))
}

fn space_to_depth(node: &Node<'_>) -> Result<Kernel, Fault> {
    let b = block(node)?;
    let order = if node.string("mode", "DCR") == "CRD" { [0, 1, 3, 5, 2, 4] } else { [0, 3, 5, 1, 2, 4] };
    Ok(Kernel::one(move |o| {
        let x = o.get(0)?;
        let [n, c, h, w] = [0, 1, 2, 3].map(|at| extent(x, at));
        let apart = x.f_reshape([n, c, h / b, b, w / b, b])?.f_permute(order)?;
        Ok(apart.f_reshape([n, c * b * b, h / b, w / b])?)
    }))
}
