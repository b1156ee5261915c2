//! A request in the making: what flags, a request file or a scenario state, by the same names and in the same words.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;

use convwise_types::{
    Bytes, Deploy, DeviceId, Domain, Effort, LicenceDemand, Limits, MemoryModel, Millis, Params, PerSecond,
    Percent, Precision, Priority, Request, RunnerName, Situation, Task,
};

/// The runner that is always there.
pub const DEFAULT_RUNNER: &str = "rten";
/// A live stream means this many images a second, unless the request states a figure.
const REAL_TIME_RATE: f64 = 30.0;

/// What is stated so far. `None` and an empty list mean that nothing is.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "each is the field of a request of the same name")]
pub struct Draft {
    pub task: Option<Task>,
    pub deploy: Option<Deploy>,
    pub latency: Option<Millis>,
    pub throughput: Option<PerSecond>,
    pub min_accuracy: Option<Percent>,
    pub max_size: Option<Bytes>,
    pub max_params: Option<Params>,
    pub memory_model: Option<MemoryModel>,
    pub ram: Option<Bytes>,
    pub flash: Option<Bytes>,
    pub device: Option<String>,
    pub here: bool,
    pub batch: Option<u64>,
    pub threads: Option<u64>,
    pub train_images: Option<u64>,
    pub classes: Option<u64>,
    pub domain: Option<Domain>,
    pub real_time: bool,
    pub effort: Option<Effort>,
    pub priority: Option<Priority>,
    pub licence: Option<LicenceDemand>,
    pub objects: Option<u64>,
    pub object_size: Option<u64>,
    pub postprocess: bool,
    pub dataset: Option<String>,
    pub precision: Vec<Precision>,
    pub runner: Option<String>,
}

/// Why a draft is no request.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DraftError {
    /// Nothing says what the network must do.
    #[error("no task is stated; add --task classify")]
    NoTask,
    /// Nothing says where it will run.
    #[error("no deployment is stated; add --deploy gpu-server, cpu-server, mobile or edge")]
    NoDeployment,
    /// Two limits that cannot hold together.
    #[error(
        "--real-time and --latency {stated} contradict each other: {REAL_TIME_RATE} images a second leave {left} an \
         image; lower the latency, or state the rate with --throughput"
    )]
    SlowerThanRealTime {
        /// The latency that is stated.
        stated: Millis,
        /// What real time leaves.
        left: Millis,
    },
    /// Post-processing where there is none.
    #[error("--postprocess is for detectors and segmenters; a classifier's scores need none: leave it out")]
    NothingToPostprocess,
    /// Two targets.
    #[error(
        "--here and --device contradict each other: the first says this machine is the target, the second names \
         another; leave one out"
    )]
    TwoTargets,
}

/// What must be known about machines to complete a draft.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Processors of this machine that may be used.
    pub cores: u64,
    /// Processors of a device that is known by this name.
    pub cores_of: &'a dyn Fn(&str) -> Option<u64>,
}

impl Surroundings<'_> {
    /// Threads that a run may use where the request does not say: all processors of the target. Nobody counts
    /// those of a phone or a board that has no name.
    fn threads(&self, draft: &Draft, deploy: Deploy) -> u64 {
        match (&draft.device, deploy) {
            (Some(device), _) => (self.cores_of)(device).unwrap_or(1),
            (None, Deploy::Mobile | Deploy::Edge) if !draft.here => 1,
            (None, _) => self.cores,
        }
    }
}

/// One field: its name in files and flags, and how to read it from text.
struct Field {
    name: &'static str,
    set: fn(&mut Draft, &str) -> Result<(), String>,
    is_set: fn(&Draft) -> bool,
    take: fn(&mut Draft, &Draft),
}

macro_rules! optional {
    ($name:literal, $field:ident, $read:expr) => {
        Field {
            name: $name,
            set: |draft, text| $read(text).map(|v| draft.$field = Some(v)),
            is_set: |draft| draft.$field.is_some(),
            take: |to, from| to.$field.clone_from(&from.$field),
        }
    };
    ($name:literal, $field:ident) => {
        optional!($name, $field, read)
    };
}

macro_rules! switch {
    ($name:literal, $field:ident) => {
        Field {
            name: $name,
            set: |draft, text| read(text).map(|v| draft.$field = v),
            is_set: |draft| draft.$field,
            take: |to, from| to.$field = from.$field,
        }
    };
}

/// Images a batch, within what a request may state.
pub const BATCHES: RangeInclusive<u64> = 1..=4096;
/// Threads of a run.
pub const THREADS: RangeInclusive<u64> = 1..=1024;
/// Labelled images.
pub const IMAGES: RangeInclusive<u64> = 1..=1_000_000_000_000;
/// Classes to tell apart.
pub const CLASSES: RangeInclusive<u64> = 1..=1_000_000;
/// Objects in an image.
pub const OBJECTS: RangeInclusive<u64> = 1..=1_000_000;
/// Side of an object in pixels.
pub const OBJECT_SIZES: RangeInclusive<u64> = 1..=8192;

const FIELDS: &[Field] = &[
    optional!("task", task),
    optional!("deploy", deploy),
    optional!("latency", latency),
    optional!("throughput", throughput),
    optional!("min-accuracy", min_accuracy),
    optional!("max-size", max_size),
    optional!("max-params", max_params),
    optional!("ram", ram),
    optional!("memory-model", memory_model),
    optional!("flash", flash),
    optional!("device", device),
    switch!("here", here),
    optional!("batch", batch, |text| within(text, BATCHES)),
    optional!("threads", threads, |text| within(text, THREADS)),
    optional!("train-images", train_images, |text| within(text, IMAGES)),
    optional!("classes", classes, |text| within(text, CLASSES)),
    optional!("domain", domain),
    switch!("real-time", real_time),
    optional!("effort", effort),
    optional!("priority", priority),
    optional!("licence", licence),
    optional!("objects", objects, |text| within(text, OBJECTS)),
    optional!("object-size", object_size, |text| within(text, OBJECT_SIZES)),
    switch!("postprocess", postprocess),
    optional!("dataset", dataset),
    optional!("runner", runner),
    Field {
        name: "precision",
        set: |draft, text| {
            draft.precision = text.split(',').map(|p| read(p.trim())).collect::<Result<_, _>>()?;
            Ok(())
        },
        is_set: |draft| !draft.precision.is_empty(),
        take: |to, from| to.precision.clone_from(&from.precision),
    },
];

fn read<T: FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|e: T::Err| e.to_string())
}

pub(crate) fn within(text: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    let outside = || format!("`{text}` is not a whole number from {} to {}", range.start(), range.end());
    text.parse().ok().filter(|n| range.contains(n)).ok_or_else(outside)
}

impl Draft {
    /// The names of all fields.
    pub fn names() -> impl Iterator<Item = &'static str> + Clone {
        FIELDS.iter().map(|f| f.name)
    }

    /// The name of a field as it was written, with `_` or `-`; `None` if there is no such field.
    #[must_use]
    pub fn name_of(written: &str) -> Option<&'static str> {
        let name = written.replace('_', "-");
        FIELDS.iter().map(|f| f.name).find(|known| *known == name)
    }

    /// States a field in the words of its flag.
    ///
    /// # Errors
    /// There is no such field, or it cannot have that value: why.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        let field = FIELDS.iter().find(|f| f.name == name);
        let field = field.ok_or_else(|| format!("a request has no `{name}`"))?;
        (field.set)(self, text)
    }

    /// What is stated here, and from `weaker` what is not.
    #[must_use]
    pub fn over(&self, weaker: &Self) -> Self {
        let mut merged = weaker.clone();
        for field in FIELDS.iter().filter(|f| (f.is_set)(self)) {
            (field.take)(&mut merged, self);
        }
        merged
    }

    /// Names of the fields that are stated.
    pub fn stated(&self) -> impl Iterator<Item = &'static str> {
        FIELDS.iter().filter(|f| (f.is_set)(self)).map(|f| f.name)
    }

    /// The request, with defaults filled in. `origins` says where each stated field comes from.
    ///
    /// # Errors
    /// Task or deployment is missing, or two fields contradict each other.
    pub fn complete(
        self,
        around: &Surroundings<'_>,
        mut origins: BTreeMap<String, String>,
    ) -> Result<Request, DraftError> {
        let task = self.task.ok_or(DraftError::NoTask)?;
        let deploy = self.deploy.ok_or(DraftError::NoDeployment)?;
        let missing = DEFAULTED.iter().filter(|name| !self.stated().any(|stated| stated == **name));
        origins.extend(missing.map(|name| ((*name).to_owned(), "default".to_owned())));
        let request = Request {
            task,
            deploy,
            limits: self.limits(),
            situation: self.situation(),
            priority: self.priority.unwrap_or(Priority::Balanced),
            threads: self.threads.unwrap_or_else(|| around.threads(&self, deploy)),
            device: self.device.map(DeviceId::from),
            here: self.here,
            batch: self.batch.unwrap_or(1),
            runner: RunnerName::from(self.runner.unwrap_or_else(|| DEFAULT_RUNNER.to_owned())),
            precisions: if self.precision.is_empty() { usual_precisions(deploy) } else { self.precision },
            memory_model: self.memory_model.unwrap_or_default(),
            postprocess: self.postprocess,
            dataset: self.dataset,
            comparison: None,
            origins,
        };
        refuse_contradictions(&request).map(|()| request)
    }

    fn limits(&self) -> Limits {
        Limits {
            latency: self.latency,
            throughput: self.throughput,
            min_accuracy: self.min_accuracy,
            max_size: self.max_size,
            max_params: self.max_params,
            ram: self.ram,
            flash: self.flash,
            licence: self.licence.unwrap_or(LicenceDemand::Any),
            real_time: self.real_time,
        }
    }

    fn situation(&self) -> Situation {
        Situation {
            train_images: self.train_images,
            classes: self.classes,
            domain: self.domain,
            effort: self.effort,
            objects: self.objects,
            object_size: self.object_size,
        }
    }
}

/// Fields that every request has, whether somebody states them or not.
const DEFAULTED: [&str; 7] =
    ["batch", "threads", "priority", "licence", "runner", "precision", "memory-model"];

/// Phones and microcontrollers run int8 as a matter of course.
fn usual_precisions(deploy: Deploy) -> Vec<Precision> {
    match deploy {
        Deploy::GpuServer | Deploy::CpuServer => vec![Precision::Fp32],
        Deploy::Mobile | Deploy::Edge => vec![Precision::Fp32, Precision::Int8],
    }
}

/// Limits that cannot hold together are a mistake of the request, not a verdict on the networks.
pub(crate) fn refuse_contradictions(request: &Request) -> Result<(), DraftError> {
    if let (Some(stated), Some(left)) = (request.limits.latency, real_time_budget(request))
        && stated > left
    {
        return Err(DraftError::SlowerThanRealTime { stated, left: Millis(1000.0 / REAL_TIME_RATE) });
    }
    if request.postprocess && request.task == Task::Classify {
        return Err(DraftError::NothingToPostprocess);
    }
    if request.here && request.device.is_some() {
        return Err(DraftError::TwoTargets);
    }
    Ok(())
}

/// What a live stream leaves for one batch, unless a rate is stated.
pub(crate) fn real_time_budget(request: &Request) -> Option<Millis> {
    let stream = request.limits.real_time && request.limits.throughput.is_none();
    stream.then(|| Millis(1000.0 / REAL_TIME_RATE * images(request.batch)))
}

#[expect(clippy::cast_precision_loss, reason = "at most 4096")]
fn images(batch: u64) -> f64 {
    batch as f64
}
