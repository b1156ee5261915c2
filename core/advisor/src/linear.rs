//! The few operations on small dense symmetric matrices that the latency model needs.

/// A column of `N` numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Vector<const N: usize>(pub(crate) [f64; N]);

impl<const N: usize> Vector<N> {
    pub(crate) fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self(self.0.map(f))
    }

    pub(crate) fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let mut out = self.0;
        for (a, b) in out.iter_mut().zip(other.0) {
            *a = f(*a, b);
        }
        Self(out)
    }

    fn dot(&self, other: &Self) -> f64 {
        self.0.iter().zip(other.0).map(|(a, b)| a * b).sum()
    }
}

/// An `N` by `N` matrix, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Matrix<const N: usize>([Vector<N>; N]);

impl<const N: usize> Matrix<N> {
    pub(crate) fn diagonal(value: f64) -> Self {
        let mut rows = [Vector([0.0; N]); N];
        for (i, row) in rows.iter_mut().enumerate() {
            if let Some(cell) = row.0.get_mut(i) {
                *cell = value;
            }
        }
        Self(rows)
    }

    pub(crate) fn identity() -> Self {
        Self::diagonal(1.0)
    }

    pub(crate) fn add_outer(&mut self, v: &Vector<N>, weight: f64) {
        for (row, scale) in self.0.iter_mut().zip(v.0) {
            *row = row.zip(v, |a, b| a + weight * scale * b);
        }
    }

    pub(crate) fn apply(&self, v: &Vector<N>) -> Vector<N> {
        let mut out = [0.0; N];
        for (cell, row) in out.iter_mut().zip(&self.0) {
            *cell = row.dot(v);
        }
        Vector(out)
    }

    pub(crate) fn quadratic(&self, v: &Vector<N>) -> f64 {
        self.apply(v).dot(v)
    }

    /// Gauss-Jordan elimination with partial pivoting; `None` for a singular matrix.
    pub(crate) fn inverse(&self) -> Option<Self> {
        let mut left = self.0;
        let mut right = Self::identity().0;
        for column in 0..N {
            let size = |row: usize| left.get(row).and_then(|r| r.0.get(column)).map_or(0.0, |v| v.abs());
            let pivot = (column..N).max_by(|a, b| size(*a).total_cmp(&size(*b)))?;
            left.swap(column, pivot);
            right.swap(column, pivot);
            let divisor = *left.get(column)?.0.get(column)?;
            if divisor.abs() < 1e-300 || !divisor.is_finite() {
                return None;
            }
            let (unit_left, unit_right) =
                (left.get(column)?.map(|v| v / divisor), right.get(column)?.map(|v| v / divisor));
            for row in 0..N {
                let (l, r) = (left.get_mut(row)?, right.get_mut(row)?);
                if row == column {
                    (*l, *r) = (unit_left, unit_right);
                } else {
                    let factor = *l.0.get(column)?;
                    *l = l.zip(&unit_left, |a, b| a - factor * b);
                    *r = r.zip(&unit_right, |a, b| a - factor * b);
                }
            }
        }
        Some(Self(right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_undoes_a_matrix() {
        let mut matrix = Matrix::<3>::diagonal(0.5);
        matrix.add_outer(&Vector([1.0, 2.0, 3.0]), 0.7);
        matrix.add_outer(&Vector([0.0, -1.0, 2.0]), 1.3);
        let v = Vector([3.0, -1.0, 0.25]);
        let back = matrix.inverse().unwrap().apply(&matrix.apply(&v));
        assert!(back.zip(&v, |a, b| (a - b).abs()).0.iter().all(|d| *d < 1e-12), "{back:?}");
    }

    #[test]
    fn a_singular_matrix_has_no_inverse() {
        assert_eq!(Matrix::<2>::diagonal(0.0).inverse(), None);
    }
}
