//! torchvision's published weights: the table of its documentation as CSV, or what its `meta` says as JSON.

mod document;
mod sheet;

use convwise_types::{
    AddedCost, AddedResult, Macs, Params, Percent, Precision, PublishedResult, StatedCost, StatedMacs, Task,
    WeightsTag,
};

use crate::desk::{Desk, Problem};
use crate::input::Input;
use crate::number::counted;
use crate::{Entry, Place};

/// What a person says of the table.
#[derive(Clone, Debug, Default)]
pub struct TorchvisionOptions {
    /// Side of the images, for a table that has no column `crop_size`.
    pub input_size: Option<u64>,
}

/// Python that writes the JSON form.
pub const SNIPPET: &str = r#"import json, torchvision.models as m
found = [w for name in m.list_models() for w in m.get_model_weights(name)]
meta = {str(w): {**w.meta, "categories": 0, "transforms": w.transforms.keywords} for w in found}
json.dump(meta, open("torchvision.json", "w"), default=str)"#;

/// Whose names these tables use.
const PACKAGE: &str = "torchvision";

/// What torchvision calls a dataset and its metrics, with ours.
struct Evaluation {
    theirs: &'static str,
    ours: &'static str,
    task: Task,
    metrics: &'static [(&'static str, &'static str)],
}

const EVALUATIONS: &[Evaluation] = &[
    Evaluation {
        theirs: "ImageNet-1K",
        ours: "imagenet-1k/val",
        task: Task::Classify,
        metrics: &[("acc@1", "top1"), ("acc@5", "top5")],
    },
    Evaluation {
        theirs: "COCO-val2017",
        ours: "coco/val2017",
        task: Task::Detect,
        metrics: &[("box_map", "box_ap")],
    },
    Evaluation {
        theirs: "COCO-val2017-VOC-labels",
        ours: "coco-voc-labels/val2017",
        task: Task::Segment,
        metrics: &[("miou", "miou"), ("pixel_acc", "pixel_accuracy")],
    },
];

pub(crate) fn read(
    options: &TorchvisionOptions,
    mut input: Input,
    desk: &mut Desk<'_, '_>,
) -> Result<(), Problem> {
    let head = input.peek(1)?;
    let first = head.iter().find(|b| !b.is_ascii_whitespace());
    if first == Some(&b'{') { document::read(input, desk) } else { sheet::read(options, input, desk) }
}

/// One set of weights by its name in torchvision: `ResNet50_Weights.IMAGENET1K_V2`.
#[derive(Debug, PartialEq)]
struct Name {
    /// torchvision's builder: `resnet50`.
    builder: String,
    weights: WeightsTag,
    precision: Precision,
}

impl Name {
    /// Builders are called as their enums are, in small letters.
    fn read(text: &str) -> Result<Self, String> {
        let refused =
            || format!("`{text}` is not the name of weights such as ResNet50_Weights.IMAGENET1K_V2");
        let (class, weights) = text.split_once('.').ok_or_else(refused)?;
        let quantized = class.strip_suffix("_QuantizedWeights");
        let builder = quantized.or_else(|| class.strip_suffix("_Weights")).ok_or_else(refused)?;
        let plain =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain(builder) || !plain(weights) {
            return Err(refused());
        }
        let precision = if quantized.is_some() { Precision::Int8 } else { Precision::Fp32 };
        Ok(Self { builder: builder.to_lowercase(), weights: weights.into(), precision })
    }

    fn result(&self, dataset: &str, metric: &str, value: f64, input_size: u64, source: String) -> Entry {
        Entry::Result(AddedResult {
            package: Some(PACKAGE.to_owned()),
            architecture: self.builder.as_str().into(),
            weights: Some(self.weights.clone()),
            result: PublishedResult {
                dataset: dataset.to_owned(),
                metric: metric.to_owned(),
                value: Percent(value),
                input_size,
                precision: self.precision,
                source,
            },
            note: None,
        })
    }

    fn cost(&self, task: Task, params: Option<u64>, work: Option<StatedMacs>, cited: Cited<'_>) -> Entry {
        Entry::Cost(AddedCost {
            package: Some(PACKAGE.to_owned()),
            architecture: self.builder.as_str().into(),
            task,
            cost: StatedCost {
                params: params.map(Params),
                macs: work,
                source: cited.source,
                note: Some(cited.note.to_owned()),
            },
        })
    }
}

/// Where a cost is stated, and what is to know of it.
struct Cited<'a> {
    source: String,
    note: &'a str,
}

/// torchvision's `_ops` (GFLOPS in its tables) counts multiply-accumulates in thousands of millions.
fn macs(billions: f64) -> Option<Macs> {
    counted(billions * 1e9).filter(|count| *count > 0).map(Macs)
}

fn place<'a>(line: Option<u64>, column: &'a str, read: u64) -> Place<'a> {
    Place { line, column: Some(column), read }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_weights_lead_to_builders() {
        let check = |text: &str, builder: &str, weights: &str, precision: Precision| {
            let expect = Name { builder: builder.to_owned(), weights: weights.into(), precision };
            assert_eq!(Name::read(text), Ok(expect));
        };
        check("ResNet50_Weights.IMAGENET1K_V2", "resnet50", "IMAGENET1K_V2", Precision::Fp32);
        check("RegNet_Y_400MF_Weights.IMAGENET1K_V1", "regnet_y_400mf", "IMAGENET1K_V1", Precision::Fp32);
        check(
            "ResNet18_QuantizedWeights.IMAGENET1K_FBGEMM_V1",
            "resnet18",
            "IMAGENET1K_FBGEMM_V1",
            Precision::Int8,
        );
        for wrong in ["resnet50", "resnet50.a1_in1k", "_Weights.X", "ResNet50_Weights.", "A b_Weights.X", ""]
        {
            assert!(Name::read(wrong).is_err(), "{wrong}");
        }
    }
}
