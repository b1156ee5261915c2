//! Which of many points are beaten in neither of two figures, and which of them cannot be told apart.

use convwise_types::Interval;

/// A figure of a point, with the interval in which it cannot be told from another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The value.
    pub value: f64,
    /// Two figures whose intervals overlap are a tie.
    pub interval: Interval,
}

impl Figure {
    /// A figure that is known exactly.
    #[must_use]
    pub fn exact(value: f64) -> Self {
        Self { value, interval: Interval { low: value, high: value } }
    }

    /// A figure that ties with every other that is within `width` of it.
    #[must_use]
    pub fn within(value: f64, width: f64) -> Self {
        Self { value, interval: Interval { low: value - width / 2.0, high: value + width / 2.0 } }
    }
}

/// A point in the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The first figure.
    pub x: Figure,
    /// The second figure.
    pub y: Figure,
}

/// Which way a figure improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
}

impl Aim {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
        }
    }

    /// How much better `a` is than `b`.
    fn gain(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Lower => b - a,
            Self::Higher => a - b,
        }
    }
}

/// A point of the front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its position among the points.
    pub at: usize,
    /// Positions of the other points, of the front or not, that cannot be told from it in either figure.
    pub ties: Vec<usize>,
}

/// The points that no other beats, from the least `x` on. A point is beaten by one that is no worse in both figures and better
/// in one; of points with equal figures none beats another.
#[must_use]
pub fn front(points: &[Point], x: Aim, y: Aim) -> Vec<Member> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    let at = |i: usize| points.get(i).map_or((f64::NAN, f64::NAN), |p| (p.x.value, p.y.value));
    // From the best x on; of equal x the best y first. What follows is beaten unless its y is better than all before.
    order.sort_by(|a, b| {
        let (a, b) = (at(*a), at(*b));
        x.gain(b.0, a.0).total_cmp(&0.0).then(y.gain(b.1, a.1).total_cmp(&0.0))
    });
    let mut best: Option<(f64, f64)> = None;
    let mut found = Vec::new();
    for i in order {
        let (here_x, here_y) = at(i);
        let is_beaten = best.is_some_and(|(best_x, best_y)| {
            let gain = y.gain(here_y, best_y);
            gain < 0.0 || (gain == 0.0 && x.gain(best_x, here_x) > 0.0)
        });
        if !is_beaten {
            best = Some((here_x, here_y));
            found.push(i);
        }
    }
    found.sort_by(|a, b| at(*a).0.total_cmp(&at(*b).0).then(at(*a).1.total_cmp(&at(*b).1)).then(a.cmp(b)));
    found.into_iter().map(|at| Member { at, ties: ties(points, at) }).collect()
}

fn ties(points: &[Point], at: usize) -> Vec<usize> {
    let Some(here) = points.get(at) else { return Vec::new() };
    let same = |p: &Point| p.x.interval.overlaps(&here.x.interval) && p.y.interval.overlaps(&here.y.interval);
    points.iter().enumerate().filter(|(i, p)| *i != at && same(p)).map(|(i, _)| i).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(points: &[(f64, f64)], aims: (Aim, Aim), expect: &[usize]) {
        let points: Vec<_> =
            points.iter().map(|(x, y)| Point { x: Figure::exact(*x), y: Figure::exact(*y) }).collect();
        let found: Vec<_> = front(&points, aims.0, aims.1).into_iter().map(|m| m.at).collect();
        assert_eq!(found, expect, "{points:?} {aims:?}");
        for (i, p) in points.iter().enumerate() {
            let (gx, gy) = (
                |q: &Point| aims.0.gain(q.x.value, p.x.value),
                |q: &Point| aims.1.gain(q.y.value, p.y.value),
            );
            let beaten = points.iter().any(|q| gx(q) >= 0.0 && gy(q) >= 0.0 && gx(q) + gy(q) > 0.0);
            assert_eq!(found.contains(&i), !beaten, "point {i} by the definition");
        }
    }

    #[test]
    fn what_is_not_beaten_is_the_front() {
        use Aim::{Higher, Lower};
        let fast_or_good = [(4.0, 70.0), (2.0, 60.0), (3.0, 65.0), (3.0, 72.0), (9.0, 72.0), (1.0, 10.0)];
        check(&fast_or_good, (Lower, Higher), &[5, 1, 3]);
        check(&fast_or_good, (Higher, Higher), &[4]);
        check(&fast_or_good, (Lower, Lower), &[5]);
        check(&fast_or_good, (Higher, Lower), &[5, 1, 2, 0, 4]);
        check(&[(1.0, 1.0), (1.0, 1.0)], (Lower, Higher), &[0, 1]);
        check(&[(1.0, 1.0), (1.0, 2.0), (2.0, 2.0)], (Lower, Higher), &[1]);
        check(&[], (Lower, Higher), &[]);
    }

    #[test]
    fn ties_need_both_figures() {
        let point = |x: f64, y: f64| Point {
            x: Figure { value: x, interval: Interval { low: x - 1.0, high: x + 1.0 } },
            y: Figure::within(y, 0.5),
        };
        let points = [point(10.0, 70.0), point(11.0, 70.4), point(11.0, 70.6), point(30.0, 70.6)];
        let found = front(&points, Aim::Lower, Aim::Higher);
        assert_eq!(found.iter().map(|m| m.at).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(found[0].ties, [1], "0.6 points apart is no tie, and neither is 20 ms");
        assert_eq!(found[1].ties, [1]);
    }
}
