//! What the targets have in common: a folder of rules written as one text, and something to judge.

#[expect(dead_code, reason = "the tests of the judge crate use the rest of it")]
#[path = "../../core/judge/tests/rules/support.rs"]
mod support;

use convwise_judge::Inquiry;
use convwise_types::{Candidate, Deploy, Effort, Situation, Task};
use support::{Made, budget, resnet50};

/// What begins a line that names the next file.
const FILE: &str = "//// ";

/// The files of a folder written one after the other, each under a line `//// name`. What stands before the first
/// such line is a rule file.
pub fn folder(text: &str) -> Vec<(&str, String)> {
    let mut files = vec![("fuzzed.rhai", String::new())];
    for line in text.lines() {
        match line.strip_prefix(FILE) {
            Some(name) => files.push((name.trim(), String::new())),
            None => {
                let (_, text) = files.last_mut().expect("there is a first one");
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    files
}

/// One network of which much is known and one of which little is.
pub fn candidates() -> Vec<Candidate> {
    let unheard_of =
        Made { id: "unheard_of".into(), top1: None, latency: None, maturity: None, ..resnet50() };
    vec![resnet50().candidate(), unheard_of.candidate()]
}

/// Requests that between them open most rules.
pub fn inquiries() -> Vec<Inquiry> {
    let mut edge = budget(60.0);
    edge.request.task = Task::Detect;
    edge.request.deploy = Deploy::Edge;
    edge.request.situation = Situation {
        train_images: Some(500),
        classes: Some(7),
        effort: Some(Effort::Low),
        objects: Some(50),
        object_size: Some(16),
        ..Situation::default()
    };
    vec![budget(20.0), edge]
}
