//! From what was typed and what stands in a request file to a complete [`Request`].

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use convwise_types::{
    Deploy, DeviceId, Diagnostic, LicenceDemand, Limits, Millis, Precision, Priority, Request, RunnerName,
    Situation, Span, did_you_mean,
};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::args::RequestArgs;
use crate::error::CliError;

/// Largest request file that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// A live stream means this many images a second, unless the request states a figure.
const REAL_TIME_RATE: f64 = 30.0;
/// The runner that is always there.
pub(crate) const DEFAULT_RUNNER: &str = "rten";

/// One field of a request: its name in files and flags, and how to read it from text.
struct Field {
    name: &'static str,
    set: fn(&mut RequestArgs, &str) -> Result<(), String>,
    is_set: fn(&RequestArgs) -> bool,
    take: fn(&mut RequestArgs, &RequestArgs),
}

macro_rules! optional {
    ($name:literal, $field:ident) => {
        Field {
            name: $name,
            set: |args, text| read(text).map(|v| args.$field = Some(v)),
            is_set: |args| args.$field.is_some(),
            take: |to, from| to.$field.clone_from(&from.$field),
        }
    };
}

macro_rules! switch {
    ($name:literal, $field:ident) => {
        Field {
            name: $name,
            set: |args, text| read(text).map(|v| args.$field = v),
            is_set: |args| args.$field,
            take: |to, from| to.$field = from.$field,
        }
    };
}

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
    optional!("batch", batch),
    optional!("threads", threads),
    optional!("train-images", train_images),
    optional!("classes", classes),
    optional!("domain", domain),
    switch!("real-time", real_time),
    optional!("effort", effort),
    optional!("priority", priority),
    optional!("licence", licence),
    optional!("runner", runner),
    Field {
        name: "precision",
        set: |args, text| {
            args.precision = text.split(',').map(|p| read(p.trim())).collect::<Result<_, _>>()?;
            Ok(())
        },
        is_set: |args| !args.precision.is_empty(),
        take: |to, from| to.precision.clone_from(&from.precision),
    },
];

fn read<T: FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|e: T::Err| e.to_string())
}

/// What the request needs to know about machines to be complete.
pub(crate) struct Surroundings<'a> {
    /// Processors of this machine that may be used.
    pub(crate) cores: u64,
    /// Processors of a device that is known by this name.
    pub(crate) cores_of: &'a dyn Fn(&str) -> Option<u64>,
}

impl Surroundings<'_> {
    /// Threads that a run may use where the request does not say: all processors of the target. Nobody counts
    /// those of a phone or a board that has no name.
    fn threads(&self, args: &RequestArgs, deploy: Deploy) -> u64 {
        match (&args.device, deploy) {
            (Some(device), _) => (self.cores_of)(device).unwrap_or(1),
            (None, Deploy::Mobile | Deploy::Edge) if !args.here => 1,
            (None, _) => self.cores,
        }
    }
}

/// Merges flags with the request file, fills in defaults and refuses contradictions.
pub(crate) fn complete(flags: &RequestArgs, around: &Surroundings<'_>) -> Result<Request, CliError> {
    let mut origins = BTreeMap::new();
    let mut merged = RequestArgs::default();
    if let Some(path) = &flags.request {
        merged = read_file(path)?;
        note_origins(&merged, &path.display().to_string(), &mut origins);
    }
    for field in FIELDS.iter().filter(|f| (f.is_set)(flags)) {
        (field.take)(&mut merged, flags);
    }
    note_origins(flags, "flag", &mut origins);
    let request = build(merged, around, origins)?;
    refuse_contradictions(&request)?;
    Ok(request)
}

fn note_origins(args: &RequestArgs, origin: &str, origins: &mut BTreeMap<String, String>) {
    for field in FIELDS.iter().filter(|f| (f.is_set)(args)) {
        origins.insert(field.name.to_owned(), origin.to_owned());
    }
}

fn build(
    args: RequestArgs,
    around: &Surroundings<'_>,
    mut origins: BTreeMap<String, String>,
) -> Result<Request, CliError> {
    let task = args.task.ok_or_else(|| CliError::invalid("no task is stated; add --task classify"))?;
    let deploy = args.deploy.ok_or_else(|| {
        CliError::invalid("no deployment is stated; add --deploy gpu-server, cpu-server, mobile or edge")
    })?;
    let mut default = |name: &str| {
        origins.insert(name.to_owned(), "default".to_owned());
    };
    let mut or_default = |name: &str, set: bool| {
        if !set {
            default(name)
        }
    };
    or_default("batch", args.batch.is_some());
    or_default("threads", args.threads.is_some());
    or_default("priority", args.priority.is_some());
    or_default("licence", args.licence.is_some());
    or_default("runner", args.runner.is_some());
    or_default("precision", !args.precision.is_empty());
    or_default("memory-model", args.memory_model.is_some());
    let threads = args.threads.unwrap_or_else(|| around.threads(&args, deploy));
    let precisions = if args.precision.is_empty() { usual_precisions(deploy) } else { args.precision };
    Ok(Request {
        task,
        deploy,
        limits: Limits {
            latency: args.latency,
            throughput: args.throughput,
            min_accuracy: args.min_accuracy,
            max_size: args.max_size,
            max_params: args.max_params,
            ram: args.ram,
            flash: args.flash,
            licence: args.licence.unwrap_or(LicenceDemand::Any),
            real_time: args.real_time,
        },
        situation: Situation {
            train_images: args.train_images,
            classes: args.classes,
            domain: args.domain,
            effort: args.effort,
        },
        priority: args.priority.unwrap_or(Priority::Balanced),
        device: args.device.map(DeviceId::from),
        here: args.here,
        batch: args.batch.unwrap_or(1),
        threads,
        runner: args.runner.map_or_else(|| RunnerName::from(DEFAULT_RUNNER), RunnerName::from),
        precisions,
        memory_model: args.memory_model.unwrap_or_default(),
        origins,
    })
}

/// Phones and microcontrollers run int8 as a matter of course.
fn usual_precisions(deploy: Deploy) -> Vec<Precision> {
    match deploy {
        Deploy::GpuServer | Deploy::CpuServer => vec![Precision::Fp32],
        Deploy::Mobile | Deploy::Edge => vec![Precision::Fp32, Precision::Int8],
    }
}

/// Limits that cannot hold together are a mistake of the request, not a verdict on the networks.
fn refuse_contradictions(request: &Request) -> Result<(), CliError> {
    let limits = &request.limits;
    let budget = limits.latency.map(|l| l.0);
    if limits.real_time
        && let Some(ms) = budget
        && limits.throughput.is_none()
        && ms > 1000.0 / REAL_TIME_RATE * images(request.batch)
    {
        return Err(CliError::invalid(format!(
            "--real-time and --latency {} contradict each other: {REAL_TIME_RATE} images a second leave {} an image; \
             lower the latency, or state the rate with --throughput",
            Millis(ms),
            Millis(1000.0 / REAL_TIME_RATE)
        )));
    }
    if request.here && request.device.is_some() {
        return Err(CliError::invalid(
            "--here and --device contradict each other: the first says this machine is the target, the second names \
             another; leave one out",
        ));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "at most 4096")]
fn images(batch: u64) -> f64 {
    batch as f64
}

fn read_file(path: &Path) -> Result<RequestArgs, CliError> {
    let name = path.display().to_string();
    let problem = |e: std::io::Error| CliError::invalid(format!("cannot read the request file {name}: {e}"));
    let size = fs::metadata(path).map_err(problem)?.len();
    if size > MAX_FILE_BYTES {
        return Err(CliError::invalid(format!(
            "the request file {name} has {size} bytes; at most {MAX_FILE_BYTES} are read"
        )));
    }
    let source = fs::read_to_string(path).map_err(problem)?;
    parse_file(&name, &source).map_err(|d| CliError::Source(vec![*d]))
}

fn parse_file(file: &str, source: &str) -> Result<RequestArgs, Box<Diagnostic>> {
    let table = DeTable::parse(source).map_err(|e| {
        let span = e.span().unwrap_or(0..0);
        let place = Span::of_bytes(source, span);
        Diagnostic::error("broken-request", file, "the request file is not valid TOML").at(
            source,
            place,
            e.message(),
        )
    })?;
    let mut args = RequestArgs::default();
    for (key, value) in table.get_ref() {
        set(&mut args, file, source, key, value)?;
    }
    Ok(args)
}

fn set(
    args: &mut RequestArgs,
    file: &str,
    source: &str,
    key: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
) -> Result<(), Box<Diagnostic>> {
    let name = key.get_ref().replace('_', "-");
    let Some(field) = FIELDS.iter().find(|f| f.name == name) else {
        let hint = did_you_mean(&name, FIELDS.iter().map(|f| f.name));
        let known = FIELDS.iter().map(|f| f.name).collect::<Vec<_>>().join(", ");
        return Err(Box::new(
            Diagnostic::error("unknown-key", file, format!("a request has no `{}`{hint}", key.get_ref()))
                .at(source, Span::of_bytes(source, key.span()), "not known")
                .with_help(format!("known are {known}")),
        ));
    };
    (field.set)(args, &text_of(value.get_ref())).map_err(|why| {
        Box::new(Diagnostic::error("bad-value", file, format!("`{}` cannot be used: {why}", field.name)).at(
            source,
            Span::of_bytes(source, value.span()),
            "this value",
        ))
    })
}

/// The text that a flag would have had.
fn text_of(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(s) => s.to_string(),
        DeValue::Integer(i) => i.as_str().to_owned(),
        DeValue::Float(f) => f.as_str().to_owned(),
        DeValue::Boolean(b) => b.to_string(),
        DeValue::Datetime(d) => d.to_string(),
        DeValue::Array(items) => items.iter().map(|i| text_of(i.get_ref())).collect::<Vec<_>>().join(","),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
