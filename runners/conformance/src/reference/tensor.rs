//! Numbers with extents.

/// A row-major tensor of doubles.
// INVARIANT: `data` has as many elements as the product of `shape`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    shape: Vec<usize>,
    data: Vec<f64>,
}

impl Values {
    /// A tensor; what `data` lacks is zero, and what it has too much is dropped.
    #[must_use]
    pub fn new(shape: Vec<usize>, mut data: Vec<f64>) -> Self {
        data.resize(shape.iter().product(), 0.0);
        Self { shape, data }
    }

    /// The tensor whose element at every place is `value` of that place.
    pub(super) fn at_every(shape: &[usize], value: impl Fn(&[usize]) -> f64) -> Self {
        let count = shape.iter().product();
        let mut place = vec![0; shape.len()];
        let mut data = Vec::with_capacity(count);
        for _ in 0..count {
            data.push(value(&place));
            advance(&mut place, shape);
        }
        Self { shape: shape.to_vec(), data }
    }

    /// Extents, outermost first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in a row.
    #[must_use]
    pub fn data(&self) -> &[f64] {
        &self.data
    }

    /// Extent of `axis`; 1 past the last one.
    pub(super) fn extent(&self, axis: usize) -> usize {
        self.shape.get(axis).copied().unwrap_or(1)
    }

    /// The element at a place; 0 where there is none.
    pub(super) fn get(&self, place: &[usize]) -> f64 {
        let inside = place.len() == self.shape.len() && place.iter().zip(&self.shape).all(|(at, n)| at < n);
        let offset = place.iter().zip(&self.shape).fold(0, |offset, (at, extent)| offset * extent + at);
        if inside { self.data.get(offset).copied().unwrap_or(0.0) } else { 0.0 }
    }

    /// A function of every element.
    pub(super) fn map(&self, function: impl Fn(f64) -> f64) -> Self {
        Self { shape: self.shape.clone(), data: self.data.iter().map(|value| function(*value)).collect() }
    }
}

/// The next place in row-major order.
fn advance(place: &mut [usize], shape: &[usize]) {
    for (at, extent) in place.iter_mut().zip(shape).rev() {
        *at += 1;
        if *at < *extent {
            return;
        }
        *at = 0;
    }
}

/// `place` with another index at `axis`.
pub(super) fn with(place: &[usize], axis: usize, index: usize) -> Vec<usize> {
    let mut place = place.to_vec();
    if let Some(at) = place.get_mut(axis) {
        *at = index;
    }
    place
}
