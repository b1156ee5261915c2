//! Fields of the request and its target: `need`, `need.device`.

use convwise_types::{Deploy, DeviceKind, Domain, Effort, LicenceDemand, MemoryModel, Priority, Task};

use super::net::Vocabulary;
use super::{Cell, Kind, Read, Table, plain};
use crate::inquiry::{Inquiry, Target};
use crate::row::Row;

/// The request and its target.
pub static NEED: Table = Table {
    index: 4,
    path: "need",
    doc: "What was asked for: task, deployment, limits, situation, priority and target device.",
    fields: &[
        plain(
            "task",
            Kind::Word(words::<Task>),
            "",
            "What the network must do.",
            Read::Inquiry(|q| Cell::text(q.request.task.as_str())),
        ),
        plain(
            "deploy",
            Kind::Word(words::<Deploy>),
            "",
            "Where it will run.",
            Read::Inquiry(|q| Cell::text(q.request.deploy.as_str())),
        ),
        plain(
            "latency_ms",
            Kind::Real,
            "milliseconds",
            "Longest acceptable latency of one batch.",
            Read::Inquiry(|q| {
                limit(q.request.limits.latency.map(|v| v.0), Cell::real, "latency_ms", "--latency 20ms")
            }),
        ),
        plain(
            "throughput",
            Kind::Real,
            "images a second",
            "Images that must be handled a second.",
            Read::Inquiry(|q| {
                limit(
                    q.request.limits.throughput.map(|v| v.0),
                    Cell::real,
                    "throughput",
                    "--throughput 100/s",
                )
            }),
        ),
        plain(
            "min_accuracy",
            Kind::Real,
            "percent",
            "Lowest acceptable accuracy in the task's metric.",
            Read::Inquiry(|q| {
                limit(
                    q.request.limits.min_accuracy.map(|v| v.0),
                    Cell::real,
                    "min_accuracy",
                    "--min-accuracy 75",
                )
            }),
        ),
        plain(
            "max_size_bytes",
            Kind::Whole,
            "bytes",
            "Largest acceptable weights.",
            Read::Inquiry(|q| {
                limit(
                    q.request.limits.max_size.map(|v| v.0),
                    Cell::whole,
                    "max_size_bytes",
                    "--max-size 20MB",
                )
            }),
        ),
        plain(
            "max_params",
            Kind::Whole,
            "parameters",
            "Most parameters.",
            Read::Inquiry(|q| {
                limit(q.request.limits.max_params.map(|v| v.0), Cell::whole, "max_params", "--max-params 10M")
            }),
        ),
        plain(
            "ram_bytes",
            Kind::Whole,
            "bytes",
            "Working memory: the stated limit, else that of a microcontroller named as device.",
            Read::Inquiry(ram),
        ),
        plain(
            "memory_model",
            Kind::Word(words::<MemoryModel>),
            "",
            "What the target's runtime does with the memory of activations.",
            Read::Inquiry(|q| Cell::text(q.request.memory_model.as_str())),
        ),
        plain(
            "flash_bytes",
            Kind::Whole,
            "bytes",
            "Program memory: the stated limit, else that of a microcontroller named as device.",
            Read::Inquiry(flash),
        ),
        plain(
            "licence",
            Kind::Word(words::<LicenceDemand>),
            "",
            "Acceptable licences.",
            Read::Inquiry(|q| Cell::text(q.request.limits.licence.as_str())),
        ),
        plain(
            "real_time",
            Kind::Flag,
            "",
            "Whether it must keep up with a live stream.",
            Read::Inquiry(|q| Cell::flag(q.request.limits.real_time)),
        ),
        plain(
            "train_images",
            Kind::Whole,
            "images",
            "Labelled training images.",
            Read::Inquiry(|q| {
                limit(q.request.situation.train_images, Cell::whole, "train_images", "--train-images 5000")
            }),
        ),
        plain(
            "classes",
            Kind::Whole,
            "classes",
            "Classes to tell apart.",
            Read::Inquiry(|q| limit(q.request.situation.classes, Cell::whole, "classes", "--classes 10")),
        ),
        plain(
            "images_per_class",
            Kind::Real,
            "images",
            "Labelled training images divided by classes.",
            Read::Inquiry(images_per_class),
        ),
        plain(
            "domain",
            Kind::Word(words::<Domain>),
            "",
            "What the images show.",
            Read::Inquiry(|q| {
                limit(
                    q.request.situation.domain.map(Domain::as_str),
                    Cell::text,
                    "domain",
                    "--domain natural",
                )
            }),
        ),
        plain(
            "effort",
            Kind::Word(words::<Effort>),
            "",
            "How much engineering the team can spend.",
            Read::Inquiry(|q| {
                limit(q.request.situation.effort.map(Effort::as_str), Cell::text, "effort", "--effort medium")
            }),
        ),
        plain(
            "objects",
            Kind::Whole,
            "objects",
            "Most objects that must be found in one image.",
            Read::Inquiry(|q| limit(q.request.situation.objects, Cell::whole, "objects", "--objects 50")),
        ),
        plain(
            "object_size",
            Kind::Whole,
            "pixels",
            "Side of the smallest objects that matter, as the network's input shows them.",
            Read::Inquiry(|q| {
                limit(q.request.situation.object_size, Cell::whole, "object_size", "--object-size 16")
            }),
        ),
        plain(
            "postprocess",
            Kind::Flag,
            "",
            "Whether the latency covers post-processing.",
            Read::Inquiry(|q| Cell::flag(q.request.postprocess)),
        ),
        plain(
            "dataset",
            Kind::Text,
            "",
            "Dataset on which accuracies are compared.",
            Read::Inquiry(|q| Cell::text(&q.request.comparison().dataset)),
        ),
        plain(
            "priority",
            Kind::Word(words::<Priority>),
            "",
            "What matters most once every limit holds.",
            Read::Inquiry(|q| Cell::text(q.request.priority.as_str())),
        ),
        plain(
            "batch",
            Kind::Whole,
            "images",
            "Images a batch.",
            Read::Inquiry(|q| Cell::whole(q.request.batch)),
        ),
        plain(
            "threads",
            Kind::Whole,
            "threads",
            "Threads a run may use.",
            Read::Inquiry(|q| Cell::whole(q.request.threads)),
        ),
        plain(
            "runner",
            Kind::Text,
            "",
            "Runner whose latency counts.",
            Read::Inquiry(|q| Cell::text(q.request.runner.as_str())),
        ),
        plain(
            "precisions",
            Kind::Words,
            "",
            "Number formats to consider.",
            Read::Inquiry(|q| Cell::words(q.request.precisions.iter().map(|p| p.as_str()))),
        ),
        plain(
            "device",
            Kind::Object(&DEVICE),
            "",
            "The target device.",
            Read::Inquiry(|q| Cell::object(Row::inside_inquiry(&DEVICE, q))),
        ),
    ],
};

/// The target device.
pub static DEVICE: Table = Table {
    index: 5,
    path: "need.device",
    doc: "The device that the network will run on, as far as it is known.",
    fields: &[
        plain(
            "kind",
            Kind::Word(words::<DeviceKind>),
            "",
            "What kind of machine it is.",
            Read::Inquiry(|q| Cell::text(q.target.kind.as_str())),
        ),
        plain("title", Kind::Text, "", "Its name.", Read::Inquiry(|q| Cell::text(&q.target.title))),
        plain(
            "isa",
            Kind::Words,
            "",
            "Instruction sets that matter for inference, `avx512_vnni`, `dotprod`.",
            Read::Inquiry(isa),
        ),
        plain(
            "ram_bytes",
            Kind::Whole,
            "bytes",
            "Working memory.",
            Read::Inquiry(|q| known(q.target.ram.map(|v| v.0), Cell::whole, "device.ram_bytes")),
        ),
        plain(
            "flash_bytes",
            Kind::Whole,
            "bytes",
            "Program memory.",
            Read::Inquiry(|q| known(q.target.flash.map(|v| v.0), Cell::whole, "device.flash_bytes")),
        ),
        plain(
            "cores",
            Kind::Whole,
            "cores",
            "Processors that may be used.",
            Read::Inquiry(|q| known(q.target.cores, Cell::whole, "device.cores")),
        ),
        plain("nvidia", Kind::Flag, "", "Whether it has an NVIDIA GPU.", Read::Inquiry(nvidia)),
    ],
};

fn words<W: Vocabulary>() -> Vec<&'static str> {
    W::words()
}

/// A limit or circumstance that the request may state.
fn limit<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell, name: &str, flag: &str) -> Cell {
    Cell::option(value, cell, name, &format!("the request does not state it; say for example `{flag}`"))
}

/// A property of the device.
fn known<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell, name: &str) -> Cell {
    Cell::option(value, cell, name, "nothing is known of the target device; name it with `--device`")
}

fn ram(q: &Inquiry) -> Cell {
    let bytes = q.request.limits.ram.or(microcontroller(&q.target).and_then(|t| t.ram));
    limit(bytes.map(|v| v.0), Cell::whole, "ram_bytes", "--ram 320kB")
}

fn flash(q: &Inquiry) -> Cell {
    let bytes = q.request.limits.flash.or(microcontroller(&q.target).and_then(|t| t.flash));
    limit(bytes.map(|v| v.0), Cell::whole, "flash_bytes", "--flash 1MB")
}

/// On a microcontroller the memory of the device is a limit by itself; elsewhere the operating system lends more.
fn microcontroller(target: &Target) -> Option<&Target> {
    (target.kind == DeviceKind::Mcu).then_some(target)
}

#[expect(clippy::cast_precision_loss, reason = "a ratio that is compared with round thresholds")]
fn images_per_class(q: &Inquiry) -> Cell {
    let (images, classes) = (q.request.situation.train_images, q.request.situation.classes);
    match (images, classes) {
        (Some(images), Some(classes)) if classes > 0 => Cell::real(images as f64 / classes as f64),
        (None, _) => limit(None, Cell::whole, "images_per_class", "--train-images 5000"),
        (_, _) => limit(None, Cell::whole, "images_per_class", "--classes 10"),
    }
}

fn isa(q: &Inquiry) -> Cell {
    known(q.target.isa.as_ref(), |set| Cell::words(set.iter().map(String::as_str)), "device.isa")
}

fn nvidia(q: &Inquiry) -> Cell {
    known(q.target.nvidia(), Cell::flag, "device.nvidia")
}
