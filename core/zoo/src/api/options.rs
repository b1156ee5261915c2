//! Reads the options of a layer, `#{ out: 64, kernel: 3 }`: every key is known, every value fits.

use convwise_graph::{Padding, reach};
use convwise_script::{Complaint, a_type_in_words};
use convwise_types::did_you_mean;
use rhai::{Array, Dynamic, Map};

use super::net::{Raised, Tensor};

/// How a window moves over an image, rows before columns.
pub(super) struct Sliding {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
}

/// Options of one layer.
pub(super) struct Options<'a> {
    layer: &'static str,
    map: &'a Map,
}

impl<'a> Options<'a> {
    /// Takes a map whose keys must all be among `known`.
    pub fn of(layer: &'static str, map: &'a Map, known: &[&str]) -> Raised<Self> {
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(Self { layer, map }),
            Some(stranger) => Err(unknown(layer, stranger, known).into()),
        }
    }

    fn get(&self, key: &str) -> Option<&'a Dynamic> {
        self.map.get(key).filter(|value| !value.is_unit())
    }

    /// A count that must be given.
    pub fn size(&self, key: &str) -> Raised<usize> {
        let value = self.get(key).ok_or_else(|| self.missing(key))?;
        size(self.layer, key, value)
    }

    /// A count with a default.
    pub fn size_or(&self, key: &str, default: usize) -> Raised<usize> {
        self.get(key).map_or(Ok(default), |value| size(self.layer, key, value))
    }

    /// Height and width, from one number or two, that must be given.
    pub fn pair(&self, key: &str) -> Raised<[usize; 2]> {
        let value = self.get(key).ok_or_else(|| self.missing(key))?;
        pair(self.layer, key, value)
    }

    /// Height and width with a default.
    pub fn pair_or(&self, key: &str, default: [usize; 2]) -> Raised<[usize; 2]> {
        self.get(key).map_or(Ok(default), |value| pair(self.layer, key, value))
    }

    /// Padding of a window over `x`: a number, `[rows, columns]`, `[top, left, bottom, right]`, `"same"`,
    /// which keeps the image's size under an odd kernel and stride 1, or `"same_upper"`.
    pub fn padding(&self, x: &Tensor, window: Sliding) -> Raised<Padding> {
        let Some(value) = self.get("padding") else { return Ok(Padding::default()) };
        if !value.is_string() {
            return padding(self.layer, value);
        }
        match value.to_string().as_str() {
            "same" => self.same(&window),
            "same_upper" => Ok(same_upper(&window, [x.side(2, "height")?, x.side(3, "width")?])),
            word => {
                let wanted = "a number, a list, \"same\" or \"same_upper\"";
                Err(self.refuse("padding", &format!("`{word}`"), wanted).into())
            }
        }
    }

    fn same(&self, window: &Sliding) -> Raised<Padding> {
        let [[kh, kw], [dh, dw]] = [window.kernel, window.dilation];
        if kh % 2 == 0 || kw % 2 == 0 {
            return Err(self.refuse("padding", "`same` with an even kernel", "numbers").into());
        }
        let half = |kernel: usize, dilation: usize| (kernel / 2).saturating_mul(dilation);
        Ok(Padding::symmetric(half(kh, dh), half(kw, dw)))
    }

    /// A switch.
    pub fn flag(&self, key: &str, default: bool) -> Raised<bool> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value.as_bool().map_err(|found| self.refuse(key, &a_type_in_words(found), "true or false").into())
    }

    /// A real number.
    pub fn real(&self, key: &str, default: f64) -> Raised<f64> {
        let Some(value) = self.get(key) else { return Ok(default) };
        real(self.layer, key, value)
    }

    /// One of some words.
    pub fn word(&self, key: &str, default: &str) -> Raised<String> {
        let Some(value) = self.get(key) else { return Ok(default.to_owned()) };
        let text = value.clone().into_string();
        text.map_err(|found| self.refuse(key, &a_type_in_words(found), "text").into())
    }

    fn missing(&self, key: &str) -> Complaint {
        let Self { layer, .. } = self;
        Complaint::new("missing-option", format!("`{layer}` needs the option `{key}`"))
            .with_help(format!("write for example `#{{ {key}: 1 }}`"))
    }

    fn refuse(&self, key: &str, found: &str, wanted: &str) -> Complaint {
        refuse(self.layer, key, found, wanted)
    }
}

/// TensorFlow's `SAME`, which ONNX calls `SAME_UPPER`: the result has `ceil(extent / stride)` places, and of
/// an odd amount of padding the larger part stands at the far end.
fn same_upper(window: &Sliding, [height, width]: [usize; 2]) -> Padding {
    let along = |extent: usize, kernel: usize, stride: usize, dilation: usize| {
        let places = extent.div_ceil(stride.max(1));
        let reach = reach(kernel, dilation).unwrap_or(usize::MAX);
        let covered = places.saturating_sub(1).saturating_mul(stride).saturating_add(reach);
        let total = covered.saturating_sub(extent);
        (total / 2, total - total / 2)
    };
    let Sliding { kernel: [kh, kw], stride: [sh, sw], dilation: [dh, dw] } = *window;
    let ((top, bottom), (left, right)) = (along(height, kh, sh, dh), along(width, kw, sw, dw));
    Padding { top, left, bottom, right }
}

fn unknown(layer: &str, key: &str, known: &[&str]) -> Complaint {
    let complaint = Complaint::new("unknown-option", format!("`{layer}` has no option `{key}`"));
    let near = did_you_mean(key, known.iter().copied());
    match near.strip_prefix("; ") {
        Some(near) => complaint.with_help(near),
        None if known.is_empty() => complaint.with_help("it has none"),
        None => complaint.with_help(format!("its options: {}", known.join(", "))),
    }
}

fn refuse(layer: &str, key: &str, found: &str, wanted: &str) -> Complaint {
    Complaint::new("wrong-option", format!("`{key}` of `{layer}` is {found}; expected {wanted}"))
}

/// A real number.
fn real(layer: &str, key: &str, value: &Dynamic) -> Raised<f64> {
    #[expect(clippy::cast_precision_loss, reason = "an option of a layer is far below 2^53")]
    let whole = |n: i64| n as f64;
    let number = value.as_float().or_else(|_| value.as_int().map(whole));
    number.map_err(|found| refuse(layer, key, &a_type_in_words(found), "a number").into())
}

/// A count.
pub(super) fn size(layer: &str, key: &str, value: &Dynamic) -> Raised<usize> {
    let wanted = "a whole number of at least 0";
    let number = value.as_int().map_err(|_| {
        let found = if value.is_float() { value.to_string() } else { a_type_in_words(value.type_name()) };
        refuse(layer, key, &found, wanted)
    })?;
    usize::try_from(number).map_err(|_| refuse(layer, key, &number.to_string(), wanted).into())
}

/// A list of real numbers.
pub(super) fn reals(layer: &str, key: &str, values: &Array) -> Raised<Vec<f64>> {
    values.iter().map(|value| real(layer, key, value)).collect()
}

/// A list of counts.
pub(super) fn sizes(layer: &str, key: &str, values: &Array) -> Raised<Vec<usize>> {
    values.iter().map(|value| size(layer, key, value)).collect()
}

fn list(value: &Dynamic) -> Option<Array> {
    value.clone().into_array().ok()
}

fn pair(layer: &str, key: &str, value: &Dynamic) -> Raised<[usize; 2]> {
    let Some(values) = list(value) else { return size(layer, key, value).map(|n| [n, n]) };
    match sizes(layer, key, &values)?.as_slice() {
        [height, width] => Ok([*height, *width]),
        other => Err(refuse(layer, key, &format!("a list of {}", other.len()), "[height, width]").into()),
    }
}

/// Padding as numbers.
pub(super) fn padding(layer: &str, value: &Dynamic) -> Raised<Padding> {
    let Some(values) = list(value) else {
        return size(layer, "padding", value).map(|n| Padding::symmetric(n, n));
    };
    match sizes(layer, "padding", &values)?.as_slice() {
        [rows, columns] => Ok(Padding::symmetric(*rows, *columns)),
        [top, left, bottom, right] => Ok(Padding { top: *top, left: *left, bottom: *bottom, right: *right }),
        other => {
            let found = format!("a list of {}", other.len());
            Err(refuse(layer, "padding", &found, "[rows, columns] or [top, left, bottom, right]").into())
        }
    }
}
