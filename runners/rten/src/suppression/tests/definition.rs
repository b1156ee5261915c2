//! What the definition keeps, box by box, and whether rten keeps the same.

use convwise_sdk::{DType, Session, Tensor};

use super::{load, model, node};

/// What is suppressed, and how.
#[derive(Clone)]
pub(super) struct Case {
    /// Images, classes and boxes.
    extents: [usize; 3],
    boxes: Vec<[f32; 4]>,
    scores: Vec<f32>,
    most: Option<i32>,
    iou: Option<f32>,
    pub(super) least: Option<f32>,
    centres: bool,
}

impl Case {
    fn given(&self) -> [bool; 5] {
        [true, true, self.most.is_some(), self.iou.is_some(), self.least.is_some()]
    }

    /// What rten answers.
    pub(super) fn answer(&self, session: &mut dyn Session) -> Vec<[i32; 3]> {
        let floats = |shape: &[usize], values: &[f32]| {
            let bytes = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
            Tensor::new(DType::F32, shape.to_vec(), bytes).unwrap()
        };
        let [images, classes, boxes] = self.extents;
        let mut inputs = vec![
            floats(&[images, boxes, 4], self.boxes.as_flattened()),
            floats(&[images, classes, boxes], &self.scores),
        ];
        inputs.extend(
            self.most.map(|most| Tensor::new(DType::I32, vec![1], most.to_ne_bytes().to_vec()).unwrap()),
        );
        inputs.extend(self.iou.map(|iou| floats(&[], &[iou])));
        inputs.extend(self.least.map(|least| floats(&[1], &[least])));
        for (index, input) in inputs.iter().enumerate() {
            session.set_input(index, input.view()).unwrap();
        }
        session.run().unwrap();
        let output = session.output(0).unwrap();
        assert_eq!(output.shape()[1..], [3]);
        output.to_i32().unwrap().as_chunks().0.to_vec()
    }

    /// What the definition says.
    pub(super) fn expected(&self) -> Vec<[i32; 3]> {
        let [images, classes, boxes] = self.extents;
        let pairs = (0..images).flat_map(|image| (0..classes).map(move |class| (image, class)));
        let mut rows = Vec::new();
        for (image, class) in pairs {
            let boxes_of = &self.boxes[image * boxes..][..boxes];
            let scores = &self.scores[(image * classes + class) * boxes..][..boxes];
            let mut left: Vec<usize> = (0..boxes).collect();
            left.retain(|at| self.least.is_none_or(|least| scores[*at] > least));
            left.sort_by(|a, b| scores[*b].partial_cmp(&scores[*a]).unwrap());
            let mut kept: Vec<usize> = Vec::new();
            for at in left {
                let room = kept.len() < usize::try_from(self.most.unwrap_or(0)).unwrap_or(0);
                if room && !kept.iter().any(|better| self.overlap(boxes_of[*better], boxes_of[at])) {
                    kept.push(at);
                }
            }
            rows.extend(kept.iter().map(|at| [image, class, *at].map(|index| i32::try_from(index).unwrap())));
        }
        rows
    }

    fn overlap(&self, a: [f32; 4], b: [f32; 4]) -> bool {
        let sorted = |a: f32, b: f32| if a >= b { (b, a) } else { (a, b) };
        let side = |[p, q, r, s]: [f32; 4], axis: usize| match (self.centres, axis) {
            (true, 0) => (p - r / 2.0, p + r / 2.0),
            (true, _) => (q - s / 2.0, q + s / 2.0),
            (false, 0) => sorted(p, r),
            (false, _) => sorted(q, s),
        };
        let area =
            |of| [0, 1].map(|axis| side(of, axis)).iter().map(|(low, high)| high - low).product::<f32>();
        let common = [0, 1].map(|axis| {
            let ((a_low, a_high), (b_low, b_high)) = (side(a, axis), side(b, axis));
            a_high.min(b_high) - a_low.max(b_low)
        });
        if common.iter().any(|side| *side <= 0.0) || area(a) <= 0.0 || area(b) <= 0.0 {
            return false;
        }
        let common: f32 = common.iter().product();
        common / (area(a) + area(b) - common) > self.iou.unwrap_or(0.0)
    }
}

/// Numbers that look like chance and are the same in every run (a linear congruential generator).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 40).unwrap() % end
    }

    /// A multiple of 1 / `steps` from 0 on and below 1: the fewer steps, the more are equal.
    fn number(&mut self, steps: u16) -> f32 {
        f32::from(u16::try_from(self.below(usize::from(steps))).unwrap()) / f32::from(steps)
    }

    pub(super) fn case(&mut self, optional: usize, centres: bool) -> Case {
        let at_least = usize::from(self.below(40) > 0);
        let extents =
            [at_least + self.below(3), at_least + self.below(4), [0, 1, 2, 5, 17, 60][self.below(6)]];
        let [images, classes, boxes] = extents;
        let steps = [4, 10, 1000][self.below(3)];
        let mut scores: Vec<f32> = (0..images * classes * boxes).map(|_| self.number(steps)).collect();
        if self.below(4) == 0 {
            // What is no number exceeds no threshold; where it stands without one is not defined.
            let odd = if optional & 4 > 0 { f32::NAN } else { f32::NEG_INFINITY };
            scores.iter_mut().step_by(3).for_each(|score| *score = odd);
        }
        Case {
            extents,
            boxes: (0..images * boxes).map(|_| self.corners(steps, centres)).collect(),
            scores,
            most: (optional & 1 > 0).then(|| [-1, 0, 1, 3, 7, 1000, i32::MAX][self.below(7)]),
            iou: (optional & 2 > 0).then(|| [0.0, 0.3, 0.5, 0.75, 1.0][self.below(5)]),
            least: (optional & 4 > 0).then(|| [f32::NEG_INFINITY, -0.5, 0.25, 0.5, 0.9, 2.0][self.below(6)]),
            centres,
        }
    }

    /// A box in either form, sometimes without an area, sometimes the wrong way round.
    fn corners(&mut self, steps: u16, centres: bool) -> [f32; 4] {
        let mut of = [(); 4].map(|()| self.number(steps));
        match self.below(16) {
            0 => of[2] = if centres { 0.0 } else { of[0] },
            1 => of[3] = if centres { 0.0 } else { of[1] },
            2 if centres => of[2] = -of[2],
            3 if centres => (of[2], of[3]) = (-of[2], -of[3]),
            4 => of[self.below(4)] = [f32::NAN, f32::INFINITY, -f32::INFINITY, f32::MAX][self.below(4)],
            5 => of[3] = 1e-30,
            _ => {}
        }
        of
    }
}

#[test]
fn what_is_kept_is_what_the_definition_keeps() {
    let (mut chance, mut kept, mut none) = (Chance(7), 0, 0);
    for (optional, centres) in (0..8).flat_map(|optional| [(optional, false), (optional, true)]) {
        let mut session = None;
        for index in 0..150 {
            let case = chance.case(optional, centres);
            let session = session
                .get_or_insert_with(|| load(&model(&case.given(), node(&case.given(), centres))).unwrap());
            let (answer, expected) = (case.answer(session.as_mut()), case.expected());
            assert_eq!(answer, expected, "case {index} of {optional} {centres}, {:?}", case.extents);
            kept += answer.len();
            none += usize::from(answer.is_empty());
        }
    }
    // The cases are worth something.
    assert!(kept > 5000 && none > 100, "{kept} boxes, {none} cases without");
}
