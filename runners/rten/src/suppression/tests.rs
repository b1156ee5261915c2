//! The replacement in rten against the definition, box by box.

use std::path::PathBuf;

use convwise_onnx::encode_model;
use convwise_onnx::proto::tensor_proto::DataType;
use convwise_onnx::proto::tensor_shape_proto::{Dimension, dimension};
use convwise_onnx::proto::{
    OperatorSetIdProto, TensorShapeProto, TypeProto, ValueInfoProto, attribute_proto, type_proto,
};
use convwise_sdk::{DType, Options, Runner, Session, Tensor};

use super::*;
use crate::RtenRunner;

/// The inputs that the operator has, in their order.
const INPUTS: [&str; 5] = ["boxes", "scores", "most", "iou", "least"];

fn value(name: &str, kind: DataType, rank: usize) -> ValueInfoProto {
    let dim = |axis| Dimension {
        value: Some(dimension::Value::DimParam(format!("{name}{axis}"))),
        ..Dimension::default()
    };
    let shape = Some(TensorShapeProto { dim: (0..rank).map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: Some(kind.into()), shape };
    let value = Some(type_proto::Value::TensorType(tensor));
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto { value, ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}

fn node(given: &[bool; 5], centres: bool) -> NodeProto {
    let input = INPUTS.iter().zip(given).map(|(name, given)| if *given { *name } else { "" }.to_owned());
    let attribute = AttributeProto {
        name: Some("center_point_box".to_owned()),
        i: Some(i64::from(centres)),
        r#type: Some(attribute_proto::AttributeType::Int.into()),
        ..AttributeProto::default()
    };
    NodeProto {
        input: input.collect(),
        output: vec!["selected".to_owned()],
        name: Some("nms".to_owned()),
        op_type: Some(OPERATOR.to_owned()),
        attribute: if centres { vec![attribute] } else { Vec::new() },
        ..NodeProto::default()
    }
}

fn model(given: &[bool; 5], node: NodeProto) -> ModelProto {
    let float = DataType::Float;
    let kinds = [(float, 3), (float, 3), (DataType::Int64, 1), (float, 1), (float, 1)];
    let inputs = INPUTS.iter().zip(kinds).zip(given).filter(|(_, given)| **given);
    let graph = GraphProto {
        node: vec![node],
        input: inputs.map(|((name, (kind, rank)), _)| value(name, kind, rank)).collect(),
        output: vec![value("selected", DataType::Int64, 2)],
        ..GraphProto::default()
    };
    let standard = OperatorSetIdProto { version: Some(17), ..OperatorSetIdProto::default() };
    ModelProto {
        ir_version: Some(8),
        graph: Some(graph),
        opset_import: vec![standard],
        ..ModelProto::default()
    }
}

fn saved(folder: &tempfile::TempDir, model: &ModelProto) -> PathBuf {
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, encode_model(model)).unwrap();
    path
}

fn load(model: &ModelProto) -> Result<Box<dyn Session>, RunnerError> {
    let folder = tempfile::tempdir().unwrap();
    RtenRunner.load(&saved(&folder, model), &[("threads", "1")].into_iter().collect::<Options>())
}

/// What is suppressed, and how.
struct Case {
    /// Images, classes and boxes.
    extents: [usize; 3],
    boxes: Vec<[f32; 4]>,
    scores: Vec<f32>,
    most: Option<i32>,
    iou: Option<f32>,
    least: Option<f32>,
    centres: bool,
}

impl Case {
    fn given(&self) -> [bool; 5] {
        [true, true, self.most.is_some(), self.iou.is_some(), self.least.is_some()]
    }

    /// What rten answers.
    fn answer(&self, session: &mut dyn Session) -> Vec<[i32; 3]> {
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
        inputs.extend([self.iou, self.least].into_iter().flatten().map(|limit| floats(&[1], &[limit])));
        for (index, input) in inputs.iter().enumerate() {
            session.set_input(index, input.view()).unwrap();
        }
        session.run().unwrap();
        let output = session.output(0).unwrap();
        assert_eq!(output.shape()[1..], [3]);
        output.to_i32().unwrap().as_chunks().0.to_vec()
    }

    /// What the definition says.
    fn expected(&self) -> Vec<[i32; 3]> {
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
        let side = |[p, q, r, s]: [f32; 4], axis: usize| match (self.centres, axis) {
            (true, 0) => (p - r / 2.0, p + r / 2.0),
            (true, _) => (q - s / 2.0, q + s / 2.0),
            (false, 0) => (p.min(r), p.max(r)),
            (false, _) => (q.min(s), q.max(s)),
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
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 40).unwrap() % end
    }

    /// A multiple of 1 / `steps` from 0 on and below 1: the fewer steps, the more are equal.
    fn number(&mut self, steps: u16) -> f32 {
        f32::from(u16::try_from(self.below(usize::from(steps))).unwrap()) / f32::from(steps)
    }

    fn case(&mut self, optional: usize, centres: bool) -> Case {
        let extents = [1 + self.below(3), 1 + self.below(4), [0, 1, 2, 5, 17, 60][self.below(6)]];
        let [images, classes, boxes] = extents;
        let steps = [4, 10, 1000][self.below(3)];
        let mut scores: Vec<f32> = (0..images * classes * boxes).map(|_| self.number(steps)).collect();
        if self.below(4) == 0 {
            scores.iter_mut().step_by(3).for_each(|score| *score = f32::NEG_INFINITY);
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
        match self.below(12) {
            0 => of[2] = if centres { 0.0 } else { of[0] },
            1 => of[3] = if centres { 0.0 } else { of[1] },
            2 if centres => of[2] = -of[2],
            3 if centres => (of[2], of[3]) = (-of[2], -of[3]),
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

/// Boxes of a size, at chance places in a square.
fn crowd(count: usize, size: f32, most: i32) -> Case {
    let mut chance = Chance(3);
    let boxes = (0..count).map(|_| {
        let [y, x] = [(); 2].map(|()| chance.number(10_000));
        [y, x, y + size, x + size]
    });
    let boxes = boxes.collect();
    let scores = (0..count).map(|_| chance.number(10_000)).collect();
    Case {
        extents: [1, 1, count],
        boxes,
        scores,
        most: Some(most),
        iou: Some(0.7),
        least: Some(0.0),
        centres: false,
    }
}

#[test]
#[ignore = "a measurement, not a test"]
fn how_long_it_takes() {
    for (count, size) in [(1500, 0.05), (8400, 0.05), (8400, 0.2)] {
        let case = crowd(count, size, 300);
        let mut session = load(&model(&case.given(), node(&case.given(), false))).unwrap();
        let kept = case.answer(session.as_mut()).len();
        let mut times: Vec<_> = (0..15)
            .map(|_| {
                let start = std::time::Instant::now();
                session.run().unwrap();
                start.elapsed()
            })
            .collect();
        times.sort();
        println!("{count} boxes, {kept} kept: {:?}", times[7]);
    }
}
