//! Answers instead of predictions: what the tail of a graph gives is what its definition gives, and its cost is stated.

use std::path::{Path, PathBuf};

use convwise_host::{RunnerSource, Worker, WorkerSpec};

use crate::harness::Home;
use crate::weights::{edited, written};

/// The outputs of an ONNX file in the built-in runner, under inputs that are the same every time.
fn outputs(model: &Path) -> Vec<Vec<f64>> {
    let source = RunnerSource::Builtin { name: "rten".into() };
    let spec = WorkerSpec::new("rten", source, env!("CARGO_BIN_EXE_convwise"));
    let mut worker = Worker::spawn(&spec).unwrap();
    worker.load(model, &[("threads".to_owned(), "1".to_owned())].into()).unwrap();
    worker.fill_inputs(1, 7).unwrap();
    worker.run(1).unwrap();
    let count = worker.io().unwrap().outputs.len();
    (0..count).map(|index| worker.output(index).unwrap().view().to_numbers().unwrap()).collect()
}

fn exported(home: &Home, network: &str, weights: &str, size: &str, more: &str) -> PathBuf {
    let file = home.path().join(format!("{network}{}.onnx", more.replace([' ', '-'], "")));
    let line =
        format!("export {network} -o {} --weights {weights} --input-size {size}{more}", file.display());
    assert_eq!(home.run(&line).code, 0, "{line}");
    file
}

/// What YOLOv8 decodes for one place: corners in pixels and the probability of every class.
struct Place {
    corners: [f64; 4],
    classes: Vec<f64>,
}

impl Place {
    fn all(decoded: &[f64], classes: usize) -> Vec<Self> {
        let places = decoded.len() / (4 + classes);
        let at = |row: usize, place: usize| decoded[row * places + place];
        let place = |index: usize| {
            let [x, y, w, h] = [0, 1, 2, 3].map(|row| at(row, index));
            let corners = [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0];
            Self { corners, classes: (4..4 + classes).map(|row| at(row, index)).collect() }
        };
        (0..places).map(place).collect()
    }

    fn score(&self) -> f64 {
        self.classes.iter().copied().fold(0.0, f64::max)
    }

    /// Whether a class is the best, or as good as the best: rten takes the last of equals.
    fn may_be(&self, class: usize) -> bool {
        self.classes[class] > self.score() - EPSILON
    }
}

/// What one runner's arithmetic may differ by between two graphs.
const EPSILON: f64 = 1e-5;

/// An answer: corners, score, class.
struct Found {
    corners: [f64; 4],
    score: f64,
    class: usize,
}

impl Found {
    /// All that are answers: the rest is filled up.
    fn all([boxes, scores, labels]: &[Vec<f64>; 3]) -> Vec<Self> {
        let count = labels.iter().take_while(|label| **label >= 0.0).count();
        assert!(labels[count..].iter().all(|label| *label == -1.0));
        assert!(scores[count..].iter().all(|score| *score == 0.0));
        let found = |i: usize| Self {
            corners: [0, 1, 2, 3].map(|c| boxes[4 * i + c]),
            score: scores[i],
            class: labels[i] as usize,
        };
        (0..count).map(found).collect()
    }

    /// Whether it is the box of a place, with its score and a class of it.
    fn is_of(&self, place: &Place) -> bool {
        let near = self.corners.iter().zip(place.corners).all(|(a, b)| (a - b).abs() < 1e-2);
        near && (self.score - place.score()).abs() < EPSILON && place.may_be(self.class)
    }
}

/// Intersection over union.
fn shared(a: &[f64; 4], b: &[f64; 4]) -> f64 {
    let area = |c: &[f64; 4]| (c[2] - c[0]).max(0.0) * (c[3] - c[1]).max(0.0);
    let common = area(&[a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    common / (area(a) + area(b) - common)
}

/// The definition of what greedy suppression keeps, for 0.25 and 0.7: answers are places, the best first; no two of a class
/// share more; and a place that is no answer shares more with a better one that is.
#[test]
fn boxes_scores_and_labels_are_those_of_the_definition() {
    let home = Home::new();
    // The distances of a distribution, as trained weights have them: boxes are large and overlap.
    let plain = written(&home, "yolov8n", false);
    let change = "t['model.22.dfl.conv.weight'] = numpy.arange(16, dtype='f4').reshape(1, 16, 1, 1)";
    let weights = edited(&plain, change).display().to_string();
    let export = |more: &str| outputs(&exported(&home, "yolov8n", &weights, "96x160", more));
    let raw = export("");
    let answers: [_; 3] = export(" --postprocess").try_into().unwrap();
    let (places, found) = (Place::all(raw.last().unwrap(), 80), Found::all(&answers));
    assert!(found.len() > 20 && found.len() < places.len().min(300), "{} of {}", found.len(), places.len());
    assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
    for (i, one) in found.iter().enumerate() {
        assert!(one.score > 0.25 && places.iter().any(|place| one.is_of(place)), "answer {i} is no place");
        let doubles =
            |other: &&Found| other.class == one.class && shared(&other.corners, &one.corners) > 0.7 + EPSILON;
        assert!(!found[..i].iter().any(|other| doubles(&other)), "answer {i} is a double");
    }
    for (i, place) in places.iter().enumerate().filter(|(_, p)| p.score() > 0.25 + EPSILON) {
        let better = |one: &Found| {
            let overlaps = shared(&one.corners, &place.corners) > 0.7 - EPSILON;
            one.score > place.score() - EPSILON && place.may_be(one.class) && overlaps
        };
        assert!(found.iter().any(|one| one.is_of(place) || better(one)), "place {i} is missing");
    }
}

#[test]
fn a_pixel_has_the_class_that_scores_most() {
    let home = Home::new();
    let raw = outputs(&exported(&home, "bisenetv2", "seed:3", "64x128", "")).remove(0);
    let labels = outputs(&exported(&home, "bisenetv2", "seed:3", "64x128", " --postprocess")).remove(0);
    let pixels = 64 * 128;
    assert_eq!(labels.len(), pixels);
    let score = |class: usize, pixel: usize| raw[class * pixels + pixel];
    let best = |pixel: usize| (0..19).map(|class| score(class, pixel)).fold(f64::MIN, f64::max);
    assert!((0..pixels).all(|pixel| score(labels[pixel] as usize, pixel) > best(pixel) - EPSILON));
}

#[test]
fn bench_measures_a_network_with_and_without_and_states_the_difference() {
    let home = Home::new();
    let report = home
        .json("bench ssdlite320_mobilenet_v3_large --postprocess --input-size 64 --quick --threads 1 --json");
    let records = report["records"].as_array().unwrap();
    assert_eq!(
        records.iter().map(|r| r["postprocess"].as_bool().unwrap()).collect::<Vec<_>>(),
        [false, true]
    );
    let tail = &report["postprocessing"][0];
    assert_eq!((&tail["network"], &tail["answers"]), (&records[0]["id"], &records[1]["id"]));
    let [ms, low, high] = ["ms", "low_ms", "high_ms"].map(|field| tail[field].as_f64().unwrap());
    let medians = [1, 0].map(|at: usize| records[at]["median_ms"].as_f64().unwrap());
    assert!((ms - (medians[0] - medians[1])).abs() < 1e-9 && low <= ms && ms <= high, "{tail}");

    let text = home.run("bench bisenetv2 --postprocess --input-size 64x128 --quick --threads 1").stdout;
    assert!(text.contains("post-processing of bisenetv2 with rten: "), "{text}");
    assert!(
        !text.contains("the weights are random"),
        "its answers take the same time with any weights: {text}"
    );
}

#[test]
fn what_has_no_answers_is_refused() {
    let home = Home::new();
    home.run("export resnet18 -o net.onnx --postprocess")
        .fails(3, &["has no post-processing", "--postprocess"]);
    home.run("bench yolov8n --postprocess --batch 2 --input-size 64")
        .fails(3, &["each keeps another number of boxes"]);
}
