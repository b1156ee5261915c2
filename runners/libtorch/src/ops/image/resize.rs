//! Resizing. What libtorch has as one operator is called; every other combination of ONNX's settings is a selection of
//! elements, or a product with a matrix of shares, axis by axis.

use tch::Tensor;

use super::resize_axis::{Axis, Coordinates, Nearest, Shares};
use crate::fault::Fault;
use crate::ops::operands::numbers;
use crate::ops::{Kernel, Node, Operands, axis, bounded, extent};

/// The coefficient of libtorch's own cubic.
const TORCH_CUBIC: f64 = -0.75;

/// How new elements come from old ones.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Nearest(Nearest),
    Shared(Shares),
}

/// How the new extents follow from those that are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aspect {
    Stretch,
    NotLarger,
    NotSmaller,
}

struct Resize {
    mode: Mode,
    coordinates: Coordinates,
    antialias: bool,
    axes: Option<Vec<i64>>,
    aspect: Aspect,
    /// Number of the operand with factors.
    scales: usize,
    /// Factors that stand in the node itself, as in operator set 7.
    stated: Option<Vec<f64>>,
}

/// Operands: images, region (not used), factors, extents.
pub(crate) fn prepare(node: &Node<'_>) -> Result<Kernel, Fault> {
    let old = node.opset() < 11;
    let coordinates =
        node.string("coordinate_transformation_mode", if old { "asymmetric" } else { "half_pixel" });
    let nearest = node.string("nearest_mode", if old { "floor" } else { "round_prefer_floor" });
    let resize = Resize {
        mode: mode(node, Nearest::named(nearest)?)?,
        coordinates: Coordinates::named(coordinates)?,
        antialias: node.flag("antialias", false),
        axes: node.ints("axes").filter(|axes| !axes.is_empty()),
        aspect: match node.string("keep_aspect_ratio_policy", "stretch") {
            "not_larger" => Aspect::NotLarger,
            "not_smaller" => Aspect::NotSmaller,
            _ => Aspect::Stretch,
        },
        scales: if old { 1 } else { 2 },
        stated: None,
    };
    Ok(Kernel::view(move |o| resize.apply(o)))
}

/// What `Resize` was called before operator set 10.
pub(crate) fn upsample(node: &Node<'_>) -> Result<Kernel, Fault> {
    let stated = node.attribute("scales").map(|scales| scales.floats.iter().map(|&f| f64::from(f)).collect());
    let (coordinates, aspect) = (Coordinates::Asymmetric, Aspect::Stretch);
    let mode = mode(node, Nearest::Floor)?;
    let resize = Resize { mode, coordinates, antialias: false, axes: None, aspect, scales: 1, stated };
    Ok(Kernel::view(move |o| resize.apply(o)))
}

fn mode(node: &Node<'_>, nearest: Nearest) -> Result<Mode, Fault> {
    let exclude_outside = node.flag("exclude_outside", false);
    Ok(match node.string("mode", "nearest") {
        "nearest" => Mode::Nearest(nearest),
        "linear" | "bilinear" => Mode::Shared(Shares::Linear),
        "cubic" => {
            Mode::Shared(Shares::Cubic { coefficient: node.float("cubic_coeff_a", -0.75), exclude_outside })
        }
        other => return Err(Fault::model(format!("there is no mode {other}"))),
    })
}

impl Resize {
    fn apply(&self, o: &Operands<'_>) -> Result<Tensor, Fault> {
        let x = o.get(0)?;
        let (axes, factors_given) = self.changes(x, o)?;
        let mut grown = x.size();
        for axis in &axes {
            if let Some(extent) = usize::try_from(axis.at).ok().and_then(|at| grown.get_mut(at)) {
                *extent = axis.to;
            }
        }
        if bounded(&grown)?.contains(&0) || x.numel() == 0 {
            return Err(Fault::model("nothing is left, or there is nothing to resize"));
        }
        let changed: Vec<Axis> =
            axes.into_iter().filter(|axis| axis.from != axis.to || axis.scale != 1.0).collect();
        if changed.is_empty() {
            return Ok(x.shallow_clone());
        }
        if x.dim() == 4
            && let Some([rows, columns]) = image_axes(x, &changed)
            && let Some(image) = self.by_torch(x, rows, columns, factors_given)?
        {
            return Ok(image);
        }
        changed.iter().try_fold(x.shallow_clone(), |x, axis| self.one_axis(&x, axis))
    }

    /// Every axis that the node names, and whether factors are given for them.
    fn changes(&self, x: &Tensor, o: &Operands<'_>) -> Result<(Vec<Axis>, bool), Fault> {
        let over = match &self.axes {
            Some(axes) => axes.iter().map(|&a| axis(a, x.dim())).collect::<Result<Vec<_>, _>>()?,
            None => (0..x.dim() as i64).collect(),
        };
        let factors = match (&self.stated, o.optional(self.scales)) {
            (Some(stated), _) => stated.clone(),
            (None, Some(scales)) => numbers(scales)?,
            (None, None) => vec![],
        };
        if !factors.is_empty() {
            let scaled = by_factors(x, &over, &factors)?;
            return Ok((scaled, true));
        }
        let extents = o.optional(3).ok_or_else(|| Fault::model("it has neither factors nor extents"))?;
        Ok((self.by_extents(x, &over, &numbers(extents)?)?, false))
    }

    fn by_extents(&self, x: &Tensor, over: &[i64], extents: &[f64]) -> Result<Vec<Axis>, Fault> {
        same_length(over.len(), extents.len())?;
        let ratios = || over.iter().zip(extents).map(|(&at, &to)| to / extent(x, at) as f64);
        let common = match self.aspect {
            Aspect::Stretch => None,
            Aspect::NotLarger => Some(ratios().fold(f64::INFINITY, f64::min)),
            Aspect::NotSmaller => Some(ratios().fold(0.0, f64::max)),
        };
        let axis = |(&at, &to): (&i64, &f64)| {
            let from = extent(x, at);
            let to = common.map_or(to, |scale| (scale * from as f64 + 0.5).floor()) as i64;
            Axis { at, from, to, scale: common.unwrap_or(to as f64 / from as f64) }
        };
        Ok(over.iter().zip(extents).map(axis).collect())
    }

    /// By the operator of libtorch that does the same, if there is one.
    fn by_torch(
        &self,
        x: &Tensor,
        rows: Axis,
        columns: Axis,
        factors: bool,
    ) -> Result<Option<Tensor>, Fault> {
        let size = [rows.to, columns.to];
        let [h, w] = [rows, columns].map(|axis| factors.then_some(axis.scale));
        let corners = self.coordinates == Coordinates::AlignCorners;
        let centres = match self.coordinates {
            Coordinates::HalfPixel => true,
            Coordinates::PytorchHalfPixel => size.iter().all(|&to| to > 1),
            _ => false,
        };
        Ok(match self.mode {
            Mode::Nearest(Nearest::Floor) if self.coordinates == Coordinates::Asymmetric => {
                // A rounded quotient of other extents may fall on the wrong side of an element.
                let exact = [rows, columns].iter().all(|axis| doubled(axis.from, axis.to));
                if exact { Some(x.f_upsample_nearest2d(size, None::<f64>, None::<f64>)?) } else { None }
            }
            Mode::Shared(Shares::Linear) if (corners || centres) && !self.antialias => {
                Some(x.f_upsample_bilinear2d(size, corners, h, w)?)
            }
            Mode::Shared(Shares::Cubic { coefficient, exclude_outside: false })
                if (corners || centres) && !self.antialias && coefficient == TORCH_CUBIC =>
            {
                Some(x.f_upsample_bicubic2d(size, corners, h, w)?)
            }
            _ => None,
        })
    }

    fn one_axis(&self, x: &Tensor, axis: &Axis) -> Result<Tensor, Fault> {
        match self.mode {
            Mode::Nearest(nearest) => {
                let index =
                    Tensor::f_from_slice(&axis.nearest(self.coordinates, nearest))?.f_to(x.device())?;
                Ok(x.f_index_select(axis.at, &index)?)
            }
            Mode::Shared(shares) => {
                bounded(&[axis.to, axis.from])?;
                let matrix = Tensor::f_from_slice(&axis.shares(self.coordinates, shares, self.antialias))?;
                let matrix = matrix.f_reshape([axis.to, axis.from])?.f_to_kind(x.kind())?.f_to(x.device())?;
                let last = x.dim() as i64 - 1;
                Ok(x.f_transpose(axis.at, last)?
                    .f_linear(&matrix, None::<&Tensor>)?
                    .f_transpose(axis.at, last)?)
            }
        }
    }
}

fn by_factors(x: &Tensor, over: &[i64], factors: &[f64]) -> Result<Vec<Axis>, Fault> {
    same_length(over.len(), factors.len())?;
    if factors.iter().any(|&factor| !(factor > 0.0 && factor.is_finite())) {
        return Err(Fault::model(format!("its factors are {factors:?}")));
    }
    let axis = |(&at, &scale): (&i64, &f64)| {
        let from = extent(x, at);
        Axis { at, from, to: (from as f64 * scale).floor() as i64, scale }
    };
    Ok(over.iter().zip(factors).map(axis).collect())
}

fn same_length(axes: usize, numbers: usize) -> Result<(), Fault> {
    if axes == numbers {
        Ok(())
    } else {
        Err(Fault::model(format!("{numbers} numbers are given for {axes} axes")))
    }
}

/// Rows and columns, where no other axis changes.
fn image_axes(x: &Tensor, changed: &[Axis]) -> Option<[Axis; 2]> {
    let unchanged = |at: i64| Axis { at, from: extent(x, at), to: extent(x, at), scale: 1.0 };
    let find = |at: i64| changed.iter().find(|axis| axis.at == at).copied().unwrap_or_else(|| unchanged(at));
    changed.iter().all(|axis| axis.at >= 2).then(|| [find(2), find(3)])
}

/// Whether one extent is the other times a power of two.
fn doubled(from: i64, to: i64) -> bool {
    from > 0 && to % from == 0 && u64::try_from(to / from).is_ok_and(u64::is_power_of_two)
}
