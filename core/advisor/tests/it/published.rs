//! Latencies that others published: evidence for the very device, engine and setting, and for nothing else.

use convwise_advisor::Place;
use convwise_types::{DeviceKind, Fact, Grade, InputShape, Millis, Precision, PublishedLatency};

use crate::place::board;
use crate::samples::{Scene, architecture, measurement};

fn published(runtime: &str, includes: &str) -> PublishedLatency {
    PublishedLatency {
        device: board().id.to_string(),
        runtime: runtime.to_owned(),
        precision: Precision::Fp32,
        threads: None,
        batch: 1,
        input: InputShape::square(224),
        latency: Millis(12.5),
        includes: includes.to_owned(),
        source: "https://example.org/table".to_owned(),
    }
}

/// A network whose latency with ONNX Runtime is published for the board, asked for there.
fn scene(includes: &str) -> Scene {
    let mut net = architecture("net");
    net.latencies = vec![published("ONNX Runtime 1.20", includes)];
    let mut scene = Scene::of(vec![net]);
    scene.place = Place::Described(board());
    scene.request.runner = "onnxruntime".into();
    scene
}

fn grade(scene: &Scene) -> Option<Grade> {
    scene.only("net").latency.grade()
}

#[test]
fn it_holds_for_the_very_device_engine_and_setting() {
    let scene = scene("network");
    let net = scene.only("net");
    let latency = net.latency.value().unwrap();
    assert_eq!((latency.median, net.latency.grade()), (Millis(12.5), Some(Grade::Published)));
    assert!(latency.interval.low < 12.5 && latency.interval.high > 12.5);
    let Fact::Known(_, evidence) = &net.latency else { panic!("it is known") };
    assert_eq!(evidence.source, "ONNX Runtime 1.20, https://example.org/table");
}

#[test]
fn it_says_nothing_of_another_setting() {
    let check = |what: &str, change: fn(&mut Scene)| {
        let mut other = scene("network");
        change(&mut other);
        assert_eq!(grade(&other), Some(Grade::Estimated), "{what}");
    };
    check("engine", |s| s.request.runner = "rten".into());
    check("batch", |s| s.request.batch = 2);
    check("format", |s| s.request.precisions = vec![Precision::Fp16]);
    check("device", |s| s.architectures[0].latencies[0].device = "another".to_owned());
    check("input", |s| s.architectures[0].latencies[0].input = InputShape::square(320));
    check("post-processing", |s| s.request.postprocess = true);
    check("what it covers", |s| s.architectures[0].latencies[0].includes = "not stated".to_owned());
    let on_processors = |threads| {
        let mut scene = scene("network");
        let mut server = board();
        (server.kind, server.cores) = (DeviceKind::Cpu, Some(4));
        scene.place = Place::Described(server);
        scene.request.threads = threads;
        grade(&scene)
    };
    assert_eq!(on_processors(4), Some(Grade::Published), "engines use all processors");
    assert_eq!(on_processors(1), Some(Grade::Estimated));
}

#[test]
fn what_covers_post_processing_answers_for_it() {
    let mut scene = scene("network and suppression");
    assert_eq!(grade(&scene), Some(Grade::Estimated));
    scene.request.postprocess = true;
    assert_eq!(grade(&scene), Some(Grade::Published));
}

#[test]
fn what_was_measured_comes_first() {
    let mut scene = scene("network");
    scene.architectures[0].latencies[0].device = "here".to_owned();
    scene.place = Scene::plain().place;
    assert_eq!(grade(&scene), Some(Grade::Published));
    let digest = scene.only("net").graph.value().unwrap().graph.clone();
    let mut record = measurement("r1", &digest, 20.0);
    record.runner.name = "onnxruntime".into();
    assert_eq!(grade(&scene.measured(vec![record])), Some(Grade::Measured));
}
