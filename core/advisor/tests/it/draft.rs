//! What a request file may say, and what a draft becomes.

use std::collections::BTreeMap;

use convwise_advisor::draft::{Draft, DraftError, Surroundings};
use convwise_advisor::request_file::parse;
use convwise_types::{Deploy, Precision, Request, Task};

fn complete(text: &str) -> Result<Request, DraftError> {
    let around = Surroundings { cores: 8, cores_of: &|id| (id == "known").then_some(6) };
    parse("r.toml", text).unwrap().complete(&around, BTreeMap::new())
}

#[test]
fn what_is_not_stated_is_filled_in_and_said() {
    let request = complete("task = \"classify\"\ndeploy = \"cpu-server\"\nbatch = 4\n").unwrap();
    assert_eq!((request.batch, request.threads), (4, 8), "all processors of this machine");
    assert_eq!(request.precisions, [Precision::Fp32]);
    assert!(request.origins.contains_key("threads") && !request.origins.contains_key("batch"));
    let phone = complete("task = \"classify\"\ndeploy = \"mobile\"\n").unwrap();
    assert_eq!(phone.threads, 1, "nobody counted a phone's");
    assert_eq!(phone.precisions, [Precision::Fp32, Precision::Int8]);
    let named = complete("task = \"classify\"\ndeploy = \"mobile\"\ndevice = \"known\"\n").unwrap();
    assert_eq!(named.threads, 6);
}

#[test]
fn contradictions_and_gaps_are_refused() {
    assert_eq!(complete("deploy = \"edge\"\n"), Err(DraftError::NoTask));
    assert_eq!(complete("task = \"detect\"\n"), Err(DraftError::NoDeployment));
    let both = "task = \"classify\"\ndeploy = \"edge\"\nhere = true\ndevice = \"known\"\n";
    assert_eq!(complete(both), Err(DraftError::TwoTargets));
    let slow = "task = \"classify\"\ndeploy = \"edge\"\nreal-time = true\nlatency = \"1s\"\n";
    assert!(matches!(complete(slow), Err(DraftError::SlowerThanRealTime { .. })));
}

#[test]
fn the_stronger_draft_wins_field_by_field() {
    let weak = Draft { task: Some(Task::Detect), batch: Some(2), ..Draft::default() };
    let strong = Draft { task: Some(Task::Classify), deploy: Some(Deploy::Edge), ..Draft::default() };
    let merged = strong.over(&weak);
    assert_eq!(
        (merged.task, merged.deploy, merged.batch),
        (Some(Task::Classify), Some(Deploy::Edge), Some(2))
    );
}

#[test]
fn what_is_wrong_is_shown_at_its_place() {
    let check = |text: &str, code: &str, words: &str| {
        let problem = parse("r.toml", text).unwrap_err();
        assert_eq!(problem.code, code, "{problem}");
        assert!(problem.to_string().contains(words), "{problem}");
    };
    check("task = classify\n", "broken-request", "r.toml:1:8");
    check("latancy = \"20ms\"\n", "unknown-key", "did you mean `latency`");
    check("batch = 0\n", "bad-value", "`0` is not a whole number from 1 to 4096");
    check("classes = 99999999999999999999\n", "bad-value", "is not a whole number");
    check("precision = [\"fp32\", \"fp12\"]\n", "bad-value", "r.toml:1:13");
}
