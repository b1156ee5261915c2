//! ONNX Runtime's own profile, a file of events in Chrome's trace format, as times per kernel.
//!
//! A run is an event `model_run`; before it stand the events of its kernels, of category `Node`, in the order in which
//! they ran, with times in whole microseconds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use convwise_sdk::{LayerTime, Profile, RunnerError};
use serde::Deserialize;

/// Runs before those that count: the first ones allocate.
pub(crate) const WARM_UP: usize = 3;

/// Longest profile that is read; a run of a large network writes half a megabyte.
const LONGEST: u64 = 512 << 20;

/// End of the name of a kernel's event.
const KERNEL: &str = "_kernel_time";

/// One event; members that are not used here are skipped.
#[derive(Debug, Deserialize)]
struct Event {
    #[serde(default)]
    cat: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    dur: i64,
    #[serde(default)]
    args: Args,
}

#[derive(Debug, Default, Deserialize)]
struct Args {
    #[serde(default)]
    op_name: String,
    #[serde(default)]
    provider: String,
}

/// A kernel in a run: what it is, and the how-manyeth of that.
type Key = (String, usize);

/// Times of one kernel over the runs, and where it stands in the first.
struct Times {
    place: usize,
    op: String,
    provider: String,
    micros: Vec<u64>,
}

/// Reads the profile that ONNX Runtime wrote.
pub(crate) fn read(path: &Path) -> Result<Profile, RunnerError> {
    let failed = |error: String| RunnerError::internal(format!("ONNX Runtime's profile: {error}"));
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut text = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut text).map_err(|error| failed(error.to_string()))?;
    if text.len() as u64 > LONGEST {
        return Err(failed(format!("it is longer than {} MB; profile fewer runs", LONGEST >> 20)));
    }
    parse(&text)
}

fn parse(text: &[u8]) -> Result<Profile, RunnerError> {
    let failed = |error: String| RunnerError::internal(format!("ONNX Runtime's profile: {error}"));
    let events: Vec<Event> = serde_json::from_slice(text).map_err(|error| failed(error.to_string()))?;
    let runs = runs(events);
    let counted = runs.get(WARM_UP..).filter(|runs| !runs.is_empty());
    let counted =
        counted.ok_or_else(|| failed(format!("it has {} runs; {WARM_UP} are warm-up", runs.len())))?;
    let layers = layers(counted);
    if layers.is_empty() {
        return Err(failed("it has no kernels".into()));
    }
    Ok(Profile::new(u32::try_from(counted.len()).unwrap_or(u32::MAX), layers))
}

/// The kernels of each run that ended.
fn runs(events: Vec<Event>) -> Vec<Vec<Event>> {
    let (mut runs, mut open) = (Vec::new(), Vec::new());
    for event in events {
        if event.cat == "Node" && event.name.ends_with(KERNEL) {
            open.push(event);
        } else if event.name == "model_run" {
            runs.push(std::mem::take(&mut open));
        }
    }
    runs
}

/// Medians over the runs, in the order of the first.
fn layers(runs: &[Vec<Event>]) -> Vec<LayerTime> {
    let mut times: BTreeMap<Key, Times> = BTreeMap::new();
    for run in runs {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for event in run {
            let again = seen.entry(&event.name).or_default();
            let (key, place) = ((event.name.clone(), *again), times.len());
            *again += 1;
            let kernel = times.entry(key).or_insert_with(|| Times {
                place,
                op: event.args.op_name.clone(),
                provider: event.args.provider.clone(),
                micros: Vec::new(),
            });
            kernel.micros.push(u64::try_from(event.dur).unwrap_or(0));
        }
    }
    let mut kernels: Vec<_> = times.into_iter().collect();
    kernels.sort_by_key(|(_, times)| times.place);
    kernels.into_iter().map(|((name, _), times)| layer(&name, times)).collect()
}

fn layer(name: &str, mut times: Times) -> LayerTime {
    LayerTime {
        node: name.strip_suffix(KERNEL).unwrap_or(name).to_owned(),
        op: times.op,
        provider: times.provider,
        ns: median(&mut times.micros).saturating_mul(1000),
    }
}

/// The middle one, the lower of two.
fn median(values: &mut [u64]) -> u64 {
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events as ONNX Runtime 1.31.1 writes them, shortened.
    fn text(runs: usize, break_off: bool) -> String {
        let mut events = vec![
            r#"{"cat":"Session","dur":37046,"ts":12,"ph":"X","name":"model_loading_uri","args":{}}"#
                .to_owned(),
        ];
        for run in 0..runs {
            for (name, op, dur) in [
                ("relu:3_nchwc", "Conv", 100 + run),
                ("ReorderOutput", "ReorderOutput", 5),
                ("", "Mul", 1),
                ("", "Mul", 2),
            ] {
                events.push(format!(
                    r#"{{"cat":"Node","pid":1,"dur":{dur},"ts":1,"ph":"X","name":"{name}_kernel_time","args":{{"op_name":"{op}","output_type_shape":[{{"float":[1,64]}}],"provider":"CPUExecutionProvider"}}}}"#
                ));
            }
            let end = r#"{"cat":"Session","dur":120,"name":"model_run","args":{}}"#;
            events.extend((!(break_off && run + 1 == runs)).then(|| end.to_owned()));
        }
        format!("[\n{}\n]", events.join(",\n"))
    }

    #[test]
    fn kernels_have_their_medians_in_their_order() {
        let profile = parse(text(WARM_UP + 3, false).as_bytes()).unwrap();
        assert_eq!(profile.runs, 3);
        let found: Vec<_> = profile.layers.iter().map(|l| (l.node.as_str(), l.op.as_str(), l.ns)).collect();
        assert_eq!(
            found,
            [
                ("relu:3_nchwc", "Conv", 104_000),
                ("ReorderOutput", "ReorderOutput", 5000),
                ("", "Mul", 1000),
                ("", "Mul", 2000)
            ]
        );
        assert_eq!(profile.layers[0].provider, "CPUExecutionProvider");
        assert_eq!(parse(text(WARM_UP + 3, true).as_bytes()).unwrap().runs, 2, "a run that broke off");
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let check = |text: &str, expect: &str| {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.message.contains(expect), "{error}");
        };
        check("[{", "EOF while parsing");
        check("[]", "it has 0 runs");
        check(&text(WARM_UP, false), "it has 3 runs");
        let runs = r#"{"name":"model_run"},"#.repeat(WARM_UP);
        check(&format!("[{runs}{{\"name\":\"model_run\"}}]"), "it has no kernels");
    }
}
